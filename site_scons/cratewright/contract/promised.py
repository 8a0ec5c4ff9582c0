"""Whether results are what their backend promised: files of a link, and values found in a cache."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

from ..base.errors import CratewrightError, PluginError
from ..values.call import BackendCall
from ..values.crate_type import CrateType
from ..values.module import CompiledUnit
from ..values.request import LinkRequest, LinkResult
from .answers import find_fault, returned_type
from .backend import CodegenBackend
from .blame import plugin_row
from .edge import plugin_class


def check_promised(backend: CodegenBackend, names: Sequence[str], result: LinkResult, crate: str) -> LinkResult:
    """Return the result of a link with the files that `output_names` promised first, in that order.

    Raises: PluginError naming missing and unexpected files.
    """
    files, directories = _split(names)
    made = [artifact.path for artifact in result.artifacts if not artifact.dump]
    missing = [name for name in files if name not in made]
    extra = [path for path in made if path not in files and not path.startswith(tuple(directories))]
    for what, paths in (("without", missing), ("with more than output_names() said:", extra)):
        if paths:
            raise PluginError(
                f"backend '{backend.NAME}': finish_link() returned a LinkResult {what} {', '.join(paths)}",
                context=(
                    ("crate", crate),
                    plugin_row(plugin_class(backend).__module__),
                    ("expected", f"what output_names() said: {' '.join(names)}"),
                    ("returned", " ".join(made) or "nothing"),
                ),
                hint="link() and output_names() must agree, or SCons would wait for files that are never made",
            )
    order = {name: position for position, name in enumerate(files)}
    artifacts = sorted(result.artifacts, key=lambda item: len(order) if item.dump else order.get(item.path, len(order)))
    return LinkResult(
        artifacts=tuple(artifacts),
        report=result.report,
        diagnostics=result.diagnostics,
        observed=result.observed,
    )


def could_return(backend: CodegenBackend, call: BackendCall[Any], value: object) -> bool:
    """Say whether a cached value may serve as the answer to a call: it passes every check that an answer passes.

    Shape: its fields have the types of their class, since it was decoded.
    """
    arguments = call.arguments
    expected = returned_type(call.method)
    if typing.get_origin(expected) is tuple:
        kind: type = typing.get_args(expected)[0]
        if type(value) is not tuple or not all(type(item) is kind for item in value):
            return False
    elif type(value) is not expected:
        return False
    if find_fault(type(backend), call.method, value, arguments) is not None:
        return False
    # Not everything that prints diagnostics removes what controls a terminal.
    if isinstance(value, (CompiledUnit, LinkResult)) and not all(item.is_printable for item in value.diagnostics):
        return False
    if isinstance(value, LinkResult) and not _promised(backend, value, arguments):
        return False
    try:
        return backend.could_return(call, value)
    except CratewrightError:  # the backend did not make a value it cannot handle
        return False


def _promised(backend: CodegenBackend, value: LinkResult, arguments: Sequence[object]) -> bool:
    """Say whether a part of a link has only promised files, and programs only where the crate type is a program."""
    request = arguments[0]
    assert isinstance(request, LinkRequest)
    files, directories = _split(backend.output_names(request.crate, request.crate_type, request.options))
    return all(
        artifact.dump
        or (
            (artifact.path in files or artifact.path.startswith(tuple(directories)))
            and (not artifact.executable or request.crate_type in _PROGRAMS)
        )
        for artifact in value.artifacts
    )


_PROGRAMS = (CrateType.BIN, CrateType.DYLIB, CrateType.CDYLIB)


def _split(names: Sequence[str]) -> tuple[list[str], list[str]]:
    return [name for name in names if not name.endswith("/")], [name for name in names if name.endswith("/")]
