"""Makes one image from the result of the linker or LTO: optimizes, validates and describes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import field, fields

from cratewright import (
    Artifact,
    CratewrightError,
    DebugInfo,
    Diagnostic,
    LinkRequest,
    LinkResult,
    ModuleConfig,
    Options,
    OptLevel,
    Severity,
    ValidationError,
    dataclass,
    options_among,
)

from ..base.names import ImageEntry, text_path
from ..binary.module import parse
from ..binary.program import Program
from ..link.assembly import assemble, finished_entry
from ..link.dumps import inputs
from ..reflection import reflect
from ..reflection.blocks import Row
from ..reflection.facts import Facts, restore_names, sources_of
from ..reflection.statistics import statistics
from ..spirv_tools.tools import Tools, ValidatorOptions
from ..transforms.canonical import canonical_programs
from ..transforms.debug_split import at_level
from ..transforms.finalize import keep_entry_points, with_variable_names
from ..transforms.inlined_debug_info import repair_inlined_debug_info
from ..transforms.repairs import needs_legalising, repair_optimized, with_plain_copies, without_names
from .validation_errors import instruction_position, validation_hint, with_option_names


@dataclass(frozen=True, slots=True)
class Image:
    """The image in progress, and its dumps."""

    request: LinkRequest
    path: str
    dumps: list[Artifact] = field(default_factory=list)

    def dump(self, option: str, data: bytes, suffix: str = "") -> None:
        """Keep a copy in the directory that a dump option names, if it does."""
        directory = self.request.options.text(option)
        if directory:
            name = f"{self.request.crate}.{self.path.replace('/', '.')}{suffix}"
            self.dumps.append(Artifact(f"{directory}/{name}", data, dump=True))


def link_image(request: LinkRequest, path: str, entries: Sequence[ImageEntry], tools: Tools) -> LinkResult:
    """Make one image with the given entry points from modules without LTO.

    Shape: `path` is the image's, relative to the output directory. The report is JSON, a row for each image.
    Raises: LinkError for symbols, stages and recursion; ValidationError if the image breaks its target's rules.
    """
    image = Image(at_level(request), path)
    try:
        return _link(image, entries, tools)
    except CratewrightError as error:
        raise error.leaving((dump.path, dump.data) for dump in image.dumps) from error


def _link(image: Image, entries: Sequence[ImageEntry], tools: Tools) -> LinkResult:
    request = image.request
    image.dumps.extend(inputs(request))
    # Taking a module apart and putting it together again takes longer than validating it.
    linked = finished_entry(request, entries) or assemble(request, image.path, entries, tools, image.dump).encode()
    if request.options.debuginfo is DebugInfo.FULL:
        # Modules repeat descriptions, and have some of code that is not linked.
        linked = canonical_programs([Program.of(parse(linked, image.path))], request.options)
    image.dump("dump_post_split", linked)
    image.dump("dump_post_link", linked)
    try:
        optimized = run_passes(linked, request.config, tools)
    except CratewrightError as error:
        raise error.with_context(("image", image.path)) from error
    interface = reflect.interface(linked, name=image.path)
    if request.options.opt_level is OptLevel.NONE:  # all names are still there
        return finish(image, optimized, Facts.of(linked, sources_of(request.modules), None), tools, interface)
    return finish(image, optimized, Facts.of(linked, sources_of(request.modules), interface), tools)


def run_passes(data: bytes, config: ModuleConfig, tools: Tools) -> bytes:
    """Run the passes that the options call for, unless the user switched the optimizer off.

    Raises: ToolError if the optimizer refuses.
    """
    passes, data = _passes_for(config.options), with_plain_copies(data)
    if not config.options.flag("spirv_opt"):
        return data
    if config.options.opt_level is OptLevel.NONE and needs_legalising(data):
        passes = ["--legalize-hlsl", *passes]
    if not passes:
        return data
    optimized = tools.optimize(
        data,
        env=config.target,
        passes=passes,
        validator=None,  # the result is validated
        preserve_bindings=config.options.flag("preserve_bindings"),
    )
    return repair_inlined_debug_info(repair_optimized(data, optimized))


def _passes_for(options: Options) -> list[str]:
    """Return the passes that the options call for, as `spirv-opt` spells them; none if it need not run.

    Source: rust-gpu, which also drops debug names and dead constants where no debug information is asked for.
    """
    passes: list[str] = []
    level, debuginfo = options.opt_level, options.debuginfo
    if level is not OptLevel.NONE:
        passes.append("-Os" if level.for_size else "-O")
    if debuginfo is DebugInfo.NONE and options.text("spirv_metadata") == "none":
        # In this order: the second then has less to do.
        passes += ["--strip-debug", "--eliminate-dead-const"]
    if level is not OptLevel.NONE:
        passes.append("--trim-capabilities")
        if not options.flag("preserve_bindings"):
            passes.append("--remove-unused-interface-variables")
    return [*passes, "--compact-ids"] if passes else []


def finish(image: Image, data: bytes, facts: Facts, tools: Tools, interface: Row | None = None) -> LinkResult:
    """Validate and describe an image; `facts` are those from before it was optimized.

    Raises: ValidationError if it breaks its target's rules.
    """
    request, path = image.request, image.path
    options = request.options
    if options.text("spirv_metadata") == "name-variables":
        data = with_variable_names(data, name=path)
    image.dump("dump_post_opt", data)
    _validate(image, data, facts, tools)
    if options.flag("spirv_opt") and options.text("spirv_metadata") == "none" and options.debuginfo is DebugInfo.LINE:
        data = without_names(data)  # after the last message that could use them
    artifacts = [Artifact(path, data)]
    if options.flag("disassemble"):
        text = tools.disassemble(data, env=request.target)
        artifacts.append(Artifact(text_path(path), text.encode()))
    report = _report(image, data, facts, interface)
    return LinkResult(artifacts=(*artifacts, *image.dumps), report=report, diagnostics=_diagnostics(image))


def joined(results: Sequence[LinkResult]) -> LinkResult:
    """Return several images as one result."""
    return LinkResult(
        artifacts=tuple(each for result in results for each in result.artifacts),
        report=json.dumps([row for result in results for row in json.loads(result.report)]),
        diagnostics=tuple(line for result in results for line in result.diagnostics),
    )


def _diagnostics(image: Image) -> tuple[Diagnostic, ...]:
    options = image.request.options
    own = (options_among(item.module.attributes) for item in image.request.modules)
    # Setting spirv_opt without opt_level for one source is deliberate.
    if (
        options.flag("spirv_opt")
        or not _passes_for(options)
        or any("spirv_opt" in each and "opt_level" not in each for each in own)
    ):
        return ()
    reason = f"opt_level={options.opt_level.value}, debuginfo={options.debuginfo.value}"
    text = f"the optimizer should run ({reason}) but spirv_opt is off"
    return (Diagnostic(Severity.WARNING, text, image.path),)


def _validator(request: LinkRequest) -> ValidatorOptions:
    names = [each.name for each in fields(ValidatorOptions)]
    return ValidatorOptions(**{name: request.options.flag(name) for name in names})


def _validate(image: Image, data: bytes, facts: Facts, tools: Tools) -> None:
    if not image.request.options.flag("spirv_val"):
        return
    try:
        tools.validate(data, env=image.request.target, options=_validator(image.request))
    except ValidationError as error:
        sources = " ".join(sorted(f"{crate}/{module}" for crate, module in facts.modules))
        hint = error.hint or validation_hint(error.message) or "nothing was written; spirv_val=False skips this check"
        if _valid_apart(image, data, tools):
            hint = "each entry point is valid in an image of its own: set multimodule=True"
        if image.request.options.flag("disassemble"):
            text = tools.disassemble(data, env=image.request.target)
            image.dump("dump_post_opt", text.encode(), suffix="asm")
        text = f"{image.path} breaks the rules of {image.request.target}"
        place = instruction_position(data, dict(error.context).get("instruction"))
        raise ValidationError(
            text,
            context=(
                *([("source", f"{place[0]}:{place[1]}")] if place else []),
                ("validator", with_option_names(error.message)),
                *error.context,
                ("made from", sources),
            ),
            hint=hint,
            diagnostics=[Diagnostic(Severity.ERROR, f"{text} here", *place)] if place else [],
        ) from error


def _valid_apart(image: Image, data: bytes, tools: Tools) -> bool:
    """Return whether an image is refused only because of the combination of its entry points.

    The validator checks outputs of mesh shaders against the modes of every mesh shader in a module.
    """
    entries = reflect.entry_points(data, name=image.path)
    if len(entries) < 2:
        return False
    try:
        for entry in entries:
            alone = keep_entry_points(data, [(entry.stage, entry.name)], name=image.path)
            tools.validate(alone, env=image.request.target, options=_validator(image.request))
    except ValidationError:
        return False
    return True


def _report(image: Image, data: bytes, facts: Facts, interface: Row | None) -> str:
    if interface is None:
        # Optimizing drops unused resources, but also all names, so these are restored.
        interface = reflect.interface(data, name=image.path)
        restore_names(interface, facts)
    row = {
        "path": image.path,
        "size_before_optimisation": facts.size,
        "instructions": reflect.instruction_count(data),
        "instructions_before_optimisation": facts.instructions,
        **statistics(data),
        "imported": facts.imported(image.request.crate),
        "crates": sorted({crate for crate, _ in facts.modules}),
        "entries": interface["entry_points"],
        "spec_constants": interface["spec_constants"],
    }
    return json.dumps([row], sort_keys=True)
