"""Comparison of SCons databases by content, regardless of how they were pickled."""

from __future__ import annotations

import pickle

from cratewright.scons.last_build.database import is_same_database


def _database(*words: object) -> bytes:
    return pickle.dumps({".": pickle.dumps({"a": list(words)})})


def test_shared_objects_are_equal_to_copies() -> None:
    shared = "".join(["le", "af"])
    once, twice = _database(shared, shared), _database(shared, "".join(["l", "eaf"]))
    assert once != twice and is_same_database(once, twice)


def test_different_content_is_detected() -> None:
    assert not is_same_database(_database("a", 1), _database("a", 2))
    assert not is_same_database(_database("a", 1), _database("a", True))
    assert not is_same_database(_database("a"), pickle.dumps({"b": pickle.dumps({"a": ["a"]})}))
    for damaged in (b"", b"garbage", _database("a")[:-3], pickle.dumps(["a"])):
        assert not is_same_database(_database("a"), damaged) and not is_same_database(damaged, _database("a"))
