"""Timing reports of LLVM's passes: summed, and removed from the diagnostics."""

from __future__ import annotations

from cratewright import LtoMode, Session
from cratewright_native.toolchains.pass_report import PassReport
from tests.support.native_link import request_for
from tests.support.native_project import Project

OUTPUT = """\
n.c:1:2: warning: hello [-W#warnings]
    1 | #warning hello
      |  ^
1 warning generated.
===-------------------------------------------------------------------------===
                          Pass execution timing report
===-------------------------------------------------------------------------===
  Total Execution Time: 0.7500 seconds (0.7500 wall clock)

   ---User Time---   --System Time--   --User+System--   ---Wall Time---  --- Name ---
   0.5000 ( 66.7%)   0.0005 ( 31.4%)   0.5005 ( 20.1%)   0.5000 ( 20.0%)  InlinerPass
   0.1250 ( 16.7%)   0.0000 (  0.0%)   0.1250 (  8.3%)   0.1250 (  8.3%)  Tail Merge #2
        -----        0.0000 (  0.0%)   0.1250 (  8.3%)   0.1250 (  8.3%)  Tail Merge
   0.7500 (100.0%)   0.0005 (100.0%)   0.7505 (100.0%)   0.7500 (100.0%)  Total

===-------------------------------------------------------------------------===
                          Clang front-end time report
===-------------------------------------------------------------------------===
  Total Execution Time: 2.0000 seconds (2.0000 wall clock)

   ---User Time---   --User+System--   ---Wall Time---  --- Name ---
   2.0000 (100.0%)   2.0000 (100.0%)   2.0000 (100.0%)  Front end
   2.0000 (100.0%)   2.0000 (100.0%)   2.0000 (100.0%)  Total
"""


def test_report_is_parsed_and_removed() -> None:
    report = PassReport()
    assert report.without(OUTPUT) == "".join(OUTPUT.splitlines(keepends=True)[:4])
    assert report.take() == {"InlinerPass": 0.5, "Tail Merge": 0.25}
    assert report.take() == {}
    assert report.without("n.c:1: error: no\n") == "n.c:1: error: no\n"


def _timed(project: Project) -> Project:
    """Make a project's backend report passes."""
    session = project.backend.session
    environ = (*session.environ, ("CRATE_TIME_PASSES", "1"))
    project.backend = type(project.backend)()
    project.backend.init(Session(root=session.root, target=session.target, environ=environ))
    return project


def test_reports_of_clang_and_lld_change_no_output(llvm_project: Project) -> None:
    sources = {
        "main.c": "#warning hello\nint twice(int);\nint main(void) { return twice(21) - 42; }\n",
        "twice.c": "int twice(int x) { int s = 0; for (int i = 0; i < x; i++) s += i * i ^ x; return s; }\n",
    }

    def made() -> list[object]:
        request = request_for(llvm_project, {"app": sources}, lto=LtoMode.FAT)
        unit = llvm_project.compile("main.c", opt_level="2")
        compiled = set(llvm_project.backend.print_pass_timings())
        merged = llvm_project.backend.run_fat_lto(request)
        optimized = llvm_project.backend.optimize_fat(merged, request.config)
        passes = set(llvm_project.backend.print_pass_timings())
        lowered = llvm_project.backend.codegen(optimized, request.config)
        selected = set(llvm_project.backend.print_pass_timings())
        reports.append((compiled, passes, selected))
        return [request, unit, merged, optimized, lowered]

    reports: list[tuple[set[str], set[str], set[str]]] = []
    plain = made()
    assert reports.pop() == (set(), set(), set())
    _timed(llvm_project)
    assert made() == plain
    compiled, passes, selected = reports.pop()
    assert "SROAPass" in compiled and "X86 DAG->DAG Instruction Selection" in selected
    assert ("IPSCCPPass" in passes) == (llvm_project.toolchain.kind == "llvm"), "all but zig's lld report passes"
