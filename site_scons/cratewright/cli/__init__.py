"""The command line."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Mapping, Sequence

from ..base.errors import CratewrightError, PluginError
from ..contract.backend import API_VERSION
from ..pipeline.engine import Engine
from ..pipeline.plan import option_table, source_table
from ..pipeline.relink import relink
from ..pipeline.settings import read_remote, read_workers
from ..plugins.loading import default_registry
from ..plugins.plugin import BLOCKED
from ..plugins.registry import Registry
from ..system.child import end_all
from ..system.ending import end_on_signals
from ..system.fs import read_bytes
from ..values.crate import parse_crate_types
from ..values.options import CORE_OPTIONS
from ..version import __version__
from .build import add_build, job_count
from .cache import add_cache
from .completion import add_completion
from .diff import add_diff
from .explain import add_explain
from .init import add_init
from .inspection import built_crates, facts, lines, row
from .new import add_new_backend
from .plugins import add_plugin_commands
from .report import add_report
from .verify import add_verify
from .watch import add_watch


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status: 0, 2 with the error on stderr, or another of the command."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        parser = command_parser(words)
    except CratewrightError as error:
        print(f"cratewright: {error}", file=sys.stderr)
        return 2
    # argparse treats `--` differently in each release of Python.
    mark = words.index("--") if "--" in words else len(words)
    arguments, rest = parser.parse_known_args(words[:mark])
    arguments.passed = words[mark + 1 :]
    builds = getattr(arguments, "passes", False)
    # argparse takes targets before the options of a command, or after them, but not both.
    if rest and builds and not any(word.startswith("-") for word in rest):
        arguments.words += rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if arguments.passed and not builds:
        parser.error("only 'build', 'watch' and 'verify-reproducible' take arguments after --")
    end_on_signals()
    if sys.stdout is None:  # it was closed
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as this process
    try:
        os.getcwd()
    except OSError as error:
        print(f"cratewright: there is no current directory: {error.strerror}", file=sys.stderr)
        print("  hint: it was removed; change to another one", file=sys.stderr)
        return 2
    try:
        status: int = arguments.run(arguments) or 0
        sys.stdout.flush()
        return status
    except CratewrightError as error:
        print(f"cratewright: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        end_all()
        print("cratewright: interrupted", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader closed the pipe.
        _discard_output()
        return 0
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise
        _discard_output()
        print(f"cratewright: standard output cannot be written: {error.strerror}", file=sys.stderr)
        return 2


def _discard_output() -> None:
    # Else Python would report the error again when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command_parser(words: Sequence[str] = ("build",)) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, with the commands of plugins if `words` may name one.

    Raises: PluginError as `add_plugin_commands`; ConfigurationError for an invalid word in `CRATE_PLUGINS`.
    """
    parser = argparse.ArgumentParser(
        prog="cratewright", description="Crates for SCons: inspect backends and files, and link again."
    )
    parser.add_argument("--version", action="version", version=f"cratewright {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_build(commands)
    add_watch(commands)
    add_init(commands)
    add_new_backend(commands)
    add_report(commands)
    add_diff(commands)
    backends = commands.add_parser("backends", help="list backends with their tools, and plugins with their hooks")
    backends.add_argument("--json", action="store_true", help="print JSON")
    backends.set_defaults(run=_backends)
    inspect = commands.add_parser("inspect", help="show the contents of an .rlib, .rlink, dylib, .spv.json or image")
    inspect.add_argument("file", metavar="FILE", help="the file to show")
    inspect.add_argument("--json", action="store_true", help="print JSON")
    inspect.set_defaults(run=_inspect)
    link = commands.add_parser("link", help="link an .rlink file again, with newly resolved dependencies")
    link.add_argument("file", metavar="FILE.rlink", help="the compiled crate")
    link.add_argument(
        "--crate-type",
        action="append",
        default=[],
        metavar="TYPE",
        help="crate type to link, instead of those it was compiled for",
    )
    link.add_argument(
        "-L", action="append", default=[], dest="search", metavar="DIR", help="directory to search for crates"
    )
    link.add_argument("-o", dest="directory", metavar="DIR", help="output directory (default: beside FILE.rlink)")
    link.add_argument(
        "-j", dest="jobs", type=job_count, default=1, metavar="N", help="number of images to link in parallel"
    )
    link.set_defaults(run=_link)
    graph = commands.add_parser("graph", help="draw the crates of a workspace or of an SConstruct's last build")
    graph.add_argument(
        "file",
        metavar="FILE.toml|DIR",
        nargs="?",
        default=".",
        help="a workspace, or the directory of an SConstruct (default: this directory)",
    )
    graph.add_argument(
        "--format", choices=("mermaid", "dot", "json"), default="mermaid", help="output format (default: mermaid)"
    )
    graph.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    graph.set_defaults(run=_graph)
    add_explain(commands)
    add_cache(commands)
    add_verify(commands)
    add_completion(commands, lambda: command_parser(["completion"]))
    schema = commands.add_parser("schema", help="print the JSON schema of workspaces, or of build events")
    schema.add_argument("--events", action="store_true", help="print the schema of one line of a CRATE_EVENTS file")
    schema.add_argument("backend", metavar="BACKEND", nargs="?", help="include only this backend's options")
    schema.set_defaults(run=_schema)
    add_plugin_commands(commands, words)
    return parser


def _graph(arguments: argparse.Namespace) -> None:
    from ..workspace.declaration import read_workspace  # noqa: PLC0415 - only this command reads TOML
    from ..workspace.picture import draw, draw_built  # noqa: PLC0415 - only this command reads TOML

    if os.path.isdir(arguments.file):
        print(draw_built(built_crates(arguments.file), arguments.format), end="")
        return
    workspace = read_workspace(read_bytes(arguments.file, role="workspace"), path=arguments.file)
    print(draw(workspace, arguments.format), end="")


def _schema(arguments: argparse.Namespace) -> None:
    if arguments.events:
        from ..system.event_schema import event_schema  # noqa: PLC0415 - only this command needs it

        print(json.dumps(event_schema(), indent=1))
        return
    from ..workspace.schema import json_schema  # noqa: PLC0415 - only this command needs it

    registry = default_registry()
    names = [arguments.backend] if arguments.backend else registry.names
    specs = {spec.name: spec for name in names for spec in option_table(registry.backend(name))}
    of_source = {spec.name: spec for name in names for spec in source_table(registry.backend(name))}
    print(json.dumps(json_schema(specs.values() or CORE_OPTIONS, of_source.values() or CORE_OPTIONS), indent=2))


def _engine(jobs: int = 1) -> Engine:
    settings = {name: value for name, value in os.environ.items() if name.startswith("CRATE_")}
    read_remote(settings)
    read_workers(settings)
    return Engine(os.getcwd(), default_registry(), settings, jobs)


def _link(arguments: argparse.Namespace) -> None:
    types = parse_crate_types(arguments.crate_type, crate=arguments.file) if arguments.crate_type else ()
    directory = arguments.directory if arguments.directory is not None else os.path.dirname(arguments.file)
    engine = _engine(arguments.jobs)
    try:
        for path in relink(engine, arguments.file, arguments.search, types, directory):
            print(path)
    finally:
        engine.close()


def _backends(arguments: argparse.Namespace) -> None:
    registry = default_registry()
    engine = _engine()
    broken = [plugin.name for plugin in registry.plugins if plugin.broken not in ("", BLOCKED)]
    rows: list[dict[str, object]] = []
    for name in registry.names:
        kind = registry.backend(name)
        try:
            tools = engine.fingerprint(name, kind.TARGETS[0])
        except CratewrightError as error:
            tools = str(error)
            if isinstance(error, PluginError):
                broken.append(name)
        rows.append(
            {
                "name": name,
                "origin": registry.origin(name),
                "tools": tools,
                "contract": kind.API_VERSION,
                "targets": list(kind.TARGETS),
                "sources": list(kind.SUFFIXES),
                "crate_types": sorted(item.value for item in kind.supported_crate_types),
                "capabilities": sorted(item.value for item in kind.capabilities),
                "options": [spec.name for spec in kind.OPTIONS],
            }
        )
    if arguments.json:
        plugins = [
            {
                "name": plugin.name,
                "origin": plugin.origin,
                "module": plugin.target,
                "blocked": plugin.broken == BLOCKED,
                "broken": "" if plugin.broken == BLOCKED else plugin.broken,
                "hooks": list(plugin.hooks),
                "backends": list(plugin.backends),
                "commands": list(plugin.commands),
                "profiles": list(plugin.profiles),
            }
            for plugin in registry.plugins
        ]
        print(json.dumps({"backends": rows, "plugins": plugins}, indent=1))
    else:
        _print_backends(rows, registry)
    if broken:
        raise PluginError(
            f"{'a plugin' if len(broken) == 1 else 'plugins'} cannot be used: {', '.join(broken)}",
            hint="fix or uninstall the broken plugin, or block it: CRATE_PLUGINS=-NAME",
        )


def _print_backends(rows: Sequence[Mapping[str, object]], registry: Registry) -> None:
    def words(value: object) -> str:
        return " ".join(map(str, value)) if isinstance(value, list) else str(value)

    for item in rows:
        print(f"{item['name']} ({item['origin']})")
        _row("tools", words(item["tools"]))
        old = "" if item["contract"] == API_VERSION else ", to be withdrawn"
        _row("contract", f"version {item['contract']}{old}")
        for label, key, none in (
            ("targets", "targets", ""),
            ("sources", "sources", ""),
            ("crate types", "crate_types", ""),
            ("can", "capabilities", "compile and link"),
            ("options", "options", "none of its own"),
        ):
            _row(label, words(item[key]) or none)
    for plugin in registry.plugins:
        state = "" if not plugin.broken else ": blocked" if plugin.broken == BLOCKED else ": broken"
        print(f"plugin {plugin.name} ({plugin.origin}){state}")
        _row("module", plugin.target)
        if plugin.broken:
            _row("reason", plugin.broken)
        else:
            _row("hooks", " ".join(plugin.hooks))
            _row("backends", " ".join(plugin.backends) or "none")
            for label, names in (("commands", plugin.commands), ("profiles", plugin.profiles)):
                if names:
                    _row(label, " ".join(names))
    if not rows:
        print("no backend is installed; try: pip install cratewright-spirv")


def _inspect(arguments: argparse.Namespace) -> None:
    found = facts(arguments.file, default_registry().describe)
    for line in [json.dumps(found, indent=1)] if arguments.json else lines(found, arguments.file):
        print(line)


def _row(label: str, text: str) -> None:
    print(row(label, text))
