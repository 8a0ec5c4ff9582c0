"""A cache on an HTTP server: round trips, credentials, certificates and addresses."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError
from cratewright.cache.entry import seal_entry
from cratewright.cache.results import damaged_entries
from cratewright.pipeline.cache_settings import read_store
from cratewright.plugins.registry import Registry
from cratewright.remote.address import read_address
from cratewright.remote.http import HttpTransport
from cratewright.remote.message import INLINE, ActionResult, action_of, message_digest
from cratewright.remote.store import RemoteStore
from tests.support.bounds import HANG
from tests.support.cache_server import faulty_server, serving
from tests.support.certificates import make_certificate
from tests.support.http_store import PLENTY, RESULTS, fill, found_in, key_for, open_at
from tests.support.paths import source_paths


def test_round_trip(kept: dict[str, bytes]) -> None:
    assert sum(path.startswith("/ci/ac/") for path in kept) == 8
    assert sum(path.startswith("/ci/cas/") for path in kept) == 4
    for path, data in kept.items():
        if "/cas/" in path:
            assert path.endswith(message_digest(data).hash)
    with faulty_server("", kept) as server:
        store = open_at(server)
        assert found_in(store, {key_for("no such"): 0, **RESULTS}) == RESULTS
        assert found_in(store, RESULTS) == RESULTS
        assert server.connections <= len(RESULTS) + 1, "connections are reused"
        store.close()
        assert store.get_many(list(RESULTS)) == {}, "a closed store finds nothing"


def test_pending_uploads_finish_before_the_process_exits(tmp_path: Path) -> None:
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


def test_concurrent_writes_of_one_key(tmp_path: Path) -> None:
    key = key_for("one")
    values = [seal_entry(key, bytes([number]) * INLINE * 2) for number in range(4)]
    with serving() as server:

        def write(value: bytes) -> None:
            for _ in range(10):
                store = open_at(server)
                store.insert(key, value)
                store.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, values))
        store = open_at(server)
        assert store.get(key) in values
        store.close()


def test_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    basic = "Basic " + base64.b64encode(b"ci:s3cret").decode()
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ci password s3cret\n")
    with serving() as server:
        server.authorization = basic
        fill(open_at(server, CRATE_CACHE_AUTH="ci:s3cret"), RESULTS)
        assert found_in(open_at(server, CRATE_CACHE_AUTH="ci:s3cret"), RESULTS) == RESULTS
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        assert found_in(open_at(server), RESULTS) == RESULTS
        monkeypatch.delenv("NETRC")
        with_user = server.url.replace("//", "//ci:s3cret@")
        store = RemoteStore(HttpTransport(read_address(with_user, {})), read_address(with_user, {}).shown)
        assert found_in(store, RESULTS) == RESULTS
        assert capfd.readouterr().err == ""
        server.authorization = "Bearer abc"
        assert found_in(open_at(server, CRATE_CACHE_TOKEN="abc"), RESULTS) == RESULTS
        assert found_in(open_at(server, CRATE_CACHE_HEADERS="Authorization=Bearer%20abc"), RESULTS) == RESULTS
        assert found_in(open_at(server, CRATE_CACHE_AUTH="ci:s3cret"), RESULTS) == {}
        assert "s3cret" not in capfd.readouterr().err


def test_certificates(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pem = make_certificate(tmp_path, "server")
    with serving(pem) as server:
        url = server.url.replace("http:", "https:")

        def store(host: str = "127.0.0.1", **environ: str) -> RemoteStore:
            address = read_address(url.replace("127.0.0.1", host), environ)
            return RemoteStore(HttpTransport(address), address.shown, PLENTY)

        fill(store(CRATE_CACHE_CA=str(tmp_path / "server.cert")), RESULTS)
        assert found_in(store(CRATE_CACHE_CA=str(tmp_path / "server.cert")), RESULTS) == RESULTS
        assert capfd.readouterr().err == ""
        assert found_in(store(), RESULTS) == {}
        assert "no connection: its certificate is not trusted: self-signed" in capfd.readouterr().err
        assert found_in(store("localhost", CRATE_CACHE_CA=str(tmp_path / "server.cert")), RESULTS) == {}
        assert "its certificate is not trusted: Hostname mismatch" in capfd.readouterr().err
        assert found_in(store(CRATE_CACHE_CA=str(tmp_path / "server.key")), RESULTS) == {}
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
def test_invalid_address_or_setting(url: str, environ: dict[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_store({"CRATE_CACHE": url, **environ}, str(tmp_path), Registry())
    assert words in str(caught.value) and "secret" not in str(caught.value)


def test_entry_of_another_key_is_a_miss(kept: dict[str, bytes]) -> None:
    """Anyone with write access could store a valid entry under another key."""
    first, second = list(RESULTS)[:2]
    value = seal_entry(first, b"payload")
    path = f"/ci/ac/{message_digest(action_of(second)).hash}"
    with faulty_server("", {path: ActionResult(message_digest(value), value).encoded()}) as server:
        store = open_at(server)
        assert store.get(second) is None
        store.close()
    assert damaged_entries([(second, value)])


def test_closed_store_ends_its_threads_and_is_freed() -> None:
    """Otherwise a process with many builds would keep a thread and the last uploads of each."""
    before = set(threading.enumerate())
    with serving() as server:
        store = open_at(server)
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
