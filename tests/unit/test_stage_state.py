"""The state file beside a target: the record of the last run and the history of its results."""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright.rules.output_name import state_path
from cratewright.scons.nodes.state import StageState
from cratewright.system.fs import FileDigests

HISTORY = b"history" * 20_000
NEVER_BUILT = ((), ("(never built)",))


def _state(root: Path) -> StageState:
    target = str(root / "app.rlink")
    return StageState("app", digests=FileDigests(str(root)), target=target, request=lambda: "request")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the state file of a stage that has run."""
    (tmp_path / "app.rlink").write_bytes(b"output")
    _state(tmp_path).update((), ("app.rlink",), history=HISTORY)
    return Path(state_path(str(tmp_path / "app.rlink")))


def test_one_file_has_record_and_history(tmp_path: Path, path: Path) -> None:
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == [".app.rlink.state"]
    assert _state(tmp_path)._remembered() == ((), ("app.rlink",))
    assert _state(tmp_path).history() == HISTORY


@pytest.mark.parametrize("writable", [True, False])
def test_killed_stage_counts_as_never_built(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch, writable: bool
) -> None:
    """Its outputs, which may have to be removed, and its history are kept."""
    if not writable:  # as for users other than root

        def refuse(path: str, value: int) -> None:
            raise PermissionError(path)

        monkeypatch.setattr("cratewright.scons.nodes.state.set_first_byte", refuse)
    _state(tmp_path).begin()
    again = _state(tmp_path)
    assert again._remembered() == NEVER_BUILT and again.stamped() is None
    assert again.outputs() == ("app.rlink",) and again.history() == HISTORY
    again.update((), ("app.rlink",), history=b"newer")
    assert _state(tmp_path)._remembered() == ((), ("app.rlink",)) and _state(tmp_path).history() == b"newer"


def test_failed_stage_counts_as_never_built(tmp_path: Path, path: Path) -> None:
    for kept in (HISTORY, b"newer"):
        _state(tmp_path).fail(kept)
        again = _state(tmp_path)
        assert again._remembered() == NEVER_BUILT and again.stamped() is None
        assert again.outputs() == () and again.history() == kept


def test_failed_stage_without_history_leaves_no_file(tmp_path: Path, path: Path) -> None:
    state = _state(tmp_path)
    state.update((), ("app.rlink",))
    state.fail()
    assert not path.exists()
