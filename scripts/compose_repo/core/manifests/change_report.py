"""What changed between two composes, in words: the same rows for a terminal and for a merge request."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from compose_repo.core.manifests.changes import ArchChange, Build, Changes, Difference, ImageChange, Move, Update

NAMES: Final = 5
"""How many names a row of a shortened report lists; the rest are counted."""


class Row(Struct, frozen=True, kw_only=True):
    """What became of one package or image; both texts come from outside and are not escaped."""

    name: str
    text: str


class Section(Struct, frozen=True, kw_only=True):
    """The rows of one kind of change; `more` counts those left out, `alarming` ones want a look before it ships."""

    title: str
    alarming: bool
    rows: tuple[Row, ...]
    more: int

    @property
    def count(self) -> int:
        """How many rows there are, those left out included."""
        return len(self.rows) + self.more


class ChangeReport(Struct, frozen=True, kw_only=True):
    """A comparison as people read it; sections without rows are left out, the first are the most alarming.

    `counts` are those of a summary, each with the words for it, without what is not there at all.
    """

    changes: Changes
    counts: tuple[tuple[int, str], ...]
    sections: tuple[Section, ...]

    @property
    def headline(self) -> str:
        """The whole comparison in one sentence: `1 downgraded package, 12 upgraded packages; 9 packages unchanged`."""
        if self.changes.not_known:
            return "what changed is not known"
        changed = ", ".join(f"{count:,} {label}" for count, label in self.counts) or "nothing changed"
        return "{}; {:,} {}".format(changed, *self.unchanged)

    @property
    def unchanged(self) -> tuple[int, str]:
        """How many packages are the same in both, and what to call them."""
        count = self.changes.unchanged
        return count, "package unchanged" if count == 1 else "packages unchanged"


def change_report(changes: Changes, most: int | None) -> ChangeReport:
    """Put a comparison into words, at most so many rows a section and `NAMES` names a row; None shows everything."""
    names = None if most is None else NAMES
    every = (
        ("Downgraded packages", True, map(_updated, changes.downgraded)),
        ("Packages with unsigned RPMs", True, _unsigned(changes)),
        ("Variants and arches of the compose", True, _whole(changes)),
        ("Arches of packages", True, (_arches(row, names) for row in changes.arches_of)),
        ("Packages in other variants", True, (_moved(row, names) for row in changes.moved)),
        ("Dropped images", True, map(_image, changes.images_dropped)),
        ("Removed packages", True, (_built(row, names) for row in changes.removed)),
        (
            "Sub-packages gained or lost",
            False,
            (Row(name=row.package, text=_difference(row.subpackages, names)) for row in changes.subpackages_of),
        ),
        ("Added packages", False, (_built(row, names) for row in changes.added)),
        ("Upgraded packages", False, map(_updated, changes.upgraded)),
        ("Added images", False, map(_image, changes.images_added)),
    )
    sections = (_section(title, rows, most, alarming=alarming) for title, alarming, rows in every)
    return ChangeReport(
        changes=changes,
        counts=tuple(_counts(changes)),
        sections=tuple(section for section in sections if section.rows),
    )


def _section(title: str, rows: Iterable[Row], most: int | None, *, alarming: bool) -> Section:
    every = tuple(rows)
    shown = every[:most]
    return Section(title=title, alarming=alarming, rows=shown, more=len(every) - len(shown))


def _counts(changes: Changes) -> Iterator[tuple[int, str]]:
    """What a summary lists: how many there are of each kind, if any."""
    summary = changes.summary
    wholes = (changes.variants, changes.arches, changes.trees)
    counts = {
        **summary,
        "whole": sum(len(whole.gained) + len(whole.lost) for whole in wholes),
        "status": int(changes.old_status != changes.new_status),
    }
    for key, one, several in _LABELS:
        if count := counts[key]:
            newly = f" ({summary['newly_unsigned']:,} newly)" if key == "unsigned" else ""
            yield count, (one if count == 1 else several) + newly


_LABELS: Final = (
    ("downgraded", "downgraded package", "downgraded packages"),
    ("unsigned", "unsigned RPM", "unsigned RPMs"),
    ("status", "change of status", ""),
    ("whole", "change of the compose's variants and arches", "changes of the compose's variants and arches"),
    ("arches_changed", "change of a package's arches", "changes of packages' arches"),
    ("moved", "move between variants", "moves between variants"),
    ("removed", "removed package", "removed packages"),
    ("added", "added package", "added packages"),
    ("upgraded", "upgraded package", "upgraded packages"),
    ("subpackages_lost", "lost sub-package", "lost sub-packages"),
    ("subpackages_gained", "gained sub-package", "gained sub-packages"),
    ("images_dropped", "dropped image", "dropped images"),
    ("images_added", "added image", "added images"),
    ("images_rebuilt", "rebuilt image", "rebuilt images"),
)


def _unsigned(changes: Changes) -> Iterator[Row]:
    for row in changes.unsigned:
        count = "1 unsigned RPM" if row.rpms == 1 else f"{row.rpms:,} unsigned RPMs"
        yield Row(name=row.name, text=f"{row.evr}: {count}{', none before' if row.newly else ''}")


def _whole(changes: Changes) -> Iterator[Row]:
    for kind, difference in (("variant", changes.variants), ("arch", changes.arches), ("tree", changes.trees)):
        yield from (Row(name=name, text=f"{kind} lost") for name in difference.lost)
        yield from (Row(name=name, text=f"{kind} gained") for name in difference.gained)


def _updated(update: Update) -> Row:
    return Row(name=update.name, text=f"{update.old} → {update.new}")


def _built(build: Build, names: int | None) -> Row:
    return Row(
        name=build.name, text=f"{build.evr} ({_listed(build.variants, None)}): {_listed(build.subpackages, names)}"
    )


def _arches(change: ArchChange, names: int | None) -> Row:
    return Row(name=change.package, text=_of(change.subpackages, names) + _difference(change.arches, None))


def _moved(move: Move, names: int | None) -> Row:
    where = f"{_listed(move.old, None)} → {_listed(move.new, None)}"
    return Row(name=move.package, text=_of(move.subpackages, names) + where)


def _image(image: ImageChange) -> Row:
    return Row(name=image.path, text=f"{image.type} ({image.variant}, {image.arch})")


def _of(subpackages: Sequence[str], names: int | None) -> str:
    return f"{_listed(subpackages, names)}: " if subpackages else ""


def _difference(difference: Difference, names: int | None) -> str:
    parts = (("lost", difference.lost), ("gained", difference.gained))
    return "; ".join(f"{verb} {_listed(found, names)}" for verb, found in parts if found)


def _listed(names: Sequence[str], most: int | None) -> str:
    """List names, at most so many of them."""
    shown = names[:most]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "") or "none"
