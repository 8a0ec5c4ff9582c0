"""The rules about crate types and LTO: all that is declared works, and LTO runs once and keeps what is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ..base.errors import PluginError, UnsupportedError
from ..values.capability import Capability
from ..values.crate_type import CrateType
from ..values.options import LtoMode
from .conformance_builds import Builds, broken


class LtoRules(Builds):
    """A part of `Conformance`."""

    def test_makes_what_it_declares(self, tmp_path: Path) -> None:
        """Each crate type and each mode of LTO that is declared is made."""
        trial = self._trial()
        for kind in self.crate_types or trial.linked_types():
            for mode, capability in _MODES.items():
                if capability is not None and capability not in trial.backend.capabilities:
                    continue
                try:
                    self._build(tmp_path / f"{kind.value}-{mode.value}", kind, lto=mode.value)
                except (UnsupportedError, PluginError) as error:
                    broken(
                        f"it declares {kind.value} with lto='{mode.value}', but cannot make it\n{error}",
                        "remove it from supported_crate_types or capabilities",
                    )

    def test_lto_once(self, tmp_path: Path) -> None:
        """Crate types that take the same share one run of LTO."""
        trial = self._trial()
        kinds = tuple(kind for kind in self.crate_types or trial.linked_types() if kind in _OF_ONE_LIST)
        if len(kinds) < 2 or not trial.backend.capabilities & {Capability.FAT_LTO, Capability.THIN_LTO}:
            pytest.skip("does not apply: it links fewer than two crate types that could share LTO")
        fat = Capability.FAT_LTO in trial.backend.capabilities
        options = {**self.options, "lto": "fat" if fat else "thin"}
        built = replace(trial, crate_types=kinds[:2], options=options).build(str(tmp_path))
        if built.shared_lto != (False, True):
            broken(
                "LTO ran twice for one list of dependency formats", "make kept_symbols() independent of the crate type"
            )

    def test_lto_keeps_symbols_and_behaviour(self, tmp_path: Path) -> None:
        """LTO keeps exported symbols, and does not change behaviour."""
        trial, results = self._trial(), {}
        modes = [mode for mode, needed in _MODES.items() if needed is None or needed in trial.backend.capabilities]
        if len(modes) == 1:
            pytest.skip("does not apply: it declares no LTO")
        for mode in modes:
            directory = tmp_path / mode.value
            built = self._build(directory, lto=mode.value)
            if not any(built.artifacts.values()):
                broken(f"with lto='{mode.value}' it makes empty files", "keep what request.exported names")
            results[mode.value] = self.behaviour(built.artifacts, directory)
        if all(result is None for result in results.values()):
            pytest.skip("does not apply: results cannot be run: `behaviour` returns None")
        if any(result != results["off"] for result in results.values()):
            shown = ", ".join(f"{mode}: {result!r}" for mode, result in results.items())
            broken(f"results behave differently: {shown}", "keep what request.exported and request.opaque need")


_MODES: Mapping[LtoMode, Capability | None] = {
    LtoMode.OFF: None,
    LtoMode.FAT: Capability.FAT_LTO,
    LtoMode.THIN: Capability.THIN_LTO,
}
_OF_ONE_LIST = (CrateType.CDYLIB, CrateType.STATICLIB)
