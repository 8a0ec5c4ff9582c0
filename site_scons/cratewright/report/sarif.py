"""SARIF 2.1.0, which code scanners and editors read.

Knows nothing of who reads it.
Source: OASIS, "Static Analysis Results Interchange Format Version 2.1.0".
"""

from __future__ import annotations

import json
import posixpath
from typing import Any
from urllib.parse import quote

from .recording import Message, Recording

__all__ = ["sarif"]

Row = dict[str, Any]


def sarif(build: Recording) -> str:
    """Return the build's diagnostics."""
    rules = sorted({str(item.row["code"]) for item in build.messages if item.row.get("code")})
    driver: Row = {"name": "cratewright", "version": str(build.started.get("cratewright", ""))}
    driver["rules"] = [{"id": rule} for rule in rules]
    run: Row = {
        "tool": {
            "driver": driver,
            "extensions": [{"name": f"{row['backend']}: {row['fingerprint']}"} for row in build.tools],
        },
        "results": [_result(item, rules) for item in build.messages],
        "invocations": [{"executionSuccessful": build.status == 0}],
        "columnKind": "utf16CodeUnits",
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1) + "\n"


def _result(item: Message, rules: list[str]) -> Row:
    row = item.row
    result: Row = {"level": str(row["severity"]), "message": {"text": str(row["text"]) or "no text"}}
    code = str(row.get("code", ""))
    if code:
        result |= {"ruleId": code, "ruleIndex": rules.index(code)}
    if row.get("file"):
        result["locations"] = [_location(row)]
    related = [
        _location(place) | {"message": {"text": str(place["text"])}}
        for place in row.get("related", ())
        if place["file"]
    ]
    if related:
        result["relatedLocations"] = related
    result["properties"] = {"units": item.units, "rendered": str(row.get("rendered", ""))}
    return result


def _location(row: Row) -> Row:
    region = {
        name: int(row.get(key, 0))
        for name, key in (
            ("startLine", "line"), ("startColumn", "column"), ("endLine", "end_line"), ("endColumn", "end_column"),
        )
        if row.get(key)
    }  # fmt: skip
    place: Row = {"artifactLocation": {"uri": _uri(str(row["file"]))}}
    if "startLine" in region:
        place["region"] = region
    return {"physicalLocation": place}


def _uri(path: str) -> str:
    path = path.replace("\\", "/")
    return ("file://" if posixpath.isabs(path) else "") + quote(path, errors="surrogateescape")
