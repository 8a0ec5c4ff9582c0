"""A correct backend, and copies of it with a fault."""

from __future__ import annotations

from collections.abc import Mapping

from cratewright.contract.backend import CodegenBackend
from cratewright.contract.session import Session
from cratewright.values.crate_type import CrateType
from cratewright.values.module import CompiledUnit, ModuleCodegen
from cratewright.values.option_spec import OptionKind, OptionSpec
from cratewright.values.options import Options
from cratewright.values.request import Artifact, LinkRequest, LinkResult
from cratewright.values.stencil import UnitStencil

SESSION = Session(root="/nowhere", target="text")
FLAG = OptionSpec(name="loud", kind=OptionKind.FLAG, default=False, help="")


class Upper(CodegenBackend):
    """A correct backend."""

    NAME = "upper"
    API_VERSION = 1
    TARGETS = ("text",)
    SUFFIXES = (".txt",)
    supported_crate_types = frozenset({CrateType.BIN})

    def fingerprint(self) -> str:
        """Return the version."""
        return "upper 1"

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile."""
        return UNIT

    def output_names(self, crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
        """Return the name of the only output."""
        return (f"{crate}.out",)

    def link(self, request: LinkRequest) -> LinkResult:
        """Link."""
        return LINKED


MODULE = ModuleCodegen(name=".o", data=b"x")
UNIT = CompiledUnit(modules=(MODULE,))
LINKED = LinkResult(artifacts=(Artifact("app.out", b"x"),))
DIGEST = "0" * 64


def changed(words: Mapping[str, object]) -> type[CodegenBackend]:
    """Return a copy of Upper with some attributes replaced, or removed where the value is `...`."""
    own = {name: value for name, value in vars(Upper).items() if not name.startswith("__") and name != "_abc_impl"}
    body = {**own, **words, "__module__": "upper_plugin"}
    return type("Upper", (CodegenBackend,), {name: value for name, value in body.items() if value is not ...})


STENCIL = UnitStencil(
    backend="upper", fingerprint="1", target="text", path="src/a.txt", source=b"a", options=Options(())
)

REQUEST = LinkRequest(crate="app", crate_type=CrateType.BIN, target="text", options=Options(()), modules=())
