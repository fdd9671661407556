"""Labels on merge requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_gitlab import entities
from local_gitlab.clock import now
from local_gitlab.site import REPORTER, access_level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local_gitlab.site import Site
    from local_gitlab.store import Row

DEFAULT_COLOR = "#6699cc"


def find_label(site: Site, project: Row, name: str) -> Row | None:
    """Return a label by its name."""
    return site.store.one("SELECT * FROM labels WHERE project_id = ? AND name = ?", project["id"], name)


def _label(site: Site, project: Row, user: Row, name: str) -> Row | None:
    """Return a label, made at its first use by anyone who may make labels."""
    existing = find_label(site, project, name)
    if existing is not None or access_level(site, project, user) < REPORTER:
        return existing
    label_id = site.store.insert("labels", project_id=project["id"], name=name, color=DEFAULT_COLOR)
    return site.store.get("labels", label_id)


def set_labels(
    site: Site,
    project: Row,
    merge_request: Row,
    user: Row,
    *,
    replace: object = None,
    add: object = (),
    remove: object = (),
    quiet: bool = False,
) -> None:
    """Give and take labels in one step and say so in one note."""
    before = entities.label_names(site, merge_request)
    wanted = [*(before if replace is None else _names(replace)), *_names(add)]
    dropped = set(_names(remove))
    after: dict[str, Row] = {}
    for name in wanted:
        row = None if name in dropped else _label(site, project, user, name)
        if row is not None:
            after[name] = row
    site.store.run("DELETE FROM merge_request_labels WHERE merge_request_id = ?", merge_request["id"])
    for row in after.values():
        site.store.run("INSERT INTO merge_request_labels VALUES (?, ?)", merge_request["id"], row["id"])
    _record_labels(
        site, project, merge_request, user, added=after.keys() - set(before), gone=set(before) - after.keys()
    )
    if not quiet or after:
        site.store.update("merge_requests", merge_request["id"], updated_at=now())


def _record_labels(
    site: Site,
    project: Row,
    merge_request: Row,
    user: Row,
    *,
    added: Iterable[str],
    gone: Iterable[str],
) -> None:
    for action, label_names in (("add", sorted(added)), ("remove", sorted(gone))):
        for name in label_names:
            row = find_label(site, project, name)
            if row is not None:
                site.store.insert(
                    "label_events",
                    merge_request_id=merge_request["id"],
                    user_id=user["id"],
                    label_id=row["id"],
                    action=action,
                    created_at=now(),
                )


def _names(value: object) -> list[str]:
    parts = value if isinstance(value, (list, tuple)) else str(value).split(",")
    return [str(part).strip() for part in parts if str(part).strip()]
