"""What a backend may know of its build."""

from __future__ import annotations

from ..base.errors import ConfigurationError
from ..base.values import dataclass

_LONGEST = 1_000_000
"""Seconds; the system cannot wait longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a backend may know of its build.

    Shape: `root` is the absolute project root, only for opening files: it must not appear in a result;
    `environ` holds the `CRATE_*` settings, from construction variables or the process environment. `cache` is the
    nearest cache directory that may be read and written, empty if there is none, and `cache_size` its limit.
    Units: `cache_size` in bytes.
    """

    root: str
    target: str
    environ: tuple[tuple[str, str], ...] = ()
    cache: str = ""
    cache_size: int = 0

    def setting(self, name: str) -> str:
        """Return a `CRATE_*` setting, or an empty string."""
        return next((value for key, value in self.environ if key == name), "")

    @property
    def timeout(self) -> float:
        """How long a unit may take, from `CRATE_TIMEOUT`.

        Units: seconds.
        Raises: ConfigurationError unless it is a positive number.
        """
        text = self.setting("CRATE_TIMEOUT") or "300"
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < _LONGEST:
            raise ConfigurationError(
                f"CRATE_TIMEOUT takes a number of seconds, more than 0 and less than {_LONGEST}, not '{text}'"
            )
        return seconds
