"""Write what CHANGELOG.md says of the release with the tag `vX.Y.Z` to standard output.

Refuses a tag whose version is not that of pyproject.toml, or that has no dated section: such a release would be wrong.
Needs nothing but Python.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
TAG: Final = re.compile(r"v(?P<version>[0-9]+\.[0-9]+\.[0-9]+)")
DATE: Final = r"(?: - (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}))?"
HEADING: Final = re.compile(rf"^## \[(?P<version>[^\]\n]*)\]{DATE}[ \t]*$", re.MULTILINE)


class ReleaseError(Exception):
    """A release that cannot be made; the message says why and how to fix it."""


def main() -> int:
    """Print the section; 2 where the release cannot be made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tag", help="the release's tag, as in v0.2.0")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    try:
        sys.stdout.write(f"{notes(arguments.tag, arguments.root)}\n")
    except ReleaseError as error:
        sys.stderr.write(f"release_notes: {error}\n")
        return 2
    return 0


def notes(tag: str, root: Path) -> str:
    """Give the section of a tag's version, without its heading.

    Raises:
        ReleaseError: the tag, pyproject.toml and CHANGELOG.md do not agree.

    """
    match = TAG.fullmatch(tag)
    if match is None:
        raise ReleaseError(f"{tag!r} is not the tag of a release; name it vX.Y.Z")
    version = match["version"]
    here = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if version != here:
        raise ReleaseError(f"pyproject.toml has version {here}, not {version}; tag the commit that has {version}")
    return section((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)


def section(changelog: str, version: str) -> str:
    """Give what a changelog says of a version.

    Raises:
        ReleaseError: it says nothing, or has no date.

    """
    parts = list(HEADING.finditer(changelog))
    for this, following in zip(parts, [*parts[1:], None], strict=True):
        if this["version"] == version:
            text = changelog[this.end() : None if following is None else following.start()].strip()
            if this["date"] is None or not text:
                raise ReleaseError(f"CHANGELOG.md: the section [{version}] has no date or no text; write both")
            return text
    raise ReleaseError(f"CHANGELOG.md has no section [{version}]; write '## [{version}] - YYYY-MM-DD'")


if __name__ == "__main__":
    sys.exit(main())
