"""Which initialisers an entry point calls, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from cratewright import LinkError

from .linked_samples import INITIALISERS, LIBRARY, MAIN, calls, finalize, image


def test_initialisers_run_after_those_they_read_from(spirv: Any) -> None:
    text = spirv.disassemble(image(spirv, initialisers=[*reversed(INITIALISERS)]), "--raw-id")
    assert calls(text)[:2] == ["$init:other", "$init:lib"]


def test_cyclic_initialisers_are_refused(spirv: Any) -> None:
    both = LIBRARY.replace("OpStore %base %one", "%c = OpLoad %f %factor\nOpStore %base %c")
    with pytest.raises(LinkError, match="are initialised from one another") as caught:
        finalize(spirv.link(MAIN, both), name="image", initialisers=INITIALISERS)
    assert ("units", "other, lib") in caught.value.context


def test_initialisers_run_first_in_the_given_order(spirv: Any) -> None:
    text = spirv.disassemble(image(spirv), "--raw-id")
    # that of `base` is needed only by the other, which comes later
    assert calls(text)[:2] == ["$init:other", "$init:lib"]
    assert len(calls(text)) == 3


def test_initialisers_of_untouched_variables_are_dropped(spirv: Any) -> None:
    alone = MAIN.replace("%out = OpFunctionCall %f %scale %in", "%out = OpFAdd %f %in %in")
    data = finalize(spirv.link(alone, LIBRARY), name="image", initialisers=INITIALISERS)
    spirv.validate(data)
    text = spirv.disassemble(data, "--raw-id")
    assert calls(text) == []
    assert "$init" not in text


def test_initialisers_come_after_local_variables(spirv: Any) -> None:
    local = MAIN.replace("%zero = OpConstant %u 0", "%zero = OpConstant %u 0\n%pl = OpTypePointer Function %f").replace(
        "%gid = OpLoad", "%local = OpVariable %pl Function\nOpStore %local %one\n%gid = OpLoad"
    )
    data = finalize(spirv.link(local, LIBRARY), name="image", initialisers=INITIALISERS)
    spirv.validate(data)


def test_initialisers_that_write_through_a_call_are_kept(spirv: Any) -> None:
    by_pointer = (
        LIBRARY.replace(
            "%pp = OpTypePointer Private %f", "%pp = OpTypePointer Private %f\n%fp = OpTypeFunction %void %pp"
        )
        .replace("OpStore %base %one", "%done = OpFunctionCall %void %set %base")
        .replace(
            "%other_init = OpFunction",
            "%set = OpFunction %void None %fp\n%to = OpFunctionParameter %pp\n%e5 = OpLabel\n"
            "OpStore %to %one\nOpReturn\nOpFunctionEnd\n%other_init = OpFunction",
        )
    )
    data = finalize(spirv.link(MAIN, by_pointer), name="image", initialisers=INITIALISERS)
    spirv.validate(data)
    assert calls(spirv.disassemble(data, "--raw-id"))[:2] == ["$init:other", "$init:lib"]


def test_initialisers_that_write_an_element_are_kept(spirv: Any) -> None:
    types = "%four = OpConstant %u 4\n%list = OpTypeArray %f %four\n%pl = OpTypePointer Private %list\n"
    elements = (
        LIBRARY.replace("%base = OpVariable %pp Private", f"{types}%base = OpVariable %pl Private")
        .replace("OpStore %base %one", "%to = OpAccessChain %pp %base %zero\nOpStore %to %one")
        .replace("%b = OpLoad %f %base", "%from = OpAccessChain %pp %base %zero\n%b = OpLoad %f %from")
    )
    data = finalize(spirv.link(MAIN, elements), name="image", initialisers=INITIALISERS)
    spirv.validate(data)
    assert calls(spirv.disassemble(data, "--raw-id"))[:2] == ["$init:other", "$init:lib"]


def test_initialisers_that_only_read_are_not_called(spirv: Any) -> None:
    reader = LIBRARY.replace("OpStore %base %one", "%nothing = OpLoad %f %factor")
    text = spirv.disassemble(finalize(spirv.link(MAIN, reader), name="image", initialisers=INITIALISERS), "--raw-id")
    assert "$init:other" not in text
