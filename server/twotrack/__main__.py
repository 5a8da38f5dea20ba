"""`python -m twotrack`."""

import sys

from twotrack.cli import main

sys.exit(main())
