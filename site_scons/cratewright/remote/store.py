"""A store on a server: builds wait for it within limits, fill it in the background, and abandon it once it is useless.

A transport speaks the protocol.
"""

from __future__ import annotations

import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from ..base.errors import Interrupted
from ..base.printable import printable
from ..base.values import dataclass
from ..cache.entry import RecompileError, RecompileFault, open_entry
from ..cache.key import CacheKey
from ..cache.store import CacheKvStore, StoreReport
from .message import LARGEST
from .patience import Patience, Wait

_PATIENCE = 10.0
"""Seconds that a build waits for a server without an answer, in total."""
_LAST = 60.0
"""The most seconds that the end of a build waits for pending uploads, however fast they are."""
_FAULTS = 4
"""How many more faults than proper answers a server may have."""
_BATCH = 256
_BATCH_BYTES = 8 << 20
_LINE = 400
_QUEUE_BYTES = 256 << 20
"""Bytes that may wait to be sent; more is not sent."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A server's fault; after a `final` one the server is not used again."""

    reason: str
    final: bool = False


class ServerError(Exception):
    """A server's fault, as an exception."""

    def __init__(self, reason: str, final: bool = False) -> None:
        super().__init__(reason)
        self.fault = Fault(reason, final)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A server's answers.

    Shape: `answers` counts the keys answered properly, including those that the server lacks.
    """

    values: Mapping[str, bytes]
    answers: int
    faults: Sequence[Fault] = ()


class Transport(ABC):
    """Speaks one protocol with one server, from several threads at once; raises nothing but Interrupted."""

    @abstractmethod
    def fetch(self, keys: Sequence[str], wait: Wait) -> Fetched:
        """Return the values of keys."""

    def ready(self) -> None:
        """Start the threads for sending; none can be started while Python exits."""
        return

    @abstractmethod
    def send(self, items: Mapping[str, bytes], wait: Wait) -> Sequence[Fault]:
        """Send values; return a fault for each that the server did not accept."""

    @abstractmethod
    def greet(self, wait: Wait) -> Fault | None:
        """Check that the server responds."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections, even those with a pending answer."""


class RemoteStore(CacheKvStore):
    """The entries on a server.

    Shape: `name` is for messages.
    Units: `patience` in seconds.
    """

    def __init__(self, transport: Transport, name: str, patience: float = _PATIENCE) -> None:
        self._transport = transport
        self._name = name
        self._seconds = patience
        self._patience = Patience(patience)
        self._condition = threading.Condition()
        self._waiting: dict[str, bytes] = {}
        self._bytes = self._sending = self._unsent = 0
        self._sent = Wait(0.0)
        self._faults = {"asked": 0, "sent": 0}
        self._thread: threading.Thread | None = None
        self._left = self._full = ""

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Ask the server; treat damaged entries as missing."""
        if self._left or not keys:
            return {}
        wait = self._patience.wait()
        fetched = self._transport.fetch(keys, wait)
        values: dict[str, bytes] = {}
        faults = list(fetched.faults)
        for key, data in fetched.values.items():
            try:
                open_entry(CacheKey(key), data)
                values[key] = data
            except RecompileError as error:
                if error.fault is not RecompileFault.VERSION:
                    faults.append(Fault(f"an entry that cannot be used: {error}"))
        patient = self._patience.paid(wait)
        reason = self._verdict("asked", faults, fetched.answers)
        if reason or not patient:
            self._leave(reason or f"it is too slow: no answer in {self._seconds:g} s of waiting")
        return values

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Send values in the background."""
        with self._condition:
            for key, value in items.items():
                if self._left or self._full:
                    return
                if len(value) > LARGEST or self._bytes + len(value) > _QUEUE_BYTES:
                    self._unsent += 1
                    continue
                self._bytes += len(value) - len(self._waiting.pop(key, b""))
                self._waiting[key] = value
            if self._thread is None and self._waiting:
                self._thread = threading.Thread(target=self._send, name="cratewright cache", daemon=True)
                self._transport.ready()
                try:
                    self._thread.start()
                except RuntimeError:  # no thread can be started
                    self._full = "no thread"
            self._condition.notify_all()

    def close(self) -> None:
        """Wait, within limits, until everything is sent, and close the connections."""
        with self._condition:
            self._sent = Wait(self._seconds, _LAST)
            try:
                while (self._waiting or self._sending) and not (self._left or self._full) and self._sent.left:
                    self._condition.wait(0.1)
            except Interrupted:
                self._left = "interrupted"
            unsent = self._unsent + len(self._waiting) + self._sending
            self._waiting, self._bytes = {}, 0
            is_reported = bool(self._left or self._full)
            self._left = self._left or "closed"
            self._condition.notify_all()  # the sending thread ends and releases this store
        if unsent and not is_reported:
            tell_user(f"{unsent} result{'s were' if unsent > 1 else ' was'} not sent to the cache {self._name}")
        self._transport.close()

    def report(self) -> StoreReport:
        """Report whether the server answers."""
        fault = self._transport.greet(Wait(self._seconds))
        return StoreReport(
            (("server", "answers" if fault is None else "does not answer"),), fault.reason if fault else ""
        )

    @property
    def problem(self) -> str:
        """Why the server is no longer used."""
        return self._left

    def _send(self) -> None:
        while True:
            with self._condition:
                while not self._waiting:
                    if self._left or self._full:
                        return
                    self._condition.wait()
                batch: dict[str, bytes] = {}
                size = 0
                for key in list(self._waiting)[:_BATCH]:
                    if batch and size + len(self._waiting[key]) > _BATCH_BYTES:
                        break
                    batch[key] = self._waiting.pop(key)
                    size += len(batch[key])
                self._bytes -= size
                self._sending = len(batch)
            wait = Wait(self._seconds)
            try:
                faults = self._transport.send(batch, wait)
            except Interrupted:
                faults = [Fault("interrupted", final=True)]
            except Exception as error:  # if this thread died, `close` would wait in vain
                faults = [Fault(repr(error), final=True)]
            reason = self._verdict("sent", faults, len(batch) - len(faults))
            with self._condition:
                self._sending = 0
                self._sent.came(size, len(batch))
                if reason and not (self._left or self._full):
                    self._full = reason
                    if reason != "interrupted":
                        tell_user(f"no longer writing to the cache {self._name}: {reason}")
                if self._full:
                    self._waiting, self._bytes = {}, 0
                self._condition.notify_all()

    def _verdict(self, what: str, faults: Sequence[Fault], answers: int) -> str:
        """Record an exchange; return why the server should not be used again, empty if it should."""
        final = next((fault for fault in faults if fault.final), None)
        with self._condition:
            self._faults[what] = max(0, self._faults[what] + len(faults) - answers)
            if final is not None:
                return final.reason
            return faults[-1].reason if faults and self._faults[what] >= _FAULTS else ""

    def _leave(self, reason: str) -> None:
        with self._condition:
            if self._left:
                return
            self._left = reason
            self._waiting, self._bytes = {}, 0
            self._condition.notify_all()
            is_reported = bool(self._full)  # a dying server fails sending and asking at once
        if not is_reported:
            tell_user(f"continuing without the cache {self._name}: {reason}")
        self._transport.close()


def tell_user(text: str) -> None:
    """Print one line of limited length, since some words may be a server's."""
    words = " ".join(text.split())
    sys.stderr.write(printable(f"cratewright: {words if len(words) <= _LINE else words[:_LINE] + '...'}") + "\n")
