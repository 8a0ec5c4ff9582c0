"""The two halves of a codegen unit: what decides the code, and what is applied afterwards.

Backends see only the stencil, so nothing outside the key can leak into a result.
Source: Cranelift's `FunctionStencil` and `FunctionParameters`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from ..base.values import dataclass
from .module import CompiledUnit, ModuleCodegen
from .option_spec import OptionValue
from .options import Options
from .source_options import VARIANT, option_attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStencil:
    """Everything that may alter a source's compiled code, except the files it includes.

    Shape: `path` as in `crate.Source`, since messages and debug information show it; `fingerprint` is that of the
    backend and its tools; `options` are those that the backend says affect a unit. `file` and `repositories` as in
    `crate`: where files are read, which a result may show only in `observed`. `for_lto` and `for_code` as in `crate`,
    for backends to which they matter.
    """

    backend: str
    fingerprint: str
    target: str
    path: str
    source: bytes
    options: Options
    file: str = ""
    repositories: tuple[str, ...] = ()
    for_lto: bool = True
    for_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitParameters:
    """What is applied to a compiled unit afterwards: its name, and its source's own options for the link.

    Shape: `variant` as in `crate.Source`.
    """

    name: str
    own_options: Mapping[str, OptionValue] = field(default_factory=dict)
    variant: str = ""


def apply_parameters(unit: CompiledUnit, parameters: UnitParameters) -> CompiledUnit:
    """Prefix the names of a unit's modules with the unit's name.

    Shape: a backend names modules uniquely within the unit only (often by an empty name), so that one result serves
    units of any name.
    """
    own = option_attributes(parameters.own_options)
    if parameters.variant:
        own = (*own, (VARIANT, parameters.variant))

    def with_own_name(module: ModuleCodegen) -> ModuleCodegen:
        attributes = tuple(sorted((*module.attributes, *own))) if own else module.attributes
        return replace(module, name=parameters.name + module.name, attributes=attributes)

    return replace(unit, modules=tuple(map(with_own_name, unit.modules)))


def logical_path(path: str, repositories: Iterable[str]) -> str:
    """Return a file's logical path: relative to its repository if it lies in one, else unchanged."""
    for repository in repositories:
        if path.startswith(f"{repository}/"):
            return path[len(repository) + 1 :]
    return path
