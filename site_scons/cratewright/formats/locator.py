"""Chooses which candidate file is the crate, or tells why none is.

A file is rejected for its first fault. If all are rejected, the error reports the kind of rejection that comes first
below, with every file it applies to.
Source: rustc's crate locator and the order of its errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from ..base.errors import FormatError, LinkError, VersionError
from ..base.values import dataclass
from ..values.crate_type import CrateType
from ..values.identity import CrateReference
from .crate_metadata import CrateMetadata
from .metadata import DylibContents

_SHORT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that may hold the crate.

    Shape: `crate` is None if the file cannot be read, and `problem` says why; `digest` is that of the whole file;
    `inside` lists what a dylib was linked with.
    """

    path: str
    kind: CrateType
    digest: str
    crate: CrateMetadata | None = None
    problem: FormatError | None = None
    inside: DylibContents = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A crate wanted `by` another, and how it must have been built to fit `root`.

    Shape: `looked_for` and `looked_in` are the names of files and directories searched, for the message.
    """

    reference: CrateReference
    by: str
    root: CrateMetadata
    looked_for: tuple[str, ...] = ()
    looked_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundCrate:
    """A crate found as an rlib, a dylib, or both."""

    rlib: Candidate | None
    dylib: Candidate | None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The rlib and the dylib, whichever were found."""
        return tuple(item for item in (self.rlib, self.dylib) if item is not None)

    @property
    def crate(self) -> CrateMetadata:
        """The crate, with its modules' data if there is an rlib."""
        crate = self.candidates[0].crate
        assert crate is not None
        return crate


class _Rejection(Enum):
    """Why a file is not the crate, in order of reporting."""

    STALE = "was compiled against another interface of"
    TARGET = "is there, but for another target"
    BACKEND = "is there, but of another backend"
    VERSION = "is there, but was built by an incompatible version"
    DAMAGED = "is there, but cannot be read"
    OTHER = "another crate"


def choose_candidate(wanted: Wanted, candidates: Sequence[Candidate]) -> FoundCrate:
    """Return the crate in its rlib, its dylib or both.

    Raises: LinkError if none of the candidates is the crate, or more than one.
    """
    rejected: dict[_Rejection, list[str]] = {}
    fitting: dict[str, Candidate] = {}
    for candidate in candidates:
        reason = _reason(wanted, candidate)
        if reason is None:
            fitting.setdefault(candidate.digest, candidate)  # copies of a file count once
        else:
            kind, what = reason
            rejected.setdefault(kind, []).append(what if candidate.crate is None else f"{candidate.path}: {what}")
    if not fitting:
        raise _none_fits(wanted, rejected)
    chosen = list(fitting.values())
    kinds = [candidate.kind for candidate in chosen]
    contents = {candidate.crate.content for candidate in chosen if candidate.crate is not None}
    if len(set(kinds)) < len(kinds) or len(contents) > 1:
        raise LinkError(
            f"there are {len(chosen)} different builds of crate '{wanted.reference.name}', "
            f"which '{wanted.by}' depends on",
            context=[(item.kind.value, f"{item.path}: {_contents(item)}") for item in chosen],
            hint="keep one of them in the directories given with -L; an rlib and a dylib must be of one build",
        )
    by_kind = dict(zip(kinds, chosen, strict=True))
    return FoundCrate(by_kind.get(CrateType.RLIB), by_kind.get(CrateType.DYLIB))


def check_stable_ids(crates: Iterable[tuple[str, CrateReference]]) -> None:
    """Refuse two crates of one link with the same stable id; each id comes with a label or place.

    Raises: LinkError naming both.
    """
    known: dict[str, tuple[str, CrateReference]] = {}
    for place, crate in crates:
        other_place, other = known.setdefault(crate.stable_id, (place, crate))
        if other_place != place:
            raise LinkError(
                f"crates '{other.name}' and '{crate.name}' of one link have the same identity",
                context=(("stable id", crate.stable_id), ("one is", other_place), ("the other", place)),
                hint="give one of them another version=..., or metadata=[...] to tell them apart",
            )


def check_interfaces(crates: Sequence[CrateMetadata]) -> None:
    """Refuse a crate that was compiled against another interface of a crate linked with it.

    Raises: LinkError naming both.
    """
    found = {crate.stable_id: crate for crate in crates}
    for crate in crates:
        for needed in crate.dependencies:
            other = found.get(needed.stable_id)
            if other is not None and needed.interface and other.interface not in ("", needed.interface):
                raise _stale(needed, crate.name, [f"interface {other.interface[:_SHORT]}"])


def _reason(wanted: Wanted, candidate: Candidate) -> tuple[_Rejection, str] | None:
    """Return the first fault of a candidate."""
    crate, root, reference = candidate.crate, wanted.root, wanted.reference
    if crate is None:
        kind = _Rejection.VERSION if isinstance(candidate.problem, VersionError) else _Rejection.DAMAGED
        return kind, _problem_words(candidate.problem)
    tools = f"{crate.producer}, {crate.fingerprint}"
    if crate.name != reference.name:
        return _Rejection.OTHER, f"holds crate '{crate.name}', not '{reference.name}'"
    if crate.backend != root.backend:
        return _Rejection.BACKEND, f"backend {crate.backend}"
    if crate.target != root.target:
        return _Rejection.TARGET, f"target {crate.target}"
    if tools != f"{root.producer}, {root.fingerprint}":
        return _Rejection.VERSION, f"built with {tools}"
    if crate.stable_id != reference.stable_id:
        return _Rejection.OTHER, f"is {_described(crate)}"
    if reference.interface and crate.interface != reference.interface:
        return _Rejection.STALE, f"interface {crate.interface[:_SHORT]}"
    return None


def _none_fits(wanted: Wanted, rejected: dict[_Rejection, list[str]]) -> LinkError:
    name, by, root = wanted.reference.name, wanted.by, wanted.root
    kind = next((kind for kind in _Rejection if kind in rejected), None)
    if kind is None or kind is _Rejection.OTHER:
        return LinkError(
            f"cannot find crate '{name}', which '{by}' depends on",
            context=(
                *(("not it", what) for what in rejected.get(_Rejection.OTHER, ())),
                ("stable id", wanted.reference.stable_id),
                ("looked for", "\n".join(wanted.looked_for)),
                ("looked in", "\n".join(wanted.looked_in)),
            ),
            hint="name the directory that holds it: -L DIR",
        )
    if kind is _Rejection.STALE:
        return _stale(wanted.reference, by, rejected[kind])
    needed = {
        _Rejection.TARGET: (("needed", f"target {root.target}"),),
        _Rejection.BACKEND: (("needed", f"backend {root.backend}"),),
        _Rejection.VERSION: (("needed", f"{root.producer}, {root.fingerprint}"),),
    }.get(kind, ())
    return LinkError(
        f"crate '{name}', which '{by}' depends on, {kind.value}",
        context=(*needed, *(("found", what) for what in rejected[kind])),
        hint=f"build '{name}' again, or name the directory of one that fits: -L DIR",
    )


def _stale(needed: CrateReference, by: str, found: Iterable[str]) -> LinkError:
    return LinkError(
        f"crate '{by}' {_Rejection.STALE.value} crate '{needed.name}'",
        context=(
            ("compiled with", f"interface {needed.interface[:_SHORT]}"),
            *(("found", what) for what in found),
        ),
        hint=f"build '{by}' again, or link it with the '{needed.name}' that it was built with",
    )


def _contents(candidate: Candidate) -> str:
    content = candidate.crate.content if candidate.crate is not None else ""
    return f"content {content[:_SHORT]}, file {candidate.digest[:_SHORT]}"


def _described(crate: CrateMetadata) -> str:
    words = f", metadata {' '.join(crate.metadata)}" if crate.metadata else ""
    return f"{crate.name} {crate.version}{words}"


def _problem_words(problem: FormatError | None) -> str:
    if problem is None:
        return ""
    rows = ", ".join(f"{label} {text}" for label, text in problem.context)
    return f"{problem.message}: {rows}" if rows else problem.message
