"""A cache on a server over HTTP: right results or none, in bounded time, whatever the server does."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.client
import operator
import re
import subprocess
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError, Interrupted
from cratewright.cache.entry import seal_entry
from cratewright.cache.level import Level
from cratewright.cache.results import ResultCache, damaged_entries
from cratewright.cache.store import CacheKvStore
from cratewright.pipeline.cache_settings import read_store
from cratewright.plugins.registry import Registry
from cratewright.remote.address import read_address
from cratewright.remote.http import HttpTransport
from cratewright.remote.http_connection import HttpConnection, HttpError, ServerAccess
from cratewright.remote.message import INLINE, ActionResult, action_of, message_digest
from cratewright.remote.patience import Wait
from cratewright.remote.store import RemoteStore
from cratewright.system.child import end_all
from cratewright.values.module import CompiledUnit, ModuleCodegen
from tests.support.bounds import HANG, ends
from tests.support.cache_server import FAULTS, CacheServer, faulty_server, serving
from tests.support.certificates import make_certificate
from tests.support.paths import source_paths

PATIENCE = 0.6
"""Seconds for servers that never answer as they should."""
PLENTY = 30.0
"""Seconds that no server needs which answers at all, on any machine."""
ALLOWED = {"chunked", "close", "http-1.0", "die-once", "error-page", "put-500", "put-403", "put-405", "put-413"}
ALLOWED |= {"put-507", "put-full", "hang-put", "die-put", "hang-head", "head-200"}
"""Faults with which all that the server has is found all the same."""


def _key(word: object) -> str:
    return hashlib.sha256(str(word).encode()).hexdigest()


def _result(word: object, size: int) -> CompiledUnit:
    return CompiledUnit(modules=(ModuleCodegen(name="m", data=str(word).encode().ljust(size, b".")),), observed=())


RESULTS = {_key(number): _result(number, INLINE * 2 if number % 2 else 100) for number in range(8)}


def _store(server: CacheServer, patience: float = PLENTY, **environ: str) -> RemoteStore:
    return RemoteStore(HttpTransport(read_address(server.url, environ)), server.url, patience)


def _fill(store: CacheKvStore, results: Mapping[str, CompiledUnit]) -> None:
    cache = ResultCache(store, lambda path: None)
    for key, result in results.items():
        cache.keep(key, result)
    store.close()


def _found(store: CacheKvStore, keys: Mapping[str, object]) -> dict[str, object]:
    answers = ResultCache(store, lambda path: None).find(list(keys))
    return {key: answer.result for key, answer in zip(keys, answers, strict=True) if answer.result is not None}


@pytest.fixture(scope="module")
def kept() -> dict[str, bytes]:
    """Return what a proper server has after a build."""
    with serving() as server:
        _fill(_store(server), RESULTS)
        return dict(server.kept)


def test_what_goes_in_comes_out(kept: dict[str, bytes]) -> None:
    assert sum(path.startswith("/ci/ac/") for path in kept) == 8
    assert sum(path.startswith("/ci/cas/") for path in kept) == 4
    for path, data in kept.items():
        if "/cas/" in path:
            assert path.endswith(message_digest(data).hash)
    with faulty_server("", kept) as server:
        store = _store(server)
        assert _found(store, {_key("no such"): 0, **RESULTS}) == RESULTS
        assert _found(store, RESULTS) == RESULTS
        assert server.connections <= len(RESULTS) + 1, "connections are kept"
        store.close()
        assert store.get_many(list(RESULTS)) == {}, "closed"


def _with_fault(fault: str, kept: Mapping[str, bytes], urls: list[str]) -> list[str]:
    """Read from and write to a server that misbehaves, note where it was, and return what was wrong about it."""
    wrong: list[str] = []
    new = {_key(f"new {number}"): _result(number, INLINE * 2 if number % 2 else 100) for number in range(6)}
    with faulty_server(fault, kept) as server:
        urls.append(server.url)
        store = _store(server, PLENTY if fault in ALLOWED else PATIENCE)
        start = time.monotonic()
        level = Level(store, server.url, far=True)
        level.fetch(list(RESULTS))
        for number in range(3):
            found = _found(store if number else level, RESULTS)
            wrong += [f"{fault}: {key} is wrong" for key, result in found.items() if result != RESULTS[key]]
            if fault in ALLOWED and found != RESULTS:
                wrong.append(f"{fault}: {len(found)} of {len(RESULTS)} found")
        if fault in ALLOWED and "hang" in fault:  # it answers what is read, and never what is written
            store.close()
            store = _store(server, PATIENCE)
        _fill(store, new)
        if (took := time.monotonic() - start) > 0.8 * HANG:
            wrong.append(f"{fault}: took {took:.1f} s")
        server.fault = ""
        again = _store(server)
        for key, result in _found(again, RESULTS | new).items():
            if result != (RESULTS | new)[key]:
                wrong.append(f"{fault}: left {key} wrong")
        again.close()
    return wrong


def test_sixty_faults(kept: dict[str, bytes], capfd: pytest.CaptureFixture[str]) -> None:
    assert len(FAULTS) == 60
    urls: list[str] = []
    with ThreadPoolExecutor(6) as pool:
        wrong = list(pool.map(lambda fault: _with_fault(fault, kept, urls), FAULTS))
    assert functools.reduce(operator.iadd, wrong, []) == []
    lines = capfd.readouterr().err.splitlines()
    assert all(line.startswith("cratewright: ") for line in lines), lines
    servers = Counter(urls)  # a port may be given to one after another
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
def test_it_is_said_once_and_says_why(
    fault: str, words: str, kept: dict[str, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    with faulty_server(fault, kept) as server:
        store = _store(server, PATIENCE if fault == "hang" else PLENTY)
        for _ in range(3):
            _found(store, RESULTS)
        asked = server.count
        _found(store, RESULTS)
        assert fault == "put-405" or server.count == asked, "it is left alone"
        _fill(store, {_key("new"): _result(1, 10)})
    (line,) = capfd.readouterr().err.splitlines()
    assert server.url in line and words in line


def test_a_server_that_dies_is_told_once(kept: dict[str, bytes], capfd: pytest.CaptureFixture[str]) -> None:
    """What is sent fails first, then what is asked."""
    with faulty_server("put-405", kept) as server:
        store = _store(server)
        ResultCache(store, lambda path: None).keep(_key("new"), _result(1, 10))
        said, end = "", time.monotonic() + PLENTY
        while not said and time.monotonic() < end:
            said = capfd.readouterr().err
            time.sleep(0.01)
        server.fault = "get-401"
        assert _found(store, RESULTS) == {} and store.problem
        store.close()
    assert "no longer writing" in said and capfd.readouterr().err == ""


def test_nobody_listens(capfd: pytest.CaptureFixture[str]) -> None:
    with serving() as server:
        pass
    with ends(PLENTY / 2):
        store = _store(server)
        assert _found(store, RESULTS) == {} and _found(store, RESULTS) == {}
        _fill(store, RESULTS)
    assert capfd.readouterr().err == (
        f"cratewright: continuing without the cache {server.url}: no connection: Connection refused\n"
    )


def test_a_slow_server_is_worth_what_it_answers(kept: dict[str, bytes], capfd: pytest.CaptureFixture[str]) -> None:
    """One that is slow with misses costs its patience once, however many lookups there are."""
    with faulty_server("slow", {}) as server:
        store = _store(server, PATIENCE)
        for number in range(20):
            _found(store, {_key(f"other {number}"): 0})
        assert server.count < 5 and len(capfd.readouterr().err.splitlines()) == 1


def test_an_interrupt_ends_a_wait(kept: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    from cratewright.system import child

    with faulty_server("hang", kept) as server:
        store = _store(server, 10 * PLENTY)
        timer = threading.Timer(0.3, end_all)
        timer.start()
        try:
            with ends(HANG / 2), pytest.raises(Interrupted):
                store.get_many(list(RESULTS))
            store.close()
        finally:
            child._build.ended.clear()


def test_what_a_build_wrote_is_there_when_its_process_ends(tmp_path: Path) -> None:
    script = f"""
import hashlib, sys
from cratewright.pipeline.cache_settings import read_store
from cratewright.plugins.registry import Registry
from cratewright.cache.entry import seal_entry
store = read_store({{"CRATE_CACHE": sys.argv[1]}}, {str(tmp_path)!r}, Registry())
for number in range(200):
    key = hashlib.sha256(str(number).encode()).hexdigest()
    store.insert(key, seal_entry(key, b"x" * number * 300))
"""
    with serving() as server:
        subprocess.run(
            [sys.executable, "-c", script, f"store, {server.url}"],
            env={"PYTHONPATH": ":".join(source_paths())},
            check=True,
            timeout=HANG,
        )
        assert sum("/ac/" in path for path in server.kept) == 200


def test_a_connection_that_is_cut_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store may be closed between opening a connection and asking over it."""
    connect = HttpConnection._connect

    def cut_after(self: HttpConnection, wait: Wait) -> http.client.HTTPConnection:
        client = connect(self, wait)
        self.cut()
        return client

    monkeypatch.setattr(HttpConnection, "_connect", cut_after)
    with serving() as server:
        connection = HttpConnection(ServerAccess(read_address(server.url, {})))
        with pytest.raises(HttpError):
            connection.exchange("GET", "/ac/none", wait=Wait(PLENTY))
    assert server.connections <= 1 and not server.count


def test_what_is_sent_slowly_is_worth_waiting_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece of an upload extends the wait, as those of a download do."""
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


def test_two_clients_write_one_key(tmp_path: Path) -> None:
    key = _key("one")
    values = [seal_entry(key, bytes([number]) * INLINE * 2) for number in range(4)]
    with serving() as server:

        def write(value: bytes) -> None:
            for _ in range(10):
                store = _store(server)
                store.insert(key, value)
                store.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, values))
        store = _store(server)
        assert store.get(key) in values
        store.close()


def test_who_is_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    basic = "Basic " + base64.b64encode(b"ci:s3cret").decode()
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ci password s3cret\n")
    with serving() as server:
        server.authorization = basic
        _fill(_store(server, CRATE_CACHE_AUTH="ci:s3cret"), RESULTS)
        assert _found(_store(server, CRATE_CACHE_AUTH="ci:s3cret"), RESULTS) == RESULTS
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        assert _found(_store(server), RESULTS) == RESULTS
        monkeypatch.delenv("NETRC")
        with_user = server.url.replace("//", "//ci:s3cret@")
        store = RemoteStore(HttpTransport(read_address(with_user, {})), read_address(with_user, {}).shown)
        assert _found(store, RESULTS) == RESULTS
        assert capfd.readouterr().err == ""
        server.authorization = "Bearer abc"
        assert _found(_store(server, CRATE_CACHE_TOKEN="abc"), RESULTS) == RESULTS
        assert _found(_store(server, CRATE_CACHE_HEADERS="Authorization=Bearer%20abc"), RESULTS) == RESULTS
        assert _found(_store(server, CRATE_CACHE_AUTH="ci:s3cret"), RESULTS) == {}
        assert "s3cret" not in capfd.readouterr().err


def test_certificates(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pem = make_certificate(tmp_path, "server")
    with serving(pem) as server:
        url = server.url.replace("http:", "https:")

        def store(host: str = "127.0.0.1", **environ: str) -> RemoteStore:
            address = read_address(url.replace("127.0.0.1", host), environ)
            return RemoteStore(HttpTransport(address), address.shown, PLENTY)

        _fill(store(CRATE_CACHE_CA=str(tmp_path / "server.cert")), RESULTS)
        assert _found(store(CRATE_CACHE_CA=str(tmp_path / "server.cert")), RESULTS) == RESULTS
        assert capfd.readouterr().err == ""
        assert _found(store(), RESULTS) == {}
        assert "no connection: its certificate is not trusted: self-signed" in capfd.readouterr().err
        assert _found(store("localhost", CRATE_CACHE_CA=str(tmp_path / "server.cert")), RESULTS) == {}
        assert "its certificate is not trusted: Hostname mismatch" in capfd.readouterr().err
        assert _found(store(CRATE_CACHE_CA=str(tmp_path / "server.key")), RESULTS) == {}
        assert "CRATE_CACHE_CA or CRATE_CACHE_CERT cannot be used" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("url", "environ", "words"),
    [
        ("http:///ci", {}, "it names no host"),
        ("http://a:b:c/", {}, "not the address"),
        ("http://host:99999/", {}, "Port out of range"),
        ("http://host/a b", {}, "characters that are invalid in a URL"),
        ("http://host/ci?x=1", {}, "a query"),
        ("http://host/ci#x", {}, "a fragment"),
        ("http://user:secret@ho st/", {}, "characters"),
        ("http://host/", {"CRATE_CACHE_TOKEN": "a", "CRATE_CACHE_AUTH": "b:c"}, "both set"),
        ("http://host/", {"CRATE_CACHE_AUTH": "b"}, "USER:PASSWORD"),
        ("http://host/", {"CRATE_CACHE_TOKEN": "a\nb: c"}, "characters that are invalid in a header"),
        ("http://host/", {"CRATE_CACHE_HEADERS": "a"}, "NAME=VALUE"),
        ("http://host/", {"CRATE_CACHE_HEADERS": "a b=c"}, "NAME=VALUE"),
        ("http://host/", {"CRATE_CACHE_HEADERS": "a=b%0d%0ac"}, "characters that are invalid in a header"),
        ("http://host/", {"CRATE_CACHE_CA": "/no/such"}, "which is not a file"),
        ("ftp://host/", {}, "no plugin opens the cache 'ftp://host/'"),
    ],
)
def test_what_means_nothing_is_refused(url: str, environ: dict[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_store({"CRATE_CACHE": url, **environ}, str(tmp_path), Registry())
    assert words in str(caught.value) and "secret" not in str(caught.value)


def test_an_entry_of_another_key_is_none(kept: dict[str, bytes]) -> None:
    """Whoever can write may put a whole entry where it does not belong."""
    first, second = list(RESULTS)[:2]
    value = seal_entry(first, b"payload")
    path = f"/ci/ac/{message_digest(action_of(second)).hash}"
    with faulty_server("", {path: ActionResult(message_digest(value), value).encoded()}) as server:
        store = _store(server)
        assert store.get(second) is None
        store.close()
    assert damaged_entries([(second, value)])


def test_a_store_that_is_closed_leaves_nothing_behind() -> None:
    """A process that builds again and again would else keep a thread, and the last results it sent, for each build."""
    before = set(threading.enumerate())
    with serving() as server:
        store = _store(server)
        store.put_many({key: seal_entry(key, b"payload") for key in RESULTS})
        gone = weakref.ref(store)
        senders = [thread for thread in set(threading.enumerate()) - before if thread.name == "cratewright cache"]
        assert senders
        store.close()
        del store
        for sender in senders:
            sender.join(HANG)
            assert not sender.is_alive()
        assert gone() is None
