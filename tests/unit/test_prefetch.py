"""Prefetched cache entries: each is requested from a server once, and results are the same as without prefetching."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import pytest

from cratewright.cache.entry import seal_entry
from cratewright.cache.level import Level
from cratewright.cache.note import NoteForm
from cratewright.cache.prefetch import ASKED, Prefetch
from cratewright.cache.stack import StackedStore
from tests.support.bounds import ends, until
from tests.support.memory_store import MemoryStore

KEYS = [f"{number:064x}" for number in range(600)]


class Server(MemoryStore):
    """A store that records requests and can be blocked."""

    def __init__(self, items: Mapping[str, bytes] | None = None) -> None:
        super().__init__(items or {})
        self.requests: list[str] = []
        self.puts = 0
        self.open = threading.Event()
        self.open.set()

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Answer when not blocked."""
        self.open.wait()
        self.requests += keys
        return super().get_many(keys)

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Store all, and count them."""
        self.puts += len(items)
        super().put_many(items)


def _entries(keys: Sequence[str]) -> dict[str, bytes]:
    return {key: seal_entry(key, key.encode()) for key in keys}


def _stack(near: MemoryStore, far: MemoryStore, **words: bool) -> StackedStore:
    return StackedStore([Level(near, "near"), Level(far, "far", far=True, **words)])


def _build(stack: StackedStore, keys_by_name: Mapping[str, Sequence[str]], *ahead: str) -> dict[str, bytes]:
    """Request the keys of each name as a build does, after announcing the names in `ahead`."""
    assert not stack.prefetch.begun
    stack.get_many(["f" * 64])
    assert stack.prefetch.begun
    stack.prefetch.expect(ahead)
    until(lambda: stack.prefetch._thread is None)
    found: dict[str, bytes] = {}
    for name, keys in keys_by_name.items():
        stack.prefetch.note(name, keys)
        found |= stack.get_many(keys)
    stack.close()
    return found


def test_keys_of_the_last_build_are_fetched_together() -> None:
    far = Server(_entries(KEYS))
    keys_by_name = {".:a": KEYS[:300], ".:b": [*KEYS[300:], "e" * 64]}
    assert _build(_stack(MemoryStore(), far), keys_by_name) == _entries(KEYS)
    far.requests.clear()
    puts = far.puts
    stack = _stack(MemoryStore(), far)
    assert _build(stack, keys_by_name, ".:a", ".:b", ".:unknown") == _entries(KEYS)
    lists = [ASKED.key(name) for name in (".:a", ".:b", ".:unknown")]
    assert far.requests == ["f" * 64, *lists, *keys_by_name[".:a"], *keys_by_name[".:b"]], (
        "each once, in order, the missing one as well"
    )
    assert far.puts == puts, "an unchanged list is not stored again"
    assert (stack.levels[1].usage.hits, stack.levels[1].usage.misses) == (600, 2)
    assert stack.levels[1].usage.received == sum(map(len, _entries(KEYS).values()))


def test_entries_of_a_near_level_are_not_fetched() -> None:
    far = Server(_entries(KEYS))
    _build(_stack(MemoryStore(), far), {"a": KEYS})
    far.requests.clear()
    assert _build(_stack(MemoryStore(_entries(KEYS[:599])), far), {"a": KEYS}, "a") == _entries(KEYS)
    assert far.requests == ["f" * 64, ASKED.key("a"), KEYS[599]]


def test_request_waits_for_a_running_prefetch() -> None:
    far = Server(_entries(KEYS))
    level = Level(far, "far", far=True)
    far.open.clear()
    fetching = threading.Thread(target=level.fetch, args=(KEYS[:2],))
    fetching.start()
    until(lambda: level._prefetched._coming)
    threading.Timer(0.1, far.open.set).start()
    with ends():
        assert level.get_many(KEYS[1:3]) == _entries(KEYS[1:3])
    fetching.join()
    assert far.requests == KEYS[:3]
    assert level.fetch(KEYS[1:3]) == frozenset(), "requested keys are not fetched again"
    assert level.get_many(KEYS[:1]) == _entries(KEYS[:1]) and far.requests == KEYS[:3]


def test_failed_store_blocks_no_request(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(MemoryStore):
        def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
            raise OSError("gone")

    level = Level(Broken(), "far", far=True)
    with ends():
        assert level.fetch(KEYS) == frozenset() and level.get_many(KEYS) == {}
    assert capfd.readouterr().err.count("continuing without the cache far") == 1


def test_number_of_remembered_lists_is_bounded() -> None:
    far = Server()
    for some in (KEYS[:4], KEYS[4:8], KEYS[8:12], KEYS[10:12]):
        _build(_stack(MemoryStore(), far), {"a": some})
    prefetch = Prefetch([Level(far, "far", far=True)])
    prefetch._learn(prefetch._far[0], ["a"])
    assert list(prefetch._known[prefetch._far[0], "a"]) == [*KEYS[8:12], *KEYS[4:8]]


@pytest.mark.parametrize(
    "planted",
    [
        b"junk",
        seal_entry(ASKED.key("a"), b"junk"),
        ASKED.seal("0" * 64, b"x" * 32),
        NoteForm("another format", bytes).seal(ASKED.key("a"), b"x" * 32),
        ASKED.seal(ASKED.key("a"), b"x" * 33),
    ],
)
def test_invalid_list_is_ignored_and_replaced(planted: bytes) -> None:
    far = Server(_entries(KEYS))
    far[ASKED.key("a")] = planted
    assert _build(_stack(MemoryStore(), far), {"a": KEYS}, "a") == _entries(KEYS)
    assert far.requests[2:] == KEYS and far.puts == 1, "it is replaced"


def test_long_list_is_truncated() -> None:
    far = Server()
    far[ASKED.key("a")] = ASKED.seal(ASKED.key("a"), bytes(32 * 50_000))
    prefetch = Prefetch([Level(far, "far", far=True)])
    prefetch._learn(prefetch._far[0], ["a"])
    assert len(prefetch._known[prefetch._far[0], "a"]) == 20_000


def test_prefetch_respects_modes_of_levels() -> None:
    far = Server(_entries(KEYS))
    assert _build(_stack(MemoryStore(), far, writes=False), {"a": KEYS}, "a") == _entries(KEYS) and not far.puts
    stack = _stack(MemoryStore(), far, reads=False)
    stack.prefetch.note("a", KEYS)
    assert stack.get_many(KEYS) == {} and not stack.prefetch.begun
    stack.close()
    assert far.puts == 1 and len(far) == 601
    assert StackedStore([Level(MemoryStore(), "near")]).prefetch.begun is False
