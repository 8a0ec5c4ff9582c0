"""An entry point's name decides no place.

Knows nothing of code: modules are empty here.
"""

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
def test_an_entry_point_that_cannot_be_a_file_is_refused_by_name(name: str) -> None:
    with pytest.raises(LinkError, match=r"a\.spvasm: entry point .* cannot be part of the name of an image"):
        entries_of(_request(name, multimodule=True))
    assert len(entries_of(_request(name, multimodule=False))) == 2


@pytest.mark.parametrize("name", ["x", "a b", "$x", "-o", "Main", "..x", "\u00e4"])
def test_any_other_name_is_one(name: str) -> None:
    assert entries_of(_request(name, multimodule=True))[1].output == f"a.{name}"
