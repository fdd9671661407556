"""Pipelines: they are run one at a time, in the order in which they were asked for."""

from __future__ import annotations

import functools
import logging
import shutil
import threading
from typing import TYPE_CHECKING

from local_gitlab import pipelines
from local_gitlab.ci_run import NothingToRunError, Run
from local_gitlab.ci_runner import CiRunner, why_not
from local_gitlab.clock import now
from local_gitlab.git import GitError

if TYPE_CHECKING:
    import subprocess

    from local_gitlab.site import Site
    from local_gitlab.store import Row

logger = logging.getLogger("local_gitlab")


class Worker:
    """Takes queued pipelines one after the other, in a thread of its own."""

    def __init__(self, site: Site, runner: CiRunner | None) -> None:
        self._site = site
        self._runner = runner
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._busy = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._loop, name="local-gitlab-ci", daemon=True)

    @functools.cached_property
    def problem(self) -> str:
        """Why pipelines are skipped; empty when they run."""
        return "" if self._runner else why_not() or "no runner is configured"

    def start(self) -> None:
        """Begin; what was running when an earlier server stopped runs again."""
        with self._site.store.transaction():
            self._site.store.run(
                "UPDATE jobs SET retried = 1 WHERE status IN ('created', 'running') AND kind = 'build'"
            )
            self._site.store.run(
                "UPDATE pipelines SET status = 'created' WHERE status IN ('created', 'running', 'pending') "
                "AND source != 'external'",
            )
        self._wake.set()
        self._thread.start()

    def stop(self) -> None:
        """Stop, and end the pipeline that is running."""
        self._stopping.set()
        self._wake.set()
        self._kill()
        self._thread.join(timeout=10)

    def wake(self) -> None:
        """Say that a pipeline may be waiting."""
        self._wake.set()

    def idle(self) -> bool:
        """Tell whether no pipeline of ours is waiting or running."""
        waiting = self._site.store.count(
            "SELECT count(*) FROM pipelines WHERE status = 'created' AND source != 'external'",
        )
        # A pipeline's jobs may all have ended while what they leave is still being collected.
        return not waiting and not self._busy.is_set()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._busy.set()
            row = self._site.store.one(
                "SELECT * FROM pipelines WHERE status = 'created' AND source != 'external' ORDER BY id LIMIT 1",
            )
            if row is None:
                self._busy.clear()
                self._wake.wait()
                self._wake.clear()
                continue
            try:
                self._take(row)
            except Exception:
                logger.exception("pipeline %s", row["id"])
                self._finish(row, "failed", "The pipeline could not be run.")

    def _take(self, pipeline: Row) -> None:
        if self._runner is None:
            self._finish(pipeline, "skipped", f"The pipeline was skipped: {self.problem}.")
            return
        run = Run(self._site, self._runner, pipeline)
        try:
            run.go(self._watch)
        except (NothingToRunError, GitError) as nothing:
            self._drop(pipeline, str(nothing))
        finally:
            shutil.rmtree(run.work, ignore_errors=True)

    def _watch(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        if self._stopping.is_set():
            self._kill()

    def _kill(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()

    def _finish(self, pipeline: Row, status: str, reason: str) -> None:
        moment = now()
        self._site.store.update(
            "pipelines",
            pipeline["id"],
            status=status,
            reason=reason,
            updated_at=moment,
            finished_at=moment,
            yaml_errors=reason if status == "failed" else None,
        )

    def _drop(self, pipeline: Row, reason: str) -> None:
        """Let a pipeline without jobs disappear, as GitLab makes none; one that was asked for by hand says why."""
        store = self._site.store
        statuses = store.count("SELECT count(*) FROM jobs WHERE pipeline_id = ?", pipeline["id"])
        if statuses:
            store.update("pipelines", pipeline["id"], source="external")
            pipelines.recompute(self._site, pipeline["id"])
        elif pipeline["source"] in {"push", "merge_request_event"} and not reason.startswith("Invalid"):
            store.run("DELETE FROM pipelines WHERE id = ?", pipeline["id"])
        else:
            self._finish(pipeline, "failed" if reason.startswith("Invalid") else "skipped", reason)
