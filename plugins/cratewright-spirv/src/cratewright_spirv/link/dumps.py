"""Copies of the modules to link, for people, even if the link fails.

An option names the directory; without one nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cratewright import Artifact, CratewrightError, LinkRequest

from ..transforms.debug_split import at_level


def inputs(request: LinkRequest) -> tuple[Artifact, ...]:
    """Return copies of the modules to link, if requested."""
    directory = request.options.text("dump_pre_link")
    if not directory:
        return ()
    return tuple(
        Artifact(f"{directory}/{item.crate}.{item.module.name.replace('/', '.')}", item.module.data, dump=True)
        for item in at_level(request).modules
    )


@contextmanager
def leaving_inputs(request: LinkRequest) -> Iterator[None]:
    """Make errors about modules leave copies of them."""
    try:
        yield
    except CratewrightError as error:
        raise error.leaving((copy.path, copy.data) for copy in inputs(request)) from error
