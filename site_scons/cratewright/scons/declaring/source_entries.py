"""The sources in one call of `env.Crate`, with what is given for each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import SCons.Node.FS
import SCons.Util

from ...base.errors import ConfigurationError
from ...base.values import dataclass
from ...values.crate import Source, unit_name
from ...values.option_spec import OptionSpec, OptionValue
from ...values.options import Options, parse_options
from ...values.source_options import check_source_words
from ...values.variants import AXES_AND_CONDITIONS, Variant, Variants, check_axes
from ..graph.generated import GeneratedFiles
from ..graph.mirror import Mirror
from ..nodes.crate_target import CrateTarget
from ..nodes.paths import check_path, located_source, logical_source, nearest_name, portable_path, relative
from ..options.expansion import Expansion
from ..options.option_paths import OptionPaths

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """The node of a source, the name and options given for it, and its variant."""

    node: Any
    given: str
    own: Mapping[str, OptionValue]
    variant: Variant | None

    def value(self, options: Options, here: str, suffixes: Iterable[str], *, where: str) -> Source:
        """Return the source as a value.

        Shape: `options` are the crate's; `here` is the directory of the SConscript, as `portable_path` gives it.
        Raises: ConfigurationError for a macro that is both an axis and a define.
        """
        logical, located = logical_source(self.node), located_source(self.node)
        path = portable_path(logical)
        file = path if located is logical else relative(located)
        name = self.given or unit_name(path if logical is self.node else portable_path(self.node), here)
        chosen, which = options.override(self.own) if self.own else options, ""
        if self.variant is not None:
            check_axes(self.variant, chosen.defines, where=f"{where}, source {path}")
            chosen, which = chosen.override({"defines": self.variant.defines}), self.variant.encode(name)
            name = self.variant.unit_name(name, suffixes)
        return Source(path=path, name=name, options=chosen, file=file if file != path else "", variant=which)

    def beside(self, source: Source, generated: GeneratedFiles, names: Callable[[bytes], Iterable[str]]) -> list[str]:
        """Return directories of a variant that lead to generated files which the source includes.

        Shape: `source` is this one's value; `names` gives the names that a text includes.
        """
        if self.node.is_derived() or self.node.srcnode() is self.node:
            return []
        mirror = Mirror.for_node(self.node)
        if mirror is None:
            return []
        return generated.mirrored(mirror, source.location, source.options.texts("include_dirs"), names)

    def check_exists(self, source: Source, root: str, *, crate: str, declared_at: str) -> None:
        """Refuse a source that neither exists nor is made.

        Raises: ConfigurationError.
        """
        if self.node.is_derived() or os.path.exists(os.path.join(root, source.location)):
            return
        # SCons then removes the copy in a variant directory, or a Glob() would find it again next time.
        self.node.exists()
        path = os.path.join(root, source.path)
        is_link = os.path.islink(path)
        raise ConfigurationError(
            f"{source.path}: {'a dangling link' if is_link else 'no such source'}",
            context=(("crate", crate), ("declared in", declared_at)),
            hint=f"it leads to {os.readlink(path)}" if is_link else nearest_name(path),
        )


class SourceReader:
    """Reads what a call of `env.Crate` gives as sources.

    Shape: `table` has the options that a crate may set, `words` are those that a source may.
    """

    def __init__(
        self,
        env: Environment,
        table: Iterable[OptionSpec],
        words: set[str],
        variants: Variants,
        expansion: Expansion,
        paths: OptionPaths,
        *,
        crate: str,
    ) -> None:
        self._env = env
        self._table = tuple(table)
        self._words = words
        self._variants = variants
        self._expansion = expansion
        self._paths = paths
        self._crate = crate
        self._where = f"crate '{crate}'"

    def read(self, sources: object) -> list[SourceEntry]:
        """Return an entry for each source and variant.

        Raises: ConfigurationError.
        """
        known = {spec.name for spec in self._table} | {"name", *AXES_AND_CONDITIONS}
        is_one = isinstance(sources, (str, tuple, SCons.Node.FS.Base, CrateTarget))
        items = [sources] if is_one else sources
        entries: list[SourceEntry] = []
        for item in items if isinstance(items, (list, SCons.Util.UserList)) else [items]:
            if isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], Mapping):
                path, _options = item
                own = {str(key): value for key, value in item[1].items()}
                where = f"{self._where}, source {path}"
                check_source_words(own, known, self._words, where=where)
                given = self._expansion.text("a source's name", own.pop("name", ""))
                own_axes = {
                    word: self._expansion.words(f"'{word}'", own.pop(word, None)) for word in AXES_AND_CONDITIONS
                }
                variants = self._variants.of_source(own_axes, where=where)
                # Located now, while relative paths are below the directory of this SConscript.
                located = self._paths.located(own)
                for node in self._nodes(path):
                    options = parse_options(located, self._table, where=f"{self._where}, source {node}")
                    entries += [SourceEntry(node, given, options, variant) for variant in variants.chosen]
            else:
                entries += [
                    SourceEntry(node, "", {}, each) for node in self._nodes(item) for each in self._variants.chosen
                ]
        return entries

    def _nodes(self, item: object) -> list[Any]:
        if isinstance(item, CrateTarget):
            raise ConfigurationError(
                f"crate '{self._crate}' is given crate '{item.name}' as a source", hint="pass it as deps=[...]"
            )
        try:
            nodes = list(self._env.arg2nodes(item, self._env.fs.File))
        except TypeError:  # a directory has that name
            nodes = [item]
        except ValueError as error:  # not a file name: SCons has already passed it to the system
            check_path(str(item), where=self._where)
            raise error from None
        for node in nodes:
            if not isinstance(node, SCons.Node.FS.Base) or isinstance(node, SCons.Node.FS.Dir):
                raise ConfigurationError(
                    f"crate '{self._crate}' cannot compile {str(node)!r}, which is not a file",
                    hint="name a file, or a directory's files with Glob()",
                )
            check_path(relative(node), where=self._where)
        return nodes
