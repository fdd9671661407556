"""Take the picture of a merge request that README opens with (`make screenshot`).

Plays the demo with a sample in the size of a real stream until results have come in and the gate blocks the compose,
then lets a headless Chromium draw the local GitLab's page.
"""

import argparse
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from compose_demo.narrator import DemoError
from compose_demo.play import Wish, play
from compose_demo.story import Story, results_come_in
from compose_repo.ports.console import Console

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
    parser.add_argument("--size", default="1180,2052", help="width and height of the page in the picture")
    parser.add_argument("-o", "--output", type=Path, default=PICTURE, help="default: docs/images/merge-request.png")
    arguments = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return _fail("Chromium is missing; on Debian: apt-get install chromium", code=2)

    def draw(story: Story) -> None:
        _draw(browser, story.address, arguments.size, arguments.output)

    console = Console()
    wish = Wish(repository=ROOT, source=None, srpms=arguments.srpms, port=arguments.port, now=console.clock.now())
    with tempfile.TemporaryDirectory(prefix="compose-repo-screenshot-") as folder:
        code = play(wish, Path(folder), console, until=results_come_in, at_the_end=draw)
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
    output.write_bytes(packed(output.read_bytes()))
    if output.stat().st_size > LARGEST:
        raise DemoError(f"{output} has {output.stat().st_size:,} bytes, more than {LARGEST:,}")


def packed(png: bytes) -> bytes:
    """Give the same picture in a fifth fewer bytes: flat pages compress best unfiltered.

    Takes what Chromium writes: eight bits a sample, with or without alpha, not interlaced.
    """
    parts = list(_parts(png))
    _, height, depth, kind, *_, interlaced = struct.unpack(">IIBBBBB", parts[0][1])
    samples = {2: 3, 6: 4}.get(kind)
    if samples is None or depth != 8 or interlaced:  # noqa: PLR2004  # bits
        return png
    rows = _rows(zlib.decompress(b"".join(data for name, data in parts if name == b"IDAT")), height, samples)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    kept = [part for part in parts if part[0] not in {b"IDAT", b"IEND"}]
    return png[:8] + b"".join(_part(name, data) for name, data in (*kept, (b"IDAT", pixels), (b"IEND", b"")))


def _parts(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        at += size + 12


def _part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _rows(filtered: bytes, height: int, samples: int) -> Iterator[bytes]:
    """Undo PNG's filters: a byte is written as its difference from those to the left (a), above (b) or both (c)."""
    size = len(filtered) // height
    above = bytes(size - 1)
    for start in range(0, len(filtered), size):
        row = bytearray(filtered[start + 1 : start + size])
        guess = _GUESSES[filtered[start]]
        for i, difference in enumerate(row):
            a, c = (row[i - samples], above[i - samples]) if i >= samples else (0, 0)
            row[i] = (difference + guess(a, above[i], c)) & 255
        above = bytes(row)
        yield above


def _paeth(a: int, b: int, c: int) -> int:
    return min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]


_GUESSES: Final[tuple[Callable[[int, int, int], int], ...]] = (
    lambda *_: 0,
    lambda a, *_: a,
    lambda _, b, __: b,
    lambda a, b, _: (a + b) // 2,
    _paeth,
)


def _fail(message: str, *, code: int) -> int:
    print(f"screenshot: {message}", file=sys.stderr)  # noqa: T201  # the answer
    return code


if __name__ == "__main__":
    sys.exit(main())
