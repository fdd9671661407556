"""Leaves nothing behind, however the server ends: started as a script, it outlives the server by a moment.

    leftovers.py run COMMAND…   run a command; when standard input ends, end it and all that it has started
    leftovers.py remove FOLDER  when standard input ends, remove a folder

Standard input is a pipe whose other end the server alone holds. The system closes it when the server is gone, even when
it was killed. What a command has started is found by its parents in /proc, and by its process group elsewhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

ENDED: Final = 128 + signal.SIGTERM
GRACE: Final = 2.0
"""Seconds between asking a process to end and ending it."""
_PARENT_DEATH, _ADOPT = 1, 36  # PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER


def start_remover(folder: Path) -> subprocess.Popen[bytes]:
    """Start what removes a folder when the pipe to it is closed."""
    return subprocess.Popen(
        [*_command(), "remove", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,  # Ctrl-C is for the server
    )


def guarded(command: list[str]) -> list[str]:
    """Return the command line that runs a command and ends with standard input."""
    return [*_command(), "run", *command]


def end_with_parent() -> None:
    """Let SIGTERM come when the process that has started this one ends, where the system can do that."""
    _control(_PARENT_DEATH, signal.SIGTERM)


def descendants(pid: int) -> list[int]:
    """Return the processes that one has started, and those that these have."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = list(children.get(pid, []))
    for one in found:
        found += children.get(one, [])
    return found


def _command() -> list[str]:
    return [sys.executable, "-I", "-S", __file__]


def _control(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _run(command: list[str]) -> int:
    _control(_ADOPT, 1)  # what its children leave behind becomes a child of ours
    signal.signal(signal.SIGTERM, lambda *_: _end_all())
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def watch() -> None:
        while os.read(0, 1024):
            pass
        _end_all()

    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    _signal_all(signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _end_all() -> None:
    _signal_all(signal.SIGTERM)
    end = time.monotonic() + GRACE
    while time.monotonic() < end and descendants(os.getpid()):
        time.sleep(0.02)
    _signal_all(signal.SIGKILL)
    os._exit(ENDED)


def _signal_all(number: signal.Signals) -> None:
    for pid in descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _remove(folder: Path) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1024):
        pass
    end = time.monotonic() + GRACE
    while folder.exists() and time.monotonic() < end:  # what is still being written comes to its end
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)
    return 0


def main(arguments: list[str]) -> int:
    """Do what the first argument says."""
    return _run(arguments[1:]) if arguments[0] == "run" else _remove(Path(arguments[1]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
