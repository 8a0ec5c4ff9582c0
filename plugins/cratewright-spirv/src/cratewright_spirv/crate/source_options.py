"""Image options of a source, against those of its crate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cratewright import VARIANT, ConfigurationError, LinkRequest, LtoMode, ModuleCodegen, options_among, with_own

from ..base.names import ImageEntry


def check_own_options(module: ModuleCodegen) -> None:
    """Refuse options of an image, and variants, for a source without an entry point.

    Raises: ConfigurationError.
    """
    if module.entry_points:
        return
    own = options_among(module.attributes)
    if module.attribute(VARIANT):
        raise ConfigurationError(
            f"{module.attribute('source')}: a library cannot have variants, because others link its symbols",
            hint="include it where it is used, or put it into a crate of its own; in a crate that has variants, a "
            'source without any says "variants": {}',
        )
    if own:
        raise ConfigurationError(
            f"{module.attribute('source')}: a library cannot have its own '{min(own)}'",
            hint="an image is optimized as a whole: set it for the source of the entry point",
        )


def check_all_alike(request: LinkRequest) -> None:
    """Refuse fat LTO where a source has options of its own.

    Raises: ConfigurationError.
    """
    for item in request.modules:
        own = options_among(item.module.attributes)
        if own:
            raise ConfigurationError(
                f"{item.module.attribute('source')}: no source can have its own '{min(own)}' with fat LTO",
                context=(("crate", item.crate),),
                hint="all entry points are optimized as one; use lto='thin' or 'off'",
            )


def with_own_options(request: LinkRequest, entries: Sequence[ImageEntry]) -> LinkRequest:
    """Return the request for an image with the options that the sources of its entry points have.

    Raises: ConfigurationError if they want different ones.
    """
    modules = [request.modules[entry.module].module for entry in entries]
    wanted = {tuple(sorted(options_among(module.attributes).items())): module for module in modules}
    if len(wanted) > 1:
        if request.lto is not LtoMode.OFF:
            return request  # each entry point has been optimized by itself
        (first, one), (second, other) = list(wanted.items())[:2]
        (name, _), *_ = sorted({*first} ^ {*second})
        raise ConfigurationError(
            f"crate '{request.crate}': sources of one image differ in '{name}'",
            context=(("sources", f"{one.attribute('source')}, {other.attribute('source')}"),),
            hint="an image is optimized as a whole: set multimodule=True, or lto='thin'",
        )
    return replace(request, options=with_own(request.options, modules[0].attributes)) if wanted else request
