"""Pipelines, run by gitlab-ci-local in a fresh checkout."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_gitlab.clock import now

if TYPE_CHECKING:
    from local_gitlab.site import Site


@dataclass(frozen=True, kw_only=True, slots=True)
class CiRunner:
    """Placeholder."""


class Worker:
    """Runs queued pipelines."""

    def __init__(self, site: Site, runner: CiRunner | None) -> None:
        self._site = site
        self._runner = runner
        self._wake = threading.Event()
        self._stop = False
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def stop(self) -> None:
        """Stop."""
        self._stop = True
        self._wake.set()
        self._thread.join(timeout=10)

    def wake(self) -> None:
        """Look for work."""
        self._wake.set()

    def idle(self) -> bool:
        """Tell whether nothing is waiting."""
        return not self._site.store.count("SELECT count(*) FROM pipelines WHERE status IN ('created', 'running')")

    def _loop(self) -> None:
        while not self._stop:
            self._wake.wait(1)
            self._wake.clear()
            self._site.store.run(
                "UPDATE pipelines SET status='skipped', reason='gitlab-ci-local is not installed', finished_at=? "
                "WHERE status='created'",
                now(),
            )
