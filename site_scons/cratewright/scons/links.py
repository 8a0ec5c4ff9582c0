"""Links that a crate has beside its files, as SCons nodes, and how they are installed.

SCons sees what a link leads to; who installs one wants to know when it leads elsewhere, and to have a link again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import SCons.Tool.install

from ..digest import value_digest
from ..fs import digest_file, link_if_changed
from .made_file import MadeFile

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

__all__ = ["install_links", "link_node"]

Install = Callable[[str, str, Any], Any]
# SCons's own tool sets them when something is installed for the first time, unless they are set.
_INSTALLERS = {
    "INSTALL": SCons.Tool.install.copyFunc,
    "INSTALLVERSIONEDLIB": SCons.Tool.install.copyFuncVersionedLib,
}


class _Link(MadeFile):
    __slots__ = ()

    def get_csig(self) -> str:
        """Return the digest of where it leads and of what is there."""
        ninfo = self.get_ninfo()
        try:
            return str(ninfo.csig)
        except AttributeError:
            pass
        path = str(self.abspath)
        ninfo.csig = value_digest((_leads_to(path), digest_file(path)))
        return str(ninfo.csig)


def link_node(node: Any) -> Any:
    """Return the node of a file as that of a link."""
    node.__class__ = _Link
    return node


def install_links(env: Environment) -> None:
    """Let `env.Install` and `env.InstallVersionedLib` make a link of a link, if what it leads to comes with it."""
    for name, usual in _INSTALLERS.items():
        install = env.get(name, usual)
        if not isinstance(install, _LinkInstaller):
            env[name] = _LinkInstaller(install)


class _LinkInstaller:
    """An installer of files that knows links of crates."""

    def __init__(self, install: Install) -> None:
        self._install = install

    def __call__(self, dest: str, source: str, env: Environment) -> Any:
        if os.path.islink(dest):  # a copy would be written to where it leads
            with suppress(OSError):
                os.unlink(dest)
        to = _leads_to(source)
        beside = env.fs.Entry(os.path.join(os.path.dirname(dest) or ".", to), env.fs.Top) if to else None
        if isinstance(env.fs.Entry(source, env.fs.Top), _Link) and beside is not None and beside.is_derived():
            link_if_changed(os.path.abspath(dest), to)
            return 0
        return self._install(dest, source, env)


def _leads_to(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
