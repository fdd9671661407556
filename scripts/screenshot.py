"""Take the picture of a merge request that README opens with (`make screenshot`).

Plays the demo with a sample in the size of a real stream until results have come in and the gate blocks the compose,
then lets a headless Chromium draw the local GitLab's page.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from compose_repo.console import Console
from compose_repo.demo.narrator import DemoError
from compose_repo.demo.play import Wish, play
from compose_repo.demo.story import Story, results_come_in
from compose_repo.ports.environment import now

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = ROOT / "docs" / "images" / "merge-request.png"
LARGEST: Final = 300 * 1024
"""Bytes; more would make README slow to open."""
PORT: Final = 8929
"""The same each time, because addresses are in the picture."""
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--virtual-time-budget=2000",
)  # fmt: skip


def main() -> int:
    """Play, draw, and say where the picture is; 2 without a browser, 1 where the demo or the picture fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--srpms", type=int, default=2_600, help="size of the sample; default: that of a real stream")
    parser.add_argument("--port", type=int, default=PORT, help=f"the port of the local GitLab; default: {PORT}")
    parser.add_argument("--size", default="1180,1890", help="width and height of the page in the picture")
    parser.add_argument("-o", "--output", type=Path, default=PICTURE, help="default: docs/images/merge-request.png")
    arguments = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return _fail("Chromium is missing; on Debian: apt-get install chromium", code=2)

    def draw(story: Story) -> None:
        _draw(browser, story.address, arguments.size, arguments.output)

    wish = Wish(repository=ROOT, source=None, srpms=arguments.srpms, port=arguments.port, now=now())
    with tempfile.TemporaryDirectory(prefix="compose-repo-screenshot-") as folder:
        code = play(wish, Path(folder), Console(), until=results_come_in, at_the_end=draw)
    if code == 0:
        print(f"{arguments.output}: {arguments.output.stat().st_size / 1024:.0f} KiB")  # noqa: T201  # the answer
    return code


def _draw(browser: str, address: str, size: str, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="compose-repo-browser-") as profile:
        command = [browser, *FLAGS, f"--user-data-dir={profile}", f"--window-size={size}", f"--screenshot={output}"]
        done = subprocess.run([*command, address], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode or not output.is_file():
        raise DemoError(f"{browser} took no picture:\n{done.stderr}")
    if output.stat().st_size > LARGEST:
        raise DemoError(f"{output} has {output.stat().st_size:,} bytes, more than {LARGEST:,}")


def _fail(message: str, *, code: int) -> int:
    print(f"screenshot: {message}", file=sys.stderr)  # noqa: T201  # the answer
    return code


if __name__ == "__main__":
    sys.exit(main())
