"""`cratewright diff`: text and JSON output, and the rejection of files that are not manifests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cratewright.cli import main

Run = Callable[..., tuple[int, str, str]]


def _manifest(images: Mapping[str, Mapping[str, int]], shared: Mapping[str, str] | None = None) -> str:
    files = {name: (shared or {}).get(name, name) for name in images}
    rows = [{"path": f"app.spvs/{name}.spv", **images[name]} for name in images if files[name] == name]
    entries = [{"key": name, "module": f"app.spvs/{file}.spv"} for name, file in files.items()]
    modules = {name: f"app.spvs/{file}.spv" for name, file in files.items()}
    return json.dumps({"crate": "app", "module": modules, "entries": entries, "modules": rows})


def _single(crate: str, **figures: int) -> str:
    row = {"path": f"{crate}.spv", **figures}
    entries = [{"key": name, "module": f"{crate}.spv"} for name in ("a", "b")]
    return json.dumps({"crate": crate, "module": f"{crate}.spv", "entries": entries, "modules": [row]})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `cratewright diff` on two texts."""
    monkeypatch.chdir(tmp_path)

    def diff(old: str, new: str, *words: str) -> tuple[int, str, str]:
        Path("old.json").write_text(old)
        Path("new.json").write_text(new)
        status = main(["diff", "old.json", "new.json", *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return diff


OLD = {"a.comp": {"size": 100, "loops": 1}, "b.comp": {"size": 200, "loops": 2}, "gone.comp": {"size": 10, "loops": 0}}
NEW = {"a.comp": {"size": 90, "loops": 1}, "b.comp": {"size": 230, "loops": 1}, "new.comp": {"size": 20, "loops": 0}}


def test_growth_is_listed_first(run: Run) -> None:
    status, out, _ = run(_manifest(OLD), _manifest(NEW))
    assert status == 1
    assert out.splitlines() == [
        "image       figure  old  new         change",
        "b.comp      size    200  230  +30 (+15.0 %)",
        "b.comp      loops     2    1   -1 (-50.0 %)",
        "a.comp      size    100   90  -10 (-10.0 %)",
        "all images  size    310  340   +30 (+9.7 %)",
        "all images  loops     3    2   -1 (-33.3 %)",
        "added    new.comp",
        "removed  gone.comp",
    ]
    status, out, _ = run(_manifest(OLD), _manifest(NEW), "--json")
    assert status == 1 and json.loads(out) == {
        "grew": True,
        "changed": {
            "a.comp": {"size": {"old": 100, "new": 90}},
            "b.comp": {"size": {"old": 200, "new": 230}, "loops": {"old": 2, "new": 1}},
        },
        "added": ["new.comp"],
        "removed": ["gone.comp"],
        "totals": {"size": {"old": 310, "new": 340}, "loops": {"old": 3, "new": 2}},
    }


def test_status_is_zero_without_growth(run: Run) -> None:
    assert run(_manifest(OLD), _manifest(OLD)) == (0, "nothing differs\n", "")
    smaller = {"a.comp": {"size": 99, "loops": 1, "size_before_optimisation": 2}}
    assert run(_manifest({"a.comp": {**smaller["a.comp"], "size_before_optimisation": 1}}), _manifest(smaller))[0] == 0
    assert run(_manifest(OLD), _manifest(smaller))[0] == 0
    # A figure that is absent from the older manifest has not grown.
    assert run(_manifest({"a.comp": {"size": 99}}), _manifest(smaller)) == (0, "nothing differs\n", "")
    assert run(_single("app", size=9), _single("other", size=8))[:2][0] == 0
    assert "other       size" in run(_single("app", size=9), _single("other", size=10))[1]


def test_shared_image_is_counted_once(run: Run) -> None:
    images = {"a.comp": {"size": 100}, "b.comp": {"size": 100}}
    totals = json.loads(run(_manifest(images), _manifest(images, {"b.comp": "a.comp"}), "--json")[1])["totals"]
    assert totals == {"size": {"old": 200, "new": 100}}


BAD = {
    "text": "no JSON",
    "another document": '{"crate": "x"}',
    "a list": "[]",
    "null": "null",
    "rows that are none": '{"crate": "x", "module": "x.spv", "entries": [], "modules": [1]}',
    "no sizes": '{"crate": "x", "module": "x.spv", "entries": [], "modules": [{"path": "x.spv"}]}',
    "no image": '{"crate": "x", "module": {}, "modules": [], "entries": [{"key": "a", "module": "b"}]}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("name", BAD)
def test_other_files_are_rejected(run: Run, name: str) -> None:
    for pair, file in (((BAD[name], _manifest(OLD)), "old.json"), ((_manifest(OLD), BAD[name]), "new.json")):
        status, out, err = run(*pair)
        assert (status, out) == (2, "") and f"{file} is not a manifest of images" in err


def test_manifests_that_cannot_be_compared(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(_manifest(OLD), _single("app", size=1))
    assert status == 2 and "cannot be compared image by image" in err and "multimodule" in err
    assert main(["diff", "absent.json", "new.json"]) == 2
    assert "absent.json" in capsys.readouterr().err
