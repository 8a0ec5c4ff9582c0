"""A cache in a bucket: S3 as served by moto, and the requests sent to other providers."""

from __future__ import annotations

import contextlib
import http.server
import socketserver
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError
from cratewright.cache.entry import seal_entry
from cratewright.cache.store import CacheKvStore
from cratewright.pipeline.cache_settings import read_store
from cratewright.plugins.registry import Registry
from cratewright.remote.bucket import BucketTransport
from cratewright.remote.store import RemoteStore
from cratewright.testing import require_tool
from tests.support.bounds import HANG, ends
from tests.support.cache_server import running
from tests.support.reapi_messages import require_grpc
from tests.support.scons_project import SconsProject

ENTRIES = {
    f"{number:064x}": seal_entry(f"{number:064x}", bytes([number]) * size)
    for number, size in enumerate((10, 200_000, 6 << 20))
}


CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "me",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    require_tool(find_spec("obstore") is not None, "obstore")
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Serve S3 with a bucket `builds`, and return the URL."""
    require_tool(all(find_spec(name) for name in ("moto", "flask", "flask_cors")), "moto with its server")
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        import boto3

        boto3.client(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        ).create_bucket(Bucket="builds")
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def _store(url: str, patience: float = 30.0, **environ: str) -> RemoteStore:
    return RemoteStore(BucketTransport(url, environ), url, patience)


def _fill(store: CacheKvStore) -> None:
    store.put_many(ENTRIES)
    store.close()


def test_bucket_returns_what_was_stored(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    _fill(_store("s3://builds/some/path"))
    for url, there in (("s3://builds/some/path/", True), ("s3://builds/other", False), ("s3://builds", False)):
        store = _store(url)
        assert store.get_many([*ENTRIES, f"{99:064x}"]) == (ENTRIES if there else {})
        assert store.report().problem == ""
        store.close()
        assert store.get_many(list(ENTRIES)) == {}, "closed"
    assert capfd.readouterr().err == ""
    store = _store("s3://nobodys/path")
    assert store.get_many(list(ENTRIES)) == {}
    assert "continuing without the cache s3://nobodys/path: there is no such bucket" in capfd.readouterr().err
    store.close()


def test_second_checkout_is_served_from_the_bucket(endpoint: str, tmp_path: Path) -> None:
    for name, words in (("one", "2 units: 2 compiled"), ("two", "2 units: 0 compiled, 2 reused")):
        project = SconsProject(tmp_path / name)
        project.sconstruct(
            'Default(env.Crate("m", ["a.stub", "b.stub"], crate_type="cdylib"))\n', a="export a\n", b="export b\n"
        )
        cache = {"CRATE_CACHE": f"{project.path / 'local'}, s3://builds/ci"}
        project.environ |= {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint, **cache}
        assert words in project.scons() and project.errors == ""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Provider

    def log_message(self, format: str, *args: object) -> None:
        """Do not log requests."""

    def do_GET(self) -> None:
        self.server.requests.append(f"{self.command} {self.path.partition('?')[0]}")
        if self.server.status == 0:
            self.server.over.wait(HANG)
        if length := int(self.headers.get("content-length") or 0):
            self.rfile.read(length)
        self.send_response(self.server.status or 500)
        self.send_header("content-length", "0")
        self.end_headers()

    do_PUT = do_POST = do_HEAD = do_GET


class _Provider(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[str] = []
        self.status = status
        self.over = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: a client may hang up early."""


@contextlib.contextmanager
def _provider(status: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Provider]:
    server = _Provider(status)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "GOOGLE_BASE_URL": url,
        "GOOGLE_SKIP_SIGNATURE": "true",
        "GOOGLE_ALLOW_HTTP": "true",
        "AZURE_STORAGE_ENDPOINT": url,
        "AZURE_STORAGE_ACCOUNT_NAME": "me",
        "AZURE_STORAGE_ACCOUNT_KEY": "a2V5",
        "AZURE_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    with running(server):
        yield server


def test_request_paths_of_each_provider(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    key = next(iter(ENTRIES))
    with _provider(404, monkeypatch) as server:
        for scheme, path in (("s3", "/builds/ci/"), ("gs", "/builds/ci%2F"), ("az", "/builds/ci/")):
            store = _store(f"{scheme}://builds/ci")
            assert store.get(key) is None
            store.close()
            assert server.requests == [f"GET {path}{key}"], scheme
            server.requests.clear()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "it refuses access"), (401, "it refuses access"), (500, "500"), (0, "it does not answer in time")],
)
def test_useless_provider_is_reported_once_and_left_alone(
    status: int, words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with _provider(status, monkeypatch) as server, ends():
        store = _store("s3://builds/ci", 1.0 if status == 0 else 30.0)
        for _ in range(3):
            assert store.get_many([*ENTRIES, f"{99:064x}"]) == {}
        requests = len(server.requests)
        assert store.get_many(list(ENTRIES)) == {} and len(server.requests) == requests, "no further requests"
        _fill(store)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("cratewright: continuing without the cache s3://builds/ci: ") and words in line
    assert "Debug" not in line and "secret" not in line


def test_incomplete_settings_are_reported(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Plain HTTP must be allowed explicitly, and Azure needs an account name."""
    with _provider(404, monkeypatch) as server:
        for scheme, name in (("s3", "AWS_ALLOW_HTTP"), ("az", "AZURE_STORAGE_ACCOUNT_NAME")):
            monkeypatch.delenv(name)
            store = _store(f"{scheme}://builds")
            assert store.get_many(list(ENTRIES)) == {} and not server.requests
            assert f"continuing without the cache {scheme}://builds: " in capfd.readouterr().err
            store.close()


def test_no_server_at_the_endpoint(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with ends():
        _fill(store := _store("s3://builds"))
        assert store.get_many(list(ENTRIES)) == {}
    assert "the cache s3://builds: no connection" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("cache", "environ", "words"),
    [
        ("s3://", {}, "not a bucket"),
        ("s3://me:secret@builds/ci", {}, "not a bucket"),
        ("s3://builds/../other", {}, "not a bucket"),
        ("gs://builds/a?b", {}, "not a bucket"),
        ("az:///ci", {}, "az://CONTAINER/PATH"),
        ("s3://builds/a b", {}, "not a bucket"),
        ("s3://builds", {"CRATE_CACHE_TOKEN": "x"}, "CRATE_CACHE_TOKEN is set, but does not apply"),
        ("s3://builds", {"CRATE_CACHE_CERT": "x"}, "CRATE_CACHE_CERT is set"),
        ("dir, s3://builds", {"CRATE_CACHE_AUTH": "a:b"}, "CRATE_CACHE_AUTH is set"),
        ("s3://builds", {"CRATE_CACHE_CA": "/no/such"}, "which is not a file"),
    ],
)
def test_bad_bucket_settings_are_refused(cache: str, environ: dict[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_store({"CRATE_CACHE": cache, **environ}, str(tmp_path), Registry())
    assert words in str(caught.value) and "secret" not in str(caught.value)


@pytest.mark.parametrize("other", ["http://127.0.0.1:1/", "grpc://127.0.0.1:1", "grpc+unix:///run/x.sock"])
def test_server_settings_are_accepted_beside_a_bucket(other: str, tmp_path: Path) -> None:
    """A setting that does not apply to the bucket applies to the server."""
    require_grpc()
    for name, value in (("HEADERS", "a=b"), ("TOKEN", "x"), ("AUTH", "a:b")):
        for cache in (f"s3://builds,{other}", f"{other}, s3://builds"):
            read_store({"CRATE_CACHE": cache, f"CRATE_CACHE_{name}": value}, str(tmp_path), Registry()).close()
