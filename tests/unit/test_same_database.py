"""Whether SCons remembers the same, however its file is written."""

from __future__ import annotations

import pickle

from cratewright.scons.last_build.database import is_same_database


def _database(*words: object) -> bytes:
    return pickle.dumps({".": pickle.dumps({"a": list(words)})})


def test_what_is_shared_does_not_matter() -> None:
    shared = "".join(["le", "af"])
    once, twice = _database(shared, shared), _database(shared, "".join(["l", "eaf"]))
    assert once != twice and is_same_database(once, twice)


def test_what_is_said_does() -> None:
    assert not is_same_database(_database("a", 1), _database("a", 2))
    assert not is_same_database(_database("a", 1), _database("a", True))
    assert not is_same_database(_database("a"), pickle.dumps({"b": pickle.dumps({"a": ["a"]})}))
    for damaged in (b"", b"garbage", _database("a")[:-3], pickle.dumps(["a"])):
        assert not is_same_database(_database("a"), damaged) and not is_same_database(damaged, _database("a"))
