"""The names of output files.

`tests/differential` checks them for every target of rustc.
"""

from __future__ import annotations

import pytest

from cratewright.base.errors import UnsupportedError
from cratewright.rules.output_name import output_file_name
from cratewright.values.crate_type import CrateType

ORDER = (CrateType.RLIB, CrateType.DYLIB, CrateType.CDYLIB, CrateType.STATICLIB, CrateType.BIN)
TABLE = {
    "x86_64-unknown-linux-gnu": "libmy_it.rlib libmy_it.so libmy_it.so libmy_it.a my-it",
    "aarch64-linux-android": "libmy_it.rlib libmy_it.so libmy_it.so libmy_it.a my-it",
    "aarch64-apple-darwin": "libmy_it.rlib libmy_it.dylib libmy_it.dylib libmy_it.a my-it",
    "x86_64-pc-windows-msvc": "libmy_it.rlib my_it.dll my_it.dll my_it.lib my-it.exe",
    "x86_64-pc-windows-gnu": "libmy_it.rlib my_it.dll my_it.dll libmy_it.a my-it.exe",
    "wasm32-unknown-unknown": "libmy_it.rlib - my_it.wasm libmy_it.a my-it.wasm",
    "wasm32-unknown-emscripten": "libmy_it.rlib - my_it.wasm libmy_it.a my-it.js",
    "powerpc64-ibm-aix": "libmy_it.rlib libmy_it.a libmy_it.a libmy_it.a my-it",
    "x86_64-unknown-uefi": "libmy_it.rlib - - libmy_it.a my-it.efi",
    "nvptx64-nvidia-cuda": "libmy_it.rlib - my_it.ptx libmy_it.a my-it.ptx",
}


def name_or_dash(kind: CrateType, target: str) -> str:
    try:
        return output_file_name("my-it", kind, target)
    except UnsupportedError:
        return "-"


@pytest.mark.parametrize("target", TABLE)
def test_names_by_target(target: str) -> None:
    assert " ".join(name_or_dash(kind, target) for kind in ORDER) == TABLE[target]


def test_unsupported_crate_type_lists_alternatives() -> None:
    with pytest.raises(UnsupportedError, match="no crates of type 'dylib'") as caught:
        output_file_name("it", CrateType.DYLIB, "wasm32-wasip1")
    assert caught.value.hint == "use 'cdylib' or 'staticlib'"
