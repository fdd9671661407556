"""One pipeline's run by gitlab-ci-local, in a fresh checkout.

gitlab-ci-local knows no merge requests and ignores `workflow:`; both are added here: the predefined variables are
given to it, and the workflow's rules are put to it as those of a job.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING, Any

from local_gitlab import pipelines
from local_gitlab.activity import send
from local_gitlab.ci_reports import keep_artifacts, report_paths
from local_gitlab.ci_variables import branch_of, of_merge_request
from local_gitlab.ci_variables import variables as variables_of
from local_gitlab.clock import now
from local_gitlab.git import ZERO, GitError, server_environment
from local_gitlab.leftovers import guarded
from local_gitlab.site import add_token, find_project, may_read, settings_of

if TYPE_CHECKING:
    from local_gitlab.ci_runner import CiRunner
    from local_gitlab.site import Site
    from local_gitlab.store import Row

PROBE = "local-gitlab-workflow"
VARIABLES = ".local-gitlab-variables.yml"
TIMEOUT_EXIT = 124
_FINISHED = re.compile(r"finished in .+?(?:\s+(?P<word>FAIL|WARN)\s+(?P<code>\d+)?\s*)?$")
_DEPTH = re.compile(r"^\s*GIT_DEPTH:\s*[\"']?(\d+)", re.MULTILINE)


class NothingToRunError(Exception):
    """There is no configuration, or its rules want no pipeline."""


class Run:
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
        found = variables_of(self.site, self.project, self.user, self.pipeline, self.merge_request)
        variables = found.everywhere
        scoped = {key: {"type": "variable", "values": values} for key, values in found.scoped.items()}
        scoped |= {key: {"type": "file", "values": {"*": text}} for key, text in found.files.items()}
        (self.work / VARIABLES).write_text(json.dumps(scoped), encoding="utf-8")  # JSON is YAML, too
        listed = self._list(config, variables)
        self._insert(listed)
        token = add_token(self.site, self.user, name="job", scopes=(), job_id=next(iter(self.jobs.values())))
        variables |= {"CI_JOB_TOKEN": token, "CI_REPOSITORY_URL": self._repository_url(token)}
        self._git("remote", "add", "origin", variables["CI_REPOSITORY_URL"])
        self._execute(variables, watch)
        self._collect()
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
            if other is None or not may_read(self.site, other, self.user):
                raise NothingToRunError(f"Invalid: Project `{project_path}` not found or access denied!")
            project, revision = other, ref or other["default_branch"]
        repository = self.site.repository(project)
        sha = repository.resolve(revision)
        entry = repository.entry(sha, name) if sha else None
        if entry is None:
            raise NothingToRunError(f"There is no {path}.")
        return repository.blob(entry.sha).decode(errors="replace")

    def _checkout(self, config: str) -> None:
        """Fetch the commit as a runner does: only its own history, and no deeper than asked."""
        depths = [int(depth) for depth in _DEPTH.findall(config)]
        depth = (0 if 0 in depths else max(depths)) if depths else settings_of(self.project)["ci_default_git_depth"]
        source = f"file://{self.site.repository(self.project).path}"
        branch = branch_of(self.pipeline, self.merge_request).replace("/", "-")
        self.work.mkdir(parents=True)
        self._git("init", "--quiet", f"--initial-branch={branch}")
        limit = [f"--depth={depth}"] if depth else []
        self._git("fetch", "--quiet", "--no-tags", *limit, source, self.pipeline["sha"])
        self._git("checkout", "--quiet", "-f", "-B", branch, self.pipeline["sha"])
        self._mark_what_changes_are_since(source, shallow=bool(limit))
        with (self.work / ".git" / "info" / "exclude").open("a", encoding="utf-8") as exclude:
            exclude.write(".gitlab-ci-local/\n/.local-gitlab-*.yml\n")
        (self.work / ".local-gitlab-ci.yml").write_text(config, encoding="utf-8")

    def _mark_what_changes_are_since(self, source: str, *, shallow: bool) -> None:
        """Put the default branch where `rules:changes` counts from.

        gitlab-ci-local compares with `origin/main`; GitLab with the merge request's base, or what was pushed on. Where
        there is no such commit, everything counts as changed.
        """
        since = self.pipeline["before_sha"]
        if self.merge_request:
            since = of_merge_request(self.site, self.pipeline, self.merge_request)["CI_MERGE_REQUEST_DIFF_BASE_SHA"]
        if since and since != ZERO:
            alone = ["--depth=1", "--update-shallow"] if shallow else []  # a whole history stays whole
            self._git("fetch", "--quiet", "--no-tags", *alone, source, since)
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
            env=server_environment(),
        )
        if done.returncode:
            raise GitError(done.stderr)
        return done.stdout.strip()

    def _repository_url(self, token: str) -> str:
        scheme, _, rest = self.site.web(self.project).partition("://")
        return f"{scheme}://gitlab-ci-token:{token}@{rest}.git"

    # --- running

    def _command(self, config: str, variables: dict[str, str], *arguments: str) -> list[str]:
        # Named always: by default the tool would read one that the branch brings.
        command = [str(self.runner.node), str(self.runner.command), "--file", config, "--variables-file", VARIABLES]
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
            "SHLVL": "1",  # bash, whose input is a socket, reads no ~/.bashrc then: that may wait
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
            raise NothingToRunError(f"Invalid CI configuration: {_last_line(done.stderr or done.stdout)}")
        listed = json.loads(done.stdout[done.stdout.index("[") :])
        if any(job["name"] == PROBE and job["when"] == "never" for job in listed):
            raise NothingToRunError("The workflow's rules want no pipeline.")
        wanted = [job for job in listed if job["name"] != PROBE and job["when"] != "never"]
        if not any(job["when"] != "manual" for job in wanted):
            raise NothingToRunError("The rules of every job leave it out.")
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
        pipelines.keep_commits(self.site, self.project, self.pipeline)

    def _execute(self, variables: dict[str, str], watch: Any) -> None:  # noqa: ANN401  # see go
        command = self._command(
            ".local-gitlab-ci.yml",
            variables,
            "--shell-isolation",
            "--force-shell-executor",
            "--no-artifacts-to-source",
            "--no-json-schema-validation",
        )
        process = subprocess.Popen(
            guarded(command),
            cwd=self.work,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self._environment(variables),
            start_new_session=True,
        )
        watch(process)
        timer = threading.Timer(self.runner.timeout, process.terminate)
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
            raise NothingToRunError(f"Invalid CI configuration: {last}")

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

    def _collect(self) -> None:
        """Keep artifacts and reports; what never ended has failed, what never began was skipped."""
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


def safe_name(job: str) -> str:
    """Return a job's name as gitlab-ci-local writes it in file names."""
    return re.sub(r"[^\w-]+", lambda found: base64.urlsafe_b64encode(found[0].encode()).decode().rstrip("="), job)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "gitlab-ci-local failed"
