"""The settings that a project should have: one entry each, or one for those that mean one thing together."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from msgspec import Struct

from compose_repo.core.hardening.administration import Change, ChangeSettings, Endpoint, Value, spelled
from compose_repo.core.hardening.rule import (
    NO_PAIR,
    NOT_HERE,
    SETUP,
    Absence,
    Rule,
    Seen,
    Severity,
    Where,
    always_there,
    applies_if,
    is_pair,
    needs_gate_files,
)

UNSAFE, ADVICE = Severity.UNSAFE, Severity.ADVICE
Wanted: TypeAlias = Mapping[str, Value | tuple[Value, ...]]
"""By the API's name what a setting should be; of several values each will do, and the first is set."""

MERGES: Final = "Settings > Merge requests"
PIPELINES: Final = "Settings > CI/CD > General pipelines"
VARIABLES: Final = "Settings > CI/CD > Variables"
FEATURES: Final = "Settings > General > Visibility, project features, permissions"
APPROVALS: Final = "Settings > Merge requests > Merge request approvals"
PUSH_RULES: Final = "Settings > Repository > Push rules"


class Setting(Struct, frozen=True, kw_only=True):
    """Settings that belong together; `page` is where people find them."""

    code: str
    severity: Severity
    law: str
    why: str
    page: str
    wanted: Callable[[Seen], Wanted]
    where: Where = Where.EVERY
    endpoint: Endpoint = Endpoint.PROJECT
    absent: Absence = always_there

    def changes(self, seen: Seen) -> tuple[Change, ...]:
        """Give each setting that is not as it should be. What GitLab does not tell of, it does not have."""
        found = _table(seen, self.endpoint) or {}
        wanted = {name: _options(value) for name, value in self.wanted(seen).items() if name in found}
        return tuple(
            Change(name=name, old=found[name], new=options[0])
            for name, options in wanted.items()
            if not any(_same(found[name], option) for option in options)
        )

    def why_absent(self, seen: Seen) -> str | None:
        """Say why none of them can be checked, if so."""
        found, reason = _table(seen, self.endpoint), self.absent(seen)
        if reason is not None:
            return reason
        return NOT_HERE if found is None or found.keys().isdisjoint(self.wanted(seen)) else None

    @property
    def rule(self) -> Rule:
        """The rule that they are as they should be."""

        def test(seen: Seen) -> Iterator[str]:
            for change in self.changes(seen):
                yield f"{change.name} is {spelled(change.old)} and should be {spelled(change.new)}"

        return Rule(
            code=self.code,
            severity=self.severity,
            law=self.law,
            why=self.why,
            fix=f"{SETUP}; by hand: {self.page}",
            test=test,
            where=self.where,
            by_setup=True,
            absent=self.why_absent,
        )


def plan_settings(seen: Seen) -> Iterator[ChangeSettings]:
    """Plan a request for each entry that has differences."""
    for setting in SETTINGS:
        changes = setting.changes(seen) if seen.is_at(setting.where) else ()
        if changes:
            yield ChangeSettings(project=seen.project.path, endpoint=setting.endpoint, changes=changes)


def _table(seen: Seen, endpoint: Endpoint) -> Mapping[str, Any] | None:
    return {
        Endpoint.PROJECT: seen.project.settings,
        Endpoint.APPROVALS: seen.project.approvals,
        Endpoint.PUSH_RULE: seen.project.push_rule,
    }[endpoint]


def _options(value: Value | tuple[Value, ...]) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else (value,)


def _same(found: object, wanted: Value) -> bool:
    """Compare; a switch that nobody has touched may be null, which is off."""
    return found == wanted or (wanted is False and found is None)


def _always(**wanted: Value | tuple[Value, ...]) -> Callable[[Seen], Wanted]:
    return lambda _seen: wanted


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        code="ci-file-not-pinned",
        severity=UNSAFE,
        law="Pipelines come from the CI file of a default branch, never from that of the branch they look at.",
        why="Otherwise a push to a compose's branch can rewrite the pipeline that judges it, and read its secrets.",
        page=f"{PIPELINES} > CI/CD configuration file",
        wanted=lambda seen: {"ci_config_path": seen.ci_config},
    ),
    Setting(
        code="fork-pipelines",
        severity=UNSAFE,
        law="Pipelines of forks do not run in the project.",
        why="They would run strangers' code with the project's runners and protected secrets.",
        page=f"{MERGES} (only the API shows it: ci_allow_fork_pipelines_to_run_in_parent_project)",
        wanted=_always(ci_allow_fork_pipelines_to_run_in_parent_project=False),
    ),
    Setting(
        code="pipeline-variables",
        severity=UNSAFE,
        law="Nobody may set variables of a pipeline.",
        why="With PYTHONPATH, GIT_STRATEGY and others like them a pipeline runs other code than main's.",
        page=f"{VARIABLES} > Minimum role to use pipeline variables: No one allowed",
        wanted=_always(
            restrict_user_defined_variables=True, ci_pipeline_variables_minimum_override_role="no_one_allowed"
        ),
    ),
    Setting(
        code="merge-method",
        severity=UNSAFE,
        law="Merging makes a merge commit and keeps the judged commits as they are.",
        why="Rebased commits are not the ones that were judged, pushed or signed.",
        page=f"{MERGES} > Merge method: Merge commit",
        where=Where.COMPOSES,
        wanted=_always(merge_method="merge"),
    ),
    Setting(
        code="squash",
        severity=UNSAFE,
        law="Commits are never squashed.",
        why="A squashed commit hides who pushed or signed which result.",
        page=f"{MERGES} > Squash commits when merging: Do not allow",
        where=Where.COMPOSES,
        wanted=_always(squash_option="never"),
    ),
    Setting(
        code="source-branch-removed",
        severity=ADVICE,
        law="A compose's branch stays after it was merged.",
        why="What was refused is on the branch only; without the branch nobody can look at it.",
        page=f"{MERGES} > Enable 'Delete source branch' option by default: off",
        where=Where.COMPOSES,
        wanted=_always(remove_source_branch_after_merge=False),
    ),
    Setting(
        code="pipeline-before-merge",
        severity=UNSAFE,
        law="If every stream is gating, a merge needs a successful pipeline; if one mirrors, it does not.",
        why="In gating mode the pipeline is a second check; in mirror mode it could stop a merge that is due.",
        page=f"{MERGES} > Pipelines must succeed",
        where=Where.COMPOSES,
        absent=needs_gate_files,
        wanted=lambda seen: {} if seen.gate.problems else {"only_allow_merge_if_pipeline_succeeds": seen.gate.gating},
    ),
    Setting(
        code="skipped-pipeline",
        severity=UNSAFE,
        law="A skipped pipeline does not count as a success.",
        why="[skip ci] in a commit message would get around the pipeline.",
        page=f"{MERGES} > Skipped pipelines are considered successful: off",
        where=Where.COMPOSES,
        wanted=_always(allow_merge_on_skipped_pipeline=False),
    ),
    Setting(
        code="threads-block-merge",
        severity=UNSAFE,
        law="Open threads do not keep a merge request from being merged.",
        why="Anybody who may comment could stop a merge.",
        page=f"{MERGES} > All threads must be resolved: off",
        where=Where.COMPOSES,
        wanted=_always(only_allow_merge_if_all_discussions_are_resolved=False),
    ),
    Setting(
        code="commits-close-issues",
        severity=ADVICE,
        law="Merging closes no issues.",
        why="Third parties' commit messages reach main; 'Closes #1' in one of them would close an issue.",
        page="Settings > Repository > Branch defaults > Auto-close referenced issues: off",
        wanted=_always(autoclose_referenced_issues=False),
    ),
    Setting(
        code="features-missing",
        severity=UNSAFE,
        law="Repository, merge requests and pipelines are on.",
        why="Without them no compose can be opened, judged or merged.",
        page=FEATURES,
        wanted=_always(
            repository_access_level=("enabled", "private"),
            merge_requests_access_level=("enabled", "private"),
            builds_access_level=("enabled", "private"),
        ),
    ),
    Setting(
        code="lfs",
        severity=UNSAFE,
        law="Git LFS is off.",
        why="A Developer's lock on a file bars its merge, and everybody else's push of it; "
        "and an LFS pointer stands for bytes that are not in git and can change tomorrow.",
        page=f"{FEATURES} > Git Large File Storage: off",
        wanted=_always(lfs_enabled=False),
    ),
    Setting(
        code="features-unneeded",
        severity=ADVICE,
        law="Wiki, snippets, packages and container registry are off.",
        why="Third parties are Developers and may write to them: pages and images that look official.",
        page=FEATURES,
        wanted=_always(
            wiki_access_level="disabled",
            snippets_access_level="disabled",
            container_registry_access_level="disabled",
            packages_enabled=False,
        ),
    ),
    Setting(
        code="auto-devops",
        severity=ADVICE,
        law="Auto DevOps is off.",
        why="Without a CI file it would run its own pipelines.",
        page="Settings > CI/CD > Auto DevOps: off",
        wanted=_always(auto_devops_enabled=False),
    ),
    Setting(
        code="caches-shared",
        severity=UNSAFE,
        law="Branches that are not protected have caches of their own.",
        why="Otherwise any branch's pipeline can put code into the cache that main's pipeline runs.",
        page=f"{PIPELINES} > Use separate caches for protected branches",
        wanted=_always(ci_separated_caches=True),
    ),
    Setting(
        code="git-strategy",
        severity=ADVICE,
        law="Each job makes a new clone of the repository.",
        why="On a runner of your own, a working copy that is used again can keep what another branch's job left in it.",
        page=f"{PIPELINES} > Git strategy: git clone",
        wanted=_always(build_git_strategy="clone"),
    ),
    Setting(
        code="job-token-pushes",
        severity=UNSAFE,
        law="Job tokens do not push.",
        why="A job that runs third parties' data could be made to push as the user who started it.",
        page="Settings > CI/CD > Job token permissions > Allow Git push requests to the repository: off",
        wanted=_always(ci_push_repository_for_job_token_allowed=False),
    ),
    Setting(
        code="artifacts-expire",
        severity=ADVICE,
        law="The reports of the latest pipeline are kept.",
        why="Otherwise an open merge request loses the report that names its problems.",
        page="Settings > CI/CD > Artifacts > Keep artifacts from most recent successful jobs",
        where=Where.COMPOSES,
        wanted=_always(keep_latest_artifact=True),
    ),
    Setting(
        code="hidden-characters",
        severity=ADVICE,
        law="GitLab warns of invisible characters.",
        why="Without the warning a reviewer of gate/*.toml may read something else than the file says.",
        page=f"{FEATURES} > Warn about Potentially Unwanted Characters",
        wanted=_always(warn_about_potentially_unwanted_characters=True),
    ),
    Setting(
        code="gate-logs-public",
        severity=ADVICE,
        law="Logs of the gate project's jobs are for its members.",
        why="They show when and how the token is used.",
        page=f"{PIPELINES} > Project-based pipeline visibility: off",
        where=Where.TOKEN,
        wanted=lambda seen: {"public_jobs": (True, False) if seen.composes else False},
        absent=applies_if(is_pair, NO_PAIR, absent=always_there),
    ),
    Setting(
        code="author-approves",
        severity=UNSAFE,
        law="Nobody approves their own merge request.",
        why="The gate bot's approval would mean nothing if the author of the merge request could give it.",
        page=f"{APPROVALS} > Prevent approval by author",
        endpoint=Endpoint.APPROVALS,
        wanted=_always(merge_requests_author_approval=False),
    ),
    Setting(
        code="approval-survives-push",
        severity=UNSAFE,
        law="A push takes approvals back.",
        why="Otherwise an approval stands on commits that are not judged yet, until the next run of sync.",
        page=f"{APPROVALS} > Remove all approvals",
        where=Where.COMPOSES,
        endpoint=Endpoint.APPROVALS,
        wanted=_always(reset_approvals_on_push=True),
    ),
    Setting(
        code="files-unbounded",
        severity=ADVICE,
        law="GitLab refuses files of more than 10 MB.",
        why="A push can fill the project's storage; without push rules the gate only ignores such files.",
        page=f"{PUSH_RULES} > Maximum file size: 10",
        where=Where.COMPOSES,
        endpoint=Endpoint.PUSH_RULE,
        wanted=_always(max_file_size=tuple(range(10, 0, -1))),
    ),
)
