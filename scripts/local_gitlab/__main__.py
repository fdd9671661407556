"""Run a local GitLab from a shell: `make gitlab`, or `python -m local_gitlab [--port N] [--data DIR] [--seed FILE]`."""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import logging
import shutil
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NoReturn

from local_gitlab import leftovers, seeds
from local_gitlab.ci_runner import CiRunner, why_not
from local_gitlab.server import LocalGitLab

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT: Final = Path(__file__).resolve().parents[2]
USAGE_ERROR: Final = 2
LAST_PORT: Final = 65_535
EXAMPLE: Final = """\
A seed is JSON:
  {"users": [{"username": "root", "admin": true}, {"username": "compose-bot"}],
   "projects": [{"path": "centos/compose-repo", "owner": "root", "from": "/path/to/a/repository",
                 "members": {"compose-bot": 30}}]}
Without one, the project of this checkout is created, with its users, set up, and with one open merge request.
"""


class _StoppedError(BaseException):
    """Somebody has asked for the end."""


class _CannotStartError(Exception):
    """The server cannot be started; the message says why and what to do."""


def main() -> None:
    """Serve until stopped by Ctrl-C, SIGTERM, a closed terminal, or the end of the process that started this one."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.WARNING)
    leftovers.end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        with _folder(arguments.data) as folder, _started(folder, arguments.port) as server:
            _say(_seeded(server, arguments.seed))
            threading.Event().wait()
    except _StoppedError:
        with contextlib.suppress(OSError):  # the terminal may be gone
            _say("\nStopped.")
    except (_CannotStartError, seeds.SeedError) as error:
        print(f"local_gitlab: {error}", file=sys.stderr)  # noqa: T201  # the answer
        sys.exit(USAGE_ERROR if isinstance(error, _CannotStartError) else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_gitlab",
        description="A GitLab on loopback, until Ctrl-C.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=_port, default=0, help="the port; default: any that is free")
    parser.add_argument(
        "--data", "--directory", type=Path, metavar="DIR", help="keep everything here; default: it is thrown away"
    )
    parser.add_argument("--seed", type=Path, metavar="FILE", help="users and projects to create if they do not exist")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!a} is not a port")
    return int(text)


def _stop(*_: object) -> NoReturn:
    """End once; whoever asks again while things are put away is not heard."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise _StoppedError


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    """Give the folder of the state, which no other server uses; a temporary one is removed however this ends."""
    if chosen is None:
        folder = Path(tempfile.mkdtemp(prefix="local-gitlab-"))
        with leftovers.start_remover(folder) as remover:
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                if remover.stdin:
                    remover.stdin.close()
        return
    with _locked(chosen):
        yield chosen.resolve()


def _locked(folder: Path) -> IO[str]:
    """Make a folder if it does not exist, and take it for this process until the file is closed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _CannotStartError(f"'{folder}' is in use by another local GitLab; choose another --data") from None
    except OSError as error:
        raise _CannotStartError(f"'{folder}' cannot be used: {error.strerror}; choose another --data") from error
    return lock


@contextmanager
def _started(folder: Path, port: int) -> Iterator[LocalGitLab]:
    # The jobs use the environment that this server runs in, where it has the command: installing one takes minutes.
    installed = (Path(sys.prefix) / "bin" / "compose-repo").exists()
    ci = CiRunner.find({"COMPOSE_REPO_VENV": sys.prefix} if installed else {})
    try:
        server = LocalGitLab.start(folder, port=port, ci=ci)
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        raise _CannotStartError(f"port {port} cannot be used: {error.strerror}; choose another --port") from error
    with server:
        yield server


def _seeded(server: LocalGitLab, seed: Path | None) -> str:
    """Plant what is asked for and return what there is to say of it."""
    reason = why_not()
    if seed is None:
        return seeds.of_checkout(server, CHECKOUT, without_pipelines=reason)
    lines = [server.url, *([f"Pipelines are skipped: {reason}."] if reason else [])]
    return "\n".join([*lines, *(f"{name} {token}" for name, token in seeds.of_file(server, seed).items())])


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the answer


if __name__ == "__main__":
    main()
