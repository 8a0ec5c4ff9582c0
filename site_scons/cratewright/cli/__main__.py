"""`python -m cratewright.cli`: the same as `python -m cratewright`."""

import sys

from . import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
