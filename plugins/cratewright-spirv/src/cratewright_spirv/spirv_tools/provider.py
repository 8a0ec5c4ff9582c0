"""SPIRV-Tools: operations, checks and errors, whether a library or programs do the work.

Modules are complete bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Protocol

from cratewright import (
    ConfigurationError,
    Diagnostic,
    FormatError,
    LinkError,
    Severity,
    SourceError,
    ToolError,
    ValidationError,
    dataclass,
    pattern,
)

from ..base.stopwatch import step
from ..binary import opcodes as op
from ..binary.enumerants import LINKAGE
from ..binary.module import HEADER_WORDS, MAGIC_BYTES
from .results import ToolResult, data_of, is_unknown_environment

# Options of the program other than passes: some print, some write files, some switch checks off.
_NOT_PASSES = frozenset(
    (
        "before-hlsl-legalization",
        "help",
        "max-id-bound",
        "preserve-bindings",
        "preserve-interface",
        "preserve-spec-constants",
        "print-all",
        "relax-block-layout",
        "relax-logical-pointer",
        "relax-struct-store",
        "scalar-block-layout",
        "skip-block-layout",
        "skip-validation",
        "target-env",
        "time-report",
        "uniform-buffer-standard-layout",
        "validate-after-all",
        "version",
        "workgroup-scalar-block-layout",
    )
)
_PASS = pattern(r"-Os?|--([a-z][a-z0-9-]*)(=.*)?")
_UNKNOWN = pattern(r"Invalid (?:capability operand|opcode): \d+")


@dataclass(frozen=True, slots=True)
class ValidatorOptions:
    """What the validator allows; each field is an option of `spirv-val` with the same name."""

    # In the order of the bits in the shared library.
    relax_struct_store: bool = False
    relax_logical_pointer: bool = False
    relax_block_layout: bool = False
    uniform_buffer_standard_layout: bool = False
    scalar_block_layout: bool = False
    skip_block_layout: bool = False

    def bits(self) -> int:
        """Return the options as the bits of the shared library."""
        return sum(1 << at for at, option in enumerate(fields(self)) if getattr(self, option.name))

    def flags(self) -> list[str]:
        """Return the options as `spirv-val` and `spirv-opt` spell them."""
        return ["--" + option.name.replace("_", "-") for option in fields(self) if getattr(self, option.name)]


LENIENT = ValidatorOptions(relax_struct_store=True, relax_logical_pointer=True, skip_block_layout=True)
"""For modules that are not images: they may use whatever an image may."""


class Newer(Protocol):
    """SPIRV-Tools that read newer modules, with fewer options."""

    def link(self, modules: Sequence[bytes]) -> ToolResult: ...
    def validate(self, module: bytes) -> ToolResult: ...
    def optimize(self, module: bytes, passes: Sequence[str]) -> ToolResult: ...
    def disassemble(self, module: bytes) -> ToolResult: ...


class Tools:
    """SPIRV-Tools, as a library or as programs, with the checks and errors that make both accept and refuse alike.

    Shape: `env` is an environment such as `vulkan1.2` or `spv1.5`. The tools that `newer` returns handle modules with a
    capability or instruction unknown here; `newer_version` is their version, empty if there are none.
    """

    newer_version = ""
    newer: Callable[[], Newer] | None = None

    def version(self) -> str:
        """Return the version of SPIRV-Tools, the same text on every machine that has the same tools."""
        newer = f"; for what they do not know, {self.newer_version}" if self.newer_version else ""
        return self._tool_version + newer

    @step("SPIRV-Tools: link")
    def link(self, modules: Sequence[bytes], *, env: str) -> bytes:
        """Link modules to one that imports and exports nothing, of the highest version among them.

        Raises: LinkError for unresolved, repeated or mismatched symbols.
        """
        if not modules:
            raise LinkError("no modules to link")
        for at, module in enumerate(modules, 1):
            _check(module, (("module", f"{at} of {len(modules)}"),))
        answer = self._or_newer(self._link(modules, env), lambda newer: newer.link(modules))
        return data_of(answer, env, "spirv-link", LinkError)

    @step("SPIRV-Tools: optimize")
    def optimize(
        self,
        module: bytes,
        *,
        env: str,
        passes: Sequence[str],
        validator: ValidatorOptions | None,
        preserve_bindings: bool,
    ) -> bytes:
        """Validate a linked module and run passes over it.

        Shape: with a `validator` of None the module is not checked, if the caller validates the result; `passes` are
        spelt as for `spirv-opt`, `-O` and `-Os` among them. Variables of an entry point's interface stay, as they do
        there; `--remove-unused-interface-variables` lets them go.
        Raises: ConfigurationError for an unknown pass; ToolError if the optimizer refuses.
        """
        _check(module)
        for name in passes:
            matched = _PASS.fullmatch(name)
            if matched is None or matched[1] in _NOT_PASSES:
                raise ConfigurationError(
                    f"'{name}' is not an optimization pass",
                    hint="give -O, -Os or a pass that `spirv-opt --help` lists",
                )
        if _imports(module):
            # A missing body crashes many passes, and with the library, this process.
            raise ToolError("a module that imports functions cannot be optimized", hint="link it first")
        known = self._optimize(module, env, passes, validator, preserve_bindings)
        given = [*passes, *(["--preserve-bindings"] if preserve_bindings else [])]
        answer = self._or_newer(known, lambda newer: _of_both(known, newer.optimize(module, given)))
        return data_of(answer, env, "spirv-opt", ToolError)

    @step("SPIRV-Tools: validate")
    def validate(self, module: bytes, *, env: str, options: ValidatorOptions) -> None:
        """Check a module against the rules of a target environment.

        Raises: ValidationError with the validator's text; `instruction` counts from 1.
        """
        _check(module)
        answer = self._or_newer(self._validate(module, env, options), lambda newer: newer.validate(module))
        data_of(answer, env, "spirv-val", ValidationError)

    @step("SPIRV-Tools: assemble text")
    def assemble(self, text: bytes, *, env: str, name: str) -> bytes:
        """Assemble a text, keeping its numeric ids.

        Raises: SourceError that starts with `name:line:column:`.
        """
        if not text:
            raise SourceError.at(name, 1, "the file is empty", column=1)
        answer = self._assemble(text, env)
        if answer.data is None and answer.errors and not is_unknown_environment(answer):
            found = (Diagnostic(Severity.ERROR, at.text, name, at.line, at.column) for at in answer.errors)
            raise SourceError(diagnostics=found)
        return data_of(answer, env, "spirv-as", ToolError)

    @step("SPIRV-Tools: disassemble")
    def disassemble(self, module: bytes, *, env: str) -> str:
        """Return the text of a module with plain ids, as `assemble` reads it."""
        _check(module)
        answer = self._or_newer(self._disassemble(module, env), lambda newer: newer.disassemble(module))
        text = data_of(answer, env, "spirv-dis", FormatError)
        return text.decode("utf-8", "replace")

    def _or_newer(self, answer: ToolResult, ask: Callable[[Newer], ToolResult]) -> ToolResult:
        """Return an answer, or that of newer tools if these cannot read the module."""
        unread = answer.data is None and _UNKNOWN.search(answer.text) is not None
        return ask(self.newer()) if self.newer is not None and unread else answer

    def programs(self) -> tuple[str, ...]:
        """Return the files whose bytes can alter a result, whatever their version says."""
        raise NotImplementedError

    @property
    def _tool_version(self) -> str:
        raise NotImplementedError

    def _link(self, modules: Sequence[bytes], env: str) -> ToolResult:
        raise NotImplementedError

    def _optimize(
        self,
        module: bytes,
        env: str,
        passes: Sequence[str],
        validator: ValidatorOptions | None,
        preserve_bindings: bool,
    ) -> ToolResult:
        raise NotImplementedError

    def _validate(self, module: bytes, env: str, options: ValidatorOptions) -> ToolResult:
        raise NotImplementedError

    def _assemble(self, text: bytes, env: str) -> ToolResult:
        raise NotImplementedError

    def _disassemble(self, module: bytes, env: str) -> ToolResult:
        raise NotImplementedError


def _check(module: bytes, context: tuple[tuple[str, str], ...] = ()) -> None:
    if len(module) % 4 or len(module) < 4 * HEADER_WORDS or module[:4] != MAGIC_BYTES:
        raise FormatError("not a SPIR-V module", context=(*context, ("size", f"{len(module)} bytes")))


def _imports(module: bytes) -> bool:
    """Return whether a function has no body."""
    words = memoryview(module).cast("I")
    at, linkage, bare = HEADER_WORDS, False, False
    while at < len(words):
        opcode, length = words[at] & 0xFFFF, words[at] >> 16
        if opcode == op.CAPABILITY:
            linkage = linkage or words[at + 1 : at + 2].tolist() == [LINKAGE]
        elif not linkage:
            return False
        elif opcode == op.FUNCTION:
            bare = True
        elif opcode == op.LABEL:
            bare = False
        elif opcode == op.FUNCTION_END and bare:
            return True
        at += length or len(words)
    return False


def _of_both(first: ToolResult, second: ToolResult) -> ToolResult:
    """Return the second answer, given because of the first."""
    return second if second.data is not None else ToolResult(None, (*first.errors, *second.errors), second.status)
