"""How often Python's garbage collector runs in SCons, without a last run as SCons ends.

What SConscripts declare lives as long as the build, and grows with every crate. Scanning it again and again took 1.2 of
the 3.4 s of 500 crates with nothing to do; the run at the end takes 9 to 19 % of a build of 5,000 units with nothing to
do. An SConstruct that sets its own thresholds keeps Python's behaviour.
"""

from __future__ import annotations

import atexit
import gc

_AS_PYTHON_DOES = (700, 10, 10)
_SELDOM = (50_000, 20, 100)


def collect_seldom() -> None:
    """Run the garbage collector less often, and not at exit, unless the SConstruct sets thresholds."""
    if gc.get_threshold() == _AS_PYTHON_DOES:
        gc.set_threshold(*_SELDOM)
        atexit.register(_leave_all)


def _leave_all() -> None:
    # At exit, Python's collector traverses all objects that are not frozen.
    if gc.get_threshold() == _SELDOM:
        gc.freeze()


collect_seldom()  # before the rest of this package is imported
