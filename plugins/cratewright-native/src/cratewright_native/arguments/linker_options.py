"""The options of ELF linkers, and how each is treated when a user gives it.

Source: the help of LLD 19 and 22 and of GNU ld 2.40; a test compares the table with the installed linkers.
"""

from __future__ import annotations

from enum import Enum

from cratewright import dataclass


class Treatment(Enum):
    """How an option is treated."""

    FINAL = "passed to the final link only"
    RESOLUTION = "passed to LTO as well, because it decides which symbols are linked, or under which names"
    SYMBOL_PATTERN = "its value is a pattern of symbols, which LTO keeps"
    ALL_SYMBOLS = "LTO keeps every visible symbol"
    SYMBOL_LIST = "a file with patterns of symbols, which LTO keeps"
    VERSION_SCRIPT = "a file with patterns of symbols, which LTO keeps and a library exports"
    LINKER_SCRIPT = "a file that names symbols, which LTO keeps"
    INPUT_FILE = "a file that is read"
    OUTPUT_FILE = "a file that is written"
    DIRECTORY = "a directory that is searched"
    NOT_WITH_LTO = "refused with LTO"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class LinkerOption:
    """One option.

    Shape: `takes_value` if the next word may be its value, `may_join` if a value may follow a `=`; `reason` for a
    refusal.
    """

    name: str
    treatment: Treatment
    takes_value: bool = False
    may_join: bool = False
    reason: str = ""


_LTO = "cratewright runs LTO itself, module by module"
_KIND = "the crate type decides what is made"
_SEEN = "cratewright tells SCons what a link reads and writes"
_MACHINE = "its output would hold paths or times of this machine"
_OTHERS = "it belongs to another format or machine"

# Names without dashes; `=` follows those that take a value, `=?` those that take it only after a `=`.
_TREATMENTS: dict[tuple[Treatment, str], str] = {
    (Treatment.FINAL, ""): """
        ( ) start-group end-group as-needed no-as-needed whole-archive no-whole-archive push-state pop-state Bdynamic
        Bstatic dy dn call_shared non_shared static copy-dt-needed-entries no-copy-dt-needed-entries Bsymbolic
        Bsymbolic-functions Bsymbolic-non-weak Bsymbolic-non-weak-functions Bno-symbolic Bgroup allow-shlib-undefined
        no-allow-shlib-undefined no-undefined undefined-version no-undefined-version unresolved-symbols=
        warn-unresolved-symbols error-unresolved-symbols ignore-unresolved-symbol= no-allow-multiple-definition
        disable-multiple-abs-defs no-export-dynamic gc-sections no-gc-sections gc-keep-exported icf=
        ignore-data-address-equality ignore-function-address-equality keep-unique= build-id=? hash-style= eh-frame-hdr
        no-eh-frame-hdr enable-new-dtags disable-new-dtags rpath= rpath-link= Y= soname= h= dynamic-linker= I=
        no-dynamic-linker audit= depaudit= P= auxiliary= f= filter= F= z= O= relax no-relax optimize-bb-jumps
        no-optimize-bb-jumps sort-section= sort-common=? strip-all s strip-debug S strip-discarded no-strip-discarded
        discard-all x discard-locals X discard-none emit-relocs q nmagic n omagic N no-nmagic no-omagic image-base=
        section-start= Tbss= Tdata= Ttext= Ttext-segment= Trodata-segment= Tldata-segment= rosegment no-rosegment
        xosegment no-xosegment execute-only no-execute-only compress-debug-sections= compress-sections= debug-names
        no-debug-names gdb-index no-gdb-index gnu-unique no-gnu-unique pack-dyn-relocs= use-android-relr-tags
        no-use-android-relr-tags apply-dynamic-relocs no-apply-dynamic-relocs unique=? orphan-handling=
        enable-non-contiguous-regions enable-non-contiguous-regions-warnings force-group-allocation define-common
        no-define-common d dc dp fortran-common no-fortran-common package-metadata= spare-dynamic-tags=
        split-by-file=? split-by-reloc=? hash-size= split-stack-adjust-size= demangle=? no-demangle
        color-diagnostics=? no-color-diagnostics diagnostics-show-option error-limit= fatal-warnings no-fatal-warnings
        no-warnings w noinhibit-exec vs-diagnostics check-sections no-check-sections warn-common no-warn-common
        warn-constructors warn-execstack no-warn-execstack warn-rwx-segments no-warn-rwx-segments warn-multiple-gp
        warn-once warn-section-align warn-textrel warn-alternate-em warn-backrefs no-warn-backrefs
        warn-backrefs-exclude= warn-ifunc-textrel no-warn-ifunc-textrel warn-symbol-ordering no-warn-symbol-ordering
        warn-mismatch no-warn-mismatch no-warn-search-mismatch trace-symbol= y= trace t print-gc-sections
        no-print-gc-sections print-icf-sections no-print-icf-sections print-map M print-map-discarded
        no-print-map-discarded print-memory-usage print-output-format cref call-graph-profile-sort= bp-startup-sort=
        bp-compression-sort= bp-compression-sort-startup-functions verbose-bp-section-orderer why-live=
        no-dependent-libraries dependent-libraries keep-memory no-keep-memory max-cache-size= reduce-memory-overheads
        threads= no-threads mmap-output-file no-mmap-output-file branch-to-branch no-branch-to-branch
        ld-generated-unwind-info no-ld-generated-unwind-info traditional-format ctf-variables no-ctf-variables
        ctf-share-types= library= l= g G= assert= a= Qy qmagic accept-unknown-input-arch no-accept-unknown-input-arch
        map-whole-files no-map-whole-files version V target-help help
        """,
    (Treatment.RESOLUTION, ""): """
        undefined= u= require-defined= undefined-glob= entry= e= init= fini= defsym= wrap= allow-multiple-definition
        """,
    (Treatment.SYMBOL_PATTERN, ""): "export-dynamic-symbol=",
    (Treatment.ALL_SYMBOLS, ""): "export-dynamic E dynamic-list-data dynamic-list-cpp-new dynamic-list-cpp-typeinfo",
    (Treatment.SYMBOL_LIST, ""): "dynamic-list= export-dynamic-symbol-list=",
    (Treatment.VERSION_SCRIPT, ""): "version-script=",
    (Treatment.LINKER_SCRIPT, ""): "script= T=",
    (Treatment.INPUT_FILE, ""): """
        symbol-ordering-file= call-graph-ordering-file= section-ordering-file= just-symbols= R= retain-symbols-file=
        """,
    (Treatment.OUTPUT_FILE, ""): "Map= why-extract= print-archive-stats= print-symbol-order=",
    (Treatment.DIRECTORY, ""): "library-path= L=",
    (Treatment.NOT_WITH_LTO, "LTO has decided before which file each symbol comes from"): """
        exclude-libs= start-lib end-lib version-exports-section=
        """,
    (Treatment.NOT_WITH_LTO, "it would make names that LTO has not seen"): "default-symver default-imported-symver",
    (Treatment.REFUSED, _LTO): """
        lto=? lto-aa-pipeline= lto-basic-block-address-map no-lto-basic-block-address-map lto-basic-block-sections=
        lto-cs-profile-file= lto-cs-profile-generate lto-debug-pass-manager lto-emit-asm lto-emit-llvm
        lto-known-safe-vtables= lto-newpm-passes= lto-obj-path= lto-partitions= lto-pgo-warn-mismatch
        no-lto-pgo-warn-mismatch lto-sample-profile= lto-unique-basic-block-section-names
        no-lto-unique-basic-block-section-names lto-validate-all-vtables-have-type-infos
        no-lto-validate-all-vtables-have-type-infos lto-whole-program-visibility no-lto-whole-program-visibility
        lto-O=? lto-CGO=? thinlto-cache-dir= thinlto-cache-policy= thinlto-jobs= thinlto-single-module=
        thinlto-emit-imports-files thinlto-emit-index-files thinlto-index-only=? thinlto-object-suffix-replace=
        thinlto-prefix-replace= thinlto-distributor= thinlto-distributor-arg= thinlto-remote-compiler=
        thinlto-remote-compiler-arg= thinlto-remote-compiler-prepend-arg= fat-lto-objects no-fat-lto-objects plugin=
        plugin-opt= load-pass-plugin= mllvm= save-temps=? opt-remarks-filename= opt-remarks-format=
        opt-remarks-hotness-threshold= opt-remarks-passes= opt-remarks-with-hotness irpgo-profile= flto=?
        flto-partition=? disable-verify
        """,
    (Treatment.REFUSED, _KIND): """
        shared Bshareable pie no-pie pic-executable relocatable r i Ur output= o= oformat= m= fuse-ld=?
        """,
    (Treatment.REFUSED, _SEEN): """
        dependency-file= c= mri-script= default-script= dT= remap-inputs= remap-inputs-file= error-handling-script=
        """,
    (Treatment.REFUSED, _MACHINE): """
        reproduce= time-trace=? time-trace-granularity= stats verbose=? v sysroot= print-sysroot
        """,
    (Treatment.REFUSED, "its effect differs with every run"): "shuffle-sections= randomize-section-padding=",
    (Treatment.REFUSED, "its symbols contain the path of the file: use #embed, or .incbin in a .S source"): """
        format= b=
        """,
    (Treatment.REFUSED, "the system's directories are part of the toolchain"): "nostdlib chroot=",
    (Treatment.REFUSED, _OTHERS): """
        android-memtag-heap android-memtag-stack android-memtag-mode= be8 cmse-implib in-implib= out-implib= EB EL A=
        architecture= fix-cortex-a53-843419 fix-cortex-a8 merge-exidx-entries no-merge-exidx-entries no-pcrel-optimize
        pcrel-optimize no-power10-stubs power10-stubs=? relax-gp no-relax-gp toc-optimize no-toc-optimize pic-veneer
        target1-abs target1-rel target2= embedded-relocs force-exe-suffix task-link= gpsize= rsp-quoting=
        """,
}


def linker_option_table(treatments: dict[tuple[Treatment, str], str]) -> dict[str, LinkerOption]:
    """Return options by name, from names by treatment; `=` follows those that take a value, `=?` if only joined."""
    table: dict[str, LinkerOption] = {}
    for (treatment, reason), names in treatments.items():
        for text in names.split():
            name, value = (text, "") if text == "=" else (text.rstrip("=?"), text[len(text.rstrip("=?")) :])
            assert name not in table, name
            table[name] = LinkerOption(name, treatment, value == "=", value != "", reason)
    return table


LINKER_OPTIONS = linker_option_table(_TREATMENTS)
"""Linker options by name without dashes."""

KEYWORD_REFUSALS = {"start-stop-gc": "cratewright keeps sections that a source names"}
"""Keywords after `-z` that are refused, and why."""

_PASSED_BY_ZIG = """
    start-group end-group as-needed no-as-needed whole-archive no-whole-archive allow-shlib-undefined
    no-allow-shlib-undefined no-undefined undefined-version no-undefined-version gc-sections no-gc-sections
    build-id hash-style eh-frame-hdr no-eh-frame-hdr enable-new-dtags disable-new-dtags rpath rpath-link soname
    dynamic-linker I no-dynamic-linker z O sort-section sort-common strip-all s strip-debug S discard-all x
    image-base compress-debug-sections color-diagnostics no-color-diagnostics fatal-warnings no-fatal-warnings w
    print-gc-sections print-icf-sections print-map version V u entry e wrap export-dynamic E version-script R
    nmagic n script T l L
    """
ZIG_OPTIONS = frozenset(_PASSED_BY_ZIG.split())
"""Options that zig passes on to its linker; it refuses the rest, but only after compiling everything."""
