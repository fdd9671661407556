"""Webhooks: events posted to whoever asked for them, on loopback only."""

from __future__ import annotations

import ipaddress
import json
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row

NAMES = {
    "push_events": "Push Hook",
    "merge_requests_events": "Merge Request Hook",
    "note_events": "Note Hook",
    "pipeline_events": "Pipeline Hook",
}
TIMEOUT = 10.0


class Webhooks:
    """Posts events in the background; who does not answer is not asked again."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def send(self, project: Row, event: str, payload: dict[str, Any]) -> None:
        """Hand one event to the project's hooks that want it."""
        rows = self._site.store.all("SELECT * FROM records WHERE project_id = ? AND kind = 'hook'", project["id"])
        for row in rows:
            hook = json.loads(row["data"])
            if hook.get(event) and _on_loopback(hook["url"]):
                threading.Thread(target=_post, args=(hook, NAMES[event], payload), daemon=True).start()


def _on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _post(hook: dict[str, Any], name: str, payload: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json", "X-Gitlab-Event": name, "User-Agent": "GitLab/local"}
    if hook.get("token"):
        headers["X-Gitlab-Token"] = str(hook["token"])
    request = urllib.request.Request(hook["url"], data=json.dumps(payload).encode(), headers=headers)  # noqa: S310  # loopback
    try:
        urllib.request.urlopen(request, timeout=TIMEOUT).close()  # noqa: S310  # loopback
    except (urllib.error.URLError, OSError):
        return
