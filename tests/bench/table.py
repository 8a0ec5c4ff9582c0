"""What was measured, as a table in Markdown and as plots.

Knows nothing of what the figures are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from .case import Row

__all__ = ["plot", "table"]

OURS = "cratewright"


def table(rows: Sequence[Row], about: Iterable[str]) -> str:
    """Return a table of all rows: medians, and how each compares with ours by CPU."""
    rounds = max((row.rounds for row in rows), default=0)
    lines = [
        f"Median of {rounds}. {'; '.join(about)}.",
        "",
        "| what | by | CPU s | wall s | MiB | ours / this |",
        "|---|---|---|---|---|---|",
    ]
    for case, group in groupby(rows, key=lambda row: row.case.name):
        members = list(group)
        ours = next((row.cost for row in members if row.way == OURS), None)
        for row in members:
            if row.cost is None:
                lines.append(f"| {case} | {row.way} | {row.missing} | | | |")
                continue
            cost = row.cost
            ratio = f"{ours.cpu / cost.cpu:.2f}" if ours is not None and row.way != OURS and cost.cpu else ""
            lines.append(f"| {case} | {row.way} | {cost.cpu:.2f} | {cost.wall:.2f} | {cost.memory:.0f} | {ratio} |")
    return "\n".join([*lines, ""])


def plot(rows: Sequence[Row], directory: Path) -> str:
    """Draw CPU and wall of each group of cases over their sizes; return why not, if it cannot be done."""
    groups = {row.case.group for row in rows if row.case.group}
    if not groups:
        return ""
    try:
        import matplotlib as mpl
    except ImportError:
        return "matplotlib is not installed"
    mpl.use("svg")
    # The same figures are the same bytes, anywhere.
    mpl.rcParams.update({"svg.hashsalt": "cratewright", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    for group in sorted(groups):
        mine = [row for row in rows if row.case.group == group and row.cost is not None]
        unit = "wall" if group == "workers" else "cpu"
        figure, axes = pyplot.subplots(figsize=(5, 3))
        for way in dict.fromkeys(row.way for row in mine):
            points = [(row.case.size, getattr(row.cost, unit)) for row in mine if row.way == way]
            axes.plot([size for size, _ in points], [cost for _, cost in points], marker="o", markersize=3, label=way)
        axes.set_xlabel(group)
        axes.set_ylabel("wall seconds" if unit == "wall" else "CPU seconds")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)
        figure.tight_layout()
        figure.savefig(directory / f"{group}.svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    return ""
