"""Compares the figures of two manifests: what grew, what shrank, which images were added or removed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ..base.errors import ConfigurationError, FormatError
from ..base.values import dataclass

_WHOLE = "all images"


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of each image, by entry point, or by the crate's name if all are in one.

    Shape: `images` in the order of the manifest; every figure is a whole number. `files` are the images' own, of which
    several entry points may share one.
    """

    images: Mapping[str, Mapping[str, int]]
    files: Mapping[str, str]
    apart: bool


@dataclass(frozen=True, slots=True)
class FigureChanges:
    """The differences: `changed` maps image and figure to the values before and after."""

    changed: Mapping[str, Mapping[str, tuple[int, int]]]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    totals: Mapping[str, tuple[int, int]]

    @property
    def grew(self) -> bool:
        """Whether any figure of an image in both manifests grew."""
        return any(_grew(figures.values()) for figures in self.changed.values())

    def document(self) -> dict[str, object]:
        """Return the differences as plain values for JSON."""
        pairs = {image: _pairs(figures) for image, figures in self.changed.items()}
        return {
            "grew": self.grew,
            "changed": pairs,
            "added": list(self.added),
            "removed": list(self.removed),
            "totals": _pairs(self.totals),
        }


def read_figures(data: bytes, *, path: str) -> Figures:
    """Read the figures in a manifest.

    Raises: FormatError naming the file, for what is not a manifest of images or has no figures.
    """
    try:
        document = json.loads(data)
        files = {str(row["path"]): _figures(row) for row in document["modules"]}
        apart = isinstance(document["module"], dict)
        paths = {str(row["key"]): str(row["module"]) for row in document["entries"]}
        if not apart:
            paths = {str(document["crate"]): str(document["module"])}
        images = {name: files[file] for name, file in paths.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(
            f"{path} is not a manifest of images",
            context=(("missing", str(error)),) if isinstance(error, KeyError) else (),
            hint="a link of shaders writes one beside its images, CRATE.spv.json",
        ) from error
    return Figures(images, paths, apart)


def _figures(row: Mapping[str, object]) -> dict[str, int]:
    # What was linked is no part of an image.
    own = {name: value for name, value in row.items() if not name.endswith("_before_optimisation")}
    found = {name: value for name, value in own.items() if type(value) is int and value >= 0}
    if "size" not in found:
        raise KeyError("size")
    return found


def compare(old: Figures, new: Figures) -> FigureChanges:
    """Return the differences between two manifests.

    Raises: ConfigurationError if only one of them has an image for each entry point.
    """
    if old.apart != new.apart:
        words = {True: "an image for each entry point", False: "all entry points in one image"}
        raise ConfigurationError(
            "the two manifests cannot be compared image by image",
            context=(("old", words[old.apart]), ("new", words[new.apart])),
            hint="compare builds with the same multimodule",
        )
    if not old.apart:
        # Each has one image: compare these, whatever the crates' names.
        (name,), (figures,) = new.images, old.images.values()
        old = Figures({name: figures}, {name: ""}, apart=False)
    both = [name for name in new.images if name in old.images]
    changed = {name: _changed(old.images[name], new.images[name]) for name in both}
    return FigureChanges(
        {name: figures for name, figures in changed.items() if figures},
        tuple(name for name in new.images if name not in old.images),
        tuple(name for name in old.images if name not in new.images),
        _changed(_sum(old), _sum(new), every=True),
    )


def _changed(old: Mapping[str, int], new: Mapping[str, int], *, every: bool = False) -> dict[str, tuple[int, int]]:
    """Return the figures that both have; of a manifest of another version one may lack some."""
    return {name: (old[name], new[name]) for name in new if name in old and (every or old[name] != new[name])}


def _sum(figures: Figures) -> dict[str, int]:
    """Return the sum over all files; one shared by several entry points counts once."""
    of_file = {figures.files[name]: each for name, each in figures.images.items()}
    names = dict.fromkeys(name for each in of_file.values() for name in each)
    return {name: sum(each.get(name, 0) for each in of_file.values()) for name in names}


def table(changes: FigureChanges) -> str:
    """Return the changes for people: a line for each figure, growth first."""
    rows = [
        (name, what.replace("_", " "), str(before), str(after), _difference(before, after))
        for name, figures in sorted(changes.changed.items(), key=lambda item: not _grew(item[1].values()))
        for what, (before, after) in sorted(figures.items(), key=lambda item: item[1][1] <= item[1][0])
    ]
    rows += [
        (_WHOLE, what.replace("_", " "), str(before), str(after), _difference(before, after))
        for what, (before, after) in changes.totals.items()
        if before != after
    ]
    head = ("image", "figure", "old", "new", "change")
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    lines = [_line(row, widths) for row in (head, *rows)] if rows else []
    lines += [f"added    {name}" for name in changes.added]
    lines += [f"removed  {name}" for name in changes.removed]
    return "".join(f"{line}\n" for line in lines or ["nothing differs"])


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    left = [text.ljust(width) for text, width in zip(row[:2], widths[:2], strict=True)]
    right = [text.rjust(width) for text, width in zip(row[2:], widths[2:], strict=True)]
    return "  ".join([*left, *right])


def _grew(pairs: Iterable[tuple[int, int]]) -> bool:
    return any(new > old for old, new in pairs)


def _difference(old: int, new: int) -> str:
    share = f" ({(new - old) / old * 100:+.1f} %)" if old else ""
    return f"{new - old:+d}{share}"


def _pairs(figures: Mapping[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {name: {"old": old, "new": new} for name, (old, new) in figures.items()}
