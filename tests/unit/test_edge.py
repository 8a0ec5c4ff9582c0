"""Exceptions and invalid objects of a backend become errors that name the plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from cratewright.base.errors import CratewrightError, LinkError, PluginError, SourceError
from cratewright.contract.backend import CodegenBackend
from cratewright.contract.edge import guard, implements, open_backend, plugin_class
from cratewright.testing import StubBackend
from cratewright.values.crate_type import CrateType
from cratewright.values.options import Options
from tests.support.edge_backend import MODULE, REQUEST, SESSION, STENCIL, Upper, changed

Golden = Callable[[str, str], None]


class Odd(SourceError):
    """A subclass of our errors with its own constructor."""

    def __init__(self, line: int) -> None:
        super().__init__(f"a.txt:{line}: error: odd", context=(("line", line),), hint="even it")


class Uncaught(BaseException):
    """Not caught by `except Exception`."""


class Mute(Exception):
    """An exception whose `str()` fails."""

    def __str__(self) -> str:
        raise ValueError


RAISED: Mapping[str, Callable[[], BaseException]] = {
    "an exception": lambda: ZeroDivisionError("oh"),
    "without a text": KeyError,
    "a text of two lines": lambda: ValueError("one\ntwo"),
    "that cannot say what it is": Mute,
    "the end of the process": lambda: SystemExit(3),
    "an interrupt of its own": KeyboardInterrupt,
    "the end of a generator": GeneratorExit,
    "of a kind that nobody catches": lambda: Uncaught("oh"),
    "an error of ours": lambda: LinkError("app: no such symbol"),
    "an error of ours that says nothing": LinkError,
    "an error of ours with a number for a hint": lambda: LinkError("app: no", hint=3),  # type: ignore[arg-type]
    "an error of ours with a text for a diagnostic": lambda: LinkError("app: no", diagnostics=["a"]),  # type: ignore[list-item]
    "an error of its own": lambda: Odd(3),
}


@pytest.mark.parametrize("method", ["__init__", "init", "fingerprint", "compile_codegen_unit", "output_names"])
def test_exception_of_a_method_names_the_plugin(golden: Golden, method: str) -> None:
    messages: list[str] = []
    for name, make in RAISED.items():

        def fail(self: object, *arguments: object, make: Callable[[], BaseException] = make) -> None:
            raise make()

        arguments = {"compile_codegen_unit": (STENCIL,), "output_names": ("app", CrateType.BIN, Options(()))}
        with pytest.raises(CratewrightError) as caught:
            getattr(open_backend(changed({method: fail}), SESSION), method)(*arguments.get(method, ()))
        lines = str(caught.value).splitlines()
        messages.append("\n".join([f"# {name}", *(line for line in lines if "test_edge.py:" not in line), ""]))
        assert caught.value.__class__.__module__ == "cratewright.base.errors"
        if isinstance(caught.value, PluginError):
            at = dict(caught.value.context)["raised at"]
            assert at.endswith("in fail: raise make()") and at.count("\n") == 0
    golden(f"errors/plugin_fails_{method.replace('__init__', 'made')}.txt", "\n".join(messages))


def test_interrupt_passes_through() -> None:
    import signal

    class Slow(Upper):
        def fingerprint(self) -> str:
            signal.raise_signal(signal.SIGINT)
            return "upper 1"

    with pytest.raises(KeyboardInterrupt):
        open_backend(Slow, SESSION).fingerprint()


class Uninspectable:
    """A value whose class cannot be determined."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise ZeroDivisionError


def _deny(self: object, name: str) -> object:
    raise ZeroDivisionError(name)


def test_invalid_backend_objects_are_rejected() -> None:
    """A backend and its results may have any metaclass, property and attribute."""
    for words, message in (
        ({"__new__": lambda cls: 3}, r"Upper\(\) made an int"),
        ({"__new__": lambda cls: None}, r"Upper\(\) made None"),
        ({"__getattribute__": _deny}, r"init\(\) failed: ZeroDivisionError: init"),
        ({"session": property(lambda self: 1 / 0, lambda self, value: None)}, "session.* failed: ZeroDivisionError"),
        (
            {"fingerprint": lambda self: Uninspectable()},
            r"fingerprint\(\) returned|fingerprint\(\) failed: ZeroDivision",
        ),
        ({"fingerprint": lambda self: " "}, r"fingerprint\(\) returned ' '"),
        ({"fingerprint": lambda self: "\x1b[31m"}, r"fingerprint\(\) returned '.x1b"),
        ({"fingerprint": lambda self: "\udcff"}, r"fingerprint\(\) returned '.udcff"),
        ({"output_names": lambda self, *_: (Uninspectable(),)}, r"output_names\(\) failed: ZeroDivisionError"),
    ):
        with pytest.raises(PluginError, match=rf"backend 'upper': {message}") as caught:
            backend = open_backend(changed(words), SESSION)
            backend.fingerprint()
            backend.output_names("app", CrateType.BIN, Options(()))
        assert ("plugin", "upper_plugin, no version") in caught.value.context


def test_init_must_keep_the_session() -> None:
    with pytest.raises(PluginError, match=r"init\(\) does not keep the session"):
        open_backend(changed({"init": lambda self, session: None}), SESSION)


def test_guarded_backend_behaves_like_the_original() -> None:
    backend = open_backend(StubBackend, SESSION)
    assert guard(backend) is backend and plugin_class(backend) is StubBackend
    assert (backend.NAME, backend.TARGETS, backend.session) == ("stub", ("text", "text2"), SESSION)
    assert backend.fingerprint() == "stub 1"
    assert backend.capabilities == StubBackend.capabilities and not backend.times_passes
    assert implements(backend, CodegenBackend.run_fat_lto) and not implements(backend, CodegenBackend.codegen)
    # Default implementations are not wrapped.
    assert backend.codegen(MODULE, REQUEST.config) is MODULE
    assert type(backend).codegen is CodegenBackend.codegen and type(backend).OPTIONS is StubBackend.OPTIONS


def test_every_method_is_guarded() -> None:
    own = [name for name, value in vars(CodegenBackend).items() if callable(value) and not name.startswith("_")]
    everything = changed({name: lambda self, *arguments: {3} for name in own if name != "init"})
    backend = open_backend(everything, SESSION)
    for name in own:
        if name != "init":
            with pytest.raises(PluginError, match="returned a set"):
                getattr(backend, name)()
