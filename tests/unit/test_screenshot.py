"""The picture in README: what packs it changes no pixel."""

import struct
import zlib
from pathlib import Path
from typing import Final

import pytest

from screenshot import LARGEST, packed

ROOT: Final = Path(__file__).resolve().parents[2]
ROWS: Final = (bytes(range(0, 120, 10)), bytes(range(240, 0, -20)), bytes((7, 200, 31) * 4))
WIDTH: Final = 4


def part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(rows: bytes, *, depth: int = 8) -> bytes:
    head = struct.pack(">IIBBBBB", WIDTH, len(ROWS), depth, 2, 0, 0, 0)
    data = part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def filtered(kind: int) -> bytes:
    """Write the rows as the PNG standard says (chapter 9)."""
    out, above = b"", bytes(3 * WIDTH)
    for row in ROWS:
        out += bytes([kind])
        for i, value in enumerate(row):
            left, corner = (row[i - 3], above[i - 3]) if i >= 3 else (0, 0)
            up = above[i]
            initial = left + up - corner
            nearest = min((left, up, corner), key=lambda one: abs(initial - one))
            out += bytes([(value - (0, left, up, (left + up) // 2, nearest)[kind]) & 255])
        above = row
    return out


@pytest.mark.parametrize("kind", range(5))
def test_packing_keeps_every_pixel(kind: int) -> None:
    assert packed(png(filtered(kind))) == packed(png(b"".join(b"\0" + row for row in ROWS)))
    at = packed(png(filtered(kind))).index(b"IDAT") + 4
    assert zlib.decompressobj().decompress(packed(png(filtered(kind)))[at:]) == b"".join(b"\0" + row for row in ROWS)


def test_a_picture_of_another_kind_stays_as_it_is() -> None:
    other = png(bytes(64), depth=16)
    assert packed(other) == other


def test_the_picture_in_readme_is_small_enough() -> None:
    assert (ROOT / "docs" / "images" / "merge-request.png").stat().st_size <= LARGEST
