"""`python -m cratewright.cli`: as `python -m cratewright`."""

import sys

from . import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
