"""Whether SCons remembers the same, however its file is written."""

from __future__ import annotations

import pickle

from cratewright.scons.graph.usual import is_same_memory


def _memory(*words: object) -> bytes:
    return pickle.dumps({".": pickle.dumps({"a": list(words)})})


def test_what_is_shared_does_not_matter() -> None:
    shared = "".join(["le", "af"])
    once, twice = _memory(shared, shared), _memory(shared, "".join(["l", "eaf"]))
    assert once != twice and is_same_memory(once, twice)


def test_what_is_said_does() -> None:
    assert not is_same_memory(_memory("a", 1), _memory("a", 2))
    assert not is_same_memory(_memory("a", 1), _memory("a", True))
    assert not is_same_memory(_memory("a"), pickle.dumps({"b": pickle.dumps({"a": ["a"]})}))
    for damaged in (b"", b"garbage", _memory("a")[:-3], pickle.dumps(["a"])):
        assert not is_same_memory(_memory("a"), damaged) and not is_same_memory(damaged, _memory("a"))
