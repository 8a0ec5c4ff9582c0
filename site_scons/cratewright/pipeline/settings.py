"""The `CRATE_*` settings that control how a build runs, not what it makes."""

from __future__ import annotations

from collections.abc import Mapping

from ..base.errors import ConfigurationError, near_miss
from ..base.host import can_fork, default_workers
from ..base.patterns import pattern
from ..base.printable import shown_url

CORE_SETTINGS: Mapping[str, str] = {
    "CRATE_CACHE": "where results are cached: directories and URLs, nearest first, or `off`; by default `.crate-cache`",
    "CRATE_CACHE_AUTH": "`USER:PASSWORD` for the cache server",
    "CRATE_CACHE_CA": "a file of certificates to trust the cache server by; by default the system's",
    "CRATE_CACHE_CERT": "a file with a client certificate and its key",
    "CRATE_CACHE_HEADERS": "`NAME=VALUE,...`: headers for the cache server",
    "CRATE_CACHE_MODE": "`read-write`; `read` uses a store without changing it; `write` fills it without using it",
    "CRATE_CACHE_SIZE": "maximum size of the directory, such as `5G`; least recently used entries are removed first",
    "CRATE_CACHE_TOKEN": "a bearer token for the cache server",
    "CRATE_CACHE_VERIFY": "`1` recomputes every hit and compares",
    "CRATE_EVENTS": "a file to write the build's events to, as JSON lines",
    "CRATE_MEMORY": "memory that heavy jobs may use together, such as `8G`; by default the free memory",
    "CRATE_PLUGINS": "plugins to disable, each with a minus sign: `-native`",
    "CRATE_REMOTE": "a server that runs compilers: `grpc://HOST:PORT/INSTANCE`, `grpcs://...`, `grpc+unix:///SOCKET`",
    "CRATE_REMOTE_CODE": "`sent`, the default, or `installed` if its machines have cratewright and the plugins",
    "CRATE_REMOTE_JOBS": "how many programs run there at a time; by default 16",
    "CRATE_REMOTE_MODE": "`remote`, the default, or `mix`, which also runs as many units locally as `-j` says",
    "CRATE_REMOTE_PLATFORM": "`NAME=VALUE,...`: properties that its machines must have",
    "CRATE_REMOTE_PYTHON": "Python on its machines, such as `/usr/bin/python3`, to compile shaders there too",
    "CRATE_REQUIRE_TOOLS": "`1` makes a missing tool a failure in tests",
    "CRATE_TIMEOUT": "seconds after which a unit is killed with everything it has started; by default 300",
    "CRATE_TIME_PASSES": "`1` prints where each stage spent its time",
    "CRATE_TRACE_PLUGINS": "`1` lists plugins and traces calls of their hooks",
    "CRATE_WORKERS": "`fork`, `spawn` or `threads`: how backends are run; by default what suits the system",
}
"""The settings that belong to no backend, and what each is for."""

FLAGS = frozenset({"CRATE_CACHE_VERIFY", "CRATE_REQUIRE_TOOLS", "CRATE_TIME_PASSES", "CRATE_TRACE_PLUGINS"})
"""Settings that an Environment may hold as True or False."""

NUMBER_SETTINGS = frozenset({"CRATE_CACHE_SIZE", "CRATE_MEMORY", "CRATE_REMOTE_JOBS", "CRATE_TIMEOUT"})
"""Settings that an Environment may hold as a number; a size may be a string as well."""

SECRETS = frozenset({"CRATE_CACHE_AUTH", "CRATE_CACHE_HEADERS", "CRATE_CACHE_TOKEN"})
"""Settings that backends and workers do not receive."""

_REMOTE_JOBS = 16
_MOST_REMOTE = 1000
_REMOTE_MODES = ("remote", "mix")
_REMOTE_CODE = ("sent", "installed")
_SERVER = pattern(r"grpcs?://|grpc\+unix:///")
_WORKERS = ("fork", "spawn", "threads")
_UNITS = {"": 0, "B": 0, "K": 10, "M": 20, "G": 30, "T": 40}


def read_remote(environ: Mapping[str, str]) -> tuple[str, int]:
    """Return the server that runs programs, empty for none, and how many at a time.

    Raises: ConfigurationError for an invalid number, or settings without a server.
    """
    server, text = environ.get("CRATE_REMOTE", ""), environ.get("CRATE_REMOTE_JOBS", "")
    for name in (
        "CRATE_REMOTE_CODE",
        "CRATE_REMOTE_JOBS",
        "CRATE_REMOTE_MODE",
        "CRATE_REMOTE_PLATFORM",
        "CRATE_REMOTE_PYTHON",
    ):
        if environ.get(name) and not server:
            raise ConfigurationError(f"{name} is set, and CRATE_REMOTE is not", hint="name the server in CRATE_REMOTE")
    if server and not _SERVER.match(server):
        raise ConfigurationError(
            f"CRATE_REMOTE names '{shown_url(server)}', but remote execution needs gRPC",
            hint="grpc://HOST:PORT/INSTANCE, grpcs://... or grpc+unix:///SOCKET?instance=NAME",
        )
    if text and not (text.isascii() and text.isdigit() and 0 < int(text) <= _MOST_REMOTE):
        raise ConfigurationError(f"CRATE_REMOTE_JOBS takes a number from 1 to {_MOST_REMOTE}, not '{text}'")
    read_remote_python(environ)
    read_remote_mode(environ)
    read_remote_code(environ)
    return server, int(text or _REMOTE_JOBS)


def read_workers(environ: Mapping[str, str]) -> str:
    """Return how backends are called: `fork` and `spawn` say how processes start, or `threads`.

    Raises: ConfigurationError for an unknown word, or a way that this system lacks.
    """
    text = _one_of(_WORKERS, "CRATE_WORKERS", environ) if environ.get("CRATE_WORKERS") else ""
    if text == "fork" and not can_fork():
        raise ConfigurationError(
            "CRATE_WORKERS is 'fork', and this system cannot fork", hint="leave it out, or set it to spawn"
        )
    return text or default_workers()


def read_remote_mode(environ: Mapping[str, str]) -> str:
    """Return where calls may run: `remote` on other machines, `mix` on this one as well.

    Raises: ConfigurationError for an unknown word.
    """
    return _one_of(_REMOTE_MODES, "CRATE_REMOTE_MODE", environ)


def read_remote_code(environ: Mapping[str, str]) -> str:
    """Return how other machines get this package and its plugins: `sent` with each call, or `installed` there.

    Raises: ConfigurationError for an unknown word, or without a Python to run them.
    """
    word = _one_of(_REMOTE_CODE, "CRATE_REMOTE_CODE", environ)
    if environ.get("CRATE_REMOTE_CODE") and not environ.get("CRATE_REMOTE_PYTHON"):
        raise ConfigurationError(
            "CRATE_REMOTE_CODE is set, and CRATE_REMOTE_PYTHON is not", hint="name the Python of the other machines"
        )
    return word


def _one_of(words: tuple[str, ...], name: str, environ: Mapping[str, str]) -> str:
    text = environ.get(name, "")
    if text and text not in words:
        raise ConfigurationError(
            f"{name} takes {', '.join(words)}, not '{text}'", hint=near_miss(text, words, listed=True)
        )
    return text or words[0]


def read_remote_python(environ: Mapping[str, str]) -> str:
    """Return the Python of the machines that run programs, an empty string for none.

    Raises: ConfigurationError unless it is an absolute path.
    """
    python = environ.get("CRATE_REMOTE_PYTHON", "")
    if python and (not python.startswith("/") or python.strip() != python):
        raise ConfigurationError(
            f"CRATE_REMOTE_PYTHON takes the absolute path of a program on other machines, not '{python}'",
            hint="such as /usr/bin/python3",
        )
    return python


def read_flag(name: str, environ: Mapping[str, str]) -> bool:
    """Return a setting that is off unless it is 1.

    Raises: ConfigurationError for anything but 0 or 1.
    """
    text = environ.get(name, "")
    if text not in ("", "0", "1"):
        raise ConfigurationError(f"{name} takes 0 or 1, not '{text}'")
    return text == "1"


def read_size(name: str, environ: Mapping[str, str]) -> int | None:
    """Return the bytes that a setting names, None if it is not set.

    Shape: a number, optionally with K, M, G or T, and iB or B after it; units of 1024.
    Raises: ConfigurationError for anything else.
    """
    text = environ.get(name, "")
    word = text.strip().upper()
    if not word:
        return None
    number = word.rstrip("BIKMGT")
    unit = word[len(number) :].replace("IB", "").rstrip("B") if number else ""
    try:
        size = int(float(number) * (1 << _UNITS[unit]))
    except (ValueError, KeyError, OverflowError):
        size = 0
    if size <= 0:
        raise ConfigurationError(f"{name} takes a size such as 500M or 5G, not '{text}'")
    return size
