"""What plugins offer besides backends: commands, profiles and event listeners."""

from __future__ import annotations

import argparse
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

import cratewright
from cratewright import BuildStarted, Command, Event, Profile, StageStarted, cli
from cratewright.base.errors import ConfigurationError, PluginError
from cratewright.contract.offered import OWN_COMMANDS
from cratewright.plugins.hooks import COMMANDS, EVENTS, PROFILES
from cratewright.plugins.registry import Registry
from cratewright.testing import StubBackend
from cratewright.values.option_spec import OptionKind, OptionSpec

Golden = Callable[[str, str], None]


def _run(arguments: argparse.Namespace) -> int | None:
    print(f"hello {arguments.whom}")
    return 3 if arguments.whom == "three" else None


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("whom", help="whom to greet")


GREET = Command(name="greet", help="greet somebody", run=_run, arguments=_arguments)
HARD = Profile(name="hard", options={"opt_level": 3, "defines": ["HARD"]}, inherits="release")


def _plugin(name: str = "more_plugin", **hooks: Callable[..., object]) -> types.ModuleType:
    module = types.ModuleType(name)
    for hook, function in hooks.items():
        setattr(module, hook, cratewright.hookimpl(function))
    return module


class Loud(StubBackend):
    """A backend with its own options."""

    NAME = "loud"
    OPTIONS = (
        *StubBackend.OPTIONS,
        OptionSpec(name="volume", kind=OptionKind.INT, default=1, most=11, help=""),
        OptionSpec(name="tune", kind=OptionKind.PATH, default="", help=""),
    )
    UNIT_OPTIONS = StubBackend.UNIT_OPTIONS | {"volume", "tune"}


def test_plugin_without_a_backend() -> None:
    registry = Registry()
    registry.register(_plugin(**{COMMANDS: lambda: GREET, PROFILES: lambda: [HARD, replace(HARD, name="harder")]}))
    (plugin,) = registry.plugins
    assert plugin.commands == ("greet",) and plugin.profiles == ("hard", "harder") and not plugin.broken
    assert registry.profiles["hard"] == {"inherits": "release", "opt_level": 3, "defines": ["HARD"]}
    assert [(command.name, owner.name) for command, owner in registry.commands] == [("greet", "more_plugin")]


def test_profile_applies_only_options_that_the_backend_has() -> None:
    registry = Registry()
    registry.register(
        _plugin(
            cratewright_register_backend=lambda: [StubBackend, Loud],
            **{PROFILES: lambda: Profile(name="high", options={"volume": 11, "opt_level": "s"})},
        )
    )
    assert registry.profiles_for(Loud)["high"] == {"inherits": "", "volume": 11, "opt_level": "s"}
    assert registry.profiles_for(StubBackend)["high"] == {"inherits": "", "opt_level": "s"}


def _raises() -> object:
    raise ZeroDivisionError("oh")


OFFERED: dict[str, tuple[str, Callable[[], object]]] = {
    "no command": (COMMANDS, lambda: "greet"),
    "none among several": (COMMANDS, lambda: [GREET, None]),
    "a function": (COMMANDS, lambda: _run),
    "a command with capitals": (COMMANDS, lambda: replace(GREET, name="Greet")),
    "a command like an option": (COMMANDS, lambda: replace(GREET, name="--greet")),
    "a command without a name": (COMMANDS, lambda: replace(GREET, name=3)),  # type: ignore[arg-type]
    "one of cratewright's own": (COMMANDS, lambda: replace(GREET, name="build")),
    "a command without help": (COMMANDS, lambda: replace(GREET, help="")),
    "a command with much help": (COMMANDS, lambda: replace(GREET, help="two\nlines")),
    "a command that does nothing": (COMMANDS, lambda: replace(GREET, run=None)),  # type: ignore[arg-type]
    "a command with a list": (COMMANDS, lambda: replace(GREET, arguments=["whom"])),  # type: ignore[arg-type]
    "a command twice": (COMMANDS, lambda: [GREET, GREET]),
    "another plugin's command": (COMMANDS, lambda: replace(GREET, name="taken")),
    "a hook that fails": (COMMANDS, _raises),
    "no profile": (PROFILES, lambda: {"hard": {}}),
    "a profile of no name": (PROFILES, lambda: replace(HARD, name="")),
    "a profile of a built-in name": (PROFILES, lambda: replace(HARD, name="release")),
    "a profile with a list": (PROFILES, lambda: replace(HARD, options=["opt_level"])),  # type: ignore[arg-type]
    "a profile that inherits nothing": (PROFILES, lambda: replace(HARD, inherits="relaese")),
    "a profile that inherits itself": (PROFILES, lambda: replace(HARD, inherits="hard")),
    "an unknown option": (PROFILES, lambda: replace(HARD, options={"opt_leve": 3})),
    "a value that is none": (PROFILES, lambda: replace(HARD, options={"opt_level": 7})),
    "a value out of bounds": (PROFILES, lambda: replace(HARD, options={"volume": 12})),
    "a path": (PROFILES, lambda: replace(HARD, options={"tune": "a.txt"})),
    "directories": (PROFILES, lambda: replace(HARD, options={"include_dirs": ["inc"]})),
    "another plugin's profile": (PROFILES, lambda: replace(HARD, name="taken")),
    "a profile twice": (PROFILES, lambda: [HARD, HARD]),
}


def test_invalid_offers_are_rejected(golden: Golden) -> None:
    messages = []
    taken = {
        COMMANDS: lambda: replace(GREET, name="taken"),
        PROFILES: lambda: replace(HARD, name="taken"),
        "cratewright_register_backend": lambda: Loud,
    }
    for what, (hook, function) in OFFERED.items():
        registry = Registry()
        registry.register(_plugin("first_plugin", **taken))
        with pytest.raises(PluginError, match="more_plugin") as caught:
            registry.register(_plugin(**{hook: function, "cratewright_register_backend": lambda: StubBackend}))
        # Nothing else of the plugin is registered.
        assert registry.names == ("loud",) and [p.name for p in registry.plugins] == ["first_plugin"], what
        assert [command.name for command, _ in registry.commands] == ["taken"] and [*registry.profiles] == ["taken"]
        lines = [line for line in str(caught.value).splitlines() if "test_offered.py" not in line]
        messages.append(f"# {what}\n" + "\n".join(lines).replace(hex(id(_run)), "0x1") + "\n")
    golden("errors/plugin_offers.txt", "\n".join(messages))


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs the command line with a plugin that adds a command."""

    def run(*words: str, command: Command = GREET) -> int:
        registry = Registry()
        registry.register(_plugin(**{COMMANDS: lambda: command}), origin="more 1.0")
        for module in (cli, cli.plugins):
            monkeypatch.setattr(module, "default_registry", lambda: registry)
        try:
            return cli.main(list(words))
        except SystemExit as error:
            assert isinstance(error.code, int)
            return error.code

    return run


def test_command_of_a_plugin(command_line: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line("greet", "world") == 0
    assert capsys.readouterr().out == "hello world\n"
    assert command_line("greet", "three") == 3
    assert command_line("greet") == 2 and "arguments are required: whom" in capsys.readouterr().err
    assert command_line("greet", "a", "b") == 2 and "unrecognized arguments: b" in capsys.readouterr().err
    assert command_line("greet", "a", "--", "b") == 2 and "take arguments after --" in capsys.readouterr().err
    assert command_line("--help") == 0 and "greet somebody (more 1.0)" in " ".join(capsys.readouterr().out.split())
    assert command_line("greet", "--help") == 0 and "whom to greet" in capsys.readouterr().out
    assert command_line("gret") == 2 and "greet" in capsys.readouterr().err
    assert command_line("backends") == 0 and "commands:    greet" in capsys.readouterr().out


def _raising(error: BaseException) -> Callable[..., None]:
    def run(_: object) -> None:
        raise error

    return run


def test_failing_command_names_the_plugin(command_line: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    for run, said in (
        (_raising(ZeroDivisionError("oh")), "plugin 'more_plugin', command 'greet' failed: ZeroDivisionError: oh"),
        (_raising(SystemExit(0)), "plugin 'more_plugin', command 'greet' failed: SystemExit: 0"),
        (_raising(ConfigurationError("not so", hint="but so")), "cratewright: not so\n  hint: but so"),
        (lambda _: "well", "plugin 'more_plugin', command 'greet': run() returned 'well'"),
        (lambda _: 256, "expected: an exit status from 0 to 255, or None for 0"),
        (lambda _: True, "run() returned True"),
    ):
        assert command_line("greet", "a", command=replace(GREET, run=run)) == 2
        errors = capsys.readouterr().err
        assert said in errors and "Traceback" not in errors, errors
    bad = replace(GREET, arguments=_raising(ZeroDivisionError("oh")))
    assert command_line("greet", command=bad) == 2
    assert "plugin 'more_plugin', command 'greet' cannot declare its arguments: ZeroDiv" in capsys.readouterr().err
    # Other commands still work.
    assert command_line("--help", command=bad) == command_line("backends", command=bad) == 0
    taken = replace(GREET, arguments=lambda parser: parser.add_argument("run") and None)
    assert command_line("greet", "a", command=taken) == 2
    assert "command 'greet': an argument cannot be called 'run'" in capsys.readouterr().err


def test_builtin_command_loads_no_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> Registry:
        raise AssertionError("loaded")

    monkeypatch.setattr(cli.plugins, "default_registry", fails)
    parser = cli.command_parser(["build", "greet"])
    assert set(next(iter(parser._subparsers._group_actions)).choices) == OWN_COMMANDS  # type: ignore[arg-type, union-attr]


STARTED = BuildStarted(1, "0", 0.0, 1)
STAGE = StageStarted("codegen", "a", "a.rlink")


def test_plugins_receive_events(capsys: pytest.CaptureFixture[str]) -> None:
    """All events arrive in order; a failing listener is named once and removed, the others continue."""
    received: list[Event] = []

    def fails(event: Event) -> None:
        received.append(event)
        raise KeyError("oh")

    def records(event: Event) -> None:
        received.append(event)

    registry = Registry()
    registry.register(_plugin("a_plugin", **{EVENTS: fails}))
    registry.register(_plugin("b_plugin", **{EVENTS: records}))
    registry.register(_plugin("c_plugin", **{EVENTS: lambda event: sys.exit(0)}))
    listeners = registry.listeners()
    for event in (STARTED, STAGE):
        for listener in listeners:
            listener(event)
    assert received == [STARTED, STARTED, STAGE]
    errors = capsys.readouterr().err
    assert (
        errors.count("plugin 'a_plugin' failed at BuildStarted, and gets no more events of this build: KeyError") == 1
    )
    assert (
        errors.count("plugin 'c_plugin' failed at BuildStarted, and gets no more events of this build: SystemExit") == 1
    )
    assert "test_offered.py" in errors and "Traceback" not in errors
    with pytest.raises(PluginError, match="plugin 'late_plugin' listens to build events, but the build has begun"):
        registry.register(_plugin("late_plugin", **{EVENTS: records}))


def test_interrupt_in_a_listener_passes_through() -> None:
    registry = Registry()

    def interrupted(event: Event) -> None:
        # Raised as the interpreter does, not by a statement of the plugin.
        import signal

        signal.raise_signal(signal.SIGINT)

    registry.register(_plugin(**{EVENTS: interrupted}))
    with pytest.raises(KeyboardInterrupt):
        registry.listeners()[0](STARTED)


def test_hook_wrappers() -> None:
    """A wrapper may change what others offer; one that returns an invalid value is named."""

    class Doubles:
        @cratewright.hookimpl(wrapper=True)
        def cratewright_add_commands(self) -> Iterator[None]:
            answers = yield
            return [replace(item, help=f"{item.help}!") for item in answers]  # type: ignore[attr-defined, return-value]

    registry = Registry()
    registry.register(Doubles(), name="doubles")
    registry.register(_plugin(**{COMMANDS: lambda: GREET}))
    assert [command.help for command, _ in registry.commands] == ["greet somebody!"]

    class Spoils:
        @cratewright.hookimpl(wrapper=True)
        def cratewright_add_profiles(self) -> Iterator[None]:
            yield
            return 3  # type: ignore[return-value]

    with pytest.raises(PluginError, match=r"a wrapper of cratewright_add_profiles\(\) returns 3"):
        registry.register(Spoils(), name="spoils")
    registry.register(_plugin("other", **{COMMANDS: lambda: replace(GREET, name="other")}))
