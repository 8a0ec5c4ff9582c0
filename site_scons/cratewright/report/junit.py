"""JUnit XML, which most pipelines show: a suite for each crate, a case for each unit."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from ..base.diagnostic import Severity
from .recording import Recording, ReportedUnit

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(build: Recording) -> str:
    """Return the build as test results: units that failed are failures, unfinished ones errors."""
    root = ET.Element("testsuites", name="cratewright", time=f"{build.seconds:.3f}")
    texts = _texts(build)
    blame = _texts(build, errors=True)
    for crate in dict.fromkeys(unit.crate for unit in build.units):
        units = [unit for unit in build.units if unit.crate == crate]
        failures = sum(unit.outcome == "failed" for unit in units)
        errors = sum(unit.outcome == "unfinished" for unit in units)
        seconds = sum(unit.seconds for unit in units)
        suite = ET.SubElement(root, "testsuite", name=_xml(crate) or "build", tests=str(len(units)))
        suite.attrib |= {"failures": str(failures), "errors": str(errors), "time": f"{seconds:.3f}"}
        for unit in units:
            case = ET.SubElement(suite, "testcase", name=_xml(unit.name), time=f"{unit.seconds:.3f}")
            case.set("classname", _xml(f"{crate}.{unit.step}"))
            _outcome(case, unit, texts.get((crate, unit.name), ""), blame.get((crate, unit.name), ""))
    for stage in build.stages:
        known = any(unit.crate == stage["crate"] and unit.outcome == "failed" for unit in build.units)
        if stage["failed"] and not known:
            suite = ET.SubElement(
                root, "testsuite", name=_xml(f"{stage['crate']} {stage['stage']}"), tests="1", failures="1"
            )
            case = ET.SubElement(
                suite, "testcase", name=_xml(str(stage["target"])), time=f"{float(stage['seconds']):.3f}"
            )
            text = "\n".join(str(item.get("rendered") or item["text"]) for item in stage["diagnostics"])
            ET.SubElement(case, "failure", message=_xml(text.split("\n", 1)[0])).text = _xml(text)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _texts(build: Recording, *, errors: bool = False) -> dict[tuple[str, str], str]:
    """Return the diagnostics of each unit as text."""
    found: dict[tuple[str, str], list[str]] = {}
    for item in build.messages:
        if errors and item.diagnostic.severity is not Severity.ERROR:
            continue
        text = str(item.diagnostic)
        for who in item.units:
            crate, _, unit = who.partition(": ")
            found.setdefault((crate, unit), []).append(text)
    # Joined at the end: a unit may have a hundred thousand warnings.
    return {who: "\n".join(texts) for who, texts in found.items()}


def _outcome(case: ET.Element, unit: ReportedUnit, text: str, blame: str) -> None:
    if unit.outcome == "failed":
        ET.SubElement(case, "failure", message=_xml(blame.split("\n", 1)[0] or "failed")).text = _xml(text)
    elif unit.outcome == "unfinished":
        ET.SubElement(case, "error", message="the build ended first")
    elif text:
        ET.SubElement(case, "system-err").text = _xml(text)


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
