"""SARIF 2.1.0, which code scanners and editors read.

Source: OASIS, "Static Analysis Results Interchange Format Version 2.1.0".
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from ..base.host import WINDOWS, is_absolute
from .recording import Recording, ReportedMessage

_Row = dict[str, Any]


def sarif(build: Recording) -> str:
    """Return the build's diagnostics."""
    rules = sorted({item.diagnostic.code for item in build.messages if item.diagnostic.code})
    driver: _Row = {"name": "cratewright", "version": str(build.started.get("cratewright", ""))}
    driver["rules"] = [{"id": rule} for rule in rules]
    run: _Row = {
        "tool": {
            "driver": driver,
            "extensions": [{"name": f"{row['backend']}: {row['fingerprint']}"} for row in build.tools],
        },
        "results": [_result(item, rules) for item in build.messages],
        "invocations": [{"executionSuccessful": build.status == 0}],
        "columnKind": "unicodeCodePoints",
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1) + "\n"


def _result(item: ReportedMessage, rules: list[str]) -> _Row:
    diagnostic = item.diagnostic
    result: _Row = {"level": diagnostic.severity.value, "message": {"text": diagnostic.text or "no text"}}
    if diagnostic.code:
        result |= {"ruleId": diagnostic.code, "ruleIndex": rules.index(diagnostic.code)}
    if diagnostic.file:
        result["locations"] = [
            _location(diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.end_line, diagnostic.end_column)
        ]
    related = [
        _location(place.file, place.line, place.column) | {"message": {"text": place.text or "no text"}}
        for place in diagnostic.related
        if place.file
    ]
    if related:
        result["relatedLocations"] = list({json.dumps(place): place for place in related}.values())
    result["properties"] = {"units": item.units, "rendered": diagnostic.rendered}
    return result


def _location(file: str, *numbers: int) -> _Row:
    named = zip(("startLine", "startColumn", "endLine", "endColumn"), numbers, strict=False)
    region = {name: number for name, number in named if number > 0}
    place: _Row = {"artifactLocation": {"uri": _uri(file)}}
    if "startLine" in region:
        place["region"] = region
    return {"physicalLocation": place}


def _uri(path: str) -> str:
    path = path.replace("\\", "/")
    if not is_absolute(path):
        return quote(path, errors="surrogateescape")
    return (
        "file://"
        + ("" if path[0] == "/" else "/")
        + quote(path, safe="/:" if WINDOWS else "/", errors="surrogateescape")
    )
