"""Remote execution of programs: the requests to a server, and its faults, which must cause no wrong result or hang.

No compilers run here; tests/native_e2e runs them on an independent server.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError, Interrupted
from cratewright.remote import open_executor
from cratewright.remote.execution import Executor
from cratewright.remote.input_tree import input_root
from cratewright.remote.message import message_digest
from cratewright.remote.wire import decode, encode_message
from cratewright.system import child
from cratewright.system.child import end_all
from cratewright.system.elsewhere import Portable, Ran, passed_directories
from tests.support.bounds import HANG, ends, until
from tests.support.reapi_messages import require_grpc
from tests.support.reapi_server import ReapiServer, serving_reapi


@pytest.fixture(autouse=True)
def _libraries() -> None:
    require_grpc()


def _executor(server: ReapiServer, timeout: float = HANG) -> contextlib.closing[Executor]:
    environ = {"CRATE_REMOTE_PLATFORM": "OS=linux"}
    return contextlib.closing(open_executor(server.url, environ, jobs=4, timeout=timeout))


def _portable(root: Path, **system: str) -> Portable:
    (root / "sub").mkdir(exist_ok=True)
    (root / "sub" / "in").write_bytes(b"text")
    return Portable(
        root=str(root),
        argv=("program", "sub/in", "-o", "o"),
        environ=(("A", "b"),),
        inputs={"sub/in": hashlib.sha256(b"text").hexdigest()},
        directories=frozenset({"empty/one"}),
        system=system,
        outputs=("o",),
        tools="tools 1",
    )


MADE = Ran(0, b"hello", b"", {"o": b"made"})


def test_request_has_inputs_command_and_outputs(tmp_path: Path) -> None:
    with serving_reapi() as server, _executor(server) as executor:
        assert executor.run(_portable(tmp_path)) == executor.run(_portable(tmp_path)) == MADE
        assert server.calls.count("BatchUpdateBlobs") == 1, "blobs on the server are not uploaded again"
        types = server.types
        commands = [types["Command"].FromString(data) for data in server.blobs.values() if b"program" in data]
        assert [list(item.arguments) for item in commands] == [["program", "sub/in", "-o", "o"]]
        assert list(commands[0].output_paths) == ["o"] and b"text" in server.blobs.values()
        assert any(b"tools 1" in data for data in server.blobs.values())
        executor.close()
        assert executor.run(_portable(tmp_path)) is None


def test_platform_properties_are_sent(tmp_path: Path) -> None:
    """Both the Action and its Command have them, sorted by name."""
    image = "docker://registry.example:5000/team/cratewright@sha256:00ff"
    environ = {"CRATE_REMOTE_PLATFORM": f"container-image={image}, OSFamily=linux"}
    with serving_reapi() as server, contextlib.closing(open_executor(server.url, environ, jobs=1, timeout=HANG)) as one:
        one.run(_portable(tmp_path))
        pairs = (("OSFamily", "linux"), ("container-image", image))
        platform = encode_message(
            [(1, encode_message([(1, name.encode()), (2, text.encode())])) for name, text in pairs]
        )
        action = next(data for data in server.blobs.values() if b"tools 1" in data)
        command = server.blobs[server.types["Action"].FromString(action).command_digest.hash]
        assert decode(action).data(10) == decode(command).data(5) == platform


def test_input_root_does_not_depend_on_order() -> None:
    files = {
        "b/c": message_digest(b"1"),
        "a": message_digest(b"2"),
        "b/a/x": message_digest(b"3"),
        "b.d": message_digest(b"4"),
    }
    root, blobs = input_root(files, ["e", "b/f"])
    again, _ = input_root(dict(reversed(files.items())), ["b/f", "e"])
    assert root == again and len(blobs) == 4, "the two empty directories are one blob"
    assert input_root(files)[0] != root


@pytest.mark.parametrize(
    ("fault", "final"),
    [
        ("execute-unavailable", True),
        ("execute-evicted", False),
        ("execute-ends", False),
        ("execute-junk", False),
        ("execute-no-output", False),
        ("execute-wrong-output", False),
        ("execute-fails", False),
        ("batch-full", False),
        ("unauthenticated", True),
        ("internal", True),
    ],
)
def test_failed_remote_run_falls_back_to_this_machine(
    fault: str, final: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving_reapi(fault) as server, _executor(server) as executor, ends():
        assert executor.run(_portable(tmp_path)) is None
        if not final:
            assert capfd.readouterr().err == ""
            server.fault = ""
            assert executor.run(_portable(tmp_path)) == MADE, "the server is still used"
            server.fault = fault
        server.blobs.clear()
        for number in range(5):
            (tmp_path / "sub" / "other").write_text(str(number))
            assert executor.run(_portable(tmp_path)) is None or fault == "batch-full"
        server.fault = ""
        calls_before = len(server.calls)
        if fault != "batch-full":  # everything was uploaded before the fault
            assert executor.run(_portable(tmp_path)) is None and len(server.calls) == calls_before, (
                "the server is no longer used"
            )
            assert capfd.readouterr().err.count(f"continuing without {server.url}, all programs run here: ") == 1


def test_interrupt_cancels_the_operation(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with serving_reapi("execute-hang") as server, _executor(server) as executor:
        timer = threading.Timer(0.5, end_all)
        timer.start()
        try:
            with ends(HANG / 2), pytest.raises(Interrupted):
                executor.run(_portable(tmp_path))
        finally:
            child._build.ended.clear()
        until(lambda: "CancelOperation" in server.calls)
    assert capfd.readouterr().err == ""


def test_hanging_server_times_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cratewright.remote.execution._GRACE", 0.5)
    with serving_reapi("execute-hang") as server, _executor(server, timeout=0.5) as executor, ends(HANG / 2):
        assert executor.run(_portable(tmp_path)) is None and executor.run(_portable(tmp_path)) is None
        assert "it does not answer in time" in capfd.readouterr().err


def test_server_without_the_system_files_is_not_used(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The server answers `hello` to the check of the files, so they are missing."""
    with serving_reapi() as server, _executor(server) as executor:
        assert executor.run(_portable(tmp_path, **{"/usr/bin/cc": "0" * 64})) is None
        assert "all programs run here: /usr/bin/cc is missing there" in capfd.readouterr().err


def test_changed_input_is_not_sent(tmp_path: Path) -> None:
    with serving_reapi() as server, _executor(server) as executor:
        portable = _portable(tmp_path)
        (tmp_path / "sub" / "in").write_bytes(b"other")
        assert executor.run(portable) is None
        (tmp_path / "sub" / "in").unlink()
        assert executor.run(portable) is None and "Execute" not in server.calls


def test_passed_directories_of_a_path() -> None:
    ways = {
        "a/b": (),
        "a/../b": ("a",),
        "a/b/../../c/../d": ("a/b", "a", "c"),
        "../a/../b": (),
        "./a/./../b": ("a",),
        "a/../../b/../c": ("a",),
    }
    assert {path: passed_directories(path) for path in ways} == ways


@pytest.mark.parametrize("text", ["a", "a b=c", "=x"])
def test_invalid_platform_properties(text: str) -> None:
    with pytest.raises(ConfigurationError, match="CRATE_REMOTE_PLATFORM"):
        open_executor("grpc://farm:1", {"CRATE_REMOTE_PLATFORM": text}, jobs=1, timeout=1)
