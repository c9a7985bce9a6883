"""An upstream with every fault a server can have, and what a reader's page makes of it."""
