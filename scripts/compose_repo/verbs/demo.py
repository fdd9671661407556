"""`demo`: the whole story on this machine, from compose to merge, against the local GitLab."""

import argparse
import errno
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from compose_repo.core.problems.problem import UsageError
from compose_repo.ports.console import Console

if TYPE_CHECKING:
    from compose_demo.story import Story

EXAMPLE: Final = """\
compose-repo demo
compose-repo demo --keep --port 8929
compose-repo demo ../composes/CentOS-Stream-9-20220207.0
"""
FULL_SIZE: Final = 2_600
HOW: Final = "in a checkout run `make demo` or `pip install -e '.[demo]'`"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "source", nargs="?", metavar="SOURCE", help="a real compose root, directory or URL (default: a made-up sample)"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave the GitLab running at the end, with a compose that waits, until Ctrl-C",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=0,
        help="the port of the local GitLab; the composes get the next one (default: any free ones)",
    )
    parser.add_argument("--directory", type=Path, help="where to put everything (default: a temporary directory)")
    parser.add_argument(
        "--srpms",
        type=int,
        default=FULL_SIZE,
        help="how many source packages the sample has (default: as many as a real stream)",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Play the demo; 0 only if every step went as expected."""
    try:
        from compose_demo.play import Wish, play  # noqa: PLC0415  # needs the extra `demo`
    except ImportError as error:
        raise UsageError(_without(str(error.name))) from error
    repository: Path = arguments.repo
    if not (repository / ".gitlab-ci.yml").is_file():
        raise UsageError(f"{repository} is not a checkout of the project; run the demo in one, or name it with --repo")
    with _folder(arguments.directory) as folder:
        try:
            wish = Wish(
                repository=repository,
                source=arguments.source,
                srpms=arguments.srpms,
                port=arguments.port,
                now=console.clock.now(),
                keep=arguments.keep,
            )
            if not arguments.keep:
                return play(wish, folder, console)
            return play(wish, folder, console, at_the_end=partial(_wait, console))
        except KeyboardInterrupt:
            console.info("stopped")
            return 0 if arguments.keep else 130
        except OSError as error:
            if not arguments.port or error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            reason = f"the demo cannot listen on port {arguments.port} and the next one: {error.strerror}"
            raise UsageError(f"{reason}; name another with --port") from error


def _without(module: str) -> str:
    """Say how to get what the demo needs: its code is in a checkout, not in the package."""
    if module.partition(".")[0] in {"compose_demo", "local_gitlab", "sample_composes"}:
        return (
            "the installed package does not hold the demo; in a checkout run `make demo` or `pip install -e '.[demo]'`"
        )
    return f"the demo needs {module}; {HOW}"


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004  # the last port there is
        raise argparse.ArgumentTypeError(f"{text!a} is not a port number")
    return int(text)


def _wait(console: Console, story: "Story") -> None:
    """Leave everything running until Ctrl-C."""
    console.out(f"The GitLab is still at {story.stage.gitlab.url} (Ctrl-C ends it).")
    signal.pause()


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        if chosen.exists() and any(chosen.iterdir()):
            raise UsageError(f"{chosen} is not empty; name a new directory")
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="compose-repo-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
