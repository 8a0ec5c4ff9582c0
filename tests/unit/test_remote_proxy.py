"""Servers behind a proxy: the choice of the proxy, requests through it, and unsupported proxies."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError
from cratewright.cache.entry import seal_entry
from cratewright.cache.store import CacheKvStore
from cratewright.remote import open_remote_store
from cratewright.remote.proxy import Proxy, read_proxy
from tests.support.cache_server import serving
from tests.support.certificates import make_certificate
from tests.support.proxy_server import ProxyServer, serving_proxy
from tests.support.reapi_messages import require_grpc
from tests.support.reapi_server import serving_reapi

KEY = f"{7:064x}"
VALUE = seal_entry(KEY, bytes(100_000))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("excluded", "direct"),
    [
        ("", False),
        ("*", True),
        ("cache.example", True),
        ("CACHE.example", True),
        (".example", True),
        ("*.example", True),
        ("example", True),
        ("other, example", True),
        ("xample", False),
        ("a.cache.example", False),
        ("cache.example:8080", True),
        ("cache.example:80", False),
        ("10.0.0.0/8", False),
        (",", False),
    ],
)
def test_no_proxy_excludes_hosts(excluded: str, direct: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", excluded)
    assert (read_proxy("http", "cache.example", 8080) is None) is direct


def test_choice_of_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_proxy("https", "cache.example", 443) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://a:b%20c@proxy")
    proxy = read_proxy("https", "cache.example", 443)
    assert proxy == Proxy("proxy", 80, "a:b%20c") == read_proxy("grpcs", "cache.example", 443)
    assert proxy.headers == {"proxy-authorization": f"Basic {base64.b64encode(b'a:b c').decode()}"}
    assert proxy.url == "http://a:b%20c@proxy:80"
    assert read_proxy("http", "cache.example", 80) is read_proxy("grpc", "cache.example", 80) is None
    for host in ("localhost", "127.0.0.1", "::1"):
        assert read_proxy("https", host, 443) is None
    monkeypatch.setenv("https_proxy", "other:1")
    assert read_proxy("https", "cache.example", 443) == Proxy("other", 1, "")
    assert read_proxy("grpc+unix", "", 0) is None
    for word, host, direct in (
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("::/0", "fe80::1", True),
    ):
        monkeypatch.setenv("no_proxy", word)
        assert (read_proxy("https", host, 443) is None) is direct
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy")
    assert read_proxy("http", "cache.example", 80) is not None
    monkeypatch.setenv("REQUEST_METHOD", "GET")
    assert read_proxy("http", "cache.example", 80) is None


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("socks5://me:secret@proxy:1", "not socks5://"),
        ("https://proxy", "not https://"),
        ("http://", "names no host"),
        ("http://proxy:x", "Port could not be cast"),
        ("me:secret@proxy:x", "names 'http://proxy:x'"),
        ("http://me:with@secret@proxy:x", "names 'http://proxy:x'"),
    ],
)
def test_unsupported_proxy(proxy: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    for url in ("https://cache.example/ci", "grpcs://cache.example"):
        with pytest.raises(ConfigurationError) as caught:
            open_remote_store(url, {})
        assert words in str(caught.value) and "HTTPS_PROXY names" in str(caught.value)
        assert "secret" not in str(caught.value)


@contextlib.contextmanager
def _opened(url: str, environ: dict[str, str]) -> Iterator[CacheKvStore]:
    store = open_remote_store(url, environ)
    assert store is not None
    with contextlib.closing(store):
        yield store


def _exchange(url: str, environ: dict[str, str]) -> bytes | None:
    with _opened(url, environ) as store:
        store.insert(KEY, VALUE)
    with _opened(url, environ) as store:
        return store.get(KEY)


def _through(proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://me:secret@{proxy.place}")


ME = f"Basic {base64.b64encode(b'me:secret').decode()}"


def test_http_through_proxy(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    with serving() as server, serving_proxy(server.port) as proxy:
        _through(proxy, monkeypatch)
        assert _exchange("http://cache.example:81/ci", {}) == VALUE
        assert all(line.split()[1].startswith("http://cache.example:81/ci/") for line, _ in proxy.requests)
        assert {who for _, who in proxy.requests} == {ME}
    assert capfd.readouterr().err == ""


def test_https_through_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pem = make_certificate(tmp_path, "cache", "DNS:cache.example")
    with serving(pem) as server, serving_proxy(server.port) as proxy:
        _through(proxy, monkeypatch)
        environ = {"CRATE_CACHE_CA": str(tmp_path / "cache.cert"), "CRATE_CACHE_TOKEN": "for the cache alone"}
        assert _exchange("https://cache.example/ci", environ) == VALUE
        assert set(proxy.requests) == {("CONNECT cache.example:443 HTTP/1.1", ME)} or set(proxy.requests) == {
            ("CONNECT cache.example:443 HTTP/1.0", ME)
        }
        assert capfd.readouterr().err == ""
        proxy.status = b"407 Proxy Authentication Required"
        assert _exchange("https://cache.example/ci", environ) is None
        assert "no connection: " in (error := capfd.readouterr().err) and "407" in error and "secret" not in error


def test_grpc_through_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    require_grpc()
    pem = make_certificate(tmp_path, "cache", "DNS:cache.example")
    for certificate in (None, pem):
        with serving_reapi(certificate=certificate) as server, serving_proxy(server.port) as proxy:
            _through(proxy, monkeypatch)
            url = f"grpc{'s' * bool(certificate)}://cache.example:9092/main"
            assert _exchange(url, {"CRATE_CACHE_CA": str(tmp_path / "cache.cert")}) == VALUE
            assert {line.rpartition(" ")[0] for line, _ in proxy.requests} == {"CONNECT cache.example:9092"}
            assert {who for _, who in proxy.requests} == {ME}
            assert server.instances == {"main"}
    assert capfd.readouterr().err == ""
    monkeypatch.setenv("no_proxy", "cache.example")
    with serving_reapi() as server, serving_proxy(server.port) as proxy:
        _through(proxy, monkeypatch)
        assert _exchange("grpc://cache.example:9092", {}) is None and not proxy.requests
