"""An upstream with every fault that a server can have, and the pages that readers get."""
