"""Jobs of the workflow as forks of one process that has imported the libraries.

A job of the smoke configuration computes for a second and imports torch, transformers and their
like for six. Here a server imports them once, and a `python` that stands first on the PATH has it
fork for every `python -m kg.X` or `meg.X`. The project's own modules are imported by each job, in
its folder, with its arguments and environment; anything else is given to the real Python.
"""

import array
import atexit
import gc
import importlib
import json
import os
import runpy
import socket
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
import array, json, os, socket, sys
if sys.argv[1:2] != ["-m"] or not sys.argv[2].startswith(("kg.", "meg.")):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
job = {{"argv": sys.argv[2:], "cwd": os.getcwd(), "env": dict(os.environ)}}
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    streams = array.array("i", [0, 1, 2])
    server.sendmsg([b"-"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
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


def serve(address: str) -> None:
    """Fork for every connection, forever."""
    for name in MODULES:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("kg", "meg")]:
        del sys.modules[name]
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            connection, _ = listening.accept()
            # The outer fork waits for the inner one, so that the server waits for none.
            if os.fork() == 0:
                listening.close()
                _answer(connection)
                os._exit(0)
            connection.close()
            _reap()


def _answer(connection: socket.socket) -> None:
    _, ancillary, *_ = connection.recvmsg(1, socket.CMSG_LEN(3 * array.array("i").itemsize))
    streams = array.array("i")
    streams.frombytes(ancillary[0][2])
    job = json.loads(b"".join(iter(lambda: connection.recv(65536), b"")))
    child = os.fork()
    if child == 0:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os._exit(_run(**job))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    connection.sendall(str(status if status >= 0 else 128 - status).encode())


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


def _reap() -> None:
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


if __name__ == "__main__":
    serve(sys.argv[1])
