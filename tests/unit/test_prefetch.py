"""Entries that are fetched before they are asked for: each is asked of a server once, and is what it would be."""

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
    """Takes note of what it is asked for, and may be held up."""

    def __init__(self, items: Mapping[str, bytes] | None = None) -> None:
        super().__init__(items or {})
        self.asked: list[str] = []
        self.puts = 0
        self.open = threading.Event()
        self.open.set()

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Answer once it may."""
        self.open.wait()
        self.asked += keys
        return super().get_many(keys)

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Keep all."""
        self.puts += len(items)
        super().put_many(items)


def _entries(keys: Sequence[str]) -> dict[str, bytes]:
    return {key: seal_entry(key, key.encode()) for key in keys}


def _stack(near: MemoryStore, far: MemoryStore, **words: bool) -> StackedStore:
    return StackedStore([Level(near, "near"), Level(far, "far", far=True, **words)])


def _build(stack: StackedStore, asked: Mapping[str, Sequence[str]], *ahead: str) -> dict[str, bytes]:
    """Ask for the keys of names as a build would, with some of the names told beforehand."""
    assert not stack.prefetch.begun
    stack.get_many(["f" * 64])
    assert stack.prefetch.begun
    stack.prefetch.expect(ahead)
    until(lambda: stack.prefetch._thread is None)
    found: dict[str, bytes] = {}
    for name, keys in asked.items():
        stack.prefetch.note(name, keys)
        found |= stack.get_many(keys)
    stack.close()
    return found


def test_what_was_asked_for_before_is_fetched_at_once() -> None:
    far = Server(_entries(KEYS))
    asked = {".:a": KEYS[:300], ".:b": [*KEYS[300:], "e" * 64]}
    assert _build(_stack(MemoryStore(), far), asked) == _entries(KEYS)
    far.asked.clear()
    puts = far.puts
    stack = _stack(MemoryStore(), far)
    assert _build(stack, asked, ".:a", ".:b", ".:unknown") == _entries(KEYS)
    lists = [ASKED.key(name) for name in (".:a", ".:b", ".:unknown")]
    assert far.asked == ["f" * 64, *lists, *asked[".:a"], *asked[".:b"]], "each once, in order, the missing one as well"
    assert far.puts == puts, "it is no news"
    assert (stack.levels[1].usage.hits, stack.levels[1].usage.misses) == (600, 2)
    assert stack.levels[1].usage.received == sum(map(len, _entries(KEYS).values()))


def test_what_is_near_is_not_fetched() -> None:
    far = Server(_entries(KEYS))
    _build(_stack(MemoryStore(), far), {"a": KEYS})
    far.asked.clear()
    assert _build(_stack(MemoryStore(_entries(KEYS[:599])), far), {"a": KEYS}, "a") == _entries(KEYS)
    assert far.asked == ["f" * 64, ASKED.key("a"), KEYS[599]]


def test_who_asks_meanwhile_waits_and_does_not_ask_again() -> None:
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
    assert far.asked == KEYS[:3]
    assert level.fetch(KEYS[1:3]) == frozenset(), "what was asked for is not fetched any more"
    assert level.get_many(KEYS[:1]) == _entries(KEYS[:1]) and far.asked == KEYS[:3]


def test_a_store_that_fails_keeps_nobody_waiting(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(MemoryStore):
        def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
            raise OSError("gone")

    level = Level(Broken(), "far", far=True)
    with ends():
        assert level.fetch(KEYS) == frozenset() and level.get_many(KEYS) == {}
    assert capfd.readouterr().err.count("continuing without the cache far") == 1


def test_what_others_asked_for_is_remembered_within_bounds() -> None:
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
def test_a_list_that_is_none(planted: bytes) -> None:
    far = Server(_entries(KEYS))
    far[ASKED.key("a")] = planted
    assert _build(_stack(MemoryStore(), far), {"a": KEYS}, "a") == _entries(KEYS)
    assert far.asked[2:] == KEYS and far.puts == 1, "it is replaced"


def test_a_long_list_is_cut() -> None:
    far = Server()
    far[ASKED.key("a")] = ASKED.seal(ASKED.key("a"), bytes(32 * 50_000))
    prefetch = Prefetch([Level(far, "far", far=True)])
    prefetch._learn(prefetch._far[0], ["a"])
    assert len(prefetch._known[prefetch._far[0], "a"]) == 20_000


def test_modes() -> None:
    far = Server(_entries(KEYS))
    assert _build(_stack(MemoryStore(), far, writes=False), {"a": KEYS}, "a") == _entries(KEYS) and not far.puts
    stack = _stack(MemoryStore(), far, reads=False)
    stack.prefetch.note("a", KEYS)
    assert stack.get_many(KEYS) == {} and not stack.prefetch.begun
    stack.close()
    assert far.puts == 1 and len(far) == 601
    assert StackedStore([Level(MemoryStore(), "near")]).prefetch.begun is False
