"""`python -m tgsci` is `tgsci`."""

import sys

from .cli import main

sys.exit(main())
