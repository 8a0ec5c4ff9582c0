"""Builds that share a cache on a server: nginx as documented, casd, and the tests' own server."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cratewright.base.codec import Codec
from cratewright.cache.entry import seal_entry
from cratewright.cache.key import Fields
from cratewright.cache.prefetch import ASKED
from cratewright.cache.shared_history import INPUTS
from cratewright.cache.store import CacheKvStore
from cratewright.remote import open_remote_store
from cratewright.remote.address import read_address
from cratewright.remote.http import HttpTransport
from cratewright.remote.message import action_of, message_digest
from cratewright.remote.store import RemoteStore
from cratewright.testing import require_tool
from tests.support.cache_server import serving
from tests.support.casd import serving_casd
from tests.support.paths import ROOT, source_paths
from tests.support.random_tree import outputs_of
from tests.support.scons_project import SconsProject
from tests.support.two_clients import edits_by_two_clients

MORE = int(os.environ.get("CRATE_SOAK", "0"))


@contextlib.contextmanager
def _nginx(directory: Path) -> Iterator[str]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    require_tool(program is not None, "nginx")
    require_tool(shutil.which("openssl") is not None, "openssl")
    assert program is not None
    page = (ROOT / "docs" / "shared-cache.md").read_text(encoding="utf-8")
    (config,) = re.findall(r"```nginx\n(.*?)```", page, re.S)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = config.replace("listen 8080", f"listen 127.0.0.1:{port}")
    (directory / "cache" / "tmp").mkdir(parents=True)
    (directory / "conf").write_text(config)
    password = subprocess.run(["openssl", "passwd", "-apr1", "secret"], capture_output=True, text=True, check=True)
    (directory / "users").write_text(f"ci:{password.stdout}")
    # Its workers would run as a user who cannot read root's temporary directory of pytest.
    user = "user root;" if os.geteuid() == 0 else ""
    command = [program, "-p", str(directory), "-c", str(directory / "conf"), "-g", f"daemon off; {user}"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as running:
        try:
            while True:
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                assert running.poll() is None, "nginx has ended"
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port}/ci"
        finally:
            running.terminate()


SOURCES = {f"part{number}": f"export part{number}\n" for number in range(12)}


def _project(path: Path, url: str, **environ: str) -> SconsProject:
    project = SconsProject(path)
    names = ", ".join(f'"{name}.stub"' for name in SOURCES)
    project.sconstruct(f'Default(env.Crate("m", [{names}], crate_type="cdylib"))\n', **SOURCES)
    project.environ["CRATE_CACHE"] = f"{path / 'local'}, {url}"
    project.environ |= environ
    return project


def test_nginx_as_documented(tmp_path: Path) -> None:
    with _nginx(tmp_path / "server") as url:
        project = _project(tmp_path / "stranger", url)
        assert "no longer writing to the cache" in project.scons() and "401" in project.output
        assert not list((tmp_path / "server" / "cache").glob("ac/*"))
        project = _project(tmp_path / "first", url, CRATE_CACHE_AUTH="ci:secret")
        assert "12 units: 12 compiled" in project.scons() and project.errors == ""
        assert len(list((tmp_path / "server" / "cache").glob("ac/*"))) > 12
        for number, mode in enumerate(("read-write, read", "read")):
            project = _project(tmp_path / f"reader {number}", url, CRATE_CACHE_MODE=mode)
            assert "12 units: 0 compiled, 12 reused" in project.scons() and project.errors == ""
            assert (project.path / "local").exists() is (mode != "read")


def test_reason_names_the_file_that_differs_from_another_checkout(tmp_path: Path) -> None:
    """The cache has the unit, but for another content of one file."""
    with serving() as server:
        for client, text in (("one", "export a\n"), ("two", "export b\n")):
            project = SconsProject(tmp_path / client)
            project.sconstruct('Default(env.Crate("m", ["part.stub"]))\n', part="include inner\nexport part\n")
            project.write({"inner": text})
            project.environ["CRATE_CACHE"] = f"{project.path / 'local'}, {server.url}"
            project.scons()
        assert "because inner changed: " in project.output


def _run_cli(project: SconsProject, *words: str) -> str:
    command = [sys.executable, "-m", "cratewright", *words]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(source_paths())}
    return subprocess.run(command, cwd=project.path, env=environ, capture_output=True, text=True, check=True).stdout


def test_reason_names_the_option_that_differs_from_another_checkout(tmp_path: Path) -> None:
    """The cache has the unit with other options; the reason is given against the nearest of them."""
    with serving() as server:
        for client, options in (
            ("one", 'defines={"A": "1"}'),
            ("two", 'defines={"A": "2"}'),
            ("three", 'opt_level="0"'),
        ):
            project = SconsProject(tmp_path / client)
            project.sconstruct(f'Default(env.Crate("m", ["part.stub"], {options}))\n', part="export part\n")
            project.environ["CRATE_CACHE"] = f"{project.path / 'local'}, {server.url}"
            output = project.scons()
            if client == "one":
                assert "because" not in output
            elif client == "two":
                assert "because define A changed: '1' -> '2'" in output, output
                assert "define A changed: '1' -> '2'" in _run_cli(project, "explain")
                counted = _run_cli(project, "cache", "stats", "--cache", project.environ["CRATE_CACHE"])
                assert re.search(r"2 misses: +1$", counted, re.M), "shared histories are not counted"
        # Both differ; the one with fewer differences is chosen.
        assert "because" in output
        # Terminal escapes in a forged history are not printed.
        key = INPUTS.key("compile_codegen_unit: crate 'm': part.stub")
        fields = (("kind", "compile_codegen_unit"), ("define \x1b[31m", "'x'"))
        planted = seal_entry(key, Codec(tuple[str, tuple[Fields, ...]]).encode(("cratewright trail 1", (fields,))))
        store = RemoteStore(HttpTransport(read_address(server.url, {})), server.url)
        store.insert(key, planted)
        store.close()
        project = SconsProject(tmp_path / "four")
        project.sconstruct('Default(env.Crate("m", ["part.stub"], defines={"A": "4"}))\n', part="export part\n")
        project.environ["CRATE_CACHE"] = f"{project.path / 'local'}, {server.url}"
        assert "because" not in project.scons() and "\x1b" not in project.output


def test_results_are_prefetched(tmp_path: Path) -> None:
    """A second checkout requests each key once; after an edit, only the needed list is requested."""
    text = "for name in 'abcdefgh':\n    Default(env.Crate(name, [name + '.stub'], crate_type='cdylib', lto='thin'))\n"
    made: list[dict[str, str]] = []
    with serving() as server:
        for name, words in (("one", "1 compiled, 0 reused"), ("two", "0 compiled, 1 reused")):
            project = SconsProject(tmp_path / name)
            project.sconstruct(text, **{letter: f"export {letter}\n" for letter in "abcdefgh"})
            project.environ["CRATE_CACHE"] = f"{project.path / 'local'}, {server.url}"
            server.lookups.clear()
            assert project.scons().count(words) == 8 and project.errors == ""
            made.append(outputs_of(project.path))
        assert made[0] == made[1] and len(made[0]) >= 8
        lists = [f"/ci/ac/{message_digest(action_of(ASKED.key(f':{letter}'))).hash}" for letter in "abcdefgh"]
        results = [path for path in server.lookups if path not in lists]
        assert len(set(results)) == len(results) and set(lists[2:]) <= set(server.lookups)
        assert server.lookups.index(lists[7]) < server.lookups.index(results[-1]), (
            "the lists are requested before the last results"
        )
        server.lookups.clear()
        project.write({"b.stub": "export b\nexport i\n"})
        assert "1 compiled" in project.scons() and set(server.lookups) & set(lists) == {lists[1]}


def test_build_continues_when_the_server_dies(tmp_path: Path) -> None:
    with serving() as server:
        server.fault = "die-later"
        project = _project(tmp_path / "a", server.url)
        project.scons()
        assert project.errors.count("cratewright: ") == 1


DAYS = 30 * 86400


@pytest.mark.parametrize(
    ("seed", "ahead"), [(0, (0, 0)), (1, (0, 0)), (2, (DAYS, -DAYS))], ids=["first", "second", "clocks apart"]
)
def test_edits_by_two_clients(
    tmp_path: Path, seed: int, ahead: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each finds what the other made, and it equals its own build; `CRATE_SOAK` makes more edits.

    With clocks apart, the server's clock is off too, and all files have the same modification time.
    """
    now, now_ns = time.time, time.time_ns

    def begin(client: int, root: Path) -> None:
        if skew := ahead[client]:
            monkeypatch.setattr(time, "time", lambda skew=skew: now() + skew)
            monkeypatch.setattr(time, "time_ns", lambda skew=skew: now_ns() + skew * 10**9)
            for path in root.rglob("*"):
                os.utime(path, (DAYS * 1000, DAYS * 1000), follow_symlinks=False)

    with serving() as server:
        server.ahead = 100 * ahead[1]
        assert edits_by_two_clients(tmp_path, server.url, seed=seed, edits=max(40, MORE), begin=begin) > 3


def test_edits_by_two_clients_of_casd(tmp_path: Path) -> None:
    """The same with an independent server and the other protocol."""
    (tmp_path / "server").mkdir()
    with serving_casd(tmp_path / "server") as url:
        assert edits_by_two_clients(tmp_path, url, seed=3, edits=max(20, MORE)) > 3


_WRITER = """
import sys
from cratewright.cache.entry import seal_entry
from cratewright.remote import open_remote_store
url, number = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for size in (100, 40_000, 5_000_000):
    for _ in range(6):
        store = open_remote_store(url, {})
        key = f"{size:064x}"
        store.insert(key, seal_entry(key, bytes([number]) * size))
        store.close()
        store = open_remote_store(url, {})
        found = store.get(key)
        # casd discards a result that is read while another client writes it.
        assert found is None or found in [seal_entry(key, bytes([one]) * size) for one in (1, 2)]
        store.close()
"""


def _store_of(url: str) -> CacheKvStore:
    store = open_remote_store(url, {})
    assert store is not None
    return store


def test_two_processes_write_one_key(tmp_path: Path) -> None:
    """casd returns either value whole or none, whatever its size."""
    (tmp_path / "server").mkdir()
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(source_paths())}
    with serving_casd(tmp_path / "server") as url:
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", _WRITER, url, str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environ,
            )
            for number in (1, 2)
        ]
        for writer in writers:
            assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write(b"\n")
            writer.stdin.flush()
        for writer in writers:
            _, errors = writer.communicate()
            assert writer.returncode == 0 and errors == b"", errors
        for size in (100, 40_000, 5_000_000):
            key = f"{size:064x}"
            value = seal_entry(key, bytes([1]) * size)
            with closing(_store_of(url)) as store:
                store.insert(key, value)
            with closing(_store_of(url)) as store:
                assert store.get(key) == value
