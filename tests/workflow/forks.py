"""Jobs of the workflow as forks of one process that has imported the libraries.

A job of the smoke configuration computes for a second and imports torch, transformers and their
like for six. Here a server imports them once, and a `python` that stands first on the PATH has it
fork for every `python -m kg.X` or `meg.X`. The project's own modules are imported by each job, in
its folder, with its arguments and environment; anything else is given to the real Python.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import socket
import socketserver
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path

MODULES = (
    *("kg.embed", "kg.features", "kg.hpo", "kg.link", "kg.train", "kg.umls"),
    *("meg.align", "meg.finetune", "meg.predict", "meg.questions", "meg.report", "meg.space"),
)
"""Between them they import all libraries."""

CLIENT = """#!{python} -IS
import json, os, socket, sys
if sys.argv[1:2] != ["-m"] or not sys.argv[2].startswith(("kg.", "meg.")):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
job = {{"argv": sys.argv[2:], "cwd": os.getcwd(), "env": dict(os.environ)}}
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"-"], [0, 1, 2])
    server.sendall(json.dumps(job).encode())
    server.shutdown(socket.SHUT_WR)
    sys.exit(int(server.recv(16) or 1))
"""


@cache
def folder_of_python() -> Path:
    """Folder with the `python` of forks, whose server lives as long as this process."""
    holder = tempfile.TemporaryDirectory()
    folder = Path(holder.name)
    address = str(folder / "socket")
    python = folder / "python"
    python.write_text(CLIENT.format(python=sys.executable, address=address))
    python.chmod(0o755)
    # Its OpenMP has as many threads as when it was loaded.
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.workflow.forks", address],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    atexit.register(holder.cleanup)
    atexit.register(server.kill)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return folder


class Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Forks for every job."""

    request_queue_size = 64


class Job(socketserver.BaseRequestHandler):
    """In the fork: does what the client was asked to do, and tells it the exit status."""

    def handle(self) -> None:
        """Without a status, of a fork that was killed, the client ends with 1."""
        _, streams, *_ = socket.recv_fds(self.request, 1, 3)
        job = json.loads(b"".join(iter(lambda: self.request.recv(65536), b"")))
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        self.request.sendall(str(_run(**job)).encode())


def import_libraries() -> None:
    """Import them, and forget the project's own modules."""
    for name in MODULES:
        importlib.import_module(name)
    for name in own_modules():
        del sys.modules[name]
    gc.freeze()


def own_modules() -> list[str]:
    """The project's modules that are imported."""
    return [name for name in sys.modules if name.partition(".")[0] in ("kg", "meg")]


def serve(address: str) -> None:
    """Import the libraries, then fork for every connection, forever."""
    import_libraries()
    with Server(address, Job) as server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.serve_forever()


def _run(argv: list[str], cwd: str, env: dict[str, str]) -> int:
    """What `python -m` does with these arguments; its exit status."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.path.insert(0, cwd)
    sys.argv = list(argv)
    try:
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    serve(sys.argv[1])
