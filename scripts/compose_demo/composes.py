"""The two composes of the demo: a sample of a real stream's size and the next day's, or a real one and its past."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from compose_repo.core.composes.compose import ComposeId
from compose_repo.ports.compose_root import compose_root
from compose_repo.ports.productmd.reading import read_compose

STEP_BACK: Final = 100
"""Of how many packages one had an older release the day before."""
METADATA: Final = ("composeinfo.json", "images.json", "modules.json", "rpms.json")
LARGEST: Final = 1 << 30
"""Bytes of a metadata file that the demo takes at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """An older compose, which will be superseded, and the one the story is about."""

    older: ComposeId
    newer: ComposeId
    told: str


def place_day_after(newer: ComposeId, workshop: Path) -> ComposeId:
    """Write the same compose once more, as that of the next day."""
    later = _shifted(newer, 1)
    _write(workshop / str(newer) / "compose" / "metadata", later, workshop, change=lambda rpms: rpms)
    return later


def place_day_before(metadata: Path, newer: ComposeId, target: Path) -> ComposeId:
    """Write a compose of the day before beside a real one: the same, but one package in a hundred a release behind.

    `metadata` is the real compose's `compose/metadata` folder; only rpms.json is rewritten, the rest is taken over
    with the id changed.
    """
    older = _shifted(newer, -1)
    _write(metadata, older, target, change=_a_release_behind)
    return older


def _write(
    metadata: Path, compose_id: ComposeId, target: Path, *, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    folder = target / str(compose_id)
    (folder / "compose" / "metadata").mkdir(parents=True)
    (folder / "COMPOSE_ID").write_text(str(compose_id), encoding="ascii")
    (folder / "STATUS").write_text("FINISHED\n", encoding="ascii")
    for file in sorted(metadata.glob("*.json")):
        data = json.loads(file.read_bytes())
        payload = data["payload"]
        date = compose_id.date.strftime("%Y%m%d")
        payload["compose"].update(id=str(compose_id), date=date, respin=compose_id.respin)
        if file.name == "rpms.json":
            payload["rpms"] = change(payload["rpms"])
        (folder / "compose" / "metadata" / file.name).write_text(json.dumps(data, indent=1), encoding="utf-8")


def bring_here(source: str, target: Path) -> ComposeId:
    """Copy what a manifest is made from, of a compose in a directory or on a server, to where the demo makes its own.

    Raises:
        InputError: it has no COMPOSE_ID that is one, or cannot be read.
        UsageError: the source is neither a directory nor a URL.

    """
    root = compose_root(source, timeout=30)
    compose_id = read_compose(root).id
    folder = target / str(compose_id)
    metadata = [f"compose/metadata/{name}" for name in METADATA]
    for path in ("COMPOSE_ID", "STATUS", *metadata):
        data = root.read(path, LARGEST)
        if data is not None:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    return compose_id


def _shifted(compose_id: ComposeId, days: int) -> ComposeId:
    date = compose_id.date + dt.timedelta(days=days)
    return ComposeId.parse(compose_id.text.replace(compose_id.date.strftime("%Y%m%d"), date.strftime("%Y%m%d"), 1))


def _a_release_behind(rpms: dict[str, Any]) -> dict[str, Any]:
    """Give every hundredth SRPM, and what is built from it, a release that sorts before its own."""
    names = sorted({nevra for arches in rpms.values() for srpms in arches.values() for nevra in srpms})
    behind = set(names[:: min(STEP_BACK, max(1, len(names) // 3))])
    return {
        variant: {
            arch: {
                _behind(nevra) if nevra in behind else nevra: (
                    {_behind(rpm): row for rpm, row in rows.items()} if nevra in behind else rows
                )
                for nevra, rows in srpms.items()
            }
            for arch, srpms in arches.items()
        }
        for variant, arches in rpms.items()
    }


def _behind(nevra: str) -> str:
    """A tilde sorts before the end of a release: 3~1.el9 is older than 3.el9."""
    head, _, arch = nevra.rpartition(".")
    name_version, _, release = head.rpartition("-")
    first, dot, rest = release.partition(".")
    return f"{name_version}-{first}~1{dot}{rest}.{arch}"
