"""Names of entry points as parts of file names."""

from __future__ import annotations

import pytest

from cratewright import CrateType, EntryPoint, LinkError, LinkModule, LinkRequest, ModuleCodegen, Options
from cratewright_spirv.base.names import entries_of


def _request(name: str, *, multimodule: bool) -> LinkRequest:
    entries = (EntryPoint("compute", "main"), EntryPoint("compute", name))
    module = ModuleCodegen(name="a.spvasm", data=b"", entry_points=entries, attributes=(("source", "a.spvasm"),))
    return LinkRequest(
        crate="a",
        crate_type=CrateType.CDYLIB,
        target="vulkan1.3",
        options=Options((("multimodule", multimodule),)),
        modules=(LinkModule("a", module),),
    )


@pytest.mark.parametrize("name", ["/../../x", "a/../../x", "x/../../../y", "\0", "a\nb", "\x1b[2J", "x" * 300, 'a"b'])
def test_names_that_are_no_file_names_are_refused(name: str) -> None:
    with pytest.raises(LinkError, match=r"a\.spvasm: entry point .* cannot be part of the name of an image"):
        entries_of(_request(name, multimodule=True))
    assert len(entries_of(_request(name, multimodule=False))) == 2


@pytest.mark.parametrize("name", ["x", "a b", "$x", "-o", "Main", "..x", "\u00e4"])
def test_other_names_are_accepted(name: str) -> None:
    assert entries_of(_request(name, multimodule=True))[1].output == f"a.{name}"
