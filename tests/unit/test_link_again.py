"""Parts of a link that crash are split and retried in parallel; the results keep the order of the parts."""

from __future__ import annotations

from typing import Any, cast

import pytest

from cratewright import CrateType, LinkModule, LinkPart, LinkRequest, LinkResult, ModuleCodegen, Options, ToolError
from cratewright.authors.stub import StubBackend
from cratewright.base.errors import CratewrightError, LinkError
from cratewright.pipeline.job import Job, JobOutcome
from cratewright.pipeline.link import _link_parts

MODULES = tuple(LinkModule("c", ModuleCodegen(name=name, data=b"")) for name in "abcd")
REQUEST = LinkRequest(crate="c", crate_type=CrateType.CDYLIB, target="t", options=Options(()), modules=MODULES)


class Splitting(StubBackend):
    """A backend whose links have three parts, of which "ab" can be split."""

    def split_link(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        return (LinkPart("ab", (0, 1)), LinkPart("c", (2,)), LinkPart("d d", (3,)))

    def split_crashed(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        return (LinkPart("a", (0,)), LinkPart("b", (1,))) if request.part == "ab" else ()


class RecordingEngine:
    """An engine that fails some parts and records the parts of each call."""

    def __init__(self, failing: dict[str, CratewrightError]) -> None:
        self.failing = failing
        self.calls: list[list[str]] = []

    def fingerprint(self, backend: str, target: str) -> str:
        return ""

    def run_cached(self, backend: str, target: str, jobs: list[Job[Any]], fingerprint: str) -> list[JobOutcome[Any]]:
        parts = [job.call.arguments[0].part for job in jobs]
        self.calls += [parts] if parts else []
        return [
            JobOutcome(None, False, self.failing[part])
            if part in self.failing
            else JobOutcome(LinkResult(artifacts=(), report=part), True)
            for part in parts
        ]


def linked(engine: RecordingEngine) -> list[str]:
    backend = Splitting()
    results, hits = _link_parts(cast(Any, engine), backend, REQUEST)
    assert hits == len(results)
    return [result.report for result in results]


def test_crashed_part_is_split_and_keeps_its_place() -> None:
    engine = RecordingEngine({"ab": ToolError("crashed")})
    assert linked(engine) == ["a", "b", "c", "d d"]
    assert engine.calls == [["ab", "c", "d d"], ["a", "b"]]


def test_failed_parts_are_retried_together() -> None:
    engine = RecordingEngine({"ab": ToolError("crashed"), "c": LinkError("wrong"), "d d": ToolError("crashed")})
    with pytest.raises(LinkError, match="wrong"):
        linked(engine)
    assert engine.calls == [["ab", "c", "d d"], ["a", "b", "c", "d d"]]
