"""What SPIRV-Tools answer: an output, or errors, which are read from what a program prints."""

from __future__ import annotations

from typing import NamedTuple

from cratewright import (
    ConfigurationError,
    CratewrightError,
    ToolError,
    pattern,
)

INSTALL_HINT = "install it with `pip install cratewright-spirv`, or set CRATE_SPIRV_SDK to a Vulkan SDK directory"
TIDYING = frozenset(
    {"--compact-ids", "--eliminate-dead-const", "--remove-unused-interface-variables", "--trim-capabilities"}
)
"""The passes that this package asks for besides `-O` and `-Os`; they only tidy an image that is valid already."""
_PRINTED = pattern(r"(?m)^(error|warning|info|debug): (?:line )?(?:(\d+): )?(?:(\d+): )?")


class ToolMessage(NamedTuple):
    text: str
    instruction: int = 0
    line: int = 0
    column: int = 0


class ToolResult(NamedTuple):
    """The result of an operation: its output, or None and its errors."""

    data: bytes | None
    errors: tuple[ToolMessage, ...] = ()
    status: str = "it gave no reason"

    @property
    def text(self) -> str:
        return "\n".join(error.text for error in self.errors)


def is_unknown_environment(answer: ToolResult) -> bool:
    return answer.text.startswith(("Unrecognized target env", "Invalid value passed to --target-env"))


def data_of(answer: ToolResult, env: str, program: str, kind: type[CratewrightError]) -> bytes:
    """Return the output of an operation.

    Raises: `kind` with the tool's message; ConfigurationError if it does not know `env`; ToolError without a message.
    """
    if answer.data is not None:
        return answer.data
    if not answer.errors:
        raise ToolError(f"{program} failed", context=(("reason", answer.status),))
    if is_unknown_environment(answer):
        raise ConfigurationError(
            f"SPIRV-Tools do not know the target environment '{env}'",
            hint="choose an older target, or set CRATE_SPIRV_SDK to a newer Vulkan SDK",
        )
    instruction = answer.errors[0].instruction
    context = (("instruction", instruction),) if instruction else ()
    raise kind(answer.text if kind is not ToolError else f"{program}: {answer.text}", context=context)


def version_of(text: str) -> str:
    """Extract the version from the tools' own text.

    Shape: the name, the release and the commit; never a date.
    """
    # A build outside a repository carries its own date instead of a hash.
    line = next((line for line in text.splitlines() if line.startswith("SPIRV-Tools ")), text.strip())
    return line.partition(" unknown hash")[0].rstrip()


def tool_errors(stderr: bytes) -> tuple[ToolMessage, ...]:
    """Return the errors among what a program printed."""
    text = stderr.decode("utf-8", "replace").replace("\r\n", "\n")
    heads = list(_PRINTED.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    errors = []
    for head, end in zip(heads, ends, strict=False):
        if head[1] == "error":
            first, second = int(head[2] or 0), int(head[3] or 0)
            # Two numbers are a place in a text, one is an instruction.
            place = (0, first, second) if head[3] else (first, 0, 0)
            errors.append(ToolMessage(text[head.end() : end].rstrip(), *place))
    if not errors and text.strip():
        errors.append(ToolMessage(text.strip()))
    return tuple(errors)
