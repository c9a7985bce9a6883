"""`python -m webapp`, the same as `readback`."""

from __future__ import annotations

import sys

from webapp.cli import main

sys.exit(main())
