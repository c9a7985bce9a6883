"""Ways to a completion, for templates: its conversation, a search, the overview.

filters        the filters of the list, and links that keep or change them
conversations  the place of a completion in its conversation
searching      the hit of a search that an address names
overview       the strip of bars above the list, and the tables below it
"""
