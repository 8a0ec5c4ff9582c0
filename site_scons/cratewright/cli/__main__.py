"""`python -m cratewright.cli`: the same as `python -m cratewright`."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
