"""A local registry with one container image, of files of this machine as one layer."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["serving_image"]

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def _layer(files: Mapping[str, Path], texts: Mapping[str, str], links: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, path in files.items():
            archive.add(path.resolve(), name)
        for name, text in texts.items():
            item = tarfile.TarInfo(name)
            item.size = len(text)
            archive.addfile(item, io.BytesIO(text.encode()))
        for name, target in links.items():
            item = tarfile.TarInfo(name)
            item.type, item.linkname = tarfile.SYMTYPE, target
            archive.addfile(item)
    return out.getvalue()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@contextlib.contextmanager
def serving_image(files: Mapping[str, Path], texts: Mapping[str, str], links: Mapping[str, str]) -> Iterator[str]:
    """Serve an image of some files, by their paths in it; yield its name."""
    layer = _layer(files, texts, links)
    packed = gzip.compress(layer, 1)
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]}}
    config_data = json.dumps(config).encode()

    def described(kind: str, data: bytes) -> dict[str, object]:
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": _digest(data), "size": len(data)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": described("config.v1+json", config_data),
        "layers": [described("layer.v1.tar+gzip", packed)],
    }
    document = json.dumps(manifest).encode()
    contents = {_digest(data): data for data in (config_data, document, packed)}

    class Registry(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = contents.get(self.path.rpartition("/")[2])
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Type", _MANIFEST if data is document else "application/octet-stream")
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Do not log requests."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"docker://127.0.0.1:{server.server_address[1]}/team/shaders@{_digest(document)}"
    finally:
        server.shutdown()
        server.server_close()
