"""Refuses options of a crate that contradict each other or have no effect.

These checks run while planning and do not read sources.
"""

from __future__ import annotations

from cratewright import ConfigurationError, Crate, CrateType, DebugInfo, LtoMode, UnsupportedError

from ..base.names import splits


def check_options(crate: Crate) -> None:
    """Refuse options without effect.

    Raises: ConfigurationError; UnsupportedError for what the tools cannot do.
    """
    _check_object(crate)
    if crate.options.texts("exports"):
        raise ConfigurationError(
            f"crate '{crate.name}': 'exports' has no meaning for shaders",
            hint="an image exports its entry points",
        )
    _check_lto(crate)
    _check_split(crate)
    if crate.options.flag("prefer_dynamic"):
        raise ConfigurationError(
            f"crate '{crate.name}': shaders cannot be linked dynamically", hint="leave prefer_dynamic off"
        )


def _check_split(crate: Crate) -> None:
    for source in crate.sources:
        if source.options is not crate.options and splits(source.options) != splits(crate.options):
            raise ConfigurationError(
                f"crate '{crate.name}': {source.path} cannot have its own 'strip'",
                hint="it applies to images: set it for the crate",
            )
    if not splits(crate.options):
        return
    if CrateType.OBJECT in crate.crate_types:
        raise UnsupportedError(
            f"crate '{crate.name}': strip='split' applies to images, and an object is not one",
            hint="set strip='none': what links the object can have its debug information split",
        )
    if crate.options.debuginfo is DebugInfo.NONE:
        raise ConfigurationError(
            f"crate '{crate.name}': strip='split' puts debug information beside images, but debuginfo is 'none'",
            hint="set debuginfo='full' or 'line', or strip='none'",
        )


def _check_object(crate: Crate) -> None:
    """Refuse options without effect on an object, if nothing else is made."""
    if CrateType.CDYLIB in crate.crate_types or CrateType.OBJECT not in crate.crate_types:
        return
    names = (
        "multimodule",
        *(f"dump_{step}" for step in ("pre_link", "post_merge", "post_split", "post_opt", "post_link")),
    )
    asked = [name for name in names if crate.options[name]]
    if asked:
        raise ConfigurationError(
            f"crate '{crate.name}': '{asked[0]}' applies to images, and an object is not one",
            hint="leave it out, or make a cdylib as well",
        )


def _check_lto(crate: Crate) -> None:
    modes = {crate.options.lto_for(kind) for kind in crate.crate_types if kind is not CrateType.RLIB}
    if LtoMode.THIN_LOCAL in modes and crate.dependencies:
        raise UnsupportedError(
            f"crate '{crate.name}': lto='thin-local' needs a crate without dependencies here",
            context=(("depends on", " ".join(item.name for item in crate.dependencies)),),
            hint="SPIRV-Tools do not optimize modules with unresolved calls; 'thin' includes the dependencies, "
            "and the cache has every entry point that an edit does not affect",
        )
    asked = [name for name in ("dump_post_merge", "dump_post_link") if crate.options.text(name)]
    if modes - {LtoMode.OFF} and asked:
        raise UnsupportedError(
            f"crate '{crate.name}': {asked[0]} has no effect with LTO, which runs before the link",
            hint="set lto='off' to see that step",
        )
