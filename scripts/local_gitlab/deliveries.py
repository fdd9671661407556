"""Webhooks: events posted to whoever asked for them, on loopback only.

As GitLab's documentation has it: pushes go by the hook's branch filter, a custom template takes the event's place, the
masked parts of the address are filled in, and a hook that fails again and again is not called for a while.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import ipaddress
import json
import re
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_gitlab.site import Site
    from local_gitlab.store import Row

NAMES = {
    "push_events": "Push Hook",
    "tag_push_events": "Tag Push Hook",
    "merge_requests_events": "Merge Request Hook",
    "note_events": "Note Hook",
    "pipeline_events": "Pipeline Hook",
}
TIMEOUT = 10.0
FAILURES = 4
"""After so many in a row a hook is disabled for a while, after `MANY` for good."""
MANY = 40
PAUSE = dt.timedelta(minutes=1)
_VARIABLE = re.compile(r"\{([A-Za-z]+[0-9]*(?:[._-][A-Za-z0-9]+)*)\}")
_PLACE = re.compile(r"\{\{(.+?)\}\}")


class Webhooks:
    """Posts events in the background."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._guard = threading.Lock()
        self._under_way = 0

    def idle(self) -> bool:
        """Tell whether nothing is being posted."""
        return self._under_way == 0

    def wants(self, project: Row, event: str) -> bool:
        """Tell whether the project has a hook for events of this kind."""
        return any(json.loads(row["data"]).get(event) for row in self._hooks(project))

    def _hooks(self, project: Row) -> list[Row]:
        return self._site.store.all("SELECT * FROM records WHERE project_id = ? AND kind = 'hook'", project["id"])

    def send(self, project: Row, event: str, payload: dict[str, Any]) -> None:
        """Hand one event to the project's hooks that want it."""
        for row in self._hooks(project):
            hook = json.loads(row["data"])
            if hook.get(event) and _wants(hook, event, payload) and not _is_disabled(hook):
                with self._guard:
                    self._under_way += 1
                threading.Thread(target=self._deliver, args=(row["id"], hook, event, payload), daemon=True).start()

    def _deliver(self, hook_id: int, hook: dict[str, Any], event: str, payload: dict[str, Any]) -> None:
        try:
            url = interpolated(hook["url"], {one["key"]: one["value"] for one in hook["url_variables"]})
            if _on_loopback(url):
                self._note(hook_id, worked=_post(hook, url, NAMES[event], _body(hook, payload)))
        finally:
            with self._guard:
                self._under_way -= 1

    def _note(self, hook_id: int, *, worked: bool) -> None:
        """Keep whether it worked; what fails too often is disabled."""
        store = self._site.store
        with self._guard, store.transaction():
            row = store.one("SELECT * FROM records WHERE id = ?", hook_id)
            if row is None:
                return
            hook = json.loads(row["data"])
            failures = 0 if worked else hook.get("recent_failures", 0) + 1
            until = (dt.datetime.now(dt.UTC) + PAUSE).isoformat() if FAILURES <= failures < MANY else None
            status = "executable" if failures < FAILURES else "temporarily_disabled" if until else "disabled"
            hook |= {"recent_failures": failures, "disabled_until": until, "alert_status": status}
            store.update("records", hook_id, data=json.dumps(hook))


def interpolated(url: str, variables: Mapping[str, str]) -> str:
    """Fill in the masked parts of a hook's address."""
    return _VARIABLE.sub(lambda found: str(variables.get(found[1], found[0])), url)


def _wants(hook: Mapping[str, Any], event: str, payload: Mapping[str, Any]) -> bool:
    """Tell whether the branch filter, which is about pushes to branches alone, lets an event through."""
    wanted = hook["push_events_branch_filter"]
    if event != "push_events" or not wanted or hook["branch_filter_strategy"] == "all_branches":
        return True
    branch = str(payload["ref"]).removeprefix("refs/heads/")
    if hook["branch_filter_strategy"] == "regex":
        return re.search(wanted, branch) is not None
    return fnmatch.fnmatchcase(branch, wanted)


def _is_disabled(hook: Mapping[str, Any]) -> bool:
    if hook["alert_status"] == "disabled":
        return True
    until = hook["disabled_until"]
    return until is not None and dt.datetime.fromisoformat(until) > dt.datetime.now(dt.UTC)


def _body(hook: Mapping[str, Any], payload: Mapping[str, Any]) -> bytes:
    """Give what is sent: the event, or what the hook's own template makes of it."""
    template = hook["custom_webhook_template"]
    if not template:
        return json.dumps(payload).encode()
    return _PLACE.sub(lambda found: _inside(_find(payload, found[1].split("."))), template).encode()


def _find(payload: Any, path: list[str]) -> Any:  # noqa: ANN401  # an event holds anything
    for name in path:
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload


def _inside(value: Any) -> str:  # noqa: ANN401  # an event holds anything
    """Write a value for a template, which has the quotes of texts itself."""
    text = json.dumps(value)
    return text[1:-1] if isinstance(value, str) else text


def _on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _post(hook: Mapping[str, Any], url: str, name: str, body: bytes) -> bool:
    headers = {"Content-Type": "application/json", "X-Gitlab-Event": name, "User-Agent": "GitLab/local"}
    if hook.get("token"):
        headers["X-Gitlab-Token"] = str(hook["token"])
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310  # loopback
    try:
        urllib.request.urlopen(request, timeout=TIMEOUT).close()  # noqa: S310  # loopback
    except (urllib.error.URLError, OSError):
        return False
    return True
