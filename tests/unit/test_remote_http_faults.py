"""Faults of an HTTP cache cost time or hits, and are reported once."""

from __future__ import annotations

import functools
import http.client
import operator
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from cratewright.base.errors import Interrupted
from cratewright.cache.level import Level
from cratewright.cache.results import ResultCache
from cratewright.remote.address import read_address
from cratewright.remote.http_connection import HttpConnection, ServerAccess
from cratewright.remote.message import INLINE
from cratewright.remote.patience import Wait
from cratewright.remote.store import ServerError
from cratewright.system.child import end_all
from tests.support.bounds import HANG, ends
from tests.support.cache_server import FAULTS, faulty_server, serving
from tests.support.http_store import PLENTY, RESULTS, fill, found_in, key_for, open_at, result_of

PATIENCE = 0.6
"""Timeout in seconds for servers that never answer correctly."""

ALLOWED = {
    "chunked", "close", "http-1.0", "die-once", "error-page", "put-500", "put-403", "put-405", "put-413", "put-507",
    "put-full", "hang-put", "die-put", "hang-head", "head-200",
}  # fmt: skip
"""Faults with which all entries are still found."""


def _with_fault(fault: str, kept: Mapping[str, bytes], urls: list[str]) -> list[str]:
    """Read from and write to a faulty server; append its URL to `urls`, and return what went wrong."""
    wrong: list[str] = []
    new = {key_for(f"new {number}"): result_of(number, INLINE * 2 if number % 2 else 100) for number in range(6)}
    with faulty_server(fault, kept) as server:
        urls.append(server.url)
        store = open_at(server, PLENTY if fault in ALLOWED else PATIENCE)
        start = time.monotonic()
        level = Level(store, server.url, far=True)
        level.fetch(list(RESULTS))
        for number in range(3):
            found = found_in(store if number else level, RESULTS)
            wrong += [f"{fault}: {key} is wrong" for key, result in found.items() if result != RESULTS[key]]
            if fault in ALLOWED and found != RESULTS:
                wrong.append(f"{fault}: {len(found)} of {len(RESULTS)} found")
        if fault in ALLOWED and "hang" in fault:  # it answers reads, but never writes
            store.close()
            store = open_at(server, PATIENCE)
        fill(store, new)
        if (took := time.monotonic() - start) > 0.8 * HANG:
            wrong.append(f"{fault}: took {took:.1f} s")
        server.fault = ""
        again = open_at(server)
        for key, result in found_in(again, RESULTS | new).items():
            if result != (RESULTS | new)[key]:
                wrong.append(f"{fault}: left {key} wrong")
        again.close()
    return wrong


def test_faults_cause_no_wrong_results(kept: dict[str, bytes], capfd: pytest.CaptureFixture[str]) -> None:
    assert len(FAULTS) == 60
    urls: list[str] = []
    with ThreadPoolExecutor(6) as pool:
        wrong = list(pool.map(lambda fault: _with_fault(fault, kept, urls), FAULTS))
    assert functools.reduce(operator.iadd, wrong, []) == []
    lines = capfd.readouterr().err.splitlines()
    assert all(line.startswith("cratewright: ") for line in lines), lines
    servers = Counter(urls)  # servers may reuse a port
    for (words, url), count in Counter(tuple(re.split(r"(http://\S+?/ci)", line)[:2]) for line in lines).items():
        assert count <= servers[url], f"{words}{url} is said {count} times"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("get-401", "it requires credentials (GET was answered with 401"),
        ("get-301", "it redirects: GET was answered with 301"),
        ("get-500", "GET was answered with 500"),
        ("cut", "its entry is not a result"),
        ("no-http", "BadStatusLine"),
        ("hang", "it does not answer in time"),
        ("put-405", "no longer writing"),
    ],
)
def test_fault_is_reported_once_with_its_reason(
    fault: str, words: str, kept: dict[str, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    with faulty_server(fault, kept) as server:
        store = open_at(server, PATIENCE if fault == "hang" else PLENTY)
        for _ in range(3):
            found_in(store, RESULTS)
        requests_before = server.count
        found_in(store, RESULTS)
        assert fault == "put-405" or server.count == requests_before, "the server is no longer used"
        fill(store, {key_for("new"): result_of(1, 10)})
    (line,) = capfd.readouterr().err.splitlines()
    assert server.url in line and words in line


def test_failing_server_is_reported_once(kept: dict[str, bytes], capfd: pytest.CaptureFixture[str]) -> None:
    """First uploads fail, then requests."""
    with faulty_server("put-405", kept) as server:
        store = open_at(server)
        ResultCache(store, lambda path: None).keep(key_for("new"), result_of(1, 10))
        said, end = "", time.monotonic() + PLENTY
        while not said and time.monotonic() < end:
            said = capfd.readouterr().err
            time.sleep(0.01)
        server.fault = "get-401"
        assert found_in(store, RESULTS) == {} and store.problem
        store.close()
    assert "no longer writing" in said and capfd.readouterr().err == ""


def test_refused_connection_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    with serving() as server:
        pass
    with ends(PLENTY / 2):
        store = open_at(server)
        assert found_in(store, RESULTS) == {} and found_in(store, RESULTS) == {}
        fill(store, RESULTS)
    assert capfd.readouterr().err == (
        f"cratewright: continuing without the cache {server.url}: no connection: Connection refused\n"
    )


def test_server_slow_with_misses_is_given_up(kept: dict[str, bytes], capfd: pytest.CaptureFixture[str]) -> None:
    """It costs one timeout in total, regardless of the number of lookups."""
    with faulty_server("slow", {}) as server:
        store = open_at(server, PATIENCE)
        for number in range(20):
            found_in(store, {key_for(f"other {number}"): 0})
        assert server.count < 5 and len(capfd.readouterr().err.splitlines()) == 1


def test_interrupt_ends_a_request(kept: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    from cratewright.system import child

    with faulty_server("hang", kept) as server:
        store = open_at(server, 10 * PLENTY)
        timer = threading.Timer(0.3, end_all)
        timer.start()
        try:
            with ends(HANG / 2), pytest.raises(Interrupted):
                store.get_many(list(RESULTS))
            store.close()
        finally:
            child._build.ended.clear()


def test_cut_connection_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store may be closed after connecting and before the request."""
    connect = HttpConnection._connect

    def cut_after(self: HttpConnection, wait: Wait) -> http.client.HTTPConnection:
        client = connect(self, wait)
        self.cut()
        return client

    monkeypatch.setattr(HttpConnection, "_connect", cut_after)
    with serving() as server:
        connection = HttpConnection(ServerAccess(read_address(server.url, {})))
        with pytest.raises(ServerError):
            connection.exchange("GET", "/ac/none", wait=Wait(PLENTY))
    assert server.connections <= 1 and not server.count


def test_each_piece_of_an_upload_extends_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[int] = []
    value = bytes(3_000_000)
    with serving() as server:
        connection = HttpConnection(ServerAccess(read_address(server.url, {})))
        wait = Wait(PLENTY)
        monkeypatch.setattr(wait, "came", lambda size, answers=0: came.append(size))
        assert connection.exchange("PUT", "/cas/x", value, wait=wait) is not None
        connection.cut()
        assert server.kept["/ci/cas/x"] == value
    assert sum(came) == len(value) and len(came) > 10
