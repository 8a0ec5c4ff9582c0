"""Results as a Markdown table and as plots, and the update of tables in documents."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from .case import OURS, Measured, Reached

__all__ = ["brief", "heading", "plot", "renew", "table"]

MARKS = "<!-- by `python -m tests.bench --publish` -->", "<!-- end -->"


def heading(cases: Sequence[Measured], about: Iterable[str]) -> str:
    """Return the heading of the table: the versions used, and the load of the machine by other processes."""
    others = [case.others for case in cases]
    shares = f"other work had {min(others):.0%} to {max(others):.0%} of the processors" if others else ""
    met = [goal.met for case in cases for goal in case.goals]
    goals_met = f"{sum(met)} of {len(met)} goals are met" if met else ""
    return "; ".join(filter(None, (*about, shares, goals_met))) + "."


def table(cases: Iterable[Measured]) -> str:
    """Return a table of all cases: medians, the ratio of each way to ours by CPU, and the goals."""
    lines = ["| what | by | rounds | CPU s | wall s | MiB | ours / this | goal |", f"|{'---|' * 8}"]
    for case in cases:
        ours = next((took.cost for took in case.ways if took.way == OURS), None)
        goals = [_goal_text(goal) for goal in case.goals]
        for number, took in enumerate(case.ways):
            cost = took.cost
            first = f"| {case.name if not number else ''} | {took.way} |"
            goal = ("; ".join(goals[number:]) if took is case.ways[-1] else goals[number]) if goals[number:] else ""
            if cost is None:
                lines.append(f"{first} | {took.missing} | | | | {goal} |")
                continue
            compared = f"{ours.cpu / cost.cpu:.2f}" if ours is not None and took.way != OURS and cost.cpu else ""
            figures = f"{cost.cpu:.2f} | {cost.wall:.2f} | {cost.memory:.0f} | {compared}"
            lines.append(f"{first} {len(took.costs)} | {figures} | {goal} |")
    return "\n".join([*lines, ""])


def brief(cases: Iterable[Measured]) -> str:
    """Return a table with one row per headline case: the median CPU of our way, and of each other way that ran."""
    lines = ["| CPU seconds | cratewright | others |", "|---|---|---|"]
    for case in cases:
        costs = {took.way: took.cost.cpu for took in case.ways if took.cost is not None}
        if not case.headline or OURS not in costs:
            continue
        ours = costs.pop(OURS)
        others = (f"{way} {cpu:.2f}" for way, cpu in costs.items() if not way.startswith(f"{OURS},"))
        lines.append(f"| {case.name} | {ours:.2f} | {' · '.join(others)} |")
    return "\n".join([*lines, ""])


def _goal_text(goal: Reached) -> str:
    if math.isnan(goal.figure):
        return f"{goal.text}: not known"
    figure = f"{goal.figure:.0f}" if abs(goal.figure) >= 100 else f"{goal.figure:.2f}"
    sign = "≥" if goal.least else "≤"
    text = f"{goal.text}: {figure}, {sign} {goal.limit:g}"
    return text if goal.met else f"**{text}: not met**"


def renew(path: Path, text: str) -> None:
    """Replace the generated part of a document.

    Raises: ValueError if it has none.
    """
    begin, end = MARKS
    document = path.read_text(encoding="utf-8")
    pattern = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
    if not pattern.search(document):
        raise ValueError(f"{path.name} has no place for a table")
    path.write_text(pattern.sub(lambda _: text, document), encoding="utf-8")


def plot(cases: Sequence[Measured], directory: Path) -> str:
    """Plot CPU and wall-clock time of each group of cases over their sizes; return the reason if that is impossible."""
    groups = {case.group for case in cases if case.group}
    if not groups:
        return ""
    try:
        import matplotlib as mpl
    except ImportError:
        return "matplotlib is not installed"
    mpl.use("svg")
    # Equal results give equal bytes on every machine.
    mpl.rcParams.update({"svg.hashsalt": "cratewright", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    directory.mkdir(parents=True, exist_ok=True)
    for group in sorted(groups):
        mine = sorted((case for case in cases if case.group == group), key=lambda case: case.size)
        unit = "wall" if group == "workers" else "cpu"
        figure, axes = pyplot.subplots(figsize=(5, 3))
        for way in dict.fromkeys(took.way for case in mine for took in case.ways):
            took = [(case.size, one.cost) for case in mine for one in case.ways if one.way == way]
            points = [(size, getattr(cost, unit)) for size, cost in took if cost is not None]
            axes.plot([size for size, _ in points], [cost for _, cost in points], marker="o", markersize=3, label=way)
        axes.set_xlabel(group)
        axes.set_ylabel("wall seconds" if unit == "wall" else "CPU seconds")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)
        figure.tight_layout()
        figure.savefig(directory / f"{group}.svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    return ""
