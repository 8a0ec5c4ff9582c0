"""The library and the programs of SPIRV-Tools give the same results."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import fields

import pytest

from cratewright_spirv.spirv_tools.executables import Executables
from cratewright_spirv.spirv_tools.library import Library
from cratewright_spirv.spirv_tools.tools import Tools, ValidatorOptions

from .tools_samples import (
    ENV,
    MAIN,
    PLAIN,
    RELAXATIONS,
    VERTEX,
    fast,
    linked,
    objects,
    outcome,
    shared_library,
    wheel_programs,
)


@pytest.fixture
def both() -> tuple[Library, Executables]:
    return shared_library(), wheel_programs()


def test_both_providers_agree(both: tuple[Library, Executables]) -> None:
    library, programs = both
    assert objects(library) == objects(programs)
    assert library.version() == programs.version()
    module = linked(library)
    assert module == linked(programs)
    vertex = library.assemble(VERTEX.encode(), env=ENV, name="a")
    actions: list[Callable[[Tools], bytes | str | None]] = [
        lambda tools: fast(tools, module),
        lambda tools: fast(tools, module, "-Os"),
        lambda tools: fast(tools, module, "-O", "--strip-debug", "--trim-capabilities", "--compact-ids"),
        lambda tools: fast(tools, module, preserve_bindings=True),
        lambda tools: fast(tools, vertex),
        lambda tools: fast(tools, module, "--scalar-replacement=x"),
        lambda tools: tools.disassemble(module, env=ENV),
        lambda tools: tools.disassemble(module[:-4], env=ENV),
        lambda tools: tools.link([module, module], env=ENV),
        lambda tools: tools.link([], env=ENV),
        lambda tools: tools.link(objects(library)[:1], env=ENV),
        lambda tools: tools.validate(module[:-4], env=ENV, options=PLAIN),
        lambda tools: tools.validate(objects(library)[0], env="vulkan1.2", options=PLAIN),
        lambda tools: tools.assemble(b"", env=ENV, name="a"),
        lambda tools: tools.assemble(b'\n OpName %1 "x\n', env=ENV, name="a"),
        lambda tools: tools.assemble(MAIN.encode(), env="vulkan9", name="a"),
    ]
    for number, action in enumerate(actions):
        assert outcome(lambda a=action: a(library)) == outcome(lambda a=action: a(programs)), number  # type: ignore[misc]


@pytest.mark.parametrize(("text", "env", "option"), RELAXATIONS)
def test_both_validators_agree(both: tuple[Library, Executables], text: str, env: str, option: str) -> None:
    module = both[0].assemble(text.encode(), env="spv1.0", name="a")
    for rules in (env, "vulkan1.3"):
        for options in (
            PLAIN,
            *(ValidatorOptions(**{field.name: True}) for field in fields(ValidatorOptions)),
        ):
            first, second = (
                outcome(lambda tools=tools: tools.validate(module, env=rules, options=options))  # type: ignore[misc]  # noqa: B023
                for tools in both
            )
            assert first == second, (rules, options)


def test_library_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    library = shared_library()
    outcome(lambda: library.link(objects(library)[:1], env=ENV))
    outcome(lambda: fast(library, linked(library), "--no-such-pass"))
    outcome(lambda: library.validate(objects(library)[0], env="vulkan1.2", options=PLAIN))
    outcome(lambda: library.assemble(b"OpFoo", env=ENV, name="a"))
    assert capfd.readouterr() == ("", "")


def test_library_works_on_small_stacks() -> None:
    library = shared_library()
    expected = fast(library, linked(library))
    results: list[bytes] = []
    before = threading.stack_size(256 * 1024)
    try:
        threads = [threading.Thread(target=lambda: results.append(fast(library, linked(library)))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.stack_size(before)
    assert results == [expected] * 4
