"""A worker of BuildGrid: takes Actions and runs each with buildbox-run, in a sandbox.

    BGD-PYTHON buildgrid_worker.py HOST:PORT INSTANCE BUILDBOX-RUN [ARGUMENT...]

Run it with the Python of BuildGrid, which has the messages of this protocol but no worker.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any


def main(server: str, instance: str, *command: str) -> None:
    """Work until it is killed."""
    import grpc
    from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as api
    from buildgrid._protos.google.devtools.remoteworkers.v1test2 import bots_pb2, bots_pb2_grpc, worker_pb2

    bots = bots_pb2_grpc.BotsStub(grpc.insecure_channel(server))
    device = worker_pb2.Device(handle=f"machine-{os.getpid()}")
    device.properties.add(key="OSFamily", value="linux")
    device.properties.add(key="container-image", value="docker://cratewright")
    session = bots_pb2.BotSession(
        bot_id=f"{device.handle}-{uuid.uuid4()}", status=bots_pb2.OK, worker=worker_pb2.Worker(devices=[device])
    )
    session = bots.CreateBotSession(bots_pb2.CreateBotSessionRequest(parent=instance, bot_session=session))
    while True:
        for lease in session.leases:
            if lease.state in (bots_pb2.PENDING, bots_pb2.ACTIVE):  # a new lease may be active already
                action = api.Action()
                lease.payload.Unpack(action)
                lease.result.Pack(_made(command, action, api))
                lease.status.code = 0
                lease.state = bots_pb2.COMPLETED
        request = bots_pb2.UpdateBotSessionRequest(name=session.name, bot_session=session)
        session = bots.UpdateBotSession(request, timeout=60, metadata=[("request-timeout", "10")])
        if not session.leases:
            time.sleep(0.02)


def _made(command: tuple[str, ...], action: Any, api: Any) -> Any:
    with tempfile.TemporaryDirectory() as scratch:
        action_file, result_file = Path(scratch, "action"), Path(scratch, "result")
        action_file.write_bytes(action.SerializeToString())
        subprocess.run([*command, f"--action={action_file}", f"--action-result={result_file}"], check=True)
        return api.ActionResult.FromString(result_file.read_bytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
