"""The interface of a crate as an SCons node, on which the rlibs of its dependents depend.

A dependent waits for the file that contains it, and is made again only if the digest in that file changes: SCons by
itself would make it again for every edit of a body.
"""

from __future__ import annotations

from typing import Any

import SCons.Node
import SCons.Node.Python

from ...base.errors import CratewrightError
from ...formats.metadata import read_interface
from ...system.fs import read_bytes


def interface_node(file: Any) -> InterfaceNode:
    """Return the node for the interface in a crate's `.rlink` or rlib; one for each file."""
    node = getattr(file.attributes, "crate_interface", None)
    if node is None:
        node = file.attributes.crate_interface = InterfaceNode(file)
    node.set_state(SCons.Node.up_to_date)
    return node


class InterfaceNode(SCons.Node.Python.Value):  # type: ignore[misc]
    """The digest in a crate's `.rlink` or rlib; whoever depends on it also waits for that `file`.

    It has no builder, so SCons spends no task on it, and it cannot fail.
    """

    def __init__(self, file: Any) -> None:
        super().__init__(f"interface of {file}")
        # As `StageState` does, for `--debug=explain`.
        SCons.Node.Python._memo_lookup_map[hash((self.value, None))] = self
        self.file = file

    def get_csig(self, calc: object = None) -> str:
        """Return the interface digest."""
        try:
            return str(self.ninfo.csig)
        except AttributeError:
            pass
        try:
            csig: str = read_interface(read_bytes(str(self.file.abspath)), path=str(self.file))
        except CratewrightError:
            csig = "(unreadable)"  # stages that read it report that
        self.get_ninfo().csig = csig
        return csig
