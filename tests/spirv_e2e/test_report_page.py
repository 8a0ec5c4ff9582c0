"""The HTML report in a browser: its content, its controls, and its speed with 5,000 units."""

from __future__ import annotations

import html as markup
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cratewright.report import report_text
from cratewright.report.recording import read_recording
from cratewright.system import events
from cratewright.system.event_file import EventFile
from cratewright.testing import require_tool
from tests.support.paths import ROOT

# Actions of a user: type into the search field, hover over a bar of the timeline, zoom, and reset the zoom.
CLICKS = """
<script>
addEventListener("load", () => setTimeout(() => {
  const seen = {ready: performance.now(), errors: window.errors};
  seen.verdict = document.getElementById("verdict").textContent;
  const rows = () => [...document.querySelectorAll("#units tbody tr")].map((row) => row.cells[2].textContent);
  seen.linkages = [...document.querySelectorAll("text.linkage")].map((label) => label.textContent);
  seen.units = rows(); seen.shown = document.getElementById("shown").textContent;
  const box = document.getElementById("search"), start = performance.now();
  box.value = SEARCH; box.dispatchEvent(new Event("input"));
  seen.found = rows(); seen.searched = performance.now() - start;
  const canvas = document.getElementById("timeline"), place = canvas.getBoundingClientRect();
  const mouse = (kind, x, y, more) => canvas.dispatchEvent(new (kind === "wheel" ? WheelEvent : MouseEvent)(kind,
    {clientX: x, clientY: y, bubbles: true, cancelable: true, ...more}));
  const tip = document.getElementById("tip"); seen.tips = [];
  for (let y = place.top + 20; y < place.bottom; y += 8) for (let x = place.left + 70; x < place.right; x += 1) {
    mouse("mousemove", x, y); if (tip.style.display === "block") seen.tips.push(tip.textContent); }
  mouse("dblclick", place.left + 90, place.top + 30);
  const whole = canvas.toDataURL(), moved = performance.now();
  mouse("wheel", place.left + place.width / 2, place.top + 30, {deltaY: -1});
  seen.redrawn = performance.now() - moved; seen.zoomed = canvas.toDataURL() !== whole;
  mouse("dblclick", place.left + 90, place.top + 30); seen.restored = canvas.toDataURL() === whole;
  const out = document.createElement("pre"); out.id = "seen"; out.textContent = JSON.stringify(seen);
  document.body.append(out);
}, 0));
</script>
"""
ERRORS = "<script>window.errors = []; addEventListener('error', (event) => window.errors.push(event.message));</script>"


def _browser(*words: str, place: Path) -> str:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    require_tool(program is not None, "Chromium")
    assert program is not None
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={place / 'profile'}"]
    command += ["--window-size=1280,1600", "--disable-dev-shm-usage", "--no-first-run"]
    return subprocess.run(
        [*command, *words], capture_output=True, text=True, errors="replace", check=True, timeout=120
    ).stdout


def _seen(page: str, search: str, place: Path) -> dict[str, object]:
    file = place / "clicked.html"
    clicks = CLICKS.replace("SEARCH", json.dumps(search))
    file.write_text(page.replace("<head>", f"<head>{ERRORS}").replace("</body>", f"{clicks}</body>"))
    found = re.search(r'<pre id="seen">(.*?)</pre>', _browser("--dump-dom", file.as_uri(), place=place), re.S)
    assert found is not None
    seen: dict[str, object] = json.loads(markup.unescape(found[1]))
    assert not seen["errors"] and seen["zoomed"] and seen["restored"]
    return seen


@pytest.fixture(scope="module")
def particles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the event file of a build of the example."""
    project = tmp_path_factory.mktemp("report") / "particles"
    shutil.copytree(ROOT / "examples" / "particles", project, ignore=shutil.ignore_patterns(".*", "*.spv*", "*.rl*"))
    environ = {"CRATE_EVENTS": "build.jsonl", "CRATE_CACHE": "off"}
    words = [sys.executable, "-m", "SCons", "-Q"]
    subprocess.run(words, cwd=project, env={**os.environ, **environ}, check=True, timeout=300)
    return project / "build.jsonl"


def test_page_shows_every_unit_of_the_example(particles: Path, tmp_path: Path) -> None:
    build = read_recording(particles.read_bytes(), path="e")
    page = report_text(build, "html")
    seen = _seen(page, "sky.frag", tmp_path)
    names = {unit.name for unit in build.units}
    assert seen["verdict"] == "succeeded" and set(seen["units"]) == names and len(names) > 8
    assert set(seen["found"]) == {name for name in names if "sky.frag" in name} != set()
    assert any("simulate.comp" in text for text in seen["tips"])
    # One edge per declared dependency, with the linkage where an image links it itself.
    assert len(seen["linkages"]) == 4 and seen["linkages"].count("static") >= 2
    # Something is drawn: a screenshot of one colour has only a few kilobytes.
    for scheme in ("light", "dark"):
        (tmp_path / "page.html").write_text(page)
        picture = tmp_path / f"{scheme}.png"
        dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
        _browser(f"--screenshot={picture}", *dark, (tmp_path / "page.html").as_uri(), place=tmp_path)
        assert picture.read_bytes()[:4] == b"\x89PNG" and picture.stat().st_size > 30_000
    assert (tmp_path / "light.png").read_bytes() != (tmp_path / "dark.png").read_bytes()


def test_five_thousand_units_with_hostile_names(tmp_path: Path) -> None:
    """The names contain text that would end a script, an attribute or a tag."""
    odd = "</script><img src=x onerror=wrong()>\"'&amp;\u00e4\u2028`${wrong()}.comp"
    file = EventFile(str(tmp_path / "e"))
    file(events.BuildStarted(events.EVENTS_VERSION, "0.1.0", 0.0, 4))
    for number in range(100):
        needs = (f":crate{number - 1}{odd}",) if number else ()
        file(events.CrateDeclared(f"crate{number}{odd}", "", "spirv", "vulkan1.3", ("rlib",), needs))
    for number in range(5000):
        unit = ("compile_codegen_unit", f"crate{number // 50}{odd}", f"shader{number}{odd}", 1 + number % 4)
        file(events.UnitStarted(*unit))
        file(events.UnitEnded(*unit, 0.0001, "made"))
        file(events.UnitExplained(*unit[:3], ("options changed",)))
    file(events.BuildEnded(0, 1.0, 5000, 0, 0))
    page = report_text(read_recording((tmp_path / "e").read_bytes(), path="e"), "html")
    seen = _seen(page, "shader4999", tmp_path)
    assert seen["shown"] == "the slowest 300 of 5000" and seen["found"] == [f"shader4999{odd}"]
    assert (
        float(str(seen["ready"])) < 2000 and float(str(seen["searched"])) < 500 and float(str(seen["redrawn"])) < 1000
    )
