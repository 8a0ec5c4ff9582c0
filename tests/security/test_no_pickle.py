"""Nothing that another user or machine can write is ever unpickled.

Knows nothing of what is read: it reads the sources.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOADERS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "_pickle", "copyreg"}
PRIVATE = {
    "site_scons/cratewright/workers/worker.py",
    "site_scons/cratewright/pipeline/remote_calls/messages.py",
    "site_scons/cratewright/pipeline/remote_calls/remote_main.py",
    "site_scons/cratewright/scons/last_build/database.py",
}
"""Pipes between a build and workers that it started itself, of which nobody else has an end; calls that lie on
another machine beside the code that makes them: whoever could alter the one could alter the other; and SCons's own
memory, which SCons has unpickled in the same process before."""


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in {
            "__import__",
            "import_module",
        }:
            found |= {word.value for word in node.args if isinstance(word, ast.Constant) and word.value in LOADERS}
    return found


def test_pickle_is_for_private_pipes_alone() -> None:
    sources = [*ROOT.glob("site_scons/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
    assert len(sources) > 100
    users = {path.relative_to(ROOT).as_posix() for path in sources if _imported(path) & LOADERS}
    assert users == PRIVATE


def test_what_is_unpickled_came_through_a_pipe() -> None:
    """Each call that loads takes what was read from a descriptor that a fork handed on."""
    tree = ast.parse((ROOT / "site_scons/cratewright/workers/worker.py").read_text(encoding="utf-8"))
    loads = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("loads", "load")
    ]
    assert loads
    for call in loads:
        assert ast.unparse(call.args[0]).startswith("_message("), ast.unparse(call)


def test_calls_are_unpickled_on_the_other_machine_alone() -> None:
    """What comes back from there is decoded and checked."""
    files = [*(ROOT / "site_scons/cratewright/pipeline").rglob("*.py")]
    loading = {
        item.name
        for path in files
        for item in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(item, ast.FunctionDef) and any(name in ast.unparse(item) for name in ("pickle.load", "Unpickler"))
    }
    assert loading == {"main"}
