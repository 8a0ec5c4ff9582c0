"""Certificates for servers and clients of tests, made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from cratewright.testing import require_tool

__all__ = ["make_certificate"]


def make_certificate(directory: Path, name: str, hosts: str = "IP:127.0.0.1") -> Path:
    """Return a file with a key and a self-signed certificate; `NAME.cert` beside it has no key."""
    require_tool(shutil.which("openssl") is not None, "openssl")
    words = f"req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.cert -days 2 -subj /CN={name}"
    command = ["openssl", *words.split(), "-addext", f"subjectAltName={hosts}"]
    subprocess.run(command, cwd=directory, check=True, capture_output=True)
    whole = directory / f"{name}.pem"
    whole.write_text((directory / f"{name}.key").read_text() + (directory / f"{name}.cert").read_text())
    return whole
