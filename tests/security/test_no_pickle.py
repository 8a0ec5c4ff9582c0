"""No data that another user or machine can write is unpickled, as a search of the sources shows."""

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
    "plugins/cratewright-slang/src/cratewright_slang/module_compiler.py",
}
"""Where unpickling is safe: private pipes between a build and its own workers; calls sent to another machine together
with the code that runs them (whoever can alter one can alter the other); SCons's own database, which SCons has
already unpickled in the same process; and modules that the workers of one build share, in its private directory."""


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


def test_only_listed_modules_import_pickle() -> None:
    sources = [*ROOT.glob("site_scons/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
    assert len(sources) > 100
    users = {path.relative_to(ROOT).as_posix() for path in sources if _imported(path) & LOADERS}
    assert users == PRIVATE


def test_workers_unpickle_only_pipe_messages() -> None:
    """Each call of `load` or `loads` takes a message read from an inherited pipe."""
    tree = ast.parse((ROOT / "site_scons/cratewright/workers/worker.py").read_text(encoding="utf-8"))
    loads = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("loads", "load")
    ]
    assert loads
    for call in loads:
        assert ast.unparse(call.args[0]).startswith("_message("), ast.unparse(call)


def test_only_the_remote_side_unpickles_calls() -> None:
    """Replies are decoded and checked instead."""
    files = [*(ROOT / "site_scons/cratewright/pipeline").rglob("*.py")]
    loading = {
        item.name
        for path in files
        for item in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(item, ast.FunctionDef) and any(name in ast.unparse(item) for name in ("pickle.load", "Unpickler"))
    }
    assert loading == {"main"}
