"""The proxy for a server, from the environment variables that all programs share.

Lower-case variables take precedence.
Source: golang.org/x/net/http/httpproxy, for the syntax of NO_PROXY and the rule that the local machine needs no proxy.
"""

from __future__ import annotations

import base64
import ipaddress
import os
from urllib.parse import unquote, urlsplit

from ..base.errors import ConfigurationError
from ..base.printable import shown_url
from ..base.values import dataclass

_VARIABLES = {"http": "http_proxy", "https": "https_proxy", "grpc": "http_proxy", "grpcs": "https_proxy"}
_PORT = 80


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that speaks HTTP.

    Shape: `user` is `NAME:PASSWORD`, or empty.
    """

    host: str
    port: int
    user: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers that authenticate to the proxy."""
        if not self.user:
            return {}
        return {"proxy-authorization": f"Basic {base64.b64encode(unquote(self.user).encode()).decode()}"}

    @property
    def url(self) -> str:
        """The proxy as a URL."""
        return f"http://{self.user}{'@' * bool(self.user)}{netloc(self.host, self.port)}"


def netloc(host: str, port: int) -> str:
    """Return a host and a port as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def read_proxy(scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy for a server, None if it is reached directly.

    Raises: ConfigurationError for a proxy of a kind that is not supported.
    """
    name = _VARIABLES.get(scheme, "")
    found = _variable(name) if name else ""
    if not found or _is_near(host) or _is_excluded(host, port, _variable("no_proxy")):
        return None
    url = found if "://" in found else f"http://{found}"
    shown = shown_url(url)
    try:
        parts = urlsplit(url)
        proxy_port = parts.port or _PORT
    except ValueError as error:
        raise _wrong(name, shown, str(error)) from error
    if parts.scheme != "http":
        raise _wrong(name, shown, f"proxies are reached by http://, not {parts.scheme}://")
    if not parts.hostname:
        raise _wrong(name, shown, "it names no host")
    user = f"{parts.username}:{parts.password or ''}" if parts.username is not None else ""
    return Proxy(parts.hostname, proxy_port, user)


def _variable(name: str) -> str:
    # A CGI server passes a request's headers as variables, so that a client could set HTTP_PROXY.
    capitals = name != "http_proxy" or "REQUEST_METHOD" not in os.environ
    return os.environ.get(name) or (os.environ.get(name.upper(), "") if capitals else "")


def _wrong(name: str, proxy: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{name.upper()} names '{proxy}', through which no cache can be reached",
        context=(("reason", reason),),
        hint="name the cache's host in NO_PROXY if it is reached without a proxy",
    )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_near(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _is_excluded(host: str, port: int, excluded: str) -> bool:
    return any(_excludes(word.strip().lower(), host.lower(), port) for word in excluded.split(",") if word.strip())


def _excludes(word: str, host: str, port: int) -> bool:
    if word == "*":
        return True
    address = _address(host)
    if "/" in word and address is not None:
        try:
            return address in ipaddress.ip_network(word, strict=False)
        except ValueError:
            return False
    name, mark, number = word.rpartition(":")
    if mark and number.isdigit() and not _address(word):
        if int(number) != port:
            return False
        word = name
    word = word.removeprefix("*").removeprefix(".").strip("[]")
    return bool(word) and (host == word or (address is None and host.endswith(f".{word}")))
