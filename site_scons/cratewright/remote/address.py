"""A server's address and credentials, from a URL and settings."""

from __future__ import annotations

import base64
import netrc
import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from ..base.errors import ConfigurationError
from ..base.printable import shown_url
from ..base.values import dataclass
from .proxy import Proxy, read_proxy

SCHEMES = ("http", "https", "grpc", "grpcs", "grpc+unix")
BUCKETS = ("s3", "gs", "az")
_PORTS = {"http": 80, "https": 443, "grpcs": 443}
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, slots=True)
class Address:
    """A server.

    Shape: `path` is below the host for HTTP, the instance name for gRPC, and the socket's for `grpc+unix`, where
    `instance` has that name; `headers` are sent with everything; `ca` and `certificate` are files or empty; `proxy` is
    the one to use, if any. `shown` is the URL without secrets.
    """

    scheme: str
    host: str
    port: int
    path: str
    instance: str
    headers: tuple[tuple[str, str], ...]
    ca: str
    certificate: str
    proxy: Proxy | None
    shown: str

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("https", "grpcs")


def read_address(url: str, environ: Mapping[str, str], setting: str = "CRATE_CACHE") -> Address:
    """Parse a setting's URL, and the settings with credentials.

    Raises: ConfigurationError if one of them is invalid.
    """
    shown = shown_url(url)
    try:
        parts = urlsplit(url)
        port = parts.port
        user, password = parts.username, parts.password
    except ValueError as error:
        raise _wrong(setting, shown, str(error)) from error
    scheme = parts.scheme
    if not url.isascii() or not url.isprintable() or " " in url or "," in url:
        raise _wrong(
            setting, shown, "it has characters that are invalid in a URL; separate two caches by a comma and a space"
        )
    if parts.fragment:
        raise _wrong(setting, shown, "it cannot have a fragment (#)")
    query = parse_qsl(parts.query, keep_blank_values=True)
    if query and (scheme != "grpc+unix" or [name for name, _ in query] != ["instance"]):
        raise _wrong(setting, shown, "it cannot have a query (?), except ?instance=NAME with grpc+unix")
    if scheme == "grpc+unix":
        if parts.netloc or not parts.path.strip("/"):
            raise _wrong(setting, shown, "the socket is an absolute path: grpc+unix:///run/cache.sock")
        host, port = "", 0
    else:
        host = parts.hostname or ""
        if not host:
            raise _wrong(setting, shown, "it names no host")
        port = port if port is not None else _PORTS.get(scheme, 0)
        if not port:
            raise _wrong(setting, shown, f"{scheme} has no usual port: {scheme}://{host}:9092")
    instance = dict(query).get("instance", "") if scheme == "grpc+unix" else parts.path.strip("/")
    return Address(
        scheme=scheme,
        host=host,
        port=port,
        path=unquote(parts.path) if scheme == "grpc+unix" else parts.path.rstrip("/"),
        instance=unquote(instance),
        headers=(*_authorization(host, user, password, environ), *_headers(environ)),
        ca=read_file("CRATE_CACHE_CA", environ),
        certificate=read_file("CRATE_CACHE_CERT", environ),
        proxy=read_proxy(scheme, host, port),
        shown=shown,
    )


def _wrong(setting: str, url: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{setting} names '{url}', which is not the address of a server", context=(("reason", reason),)
    )


def read_file(name: str, environ: Mapping[str, str]) -> str:
    """Return the file that a setting names, an empty string if it is not set.

    Raises: ConfigurationError if it is not a file.
    """
    path = environ.get(name, "")
    if path and not os.path.isfile(path):
        raise ConfigurationError(f"{name} names '{path}', which is not a file", hint="a file of PEM certificates")
    return path


def _authorization(
    host: str, user: str | None, password: str | None, environ: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Return the authorization header, from the URL, a setting, or else netrc."""
    token, pair = environ.get("CRATE_CACHE_TOKEN", ""), environ.get("CRATE_CACHE_AUTH", "")
    if token and pair:
        raise ConfigurationError("CRATE_CACHE_TOKEN and CRATE_CACHE_AUTH are both set", hint="unset one of them")
    if pair and ":" not in pair:
        raise ConfigurationError("CRATE_CACHE_AUTH is not USER:PASSWORD")
    if user is not None:
        pair, token = f"{unquote(user)}:{unquote(password or '')}", ""
    elif not token and not pair and host:
        pair = _netrc(host)
    if not token and not pair:
        return ()
    text = f"Bearer {token}" if token else f"Basic {base64.b64encode(pair.encode()).decode()}"
    _check_value("CRATE_CACHE_TOKEN", text)
    return (("authorization", text),)


def _netrc(host: str) -> str:
    path = os.environ.get("NETRC") or os.path.expanduser("~/.netrc")
    if not os.path.isfile(path):
        return ""
    try:
        found = netrc.netrc(path).authenticators(host)
    except (OSError, netrc.NetrcParseError) as error:
        # Other programs use this file too, so a fault in it must not stop the build.
        if os.environ.get("NETRC"):
            raise ConfigurationError(
                f"NETRC names '{path}', which cannot be read", context=(("reason", error),)
            ) from error
        return ""
    return f"{found[0]}:{found[2] or ''}" if found else ""


def _headers(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in read_pairs("CRATE_CACHE_HEADERS", environ))


def read_pairs(setting: str, environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a setting: `name=value`, separated by commas, with percent-encoded values.

    Source: the form of OpenTelemetry's OTEL_EXPORTER_OTLP_HEADERS.
    Raises: ConfigurationError for anything else.
    """
    found = []
    for item in filter(None, (part.strip() for part in environ.get(setting, "").split(","))):
        name, mark, value = item.partition("=")
        name, value = name.strip(), unquote(value.strip())
        if not mark or not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{setting} is not a list of NAME=VALUE", hint="separate them by commas; %2C is a comma in a value"
            )
        _check_value(setting, value)
        found.append((name, value))
    return tuple(found)


def _check_value(setting: str, value: str) -> None:
    if not value.isascii() or not value.isprintable():
        raise ConfigurationError(f"{setting} has characters that are invalid in a header")
