"""Each rule of the hardened state: what breaks it, in which words it is told, and what setup would do."""

import datetime as dt
from typing import Any, Final

import pytest
from msgspec.structs import replace
from test_hardening import BARE, COMPOSES, MAIN, NOW, RDO, absent, broken, seen, with_rules

from compose_repo.core.hardening import State, examine, is_stopped, is_unsafe, plan_setup
from compose_repo.core.hardening.administration import (
    DEVELOPER,
    MAINTAINER,
    NO_ONE,
    OWNER,
    Access,
    Action,
    BranchRule,
    ChangeLabel,
    CreateLabel,
    CreateSchedule,
    CreateWebhook,
    DeployKey,
    ForbidForcePush,
    Hook,
    Label,
    LimitJobToken,
    Member,
    MoveSchedule,
    Protect,
    RemoveWebhook,
    Runs,
    Schedule,
    Token,
    Trigger,
    Unprotect,
    Variable,
    to_dict,
)
from compose_repo.core.hardening.branches import plan_branches
from compose_repo.core.hardening.files import CI_FILE, plan_labels, wanted_labels
from compose_repo.core.hardening.keys import plan_job_token, plan_schedule
from compose_repo.core.hardening.rule import Look, Seen, Severity
from compose_repo.core.names import Origin, Stream
from compose_repo.core.rules.policy import Bots, Mode, SigningKey, StreamEntry

DEVELOPERS, MAINTAINERS, NOBODY = (Access(level=level) for level in (DEVELOPER, MAINTAINER, NO_ONE))
STREAM: Final = StreamEntry(
    stream=Stream("CentOS-Stream-10"),
    composes=("https://c.example.org/",),
    published="https://m.example.org/COMPOSE_ID",
)
SECRET: Final = Variable(key="COMPOSE_REPO_TOKEN", scope="gate", protected=True, masked=True, secret=True)
SYNC: Final = Schedule(id=1, description="compose-repo sync", ref="main", active=True, owner="gate-bot")
TOKEN: Final = Token(username="gate-bot", admin=False, scopes=("api",), expires=dt.date(2027, 6, 1))
COMPOSE_BOT: Final = Member(id=8, username="compose-bot", level=DEVELOPER)
RDO_CI: Final = Member(id=9, username="rdo-ci", level=DEVELOPER)
IDM: Final = replace(RDO, origin=Origin("idm"), name="Identity")


def project(**changes: Any) -> Seen:  # noqa: ANN401
    return seen(project=replace(BARE, **changes))


def members(*more: Member, gate: Member = BARE.members[0]) -> Seen:
    return project(members=(gate, *more))


def token(**changes: Any) -> Seen:  # noqa: ANN401
    return replace(seen(), token=replace(TOKEN, **changes))


def looked(failure: str | None) -> Seen:
    look = Look(stream=Stream("CentOS-Stream-10"), field="composes", url="https://c.example.org/", failure=failure)
    return replace(seen(), looks=(look,))


def key(**changes: Any) -> Seen:  # noqa: ANN401
    return seen(origin=replace(RDO, keys=(SigningKey(key="ssh-ed25519 AAAA rdo-ci", **changes),)))


@pytest.mark.parametrize(
    ("what", "code", "findings"),
    [
        # branches
        (with_rules(COMPOSES), "main-unprotected", ["no rule protects main by its name"]),
        (
            with_rules(replace(MAIN, push=(DEVELOPERS, MAINTAINERS)), COMPOSES),
            "main-pushable",
            ["Developers may push to main", "Maintainers may push to main"],
        ),
        (
            with_rules(replace(MAIN, merge=(DEVELOPERS,)), COMPOSES),
            "main-mergeable",
            ["Developers may merge to main"],
        ),
        (
            with_rules(replace(MAIN, merge=(NOBODY,)), COMPOSES),
            "main-closed",
            ["the gate bot may not merge to main"],
        ),
        (with_rules(replace(MAIN, force_push=True), COMPOSES), "main-force-push", ["force pushes to main are allowed"]),
        (
            with_rules(MAIN, COMPOSES, replace(MAIN, name="ma*", merge=(DEVELOPERS,), force_push=True)),
            "rule-opens-main",
            ["the rule ma* fits main too and allows merge by Developers, force push"],
        ),
        (with_rules(MAIN), "compose-branches-unprotected", ["no rule protects compose/*"]),
        (
            with_rules(MAIN, replace(COMPOSES, force_push=True)),
            "compose-branches-force-push",
            ["force pushes to compose/* are allowed"],
        ),
        (
            with_rules(MAIN, replace(COMPOSES, push=(MAINTAINERS,))),
            "compose-branches-closed",
            ["Developers may not push to compose/*"],
        ),
        (
            with_rules(MAIN, replace(COMPOSES, merge=(DEVELOPERS,))),
            "compose-branches-mergeable",
            ["Developers may merge to compose/*"],
        ),
        (
            with_rules(MAIN, COMPOSES, replace(COMPOSES, name="compose/C*", force_push=True)),
            "rule-opens-compose-branches",
            ["the rule compose/C* fits branches of compose/* too and allows force push"],
        ),
        # people
        (seen(bots=Bots(compose="gate-bot")), "bots-are-one", ["gate-bot is both"]),
        (members(), "bot-missing", ["the compose bot, compose-bot, is not a member; it should be a Developer"]),
        (
            members(replace(COMPOSE_BOT, level=MAINTAINER)),
            "bot-too-strong",
            ["the compose bot, compose-bot, is Maintainer and should be Developer"],
        ),
        (
            members(replace(COMPOSE_BOT, level=20), gate=replace(BARE.members[0], level=DEVELOPER)),
            "bot-too-weak",
            [
                "the compose bot, compose-bot, is Reporter and should be Developer",
                "the gate bot, gate-bot, is Developer and should be Maintainer",
            ],
        ),
        (
            members(replace(COMPOSE_BOT, expires=dt.date(2026, 12, 20))),
            "bot-membership-ends",
            ["the membership of the compose bot, compose-bot, ends on 2026-12-20"],
        ),
        (members(), "origin-user-missing", ["rdo-ci, who reports for rdo, is not a member"]),
        (
            members(replace(RDO_CI, level=OWNER)),
            "origin-user-too-strong",
            ["rdo-ci, who reports for rdo, is Owner"],
        ),
        (
            members(replace(RDO_CI, level=20)),
            "origin-user-too-weak",
            ["rdo-ci, who reports for rdo, is Reporter"],
        ),
        (
            seen(origin=replace(RDO, users=("Gate-Bot",))),
            "origin-user-is-bot",
            ["gate-bot may report for rdo"],
        ),
        (
            seen(origins={RDO.origin: RDO, IDM.origin: IDM}),
            "origin-user-shared",
            ["rdo-ci may report for rdo, idm"],
        ),
        (
            members(Member(id=10, username="someone", level=MAINTAINER)),
            "maintainer-unexpected",
            ["someone is Maintainer"],
        ),
        (
            replace(members(RDO_CI), composes=False),
            "outsider-in-gate-project",
            ["rdo-ci is Developer"],
        ),
        # secrets
        (token(admin=True), "token-of-admin", ["gate-bot, whose token this is, is an administrator"]),
        (
            token(scopes=("sudo", "api", "admin_mode")),
            "token-too-strong",
            ["it has the scopes admin_mode, sudo too"],
        ),
        (token(expires=dt.date(2026, 12, 4)), "token-expires", ["it expires on 2026-12-04"]),
        (token(expires=None), "token-never-expires", ["it has no expiry date"]),
        (
            replace(project(variables=(SECRET,)), uses_token=False),
            "variable-beside-composes",
            ["there is COMPOSE_REPO_TOKEN"],
        ),
        (
            project(variables=(replace(SECRET, protected=False),)),
            "secret-unprotected",
            ["COMPOSE_REPO_TOKEN is not protected"],
        ),
        (
            project(variables=(replace(SECRET, masked=False),)),
            "secret-unmasked",
            ["COMPOSE_REPO_TOKEN is not masked"],
        ),
        (
            project(variables=(replace(SECRET, scope="*"),)),
            "secret-everywhere",
            ["COMPOSE_REPO_TOKEN is for every environment"],
        ),
        (project(job_token_limited=False), "job-token-open", ["job tokens of every project are allowed"]),
        (
            project(deploy_keys=(DeployKey(id=1, title="a\x1bserver", can_push=True),)),
            "deploy-key-pushes",
            ["the deploy key 'a\N{REPLACEMENT CHARACTER}server' may push"],
        ),
        (
            project(
                hooks=(
                    Hook(id=1, url="http://plain.example.org/", checks_certificate=True),
                    Hook(id=2, url="https://any.example.org/", checks_certificate=False),
                )
            ),
            "webhook-insecure",
            [
                "the webhook to plain.example.org is not encrypted",
                "the webhook to any.example.org does not check the certificate",
            ],
        ),
        (
            project(triggers=(Trigger(id=1, description="mine", owner="someone"),)),
            "trigger-unknown",
            ["someone has the pipeline trigger 'mine'"],
        ),
        (project(), "schedule-missing", ["no pipeline schedule is described as 'compose-repo sync'"]),
        (
            project(schedules=(replace(SYNC, ref="devel"),)),
            "schedule-moved",
            ["'compose-repo sync' runs on devel"],
        ),
        (
            project(schedules=(replace(SYNC, owner="releng"),)),
            "schedule-of-another",
            ["'compose-repo sync' belongs to releng"],
        ),
        # files
        (
            key(valid_before=dt.date(2026, 12, 20)),
            "key-expires-soon",
            ["the key rdo-ci of rdo expires on 2026-12-20"],
        ),
        (
            seen(streams={STREAM.stream: replace(STREAM, composes=("http://c.example.org/",))}),
            "stream-unencrypted",
            ["composes of CentOS-Stream-10 is http://c.example.org/"],
        ),
        (
            looked("timed out"),
            "stream-unreachable",
            ["composes of CentOS-Stream-10, https://c.example.org/: timed out"],
        ),
        (project(), "ci-file-missing", ["main has no .gitlab-ci.yml"]),
    ],
)
def test_what_breaks_a_rule_is_told_in_words(what: Seen, code: str, findings: list[str]) -> None:
    assert broken(what)[code] == tuple(findings)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (members(COMPOSE_BOT, RDO_CI), "bot-missing"),
        (members(COMPOSE_BOT), "bot-too-strong"),
        (members(COMPOSE_BOT), "bot-too-weak"),
        (members(replace(COMPOSE_BOT, level=20, blocked=True)), "bot-too-weak"),
        (members(replace(COMPOSE_BOT, expires=dt.date(2026, 12, 21))), "bot-membership-ends"),
        (members(RDO_CI), "origin-user-missing"),
        (members(RDO_CI), "origin-user-too-strong"),
        (members(RDO_CI), "origin-user-too-weak"),
        (members(replace(RDO_CI, level=MAINTAINER)), "maintainer-unexpected"),
        (replace(members(replace(RDO_CI, level=20)), composes=False), "outsider-in-gate-project"),
        (token(), "token-of-admin"),
        (token(), "token-too-strong"),
        (token(expires=dt.date(2026, 12, 5)), "token-expires"),
        (token(), "token-never-expires"),
        (replace(project(), uses_token=False), "variable-beside-composes"),
        (project(variables=(SECRET,)), "secret-unprotected"),
        (project(variables=(SECRET,)), "secret-unmasked"),
        (project(variables=(SECRET,)), "secret-everywhere"),
        (project(job_token_limited=True), "job-token-open"),
        (key(), "key-expires-soon"),
        (key(valid_before=dt.date(2026, 12, 21)), "key-expires-soon"),
        (key(valid_before=dt.date(2026, 12, 20), revoked=True), "key-expires-soon"),
        (seen(streams={STREAM.stream: STREAM}), "stream-unencrypted"),
        (looked(None), "stream-unreachable"),
        (project(files=frozenset({CI_FILE})), "ci-file-missing"),
    ],
)
def test_what_keeps_a_rule_is_not_told(what: Seen, code: str) -> None:
    assert code in {check.rule.code for check in examine(what) if check.state is State.FINE}


NO_ORIGINS: Final = replace(seen(), gate=replace(seen().gate, origins={}))
RUNNING: Final = project(schedules=(SYNC,), runs=Runs(ended=NOW, succeeded=NOW))
OFF: Final = project(schedules=(replace(SYNC, active=False),))


@pytest.mark.parametrize(
    ("what", "code", "reason"),
    [
        (project(), "outsider-in-gate-project", "one project holds both the composes and the token"),
        (project(variables=(SECRET,)), "variable-beside-composes", "one project holds both the composes and the token"),
        (
            project(settings={"visibility": "private"}),
            "gate-project-private",
            "one project holds both the composes and the token",
        ),
        (project(), "gate-logs-public", "one project holds both the composes and the token"),
        (project(), "secret-unprotected", "no variable holds a secret"),
        (project(), "secret-unmasked", "no variable holds a secret"),
        (
            replace(project(variables=(replace(SECRET, scope="*"),)), composes=False),
            "secret-everywhere",
            "no secret is where third parties push",
        ),
        (project(), "secret-everywhere", "no secret is where third parties push"),
        (project(), "deploy-key-pushes", "there is no deploy key"),
        (project(), "webhook-insecure", "there is no webhook"),
        (project(), "webhook-wrong", "there is no such webhook"),
        (project(), "trigger-unknown", "there is no pipeline trigger"),
        (project(), "trigger-of-another", "there is no such trigger"),
        (project(), "schedule-moved", "there is no such schedule"),
        (project(), "schedule-of-another", "there is no such schedule"),
        (RUNNING, "schedule-elsewhere", "there is no other schedule"),
        (project(), "schedule-off", "no pipeline schedule is described as 'compose-repo sync'"),
        (project(), "no-run", "the pipeline schedule is missing or off"),
        (OFF, "no-run", "the pipeline schedule is missing or off"),
        (
            RUNNING,
            "token-missing",
            "they are not in the project, but runs of sync succeed: they come from a group or the whole GitLab",
        ),
        (NO_ORIGINS, "origin-user-missing", "no account reports for an origin"),
        (NO_ORIGINS, "origin-unattributable", "there is no origin"),
        (project(), "key-expired", "no origin has a signing key"),
        (project(), "waiver-expired", "there is no waiver"),
        (project(), "stream-unencrypted", "no stream is followed"),
        (replace(project(), looks=()), "stream-unreachable", "no stream is followed"),
        (project(), "promotion-tags-closed", "no stream promotes"),
    ],
)
def test_a_rule_that_has_nothing_to_be_about_says_so(what: Seen, code: str, reason: str) -> None:
    [check] = [check for check in examine(what) if check.rule.code == code]
    assert (check.state, check.absent) == (State.ABSENT, reason)


@pytest.mark.parametrize(
    ("what", "findings"),
    [
        (OFF, {"schedule-off": ("the pipeline schedule 'compose-repo sync' is off",)}),
        (
            replace(RUNNING, project=replace(RUNNING.project, runs=Runs())),
            {"no-run": ("no run of sync on main has ended yet",)},
        ),
        (
            replace(RUNNING, now=NOW + dt.timedelta(hours=30, minutes=5)),
            {"no-run": (f"the last run of sync on main ended 30 hours ago, at {NOW:%Y-%m-%d %H:%M} UTC",)},
        ),
        (replace(RUNNING, now=NOW + dt.timedelta(hours=6)), {}),
        (RUNNING, {}),
    ],
)
def test_what_cannot_run_is_told_from_what_can(what: Seen, findings: dict[str, tuple[str, ...]]) -> None:
    both = tuple(replace(SECRET, key=key) for key in ("COMPOSE_REPO_TOKEN", "COMPOSE_REPO_OPENER_TOKEN"))
    checks = examine(replace(what, project=replace(what.project, variables=both)))
    stopped = [check for check in checks if check.rule.severity is Severity.STOPPED and check.state is State.BROKEN]
    assert {check.rule.code: check.findings for check in stopped} == findings
    assert is_stopped(checks) == bool(findings)


EARLIER: Final = NOW - dt.timedelta(hours=7)


@pytest.mark.parametrize(
    ("succeeded", "finding"),
    [
        (None, "none has succeeded yet"),
        (EARLIER, f"the last one succeeded 7 hours ago, at {EARLIER:%Y-%m-%d %H:%M} UTC"),
    ],
)
def test_runs_that_only_fail_are_told(succeeded: dt.datetime | None, finding: str) -> None:
    what = project(schedules=(SYNC,), runs=Runs(ended=NOW, succeeded=succeeded))
    assert broken(what)["runs-fail"] == (finding,)


def test_each_token_that_is_missing_is_named() -> None:
    assert broken(project(variables=(SECRET,)))["token-missing"] == (
        "there is no variable COMPOSE_REPO_OPENER_TOKEN, for the compose bot's token",
    )


def test_a_file_of_ours_that_is_there_is_not_missed() -> None:
    what = project(files=frozenset({".gitattributes", ".gitlab/CODEOWNERS"}))
    assert broken(what)["project-file-missing"] == (
        "main has no .gitlab/issue_templates/Origin.md",
        "main has no .gitlab/issue_templates/Waiver.md",
        "main has no .gitlab/merge_request_templates/Default.md",
    )


@pytest.mark.parametrize(
    ("settings", "finding"),
    [
        ({"visibility": "private"}, "visibility is private and should be public or internal"),
        ({"visibility": "internal"}, None),
        (
            {"visibility": "public", "repository_access_level": "disabled"},
            "repository_access_level is disabled and should be enabled",
        ),
        ({}, None),
    ],
)
def test_a_gate_project_is_open_to_whoever_pushes(settings: dict[str, str], finding: str | None) -> None:
    what = replace(project(settings=settings), composes=False)
    assert broken(what).get("gate-project-private") == (None if finding is None else (finding,))


def test_the_compose_bot_that_is_the_gate_bot_is_no_outsider() -> None:
    what = replace(seen(bots=Bots(compose="gate-bot")), composes=False)
    assert "outsider-in-gate-project" not in broken(what)


def test_without_a_token_nothing_is_said_of_it() -> None:
    codes = {"token-of-admin", "token-too-strong", "token-expires", "token-never-expires"}
    assert codes <= absent(seen())
    assert codes.isdisjoint(absent(token()))


def test_where_nobody_has_looked_no_address_is_judged() -> None:
    assert "stream-unreachable" in absent(seen())
    assert "stream-unreachable" not in absent(looked(None))


def test_only_what_must_not_be_makes_a_project_unsafe() -> None:
    checks = examine(project(job_token_limited=False))
    unsafe = [check for check in checks if check.rule.code == "job-token-open"]
    advice = [check for check in checks if check.rule.code == "label-missing"]
    assert (is_unsafe(unsafe), is_unsafe(advice), is_unsafe([])) == (True, False, False)


def test_a_check_is_written_with_all_that_a_reader_needs() -> None:
    [check] = [check for check in examine(project(job_token_limited=False)) if check.rule.code == "job-token-open"]
    row = check.to_dict()
    assert (row["code"], row["project"], row["state"], row["severity"]) == (
        "job-token-open",
        "centos/compose-repo",
        "broken",
        "unsafe",
    )
    assert (row["findings"], row["absent"], row["setup"]) == (["job tokens of every project are allowed"], None, True)
    assert (row["law"], row["why"], row["fix"]) == (check.rule.law, check.rule.why, check.rule.fix)


# --- plans


@pytest.mark.parametrize(
    ("rules", "plan"),
    [
        ([COMPOSES], ["Protect main"]),
        ([MAIN], ["Protect compose/*"]),
        ([replace(MAIN, push=(MAINTAINERS,)), COMPOSES], ["Unprotect main", "Protect main"]),
        ([replace(MAIN, merge=(NOBODY,)), COMPOSES], ["Unprotect main", "Protect main"]),
        ([replace(MAIN, force_push=True), COMPOSES], ["ForbidForcePush main"]),
        ([MAIN, replace(COMPOSES, force_push=True)], ["ForbidForcePush compose/*"]),
        ([MAIN, replace(COMPOSES, push=(MAINTAINERS,))], ["Unprotect compose/*", "Protect compose/*"]),
        ([MAIN, COMPOSES, replace(MAIN, name="*", merge=(DEVELOPERS,))], ["Unprotect *"]),
        ([MAIN, COMPOSES, replace(COMPOSES, name="compose/C*", force_push=True)], ["Unprotect compose/C*"]),
        ([MAIN, COMPOSES, replace(COMPOSES, name="release", push=(MAINTAINERS,), force_push=True)], []),
    ],
)
def test_branch_rules_are_made_as_they_should_be(rules: list[BranchRule], plan: list[str]) -> None:
    actions = plan_branches(with_rules(*rules))
    assert [f"{type(one).__name__} {getattr(one, 'branch', '')}" for one in actions] == plan


def test_in_a_gate_project_no_branches_of_composes_are_protected() -> None:
    assert plan_branches(replace(with_rules(MAIN), composes=False)) == ()


def test_labels_that_are_missing_or_look_otherwise_are_planned() -> None:
    first, second, *_ = wanted = wanted_labels(seen(streams={STREAM.stream: STREAM}))
    there = (replace(first, color=first.color.upper()), replace(second, description="Ours."))
    what = replace(seen(streams={STREAM.stream: STREAM}), project=replace(BARE, labels=there))
    assert plan_labels(what) == (
        *(CreateLabel(project=BARE.path, label=label) for label in wanted[2:]),
        ChangeLabel(project=BARE.path, label=second),
    )
    assert broken(what)["label-missing"] == tuple(f"there is no label {label.name}" for label in wanted[2:])
    assert broken(what)["label-differs"] == (f"the label {second.name} has another colour or description",)


@pytest.mark.parametrize("mode", Mode)
def test_a_label_for_what_is_approved_is_there_where_a_stream_is_gated(mode: Mode) -> None:
    what = seen(streams={STREAM.stream: replace(STREAM, mode=mode)})
    names = {label.name for label in wanted_labels(what)}
    assert ("compose::approved" in names) is (mode is Mode.GATING)


def test_labels_are_for_the_project_of_the_composes() -> None:
    assert plan_labels(replace(seen(), composes=False)) == ()


def test_a_schedule_is_made_inactive_and_moved_back_to_main() -> None:
    made = CreateSchedule(
        project=BARE.path, description="compose-repo sync", ref="main", cron="7 * * * *", active=False
    )
    moved = MoveSchedule(project=BARE.path, id=1, description="compose-repo sync", ref="main")
    assert plan_schedule(project()) == (made,)
    assert plan_schedule(project(schedules=(replace(SYNC, ref="devel"),))) == (moved,)
    assert plan_schedule(project(schedules=(SYNC,))) == ()
    assert plan_schedule(replace(project(), uses_token=False)) == ()


@pytest.mark.parametrize(("limited", "count"), [(False, 1), (True, 0), (None, 0)])
def test_other_projects_job_tokens_are_kept_out(limited: bool | None, count: int) -> None:  # noqa: FBT001
    assert plan_job_token(project(job_token_limited=limited)) == (LimitJobToken(project=BARE.path),) * count


def test_what_locks_comes_first_in_the_plan_and_what_is_only_seen_last() -> None:
    what = project(rules=(), job_token_limited=False)
    kinds = list(dict.fromkeys(type(action).__name__ for action in plan_setup(what)))
    assert kinds == ["Protect", "ProtectTags", "LimitJobToken", "CreateLabel", "CreateSchedule"]


LABEL: Final = Label(name="gate::blocked", color="#c91c00", description="Something failed.")


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (LimitJobToken(project="p"), "p: let only its own job tokens reach it"),
        (ForbidForcePush(project="p", branch="main"), "p: forbid force pushes to main"),
        (Unprotect(project="p", branch="m*"), "p: remove the branch rule m*"),
        (
            Protect(project="p", branch="main", push=NO_ONE, merge=MAINTAINER),
            "p: protect main: push no one, merge Maintainers, no force push",
        ),
        (CreateLabel(project="p", label=LABEL), "p: create label gate::blocked (#c91c00)"),
        (
            ChangeLabel(project="p", label=LABEL),
            "p: give label gate::blocked the colour #c91c00 and its description",
        ),
        (
            CreateSchedule(project="p", description="d", ref="main", cron="7 * * * *", active=True),
            "p: create the pipeline schedule 'd' on main, 7 * * * *, active",
        ),
        (
            CreateSchedule(project="p", description="d", ref="main", cron="7 * * * *", active=False),
            "p: create the pipeline schedule 'd' on main, 7 * * * *, inactive",
        ),
        (
            MoveSchedule(project="p", id=1, description="d", ref="main"),
            "p: run the pipeline schedule 'd' on main",
        ),
        (RemoveWebhook(project="p", id=3, host="example.org"), "p: remove the webhook 3 to example.org"),
        (
            CreateWebhook(project="p", home="h", description="d", address="a", branches="b", template="t"),
            "p: create the webhook 'd' and its pipeline trigger in h",
        ),
    ],
)
def test_an_action_is_told_in_words(action: Action, sentence: str) -> None:
    assert action.sentence == sentence
    assert to_dict(action)["sentence"] == sentence


def test_a_labels_action_is_written_with_its_looks() -> None:
    assert to_dict(CreateLabel(project="p", label=LABEL)) == {
        "action": "CreateLabel",
        "sentence": "p: create label gate::blocked (#c91c00)",
        "project": "p",
        "label": "gate::blocked",
        "color": "#c91c00",
        "description": "Something failed.",
    }


def test_the_day_is_that_of_the_moment_given() -> None:
    assert seen().today == NOW.date()
