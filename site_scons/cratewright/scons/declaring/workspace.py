"""`env.CrateWorkspace`: the crates of a TOML file, declared as if by an SConscript beside it."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import SCons.Errors
import SCons.Node.FS

from ...base.errors import ConfigurationError, GraphError, near_miss
from ...pipeline.plan import check_target, option_table, source_table
from ...plugins.loading import default_registry
from ...system.fs import read_bytes
from ...values.option_spec import OptionKind
from ...values.options import BUILTIN_PROFILES, SEARCH_PATHS, resolve_profile
from ...values.whole_crate import whole
from ...workspace.declaration import Workspace, WorkspaceCrate, read_workspace
from ...workspace.dependency import WorkspaceDependency
from ...workspace.features import Selection, select_features
from ...workspace.glob import Listing, expand_glob, is_glob
from ...workspace.settings import Vocabulary, WorkspaceSettings, WorkspaceSource
from ..crates.prebuilt import check_rlib
from ..nodes.crate_target import CrateTarget
from ..nodes.paths import directory_node, file_node, located_source, nearest_name, original, reading_in, relative
from ..options.expansion import as_literal
from ..options.spelling import with_command_line
from ..SCons import entrance
from .declaration import Declaration
from .targets import together

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


class WorkspaceTargets(dict[str, CrateTarget]):
    """The crate targets of a workspace by name, in the order declared."""

    @entrance
    def __missing__(self, name: str) -> CrateTarget:
        raise GraphError(f"the workspace has no crate '{name}'", hint=near_miss(name, self))


def declare_workspace(env: Environment, file: object, features: object, *, default_features: bool) -> WorkspaceTargets:
    """Declare the crates of a TOML file and return their targets; `features` are further ones, as "CRATE/FEATURE".

    Raises: ConfigurationError that begins with `file:line:`, or names the file if it cannot be read.
    """
    env = with_command_line(env)
    node = _file_node(env, file)
    workspace = _read(node)
    vocabularies = {
        name: Vocabulary(kind.TARGETS, option_table(kind), source_table(kind))
        for name in default_registry().names
        for kind in [default_registry().backend(name)]
    }
    known = {**BUILTIN_PROFILES, **default_registry().profiles, **env["CRATE_PROFILES"]}
    settings = WorkspaceSettings(workspace, vocabularies, known)
    requests = _requests(features)
    selections = select_features(workspace.document, workspace.features, requests, default=default_features)
    with reading_in(env, node.dir):
        declaration = _WorkspaceDeclaration(env, workspace, settings, selections)
        return WorkspaceTargets({crate.name: declaration.declare(crate) for crate in workspace.crates})


def _requests(features: object) -> list[tuple[str, str]]:
    words = [features] if isinstance(features, str) else features
    pairs: list[tuple[str, str]] = []
    for word in words if isinstance(words, (list, tuple)) else [words]:
        crate, slash, feature = word.partition("/") if isinstance(word, str) else ("", "", "")
        if not slash:
            raise ConfigurationError(f"{word!r} is not a feature of a crate", hint='write "CRATE/FEATURE"')
        pairs.append((crate, feature))
    return pairs


def _file_node(env: Environment, file: object) -> Any:
    try:
        nodes = env.arg2nodes(file, env.fs.File)
    except TypeError as error:  # a directory has that name
        raise ConfigurationError(f"workspace {str(file)!r} is not a file") from error
    if len(nodes) != 1:
        raise ConfigurationError(f"a workspace is one file, not {len(nodes)}", hint="call CrateWorkspace for each")
    return nodes[0]


def _read(node: Any) -> Workspace:
    located = located_source(node)
    path = relative(located)
    if not os.path.exists(located.abspath):
        raise ConfigurationError(f"{path}: no such workspace", hint=nearest_name(located.abspath))
    if os.path.isdir(located.abspath):
        raise ConfigurationError(f"workspace '{path}' is not a file")
    return read_workspace(read_bytes(located.abspath, role="workspace"), path=path)


class _WorkspaceDeclaration:
    """One call of `env.CrateWorkspace`, in the directory of its file."""

    def __init__(
        self,
        env: Environment,
        workspace: Workspace,
        settings: WorkspaceSettings,
        selections: Mapping[str, Selection],
    ) -> None:
        self._env = env
        self._workspace = workspace
        self._document = workspace.document
        self._settings = settings
        self._selections = selections
        self._listing = _listing(env)
        self._here = env.fs.getcwd()
        self._crates = {crate.name: crate for crate in workspace.crates}
        self._made: dict[tuple[str, str], CrateTarget] = {}

    def declare(self, crate: WorkspaceCrate) -> CrateTarget:
        """Declare a crate, for each of its targets if there is a list of them."""
        if not crate.targets:
            return self._for_one(crate, crate.target)
        return together(crate.name, {target: self._for_one(crate, target, target) for target in crate.targets})

    def _for_one(self, crate: WorkspaceCrate, target: str, below: str = "") -> CrateTarget:
        key = (crate.name, below)
        if key not in self._made:
            with reading_in(self._env, self._here):
                self._made[key] = self._declare(crate, target, below)
        return self._made[key]

    def _declare(self, crate: WorkspaceCrate, target: str, below: str) -> CrateTarget:
        key = ("crate", crate.name)
        located = self._document.located
        backend = crate.backend or str(self._env["CRATE_BACKEND"])
        if not backend:
            hint = "set backend = ... there, or set CRATE_BACKEND in the Environment"
            raise self._document.error(f"crate '{crate.name}' has no backend", *key, hint=hint)
        with located(*key, "backend"):
            kind = default_registry().backend(backend)
        with located(*key, "target"):
            default_target = (
                check_target(str(self._env["CRATE_TARGET"]), kind) if not target or crate.target else target
            )
            target = check_target(target, kind) if target else default_target
        shared = default_registry().profiles.keys() - self._env["CRATE_PROFILES"].keys()
        profiles = self._settings.profiles(backend, shared)
        profile = crate.profile or str(self._env["CRATE_PROFILE"])
        with located(*key, "profile"):
            resolve_profile(profile, profiles)
        own = self._document.table("profile")
        files = {spec.name for spec in option_table(kind) if spec.kind is OptionKind.PATH}
        profiles = {name: self._located(given, files) if name in own else given for name, given in profiles.items()}
        selection = self._selections[crate.name]
        options = self._settings.options(crate, backend, target, selection.defines)
        words: dict[str, object] = {"backend": backend, "target": target, "profile": profile}
        words |= {"metadata": as_literal(crate.metadata), "variants": as_literal(crate.variants)}
        sources = [item for source in self._settings.sources(crate, backend) for item in self._paths(source, files)]
        dependencies = [
            self._dependency(crate.name, item, target, below or target != default_target)
            for item in selection.dependencies
        ]
        for_target = None if crate.target or below else lambda other: self._for_one(crate, other, other)
        with located(*key):
            words |= self._located(options, files)
            return Declaration(self._env, crate.name, words, profiles, below=below, for_target=for_target).declare(
                sources,
                dependencies,
                crate.crate_types,
                lambda name: self._workspace.dependency_place(crate.name, name),
            )

    def _dependency(self, user: str, item: WorkspaceDependency, target: str, follow: object) -> object:
        if not item.path:
            named = self._of_target(user, item, target, follow)
            return whole(named) if item.whole_archive else named
        with self._document.located(*item.key):
            node = file_node(self._env, item.path)
            if not node.is_derived():
                check_rlib(node, user=user)
            return whole(node) if item.whole_archive else node

    def _of_target(self, user: str, item: WorkspaceDependency, target: str, follow: object) -> Any:
        """Return a dependency by name, or the one for a crate's target: libraries without a target are built for it."""
        other = self._crates.get(item.name)
        if other is None or not (other.targets or follow) or other.target == target:
            return item.name
        if other.target or (other.targets and target not in other.targets):
            raise self._document.error(
                f"crate '{user}' is for target '{target}', but '{item.name}' is not",
                *item.key,
                hint=f"it is for {' '.join(other.targets) or other.target}: let it name no target, or this one as well",
            )
        return self._for_one(other, target, target)

    def _paths(self, source: WorkspaceSource, files: Container[str]) -> list[tuple[object, Mapping[str, object]]]:
        paths = expand_glob(source.path, self._listing) if is_glob(source.path) else (source.path,)
        if not paths:
            raise self._document.error(f"'{source.path}' matches no file", *source.key)
        with self._document.located(*source.key):
            options = self._located(source.options, files)
            if source.variants is not None:
                options["variants"] = as_literal(source.variants)
            return [(self._source(path), options) for path in paths]

    def _source(self, path: str) -> object:
        try:
            return file_node(self._env, path)
        except ConfigurationError:  # a directory, which the declaration of the crate refuses
            return directory_node(self._env, path)

    def _located(self, options: Mapping[str, object], files: Container[str]) -> dict[str, object]:
        """Return options with files and directories as nodes: SCons does not expand what a workspace says.

        Shape: `files` are the options that name a file.
        """
        located: dict[str, object] = as_literal(options)
        for name, value in options.items():
            if name in SEARCH_PATHS and isinstance(value, tuple):
                located[name] = [self._directory(path) for path in value]
            elif name in files and isinstance(value, str) and value:
                located[name] = self._source(value)
        return located

    def _directory(self, path: str) -> object:
        try:
            return directory_node(self._env, path)
        except ConfigurationError:  # a file, which the declaration of the crate refuses
            return file_node(self._env, path)


def _listing(env: Environment) -> Listing:
    @cache
    def names(path: str) -> Mapping[str, bool]:
        try:
            directory = directory_node(env, path)
        except ConfigurationError:  # there is a file of that name
            return {}
        source = original(directory)
        # Copies in a variant directory are not sources.
        variants = {name for name, node in source.entries.items() if getattr(node, "srcdir", None) is not None}
        # SCons knows what is built, which may not exist yet.
        found = {
            name: isinstance(node, SCons.Node.FS.Dir)
            for name, node in directory.entries.items()
            if node.is_derived() and name not in (".", "..", *variants)
        }
        for place in source.get_all_rdirs():
            with suppress(OSError), os.scandir(place.abspath) as entries:
                for entry in entries:
                    is_directory = entry.is_dir()
                    # A link may lead back up, or to where the same files are found by their own names.
                    if not (is_directory and (entry.is_symlink() or entry.name in variants)):
                        found.setdefault(entry.name, is_directory)
        return found

    return names
