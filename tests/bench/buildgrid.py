"""A second, stricter server of the Remote Execution API: BuildGrid with PostgreSQL, on this machine and on demand.

    python -m tests.bench buildgrid BGD [--postgres DIRECTORY] [--serve]

BGD is the program of `pip install 'buildgrid[database]==0.4.4' 'sqlalchemy<2.1'` in a separate environment;
PostgreSQL's programs are Debian's, and buildbox-run is beside BUILDBOX_CASD. Unlike casd, BuildGrid rejects keys that
are not digests of Actions that it has, and messages of more than 4 MiB. The benchmark builds particles from a cache
filled by another checkout, makes edits from two clients, and runs compilers and workers of Lua and particles remotely.
Exit status 1 if any result differs from a build without a server. With `--serve` it only prints the URL and waits.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from tests.support.casd import sandbox_words
from tests.support.two_clients import edits_by_two_clients

from . import remote_cache, remote_execution
from .measure import ROOT

_MACHINES = 2
_CONFIG = """\
server:
  - !channel {address: "127.0.0.1:PORT", insecure-mode: true}
authorization: {method: none}
monitoring: {enabled: false}
connections:
  - !sql-connection &sql {connection-string: "DATABASE"}
storages:
  - !disk-storage &storage {path: "CAS"}
caches:
  - !lru-action-cache &cache
    {storage: *storage, max-cached-refs: 100000, allow-updates: true, cache-failed-actions: false}
schedulers:
  - !sql-scheduler &scheduler
    sql: *sql
    storage: *storage
    action-cache: *cache
    property-set: !dynamic-property-set {match-property-keys: [OSFamily, container-image]}
instances:
  - name: main
    services:
      - !action-cache {cache: *cache}
      - !execution {scheduler: *scheduler}
      - !bots {scheduler: *scheduler}
      - !cas {storage: *storage}
      - !bytestream {storage: *storage}
thread-pool-size: 100
"""


@contextmanager
def _running(command: list[str], log: Path, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as stream, subprocess.Popen(command, stdout=stream, stderr=stream, **options) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"{process.args} does not serve:\n{log.read_text()[-2000:]}")


def _ports(count: int) -> list[int]:
    with ExitStack() as open_:
        sockets = [open_.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def serving_buildgrid(bgd: Path, postgres: Path, directory: Path) -> Iterator[str]:
    """Run a server, its database and two machines; yield its URL."""
    casd = os.environ.get("BUILDBOX_CASD") or shutil.which("buildbox-casd")
    if casd is None:
        raise SystemExit("name buildbox-casd in BUILDBOX_CASD: buildbox-run lies beside it")
    data = directory / "database"
    data.mkdir()
    port, database = _ports(2)
    log = directory / "log"
    with ExitStack() as open_:
        owner: dict[str, object] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            owner["user"] = user = "nobody"
            os.chown(data, pwd.getpwnam(user).pw_uid, -1)
            directory.chmod(0o755)
        words = ["-D", str(data), "-A", "trust", "-U", "bgd"]
        with _running([str(postgres / "initdb"), *words], log, cwd="/", **owner) as made:
            made.wait()
        words = ["-D", str(data), "-p", str(database), "-h", "127.0.0.1", "-k", "", "-c", "fsync=off"]
        _wait_for(
            database, open_.enter_context(_running([str(postgres / "postgres"), *words], log, cwd="/", **owner)), log
        )
        url = f"postgresql://bgd@127.0.0.1:{database}/postgres"
        subprocess.run([bgd, "migrate", "apply", url], check=True, stdout=subprocess.DEVNULL)
        config = directory / "buildgrid.yml"
        text = _CONFIG.replace("PORT", str(port)).replace("DATABASE", url).replace("CAS", str(directory / "cas"))
        config.write_text(text, encoding="utf-8")
        _wait_for(port, open_.enter_context(_running([str(bgd), "server", "start", str(config)], log)), log)
        program = [
            str(bgd.parent / "python"),
            "-I",
            str(ROOT / "tests" / "support" / "buildgrid_worker.py"),
            f"127.0.0.1:{port}",
            "main",
        ]
        runner = [
            os.path.join(os.path.dirname(casd), "buildbox-run"),
            f"--remote=http://127.0.0.1:{port}",
            "--instance=main",
        ]
        environ = {**os.environ, "PATH": f"{os.path.dirname(casd)}:/usr/bin:/bin"}
        for number in range(_MACHINES):
            place = directory / f"machine{number}"
            place.mkdir()
            words = [*program, *runner, "--disable-localcas", f"--workspace-path={place}", *sandbox_words()]
            open_.enter_context(_running(words, log, env=environ))
        yield f"grpc://127.0.0.1:{port}/main"


def main(arguments: list[str]) -> int:
    """Run the server and all checks."""
    parser = argparse.ArgumentParser(description="builds with BuildGrid as cache and as machines")
    parser.add_argument("bgd", type=Path)
    parser.add_argument("--postgres", type=Path, default=Path("/usr/lib/postgresql/15/bin"), metavar="DIRECTORY")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--edits", type=int, default=60)
    chosen = parser.parse_args(arguments)
    wrong = 0
    with ExitStack() as open_:
        scratch = open_.enter_context(tempfile.TemporaryDirectory(prefix="buildgrid-"))
        url = open_.enter_context(serving_buildgrid(chosen.bgd.absolute(), chosen.postgres, Path(scratch)))
        print(url, flush=True)
        if chosen.serve:
            with suppress(KeyboardInterrupt):
                while True:
                    time.sleep(60)
            return 0
        wrong += remote_cache.main([str(ROOT / "examples" / "particles"), url])
        hits = edits_by_two_clients(Path(scratch, "edits"), url, seed=1, edits=chosen.edits)
        print(f"{chosen.edits} edits by two clients: 0 mismatches, {hits} results taken from it", flush=True)
        for example, words in (("lua", ["lto=thin"]), ("particles", [])):
            wrong += remote_execution.main([str(ROOT / "examples" / example), *words, "--server", url])
    return int(bool(wrong))
