"""The rules of the hardened state alone: what GitLab can hold and no test can bring it to, and the laws behind them."""

import datetime as dt
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from compose_repo.core.bus.hint import TEMPLATE
from compose_repo.core.hardening import RULES, Begun, Check, State, as_markdown, begun, examine, plan_setup
from compose_repo.core.hardening.administration import (
    DEVELOPER,
    MAINTAINER,
    NO_ONE,
    OWNER,
    Access,
    BranchRule,
    DeployKey,
    Endpoint,
    Hook,
    Member,
    ProjectState,
    Protect,
    ProtectTags,
    RemoveWebhook,
    Schedule,
    TagRule,
    Token,
    Trigger,
    Unprotect,
    UnprotectTags,
    looks_secret,
    role,
)
from compose_repo.core.hardening.branches import overlaps, plan_branches
from compose_repo.core.hardening.keys import host_of
from compose_repo.core.hardening.release import NOT_ASKED, Template, Version
from compose_repo.core.hardening.rule import GateState, Rule, Seen
from compose_repo.core.hardening.settings import SETTINGS, Setting
from compose_repo.core.hardening.tags import plan_tags
from compose_repo.core.hardening.webhook import PUSHES, address_of, branches_of, plan_webhook
from compose_repo.core.links import is_plain_http
from compose_repo.core.names import Origin, Stream
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.result import Contact
from compose_repo.core.rules.holds import HoldEntry
from compose_repo.core.rules.hook import CommandHook
from compose_repo.core.rules.policy import Attribution, Bots, Mode, OriginEntry, SigningKey, StreamEntry, Waiver

ROOT: Final = Path(__file__).resolve().parents[2]
NOW: Final = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
GATE_BOT: Final = 7
MAIN: Final = BranchRule(name="main", push=(Access(level=NO_ONE),), merge=(Access(level=MAINTAINER),), force_push=False)
COMPOSES: Final = BranchRule(
    name="compose/*", push=(Access(level=DEVELOPER),), merge=(Access(level=MAINTAINER),), force_push=False
)
BARE: Final = ProjectState(
    path="centos/compose-repo",
    default_branch="main",
    settings={},
    approvals=None,
    push_rule=None,
    job_token_limited=None,
    rules=(MAIN, COMPOSES),
    labels=(),
    schedules=(),
    variables=(),
    hooks=(),
    deploy_keys=(),
    triggers=(),
    members=(Member(id=GATE_BOT, username="gate-bot", level=MAINTAINER),),
    files=frozenset(),
)
RDO: Final = OriginEntry(origin=Origin("rdo"), name="RDO", contact=Contact(email="rdo@example.org"), users=("rdo-ci",))


def seen(*, project: ProjectState = BARE, composes: bool = True, origin: OriginEntry = RDO, **gate: Any) -> Seen:  # noqa: ANN401
    return Seen(
        project=project,
        composes=composes,
        uses_token=True,
        ci_config=".gitlab-ci.yml@centos/compose-repo:main",
        gate=GateState(**{"bots": Bots(), "origins": {origin.origin: origin}, "streams": {}, "waivers": (), **gate}),
        token=None,
        now=NOW,
    )


def with_rules(*rules: BranchRule, members: tuple[Member, ...] = BARE.members) -> Seen:
    return seen(project=replace(BARE, rules=rules, members=members))


def broken(what: Seen) -> dict[str, tuple[str, ...]]:
    return {check.rule.code: check.findings for check in examine(what) if check.state is State.BROKEN}


def absent(what: Seen) -> set[str]:
    return {check.rule.code for check in examine(what) if check.state is State.ABSENT}


PROMOTING: Final = {
    Stream("CentOS-Stream-10"): StreamEntry(
        stream=Stream("CentOS-Stream-10"),
        composes=("https://c.example.org/",),
        published="https://m.example.org/COMPOSE_ID",
        promote=CommandHook(command=("publish",)),
    )
}


def with_tags(*rules: TagRule) -> Seen:
    return seen(project=replace(BARE, tag_rules=rules), streams=PROMOTING)


def tag_rule(*create: Access, name: str = "promotion/*") -> TagRule:
    return TagRule(name=name, create=create)


@pytest.mark.parametrize(
    ("rules", "code", "plan"),
    [
        ([], "promotion-tags-unprotected", ["ProtectTags"]),
        ([tag_rule(Access(level=MAINTAINER))], None, []),
        ([tag_rule(Access(level=NO_ONE))], "promotion-tags-closed", ["UnprotectTags", "ProtectTags"]),
        ([tag_rule(Access(level=DEVELOPER))], "promotion-tags-open", ["UnprotectTags", "ProtectTags"]),
        ([tag_rule(Access(level=MAINTAINER, holder="the user gate-bot", user_id=GATE_BOT))], None, []),
        (
            [tag_rule(Access(level=MAINTAINER), Access(level=MAINTAINER, holder="the user 8", user_id=8))],
            "promotion-tags-open",
            ["UnprotectTags", "ProtectTags"],
        ),
        (
            [tag_rule(Access(level=MAINTAINER)), tag_rule(Access(level=DEVELOPER), name="*")],
            "promotion-tags-open",
            ["UnprotectTags"],
        ),
        ([tag_rule(Access(level=MAINTAINER)), tag_rule(Access(level=DEVELOPER), name="v*")], None, []),
    ],
)
def test_the_records_of_promotions_are_the_gate_bots(rules: list[TagRule], code: str | None, plan: list[str]) -> None:
    what = with_tags(*rules)
    assert {one for one in broken(what) if one.startswith("promotion-")} == ({code} if code else set())
    assert [type(action).__name__ for action in plan_tags(what)] == plan


def idle(*rules: TagRule) -> Seen:
    """Give a project in which no stream promotes, yet."""
    return seen(project=replace(BARE, tag_rules=rules))


@pytest.mark.parametrize(
    ("rules", "code", "plan"),
    [
        ([], "promotion-tags-unprotected", ["ProtectTags"]),
        ([tag_rule(Access(level=MAINTAINER))], None, []),
        ([tag_rule(Access(level=NO_ONE))], None, []),
        ([tag_rule(Access(level=DEVELOPER))], "promotion-tags-open", ["UnprotectTags", "ProtectTags"]),
        (
            [tag_rule(Access(level=MAINTAINER)), tag_rule(Access(level=DEVELOPER), name="*")],
            "promotion-tags-open",
            ["UnprotectTags"],
        ),
    ],
)
def test_before_a_stream_promotes_nobody_else_can_make_records_for_that_day(
    rules: list[TagRule], code: str | None, plan: list[str]
) -> None:
    what = idle(*rules)
    assert {one for one in broken(what) if one.startswith("promotion-")} == ({code} if code else set())
    assert [type(action).__name__ for action in plan_tags(what)] == plan


def test_where_there_are_no_composes_there_are_no_records() -> None:
    assert plan_tags(replace(with_tags(), composes=False)) == ()


@pytest.mark.parametrize("rules", [[], [tag_rule(Access(level=DEVELOPER))]])
def test_where_a_stream_promotes_records_from_before_the_rule_are_doubted(rules: list[TagRule]) -> None:
    doubted = "a stream promotes, and anybody may have made the existing records: see who pushed them"
    told = [one for findings in broken(with_tags(*rules)).values() for one in findings]
    assert doubted in told
    assert doubted not in [one for findings in broken(idle(*rules)).values() for one in findings]


def test_who_is_no_member_is_no_gate_bot() -> None:
    by_user = tag_rule(Access(level=MAINTAINER, holder="the user 7", user_id=GATE_BOT))
    what = seen(project=replace(BARE, tag_rules=(by_user,), members=()), streams=PROMOTING)
    assert "promotion-tags-open" in broken(what)


def test_tag_rules_are_told_in_words() -> None:
    protect, unprotect = (
        ProtectTags(project="p", pattern="x", create=MAINTAINER),
        UnprotectTags(project="p", pattern="x"),
    )
    assert (protect.sentence, unprotect.sentence) == (
        "p: protect tags x: create Maintainers",
        "p: remove the tag rule x",
    )


def by_name(user_id: int) -> Access:
    return Access(level=MAINTAINER, holder=f"the user {user_id}", user_id=user_id)


def test_every_code_is_a_rules_own() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_says_its_law_why_and_how_to_fix_it(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.code)
    assert rule.law.endswith(".")
    assert rule.why.endswith(".")
    assert rule.fix


def test_the_page_of_all_rules_is_current() -> None:
    # Write it anew: python -c "from compose_repo.core.hardening import as_markdown as m; print(m(), end='')"
    assert (ROOT / "docs" / "doctor.md").read_text() == as_markdown()


# --- branches

PATTERNS: Final = st.text(alphabet="ab*/", max_size=6)


@given(PATTERNS, PATTERNS)
def test_overlap_is_mutual(first: str, second: str) -> None:
    assert overlaps(first, second) == overlaps(second, first)


@given(PATTERNS, st.text(alphabet="ab/", max_size=6))
def test_a_branch_overlaps_with_the_patterns_that_it_fits(pattern: str, branch: str) -> None:
    fits = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), branch) is not None
    assert overlaps(pattern, branch) is fits


@given(st.text(alphabet="ab*/", max_size=6), st.text(alphabet="ab*/", max_size=6), st.text(alphabet="ab/", max_size=6))
def test_patterns_that_one_branch_fits_overlap(first: str, second: str, branch: str) -> None:
    if overlaps(first, branch) and overlaps(second, branch):
        assert overlaps(first, second)


def test_what_is_as_it_should_be_has_no_plan() -> None:
    assert plan_branches(with_rules(MAIN, COMPOSES)) == ()


def test_on_a_paid_tier_the_gate_bot_alone_may_merge() -> None:
    what = with_rules(replace(MAIN, merge=(by_name(GATE_BOT),)), COMPOSES)
    assert plan_branches(what) == ()
    assert broken(what).keys().isdisjoint({"main-mergeable", "main-closed"})


def test_somebody_else_by_name_may_not_merge() -> None:
    what = with_rules(replace(MAIN, merge=(by_name(GATE_BOT), by_name(99))), COMPOSES)
    assert broken(what)["main-mergeable"] == ("the user 99 may merge to main",)
    assert [type(action) for action in plan_branches(what)] == [Unprotect, Protect]


def test_a_name_is_no_gate_bots_where_there_is_none() -> None:
    what = with_rules(replace(MAIN, merge=(by_name(GATE_BOT),)), COMPOSES, members=())
    assert "main-mergeable" in broken(what)


def test_a_deploy_key_may_not_push_to_main() -> None:
    key = Access(level=MAINTAINER, holder="the deploy key server")
    what = with_rules(replace(MAIN, push=(Access(level=NO_ONE), key)), COMPOSES)
    assert broken(what)["main-pushable"] == ("the deploy key server may push to main",)


def test_on_a_paid_tier_third_parties_may_push_by_name() -> None:
    what = with_rules(MAIN, replace(COMPOSES, push=(by_name(99),)))
    assert plan_branches(what) == ()
    assert "compose-branches-closed" not in broken(what)


def test_a_groups_rule_is_told_and_left_to_the_group() -> None:
    group = BranchRule(
        name="m*", push=(Access(level=MAINTAINER),), merge=(Access(level=MAINTAINER),), force_push=False, inherited=True
    )
    what = with_rules(MAIN, COMPOSES, group)
    assert broken(what)["rule-opens-main"] == ("the rule m* fits main too and allows push by Maintainers",)
    assert plan_branches(what) == ()


def test_a_stricter_rule_beside_ours_is_left_alone() -> None:
    strict = BranchRule(name="*", push=(Access(level=NO_ONE),), merge=(Access(level=NO_ONE),), force_push=False)
    what = with_rules(MAIN, COMPOSES, strict)
    assert plan_branches(what) == ()
    assert "rule-opens-main" not in broken(what)


def test_in_a_gate_project_a_rule_for_other_branches_is_left_alone() -> None:
    rules = (MAIN, replace(COMPOSES, force_push=True))
    assert plan_branches(seen(project=replace(BARE, rules=rules), composes=False)) == ()


# --- settings


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.code)
def test_a_setting_that_gitlab_does_not_tell_of_is_absent_and_not_planned(setting: Setting) -> None:
    assert setting.code in absent(replace(seen(), composes=setting.code != "gate-logs-public"))
    assert setting.changes(seen()) == ()


def test_a_switch_that_nobody_has_touched_is_off() -> None:
    what = seen(project=replace(BARE, settings={"allow_merge_on_skipped_pipeline": None}))
    assert "skipped-pipeline" not in broken(what)


@pytest.mark.parametrize(
    ("modes", "wanted"),
    [
        ((), False),
        (("mirror",), False),
        (("gating",), True),
        (("gating", "gating"), True),
        (("gating", "mirror"), False),
    ],
)
def test_a_pipeline_is_a_lock_where_every_stream_is_gating(modes: tuple[str, ...], *, wanted: bool) -> None:
    entries = {
        Stream(f"S-{number}"): StreamEntry(
            stream=Stream(f"S-{number}"), composes=("https://c",), published="https://p", mode=Mode(mode)
        )
        for number, mode in enumerate(modes)
    }
    what = seen(project=replace(BARE, settings={"only_allow_merge_if_pipeline_succeeds": not wanted}), streams=entries)
    assert "pipeline-before-merge" in broken(what)


def test_a_file_size_below_the_bound_is_fine() -> None:
    assert "files-unbounded" not in broken(seen(project=replace(BARE, push_rule={"max_file_size": 5})))


def test_no_push_rule_bounds_nothing() -> None:
    what = seen(project=replace(BARE, push_rule={"max_file_size": 0}))
    assert [action.endpoint for action in plan_setup(what) if hasattr(action, "endpoint")] == [Endpoint.PUSH_RULE]


# --- people and files


def test_where_gate_files_are_broken_nothing_is_said_by_them() -> None:
    problem = Problem(path="gate/policy.toml", code=Code.NOT_TOML, message="x", fix="y")
    what = seen(problems=(problem,), origins={})
    assert {"bot-missing", "pipeline-before-merge", "waiver-expired"} <= absent(what)
    assert broken(what)["gate-files-invalid"] == ("gate/policy.toml:1: not-toml: x",)


@pytest.mark.parametrize(
    ("expires", "code"),
    [
        ("2026-11-19", "waiver-expired"),
        ("2026-11-20", "waiver-expires-soon"),
        ("2026-12-03", "waiver-expires-soon"),
        ("2026-12-04", None),
    ],
)
def test_a_waiver_is_named_in_its_last_two_weeks_and_after_its_end(expires: str, code: str | None) -> None:
    row = {"origin": "rdo", "testcase": "t", "reason": "r", "issue": "https://i", "by": "b", "expires": expires}
    named = {"waiver-expired", "waiver-expires-soon"} & broken(seen(waivers=(Waiver.from_dict(row),))).keys()
    assert named == ({code} if code else set())


@pytest.mark.parametrize(
    ("until", "code", "words"),
    [
        ("2026-11-18", "hold-without-force", "the hold on CentOS-Stream-10 has ended on 2026-11-18"),
        ("2026-11-20", "hold-ends-soon", "the hold on CentOS-Stream-10 ends with 2026-11-20"),
        ("2026-11-21", None, None),
        ("2026-12-04", None, None),
        (
            "2026-12-05",
            "hold-without-force",
            "the hold on CentOS-Stream-10 ends on 2026-12-05, and has no force before 2026-11-21",
        ),
    ],
)
def test_a_hold_is_named_on_its_last_day_and_where_it_has_no_force(
    until: str, code: str | None, words: str | None
) -> None:
    row = {"stream": "CentOS-Stream-10", "reason": "r", "issue": "https://i", "by": "b", "until": until}
    found = broken(seen(holds=(HoldEntry.from_dict(row),)))
    named = {one: said for one, said in found.items() if one.startswith("hold-")}
    assert named == ({code: (words,)} if code else {})


def test_where_nothing_is_held_nothing_is_said_of_holds() -> None:
    assert {"hold-without-force", "hold-ends-soon"} <= absent(seen())


def test_more_than_three_owners_are_worth_a_look() -> None:
    owners = tuple(Member(id=number, username=f"o{number}", level=OWNER) for number in range(4))
    assert broken(seen(project=replace(BARE, members=owners)))["maintainer-unexpected"] == ("there are 4 Owners",)


def test_a_blocked_bot_is_no_member() -> None:
    blocked = (replace(BARE.members[0], blocked=True),)
    findings = broken(seen(project=replace(BARE, members=blocked)))["bot-missing"]
    assert "the gate bot, gate-bot, is not a member; it should be a Maintainer" in findings


def test_accounts_are_compared_as_gitlab_does() -> None:
    bots = Bots(compose="Bot", gate="bOT")
    assert broken(seen(bots=bots))["bots-are-one"] == ("bOT is both",)


@pytest.mark.parametrize(
    ("entry", "lacks"),
    [
        (replace(RDO, users=()), "no users"),
        (replace(RDO, attribution=Attribution.SIGNATURE), "no key that is valid"),
        (replace(RDO, users=(), attribution=Attribution.EITHER), "neither users nor a key that is valid"),
        (
            replace(
                RDO,
                attribution=Attribution.SIGNATURE,
                keys=(SigningKey(key="ssh-ed25519 AAAA", valid_after=dt.date(2026, 12, 1)),),
            ),
            "no key that is valid",
        ),
    ],
)
def test_an_origin_that_nobody_can_report_for_is_named(entry: OriginEntry, lacks: str) -> None:
    assert broken(seen(origin=entry))["origin-unattributable"] == (f"rdo has {lacks}",)


def test_a_key_without_a_comment_is_named_by_its_end() -> None:
    key = SigningKey(key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", valid_before=dt.date(2026, 11, 20))
    what = seen(origin=replace(RDO, keys=(key,)))
    assert broken(what)["key-expired"] == ("the key …aC1lZDI1NTE5 of rdo has expired on 2026-11-20",)


def test_a_revoked_key_that_is_over_is_no_news() -> None:
    key = SigningKey(key="ssh-ed25519 AAAA", valid_before=dt.date(2026, 1, 1), revoked=True)
    assert "key-expired" not in broken(seen(origin=replace(RDO, keys=(key,))))


# --- secrets


@pytest.mark.parametrize("key", ["COMPOSE_REPO_TOKEN", "password", "SSH_KEY", "BASIC_AUTH", "aws_secret_id"])
def test_a_secret_is_known_by_its_name(key: str) -> None:
    assert looks_secret(key, "x")


@pytest.mark.parametrize(
    "value",
    [None, "glpat-abcdefghij0123456789", "-----BEGIN OPENSSH PRIVATE KEY-----\nx", "eyJhbGciOi.eyJzdWIiOi.c2ln"],
)
def test_a_secret_is_known_by_its_value(value: str | None) -> None:
    assert looks_secret("X", value)


@pytest.mark.parametrize(("key", "value"), [("PIP_INDEX_URL", "https://example.org"), ("MONKEY", "author"), ("X", "")])
def test_what_is_no_secret_is_taken_for_none(key: str, value: str) -> None:
    assert not looks_secret(key, value)


@pytest.mark.parametrize(
    ("url", "plain", "host"),
    [
        ("http://example.org/s3cret", True, "example.org"),
        ("HTTP://user:pass@example.org:80/", True, "example.org"),
        ("https://example.org/", False, "example.org"),
        ("http://127.0.0.1:8080/", False, "127.0.0.1"),
        ("http://[::1]/", False, "[::1]"),
        ("http://[2001:db8::1]/", True, "[2001:db8::1]"),
        ("ftp://example.org/", False, "somewhere"),
    ],
)
def test_an_address_is_known_by_scheme_and_host(url: str, host: str, *, plain: bool) -> None:
    assert (is_plain_http(url), host_of(url)) == (plain, host)


@pytest.mark.parametrize("owner", ["gate-bot", "Gate-Bot"])
def test_our_schedule_may_be_active_if_it_is_the_gate_bots(owner: str) -> None:
    ours = Schedule(id=1, description="compose-repo sync", ref="main", active=True, owner=owner)
    findings = broken(seen(project=replace(BARE, schedules=(ours,))))
    assert findings.keys().isdisjoint(
        {"schedule-missing", "schedule-moved", "schedule-elsewhere", "schedule-of-another"}
    )


def test_a_role_that_we_do_not_know_is_told_by_its_number() -> None:
    assert role(33) == "role 33"


@pytest.mark.parametrize(
    ("schedule", "code"),
    [
        (Schedule(id=1, description="nightly", ref="main", active=True, owner="someone"), None),
        (Schedule(id=1, description="nightly", ref="devel", active=False, owner="someone"), None),
        (Schedule(id=1, description="nightly", ref="devel", active=True, owner="someone"), "schedule-elsewhere"),
        (Schedule(id=1, description="compose-repo sync", ref="main", active=False, owner="someone"), None),
    ],
)
def test_a_schedule_is_named_where_it_runs_what_others_have_written(schedule: Schedule, code: str | None) -> None:
    ours = Schedule(id=2, description="compose-repo sync", ref="main", active=False, owner="releng")
    findings = broken(seen(project=replace(BARE, schedules=(schedule, ours))))
    told = [name for name in findings if name.startswith("schedule") and name != "schedule-off"]
    assert told == ([] if code is None else [code])


def test_our_own_trigger_and_a_webhook_over_tls_are_fine() -> None:
    hook = Hook(id=1, url="https://example.org/", checks_certificate=True)
    trigger = Trigger(id=1, description="compose-repo: results came in", owner="gate-bot")
    what = seen(project=replace(BARE, hooks=(hook,), triggers=(trigger,)))
    assert broken(what).keys().isdisjoint({"webhook-insecure", "trigger-unknown"})


def test_a_deploy_key_that_only_reads_is_fine() -> None:
    key = DeployKey(id=1, title="mirror", can_push=False)
    assert "deploy-key-pushes" not in broken(seen(project=replace(BARE, deploy_keys=(key,))))


def test_the_compose_bot_has_no_place_in_the_gate_project() -> None:
    members = (*BARE.members, Member(id=8, username="compose-bot", level=DEVELOPER))
    what = seen(project=replace(BARE, members=members), composes=False)
    assert broken(what)["outsider-in-gate-project"] == ("compose-bot is Developer",)


def test_whoever_reports_may_read_the_gate_project() -> None:
    members = (*BARE.members, Member(id=9, username="rdo-ci", level=20))
    what = seen(project=replace(BARE, members=members), composes=False)
    assert "outsider-in-gate-project" not in broken(what)


# --- the webhook

HOME: Final = replace(
    BARE,
    settings={"web_url": "https://gitlab.example.org/git/centos/compose-repo", "id": 7},
    triggers=(Trigger(id=12, description=PUSHES, owner="Gate-Bot"),),
)
WHERE: Final = "https://gitlab.example.org/git/api/v4/projects/7/ref/main/trigger/pipeline?token="
OURS: Final = Hook(
    id=3,
    url=f"{WHERE}{{trigger12}}",
    checks_certificate=True,
    name=PUSHES,
    events=frozenset({"push_events"}),
    branches=("regex", "^(main|compose/.+)$"),
    template=TEMPLATE,
)
GATE_BOTS: Final = Token(username="gate-bot", admin=False, scopes=("api",), expires=None)


def webhooks(*hooks: Hook, token: Token | None = GATE_BOTS) -> Seen:
    return replace(seen(project=replace(HOME, hooks=hooks)), token=token)


def plan_of(what: Seen) -> list[str]:
    return [type(action).__name__ for action in plan_webhook(what)]


@pytest.mark.parametrize("template", [TEMPLATE, None])
def test_our_webhook_as_it_should_be_is_left_alone(template: str | None) -> None:
    what = webhooks(replace(OURS, template=template))
    assert (broken(what).keys() & {"webhook-missing", "webhook-wrong"}, plan_of(what)) == (set(), [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"url": f"{WHERE}{{trigger13}}"}, "calls a trigger that is gone"),
        ({"url": f"{WHERE}glptt-1"}, "whose token everybody here can read"),
        ({"url": "https://evil.example.org/api/v4/projects/7/trigger/pipeline"}, "to evil.example.org calls something"),
        ({"events": frozenset()}, "is called for nothing"),
        ({"events": frozenset({"push_events", "note_events"})}, "is called for note_events, push_events"),
        ({"branches": ("wildcard", "compose/*")}, "is not called for the branches ^(main|compose/.+)$"),
        ({"template": ""}, "its custom template differs"),
        ({"is_called": False}, "GitLab no longer calls it"),
    ],
)
def test_what_is_wrong_with_our_webhook_is_told_and_made_anew(change: dict[str, Any], told: str) -> None:
    what = webhooks(replace(OURS, **change))
    assert told in broken(what)["webhook-wrong"][0]
    assert plan_of(what) == ["RemoveWebhook", "CreateWebhook"]


def test_of_two_good_webhooks_one_is_taken_away() -> None:
    what = webhooks(OURS, replace(OURS, id=4))
    assert broken(what)["webhook-wrong"] == ("there are 2 of them, and each starts a pipeline",)
    assert plan_webhook(what) == (RemoveWebhook(project=HOME.path, id=4, host="gitlab.example.org"),)


@pytest.mark.parametrize(
    "url",
    [
        "https://chat.example.org/",
        "https://gitlab.example.org/git/api/v4/projects/99/ref/main/trigger/pipeline?token={theirs}",
        "https://gitlab.example.org/git/api/v4/projects/77/trigger/pipeline?token={theirs}",
        "https://gitlab.example.org/git/api/v4/projects/rdo%2Ftests/trigger/pipeline?token={theirs}",
        "https://gitlab.example.org/api/v4/projects/7/ref/main/trigger/pipeline?token={theirs}",
        "https://gitlab.rdo.example.org/api/v4/projects/7/ref/main/trigger/pipeline?token={theirs}",
        "https://rdo.example.org/?to=https://gitlab.example.org/git/api/v4/projects/7/trigger/pipeline",
    ],
)
def test_webhooks_of_others_are_no_business_of_ours(url: str) -> None:
    theirs = Hook(id=5, url=url, checks_certificate=True, name="rdo: pushes", events=frozenset({"push_events"}))
    what = webhooks(OURS, theirs)
    assert (broken(what).keys() & {"webhook-missing", "webhook-wrong"}, plan_of(what)) == (set(), [])
    assert (set(broken(webhooks(theirs))) & {"webhook-missing"}, plan_of(webhooks(theirs))) == (
        {"webhook-missing"},
        ["CreateWebhook"],
    )


@pytest.mark.parametrize(
    "path",
    [
        "https://gitlab.example.org/git/api/v4/projects/7/trigger/pipeline?token=glptt-1",
        "https://gitlab.example.org/git/api/v4/projects/7/trigger/pipeline",
        "http://GitLab.example.org/git/api/v4/projects/7/ref/devel/trigger/pipeline?token=glptt-1",
        f"https://gitlab.example.org/git/api/v4/projects/{quote(BARE.path, safe='')}/trigger/pipeline?token=glptt-1",
    ],
)
def test_a_webhook_to_a_trigger_of_our_own_project_is_ours_whatever_its_name(path: str) -> None:
    what = webhooks(replace(OURS, id=4, url=path, name=""), OURS)
    assert plan_of(what) == ["RemoveWebhook"]


def test_where_gitlab_knows_no_names_of_webhooks_ours_is_known_by_its_address() -> None:
    assert plan_of(webhooks(replace(OURS, name=""))) == []


@pytest.mark.parametrize("token", [None, replace(GATE_BOTS, username="releng")])
def test_nobodys_token_but_the_gate_bots_makes_the_webhook(token: Token | None) -> None:
    assert plan_of(webhooks(token=token)) == []
    assert "webhook-missing" in broken(webhooks(token=token))


def test_without_webhook_none_is_planned_or_missed() -> None:
    what = replace(webhooks(), webhook=False)
    assert plan_of(what) == []
    assert {"webhook-missing", "webhook-wrong"} <= absent(what)


def test_by_gate_files_that_are_broken_no_webhook_is_planned() -> None:
    problem = Problem(path="gate/streams.toml", code=Code.NOT_TOML, message="m", fix="f")
    what = replace(webhooks(), gate=replace(webhooks().gate, problems=(problem,)))
    assert plan_of(what) == []


def test_a_branch_of_any_name_is_addressed_and_matched_to_the_letter() -> None:
    home = replace(HOME, default_branch="release/1.0")
    assert address_of(home).endswith("/ref/release%2F1.0/trigger/pipeline?token=")
    assert re.search(branches_of("release/1.0"), "release/1x0") is None


def test_a_trigger_of_ours_that_another_owns_is_told() -> None:
    trigger = Trigger(id=12, description=PUSHES, owner="releng")
    what = seen(project=replace(BARE, triggers=(trigger,)))
    assert broken(what)["trigger-of-another"] == (f"the pipeline trigger {PUSHES!r} belongs to releng",)


# --- the template's version


def with_template(template: Template | None) -> Seen:
    return replace(seen(), template=template)


def release(text: str) -> Version:
    found = Version.parse(text)
    assert found is not None
    return found


def test_a_newer_version_of_the_template_is_told() -> None:
    what = with_template(Template(version="0.2.0", program=None, newest=release("0.3.0")))
    assert broken(what)["template-behind"] == ("main has version 0.2.0, the template has 0.3.0",)


def test_who_has_the_newest_version_of_the_template_is_told_nothing() -> None:
    what = with_template(Template(version="0.3.0", program=None, newest=release("0.3.0")))
    assert "template-behind" not in broken(what).keys() | absent(what)


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (None, NOT_ASKED),
        (Template(version="0.2.0", program=None), NOT_ASKED),
        (Template(version="0.2.0", program=None, unknown="it is\ngone"), "it is gone"),
        (Template(version=None, program=None, newest=release("0.3.0")), "main has no version of the template"),
        (
            Template(version="0.2.0\n+x", program=None, newest=release("0.3.0")),
            "the version 0.2.0 +x on main is not of the form X.Y.Z",
        ),
    ],
)
def test_where_the_versions_cannot_be_compared_it_is_said_why(template: Template | None, why: str) -> None:
    [check] = [check for check in examine(with_template(template)) if check.rule.code == "template-behind"]
    assert (check.state, check.absent) == (State.ABSENT, why)


def test_which_of_the_steps_of_people_are_done_is_told_by_the_checks() -> None:
    fine = [Check(rule=rule, project="centos/composes", state=State.FINE) for rule in RULES]
    assert begun(fine) == Begun(accounts=True, tokens=True, schedule=True, webhook=True)
    for codes, step in (
        (("bot-missing", "bots-are-one"), "accounts"),
        (("token-missing",), "tokens"),
        (("schedule-missing", "schedule-off", "schedule-of-another"), "schedule"),
        (("webhook-missing", "webhook-wrong"), "webhook"),
    ):
        for code in codes:
            checks = [replace(check, state=State.BROKEN) if check.rule.code == code else check for check in fine]
            assert begun(checks) == replace(begun(fine), **{step: False}), code
