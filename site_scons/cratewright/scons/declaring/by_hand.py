"""The builders of stages as an SConstruct calls them: `env.CrateCodegen`, `CrateArchive`, `CrateLto`, `CrateLink`.

The file that a stage is given determines the crate, even if a command of the user made that file from another stage's
output.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import SCons.Node.FS
import SCons.Util

from ...base.errors import ConfigurationError, GraphError, UnknownNameError, near_miss
from ...values.crate import parse_crate_types
from ...values.crate_type import CrateType
from ..nodes.paths import reading_in, relative
from ..options.own_variables import with_own_variables
from .crate_of_node import MADE_SUFFIXES, crate_stages_of
from .declaration import Declaration
from .stages import CrateStages

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

Words = Mapping[str, object]
_RLINK, _RLIB, _LTO = MADE_SUFFIXES


def _codegen(env: Environment, target: Any, source: Any, words: Words) -> list[Any]:
    given = _flat(target)
    if len(given) != 1:
        raise ConfigurationError(
            f"CrateCodegen makes one file, but is given {len(given)} targets",
            hint='env.CrateCodegen("sky", ["sky.frag"], crate_type="cdylib")',
        )
    node = _target_node(env, given[0], "", _RLINK)
    name = node.name.removesuffix(_RLINK)
    changed, rest = with_own_variables(env, words, where=f"crate '{name}'")
    deps, crate_type = rest.pop("deps", ()), rest.pop("crate_type", "rlib")
    declaration = Declaration(changed, name, rest, below=node.dir)
    return declaration.codegen(source, deps, crate_type)


def _archive(env: Environment, target: Any, source: Any, words: Words) -> list[Any]:
    _check_words("CrateArchive", words, ())
    stages, given = _given(env, "CrateArchive", source, (_RLINK,))
    nodes = [_target_node(env, item, "lib", _RLIB) for item in _flat(target)]
    if len(nodes) > 1:
        raise ConfigurationError(f"CrateArchive makes one file, but is given {len(nodes)} targets")
    with reading_in(stages.env, stages.here):
        return [stages.archive(nodes[0] if nodes else None, given[_RLINK])]


def _lto(env: Environment, target: Any, source: Any, words: Words) -> list[Any]:
    _check_words("CrateLto", words, ())
    stages, given = _given(env, "CrateLto", source, (_RLINK, _RLIB))
    names = [_target_node(env, item, "", _LTO) for item in _flat(target)]
    if len(names) > 1:
        raise ConfigurationError("CrateLto names its files itself if there are several", hint="leave out the target")
    for node in names:
        _check_directory(stages, node)
    made = stages.optimize(names[0].name if names else "", given[_RLINK])
    if not made:
        raise ConfigurationError(
            f"crate '{stages.declared.name}' asks for no link-time optimization",
            context=(("crate types", " ".join(kind.value for kind in stages.types)),),
            hint='set lto="thin" or "fat" where its codegen is declared',
        )
    return made


def _link(env: Environment, target: Any, source: Any, words: Words) -> list[Any]:
    _check_words("CrateLink", words, ("crate_type",))
    stages, given = _given(env, "CrateLink", source, (_RLINK, _LTO, _RLIB))
    requested = words.get("crate_type")
    kinds = parse_crate_types(requested, crate=stages.declared.name) if requested else stages.linked_types
    for kind in kinds:
        if kind not in stages.linked_types:
            has = " ".join(item.value for item in stages.types)
            raise ConfigurationError(
                f"crate '{stages.declared.name}' is not compiled to be linked as {kind.value}",
                context=(("crate types", has),),
                hint="set crate_type where its codegen is declared",
            )
    if not kinds:
        raise ConfigurationError(
            f"crate '{stages.declared.name}' is only an rlib, which is not linked",
            hint='set crate_type="cdylib" where its codegen is declared',
        )
    lto = given[_LTO]
    if lto is not None:
        made_for = getattr(_origin(lto).attributes, "crate_lto", kinds)
        kinds = tuple(kind for kind in kinds if kind in made_for)
    nodes: list[Any] = []
    with reading_in(stages.env, stages.here):
        for kind in kinds:
            optimized = lto if stages.is_optimized(kind) else None
            nodes += stages.link(kind, given[_RLINK], optimized or stages.optimized(kind))
    _check_targets(env, stages, _flat(target), nodes)
    return nodes


_CALLS: dict[str, Callable[[Any, Any, Any, Words], list[Any]]] = {
    "CrateCodegen": _codegen,
    "CrateArchive": _archive,
    "CrateLto": _lto,
    "CrateLink": _link,
}


def call_stage(name: str, env: Environment, target: Any, source: Any, words: Words) -> list[Any]:
    """Return the nodes for a call of a stage's builder in an SConstruct."""
    return SCons.Util.NodeList(_CALLS[name](env, target, source, words))  # type: ignore[no-any-return]


def _flat(items: Any) -> list[Any]:
    return [] if items is None else list(SCons.Util.flatten([items]))


def _check_words(builder: str, words: Words, known: Iterable[str]) -> None:
    for word in words:
        if word not in known and not word.isupper():
            raise UnknownNameError(
                f"{builder} takes no '{word}'",
                hint=near_miss(word, known) or "options of a crate go to its codegen: env.CrateCodegen(...)",
            )


def _given(
    env: Environment, builder: str, source: Any, suffixes: tuple[str, ...]
) -> tuple[CrateStages, dict[str, Any]]:
    """Return the crate whose files are given, and the file of each suffix; rlibs replace those of dependencies.

    Raises: GraphError for a file that belongs to no crate, to another one, or is of no use to the stage.
    """
    given: dict[str, Any] = dict.fromkeys(MADE_SUFFIXES)
    stages: CrateStages | None = None
    rlibs: list[Any] = []
    for item in _flat(source):
        node = env.File(item) if isinstance(item, str) else item
        suffix = os.path.splitext(str(getattr(node, "name", node)))[1]
        if suffix not in suffixes:
            raise GraphError(
                f"{builder} cannot take {node}",
                hint=f"it takes {', '.join(suffixes)}; sources and objects go to CrateCodegen",
            )
        if suffix == _RLIB:
            rlibs.append(node)
            continue
        found = crate_stages_of(node)
        if found is None or found.rlink is None:
            raise GraphError(
                f"{node} is not made from a crate that this build declares",
                hint="env.CrateCodegen makes one; `cratewright link` links a file that is there already",
            )
        if stages not in (None, found) or given[suffix] not in (None, node):
            raise GraphError(f"{builder} is given more than one crate, or one file twice over: {given[suffix]}, {node}")
        stages, given[suffix] = found, node
    if stages is None:
        raise GraphError(f"{builder} is given no {' or '.join(item for item in suffixes if item != _RLIB)} file")
    for node in rlibs:
        _link_instead(stages, node, builder)
    return stages, given


def _link_instead(stages: CrateStages, rlib: Any, builder: str) -> None:
    found = crate_stages_of(rlib)
    below = {item.key: item for item in stages.build.links.below(stages.declared)}
    if found is None or found.declared.key not in below:
        names = " ".join(item.name for item in below.values()) or "none"
        raise GraphError(
            f"{builder} is given {rlib}, which crate '{stages.declared.name}' does not depend on",
            context=(("it depends on", names),),
            hint="pass it as deps=[...] where the crate's codegen is declared",
        )
    found.declared.libraries.setdefault(CrateType.RLIB, rlib)
    if rlib is not found.declared.libraries[CrateType.RLIB]:
        stages.declared.instead[found.declared.key] = rlib


def _origin(node: Any) -> Any:
    """Return the node made by a stage that this node was made from."""
    while not hasattr(node.attributes, "crate_stages") and node.sources:
        node = next((item for item in node.sources if crate_stages_of(item) is not None), node.sources[0])
    return node


def _target_node(env: Environment, item: Any, prefix: str, suffix: str) -> Any:
    if isinstance(item, SCons.Node.FS.Base):
        node = item
    else:
        path = str(env.subst(str(item)))
        if not path.endswith(suffix):
            directory, name = os.path.split(path)
            path = os.path.join(directory, (name if name.startswith(prefix) else prefix + name) + suffix)
        node = env.fs.File(path)
    if not node.name.endswith(suffix):
        raise ConfigurationError(f"{node} has the wrong suffix", hint=f"its name must end in {suffix}")
    return node


def _check_directory(stages: CrateStages, node: Any) -> None:
    if node.dir is not stages.here:
        raise ConfigurationError(
            f"{node} is not beside {relative(stages.rlink)}",
            hint=f"all outputs of crate '{stages.declared.name}' lie beside its .rlink",
        )


def _check_targets(env: Environment, stages: CrateStages, targets: list[Any], nodes: list[Any]) -> None:
    """Refuse a name that the backend does not use: identities of crates and manifests depend on it."""
    names = {stages.declared.name, *(node.name for node in nodes)}
    for item in targets:
        node = item if isinstance(item, SCons.Node.FS.Base) else env.fs.File(str(env.subst(str(item))))
        if node.name not in names or node.dir is not stages.here:
            raise ConfigurationError(
                f"crate '{stages.declared.name}' is not linked as {node}",
                context=(("it becomes", " ".join(relative(made) for made in nodes)),),
                hint="give the crate that name where its codegen is declared, or copy it with env.Install",
            )
