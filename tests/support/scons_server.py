"""Runs of `scons` that are forked from a process in which it is imported: a fifth of the cost of new ones.

Each run is a process of its own with its own directory, environment and output, and its exit functions run.
Two servers with different hash seeds take turns, so that no order of a set outlasts a run. What an interpreter reads
when it starts (`PYTHON…`, `LD_…`, the locale) cannot be given to a fork: such runs need a new process.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import hashlib
import importlib
import itertools
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import is_dataclass
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

__all__ = ["SconsServer", "can_fork"]

_FIXED = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC")
_LARGE = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
_NUMBER = 10
_PAGE = 1 << 21
_COLLAPSE = 25
"""MADV_COLLAPSE, which the module `mmap` does not name."""
# All that a default environment and the plugins here import.
_TOOLS = (
    *("FortranCommon", "JavaCommon", "ar", "as", "asm", "cc", "cxx", "default", "dmd", "dvipdf", "dvips", "f77", "f90"),
    *("f95", "filesystem", "g++", "g77", "gas", "gcc", "gdc", "gfortran", "gnulink", "gs", "gxx", "ifl", "ifort"),
    *("install", "jar", "javac", "javah", "latex", "ldc", "lex", "link", "linkCommon.LoadableModule"),
    *("linkCommon.SharedLibrary", "m4", "pdf", "pdflatex", "pdftex", "rmic", "rpcgen", "rpm", "swig", "tar", "tex"),
    *("textfile", "yacc", "zip"),
)
_MODULES = (
    *("SCons.Script", "SCons.Platform.posix", *(f"SCons.Tool.{name}" for name in _TOOLS)),
    *("cratewright.scons.environment", "cratewright.scons.methods", "cratewright.scons.declaring.by_hand"),
    *("cratewright.testing", "cratewright.workers.zygote", "cratewright.cache.database", "sqlite3"),
    *("cratewright.cli.build", "cratewright.cli.cache", "cratewright.cli.inspection", "cratewright.cli.init"),
    *("cratewright.system.elsewhere", "cratewright.formats.depfile", "difflib", "encodings.ascii"),
)
_PLUGINS = ("cratewright_native", "cratewright_slang", "cratewright_spirv", "cratewright_wasm")


def can_fork(environ: Mapping[str, str]) -> bool:
    """Say whether runs with these variables can be forked here."""
    return hasattr(os, "pidfd_open") and not any(name.startswith(_FIXED) for name in environ)


class SconsServer:
    """The servers for one place to import cratewright from; `site` is empty for where it is installed.

    All processes of one run of the tests share them.
    """

    def __init__(self, site: str, environ: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._sockets = itertools.cycle(
            # Pages of the heap are large, of which a fork has few to copy.
            [self._connected(site, {**environ, **_LARGE, "PYTHONHASHSEED": seed}) for seed in "12"]
        )

    def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        environ: Mapping[str, str],
        timeout: float,
        program: str = "scons",
    ) -> subprocess.CompletedProcess[str]:
        """Run `scons`, or `cratewright`, to its end and return what it printed.

        Units: `timeout` in seconds.
        Raises: subprocess.TimeoutExpired; the run has then been killed.
        """
        words = [program, *arguments]
        request = json.dumps({"argv": words, "cwd": str(cwd), "environ": dict(environ)}).encode()
        ends = [os.pipe() for _ in range(3)]
        with self._lock:
            connection = next(self._sockets)
            socket.send_fds(connection, [b"%10d" % len(request)], [write for _, write in ends])
            connection.sendall(request)
            process = int(connection.recv(_NUMBER, socket.MSG_WAITALL))
        for _, write in ends:
            os.close(write)
        try:
            stdout, stderr, status = _read([read for read, _ in ends], timeout)
        except TimeoutError as error:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, timeout) from error
        finally:
            for read, _ in ends:
                os.close(read)
        return subprocess.CompletedProcess(words, int(status), stdout, stderr)

    @staticmethod
    def _connected(site: str, environ: Mapping[str, str]) -> socket.socket:
        """Connect to the server, or start it if it is not there."""
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
        words = json.dumps([run, site, dict(environ)])
        path = os.path.join(tempfile.gettempdir(), f"cw-scons-{hashlib.sha256(words.encode()).hexdigest()[:16]}")
        for _ in range(10_000):
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(path)
            except OSError:
                connection.close()
                _start(path, site, environ)
                time.sleep(0.001)
            else:
                _CONNECTIONS.append(connection)
                return connection
        raise RuntimeError(f"the server at {path} has died")


def _start(path: str, site: str, environ: Mapping[str, str]) -> None:
    """Start a server at a path, unless another process does; it ends when nobody is connected any more."""
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(path)
        except OSError:
            return
        listener.listen()
        listener.set_inheritable(True)
        nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
        words = [sys.executable, __file__, str(listener.fileno()), site]
        _STARTED.append(os.posix_spawn(sys.executable, words, environ, file_actions=nowhere))


_CONNECTIONS: list[socket.socket] = []
_STARTED: list[int] = []


@atexit.register
def _end() -> None:
    """Let go of all servers before waiting for any: others may wait for those to which this process is connected."""
    for connection in _CONNECTIONS:
        connection.close()
    for process in _STARTED:
        with suppress(ChildProcessError):
            os.waitpid(process, 0)


def _read(files: Sequence[int], timeout: float) -> list[str]:
    """Read files side by side to their ends, as texts."""
    said = {file: b"" for file in files}
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for file in files:
            selector.register(file, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if chunk := os.read(key.fd, 1 << 16):
                    said[key.fd] += chunk
                else:
                    selector.unregister(key.fd)
    return [text.decode() for text in said.values()]


def _serve(listener: socket.socket) -> bool:
    """Fork a process for each request; return True in it, and False when nobody is connected any more."""
    running: dict[int, tuple[int, int]] = {}
    connections: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)

        def accept() -> None:
            connection, _ = listener.accept()
            connections[connection.fileno()] = connection
            selector.register(connection, selectors.EVENT_READ)

        while True:
            for key, _ in selector.select():
                if key.fd in running:
                    process, status = running.pop(key.fd)
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    with suppress(BrokenPipeError):
                        os.write(status, b"%d" % os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
                    os.close(status)
                    continue
                if key.fileobj is listener:
                    accept()
                    continue
                connection = connections[key.fd]
                head, files, _, _ = socket.recv_fds(connection, _NUMBER, 3)
                if not head:
                    selector.unregister(connection)
                    connections.pop(key.fd).close()
                    if not connections:
                        # Nobody finds this server from now on, but somebody may have done so just before.
                        with suppress(FileNotFoundError):
                            os.unlink(listener.getsockname())
                        listener.setblocking(False)
                        try:
                            accept()
                        except BlockingIOError:
                            return False
                    continue
                request = json.loads(connection.recv(int(head), socket.MSG_WAITALL))
                if not (process := os.fork()):
                    selector.close()
                    for each in (listener, *connections.values()):
                        each.close()
                    _become(request, files, [*running, *(status for _, status in running.values())])
                    return True
                connection.sendall((b"%d" % process).ljust(_NUMBER))
                os.close(files[0])
                os.close(files[1])
                handle = os.pidfd_open(process)
                running[handle] = (process, files[2])
                selector.register(handle, selectors.EVENT_READ)


def _become(request: dict[str, object], files: Sequence[int], others: Sequence[int]) -> None:
    """Make this process what the one that is asked for would be when SCons begins."""
    os.dup2(files[0], 1)
    os.dup2(files[1], 2)
    for number in (*files, *others):
        os.close(number)
    os.environ.clear()
    os.environ.update(request["environ"])  # type: ignore[call-overload]
    os.chdir(str(request["cwd"]))
    sys.path.insert(0, os.getcwd())
    sys.argv = request["argv"]  # type: ignore[assignment]


def main(number: str, site: str) -> None:
    """Import what runs need, serve them, and be one."""
    path = sys.path[1:]
    sys.path[:1] = [site] if site else []
    for name in _MODULES:
        with suppress(Exception):  # what is missing or broken is told by the run that needs it
            importlib.import_module(name)
    with suppress(Exception):
        _warm()
    sys.path[:] = path
    gc.collect()
    gc.freeze()
    _make_pages_large()
    if _serve(socket.socket(fileno=int(number))):
        _run()


def _make_pages_large() -> None:
    """Have the system put what runs share into large pages, of which a fork has few to copy the addresses."""
    advise = ctypes.CDLL(None).madvise
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, access, _, _, file = line.split()[:5]
        start, end = (int(word, 16) for word in span.split("-"))
        start, size = -(-start // _PAGE) * _PAGE, end // _PAGE * _PAGE - -(-start // _PAGE) * _PAGE
        if access == "rw-p" and file == "0" and size > 0:
            advise(ctypes.c_void_p(start), ctypes.c_size_t(size), _COLLAPSE)  # older systems refuse, which is no matter


def _warm() -> None:
    """Do once what each run would do to the same end.

    Compile expressions, read what is installed and the code that results depend on, build glslang's tables, which take
    as long as all the rest of a small build of shaders, and start Slang, which takes half a second.
    """
    _keep_entry_points()
    _keep_checks(importlib.import_module("cratewright.contract.declared"))
    registry = importlib.import_module("cratewright.plugins.registry").Registry()
    importlib.import_module("cratewright.plugins.loading").load_plugins(registry)
    registry.register(importlib.import_module("cratewright.testing"))
    code = importlib.import_module("cratewright.contract.incremental_cache").results_code
    for name in registry.names:
        code(registry.backend(name))
    _keep_listings(registry)
    for name in _PLUGINS:
        with suppress(ImportError):  # it is not here
            for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
                with suppress(Exception):
                    importlib.import_module(module.name)
    _finish_classes_and_patterns()
    importlib.import_module("cratewright_spirv.spirv_tools.tools").find_tools(None)
    importlib.import_module("cratewright_spirv.compilers.glslang").Glslang().warm("vulkan1.3", (450, 460))
    importlib.import_module("cratewright_slang.wheel").library()


def _finish_classes_and_patterns() -> None:
    """Make what modules leave to its first use: `__init__` of value classes, and regular expressions."""
    values, patterns = (importlib.import_module(f"cratewright.base.{name}") for name in ("values", "patterns"))
    for module in [module for name, module in sys.modules.items() if name.startswith("cratewright")]:
        for found in list(vars(module).values()):
            if isinstance(found, patterns._Pattern):
                for name in ("match", "fullmatch", "search", "sub", "finditer", "findall", "split"):
                    getattr(found, name)
            elif is_dataclass(found) and found.__init__.__qualname__.startswith("_methods."):  # type: ignore[misc]
                found.__init__ = values._initialiser(found)  # type: ignore[misc]


def _keep_entry_points() -> None:
    """Read what is installed here once: tests install elsewhere, and a hundred distributions are slow to read."""
    installed = f"{sys.prefix}{os.sep}"

    def once(read: Callable[[PathDistribution], object]) -> Callable[[PathDistribution], object]:
        kept: dict[str, object] = {}

        def read_once(found: PathDistribution) -> object:
            path = str(found._path)
            if not path.startswith(installed):
                return read(found)
            if path not in kept:
                kept[path] = read(found)
            return kept[path]

        return read_once

    for name in ("_normalized_name", "entry_points"):
        setattr(PathDistribution, name, property(once(getattr(PathDistribution, name).fget)))


def _keep_checks(declared: Any) -> None:
    """Check the declarations of backends once, as long as nobody alters them."""
    find = declared.find_class_fault
    right: dict[type, dict[str, object]] = {}

    def find_once(kind: type) -> object:
        members = dict(vars(kind))
        fault = None if right.get(kind) == members else find(kind)
        if not fault:
            right[kind] = members
        return fault

    declared.find_class_fault = find_once


def _keep_listings(registry: Any) -> None:
    """List once what is installed here, code and programs: runs ask each file that is listed whether it has changed."""
    installed = importlib.import_module("cratewright.scons.at_exit.installed_code")
    places = importlib.import_module("cratewright.contract.incremental_cache").code_places
    list_code, list_programs = installed.code_files, installed._programs
    code = {place: list_code(place) for name in registry.names for place in places(registry.backend(name))}
    programs: dict[str, list[str]] = {}
    for path in os.environ["PATH"].split(os.pathsep):
        with suppress(ValueError):
            programs[path] = [*list_programs({path}, ValueError)]

    def programs_once(paths: set[str], raises: type[Exception]) -> Iterator[str]:
        for path in sorted(paths):
            yield from programs.get(path) or list_programs({path}, raises)

    installed.code_files = lambda place: code.get(place) or list_code(place)
    installed._programs = programs_once
    _leave_out_what_stays(installed)


def _leave_out_what_stays(installed: Any) -> None:
    """Have runs look neither at modules that are loaded here, of which most load a third, nor at installed projects."""
    writing = importlib.import_module("cratewright.scons.at_exit.write_record")
    list_loaded, list_distributions = writing.loaded_files, installed._distributions
    here = {*list_loaded(())}
    there = tuple(f"{place}{os.sep}" for place in (sys.prefix, sys.base_prefix))

    writing.loaded_files = lambda known: (path for path in list_loaded(known) if path not in here)
    installed._distributions = lambda *words: (
        path
        for path in list_distributions(*words)
        if not path.startswith(there) or not path.endswith((".txt", ".dist-info"))
    )


def _run() -> None:
    """Run the program and end as an interpreter does, but let all objects be: a fork would copy the page of each."""
    status: object = None
    try:
        if sys.argv[0] == "scons":
            sys.modules["SCons.Script"].main()
        else:
            status = importlib.import_module("cratewright.cli").main()
    except SystemExit as stop:
        status = stop.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    if not isinstance(status, int | None):
        print(status, file=sys.stderr)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


if __name__ == "__main__":
    main(*sys.argv[1:])
