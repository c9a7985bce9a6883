"""The hostile corpus: all cases, class by class.

injection         tags, attributes, comments, entities, and what parsers turn into them
addresses         where no link may lead
takeovers         styles, names, htmx, our own data attributes, template languages
markdown_tricks   Markdown and mathematics
characters        ANSI, Unicode, sizes
shapes            JSON that is nearly a message
attachments       media, files, citations
fields            one polyglot in every field, as every name, and as ids
"""

from __future__ import annotations

from typing import Final

from tools.hostile import (
    addresses,
    attachments,
    characters,
    fields,
    injection,
    markdown_tricks,
    shapes,
    takeovers,
)
from tools.hostile.cases import Case

CASES: Final[tuple[Case, ...]] = (
    *injection.CASES,
    *addresses.CASES,
    *takeovers.CASES,
    *markdown_tricks.CASES,
    *characters.CASES,
    *shapes.CASES,
    *attachments.CASES,
    *fields.CASES,
)
