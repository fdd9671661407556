"""What any Developer may do to a compose's merge request, and that the next pass undoes it or says why not."""

import datetime as dt
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import gitlab
import jsonschema
import pytest
from test_main_path import DEVELOPER, ID, MAINTAINER, NEWER, OLDER, ROOT, World, git, sentences, server, world

from local_gitlab.server import User

__all__ = ["server", "world"]
BRANCH = f"compose/{ID}"
REOPEN = ["reopen !1"]


def project_as(world: World, user: User) -> Any:  # noqa: ANN401  # python-gitlab's objects know no attributes
    return gitlab.Gitlab(world.server.url, private_token=user.token).projects.get(world.project.id)


def change(world: World, user: User, iid: int = 1, **values: str) -> None:
    """Change a merge request as somebody."""
    project_as(world, user).mergerequests.update(iid, values)


def somebody(world: World, level: int = DEVELOPER) -> User:
    mallory = world.server.create_user("mallory")
    world.server.add_member(world.project, mallory, access_level=level)
    return mallory


def branch(world: World, name: str, ref: str = "main") -> None:
    project_as(world, world.rdo).branches.create({"branch": name, "ref": ref})


def passed(world: World, run: str = "1") -> None:
    world.report(ID, "rdo", "passed", run=run)
    world.report(ID, "idm", "passed", run=run)


def brought_back(out: str, err: str) -> list[str]:
    """Give what has been done before it was judged: that is no surprise, and nothing is said of it but the plan."""
    assert err == ""
    written = sentences(out)
    return written[: next(n for n, line in enumerate(written) if line.startswith("set status"))]


@pytest.mark.parametrize("title", [f"Draft: {ID}", "Something else", f"[Draft] {ID}"])
def test_a_title_that_somebody_changed_is_the_compose_id_again(world: World, title: str) -> None:
    world.open()
    passed(world)
    change(world, world.rdo, title=title)
    code, out, err = world.approve()
    assert (code, world.api().title, world.approvers()) == (0, ID, ["gate-bot"])
    assert brought_back(out, err) == [f"give !1 title '{ID}'"]


def test_a_merge_request_that_somebody_retargeted_goes_to_main_again_and_is_merged_there(world: World) -> None:
    world.open()
    branch(world, "evil")
    change(world, world.rdo, target_branch="evil")
    world.publish(ID)
    code, out, _ = world.merge()
    assert (code, sentences(out)[0]) == (0, "give !1 target branch main")
    assert (world.api().state, world.api().target_branch) == ("merged", "main")
    assert world.on_main(f"composes/{ID}/manifest.json")


@pytest.mark.smoke
def test_what_a_developer_has_closed_is_opened_again(world: World) -> None:
    world.open()
    passed(world)
    change(world, world.rdo, state_event="close")
    code, out, err = world.approve()
    assert (code, world.api().state, world.approvers()) == (0, "opened", ["gate-bot"])
    assert brought_back(out, err) == REOPEN


def two_weeks_pass(world: World) -> None:
    """Let GitLab remove the heads of what has ended."""
    world.server.remove_old_heads(world.project, at=dt.datetime.now(tz=dt.UTC) + dt.timedelta(days=15))


def test_what_was_closed_weeks_ago_is_judged_and_opened_again(world: World) -> None:
    world.open()
    passed(world)
    change(world, world.rdo, state_event="close")
    two_weeks_pass(world)
    code, out, err = world.approve()
    assert (code, world.api().state, world.approvers()) == (0, "opened", ["gate-bot"])
    assert brought_back(out, err) == REOPEN


def test_what_was_superseded_weeks_ago_is_merged_where_the_mirrors_go_back_to_it(world: World) -> None:
    world.open(OLDER)
    world.open(NEWER)
    world.publish(NEWER)
    world.merge(NEWER)
    two_weeks_pass(world)
    world.publish(OLDER)
    code, _, err = world.merge(OLDER)
    assert (code, err, world.api(1).state) == (0, "", "merged")
    two_weeks_pass(world)
    code, out, err = world.merge(OLDER)
    assert (code, err, "needs nothing" in out) == (0, "", True)


def test_a_head_that_the_server_does_not_give_is_said(world: World) -> None:
    world.open()
    change(world, somebody(world, MAINTAINER), state_event="close")
    two_weeks_pass(world)
    world.publish(ID)
    world.server.faults.add("503", path="/git-upload-pack", times=99)
    code, _, err = world.merge(ID)
    assert (code, "git fetch" in err, world.api().state) == (2, True, "closed")


def test_what_a_maintainer_has_closed_stays_closed(world: World) -> None:
    world.open()
    releng = somebody(world, MAINTAINER)
    change(world, releng, state_event="close")
    world.server.requests.clear()
    _, out, _ = world.approve()
    assert "(closed) needs nothing" in out
    assert "it stays closed: mallory, a Maintainer, closed it" in out
    assert world.writes() == []


@pytest.mark.parametrize("world", ["gating"], indirect=True)
def test_what_a_maintainer_has_closed_is_not_published_by_merging(world: World) -> None:
    world.open()
    passed(world)
    change(world, world.gate, state_event="close")
    code, _, err = world.merge(ID, "--published")
    assert code == 2
    assert "stays closed: gate-bot, one of the two bots, closed it; to publish it, a Maintainer opens it again" in err
    assert world.api().state == "closed"


def test_what_a_newer_compose_has_overtaken_stays_closed_whoever_closes_it(world: World) -> None:
    world.open(OLDER)
    world.open(NEWER)
    change(world, world.rdo, state_event="close")
    world.publish(NEWER)
    world.merge(NEWER)
    _, out, _ = world.approve(OLDER)
    assert f"it stays closed: {NEWER}, which is newer, was merged since" in out
    assert world.api(1).state == "closed"


def test_a_duplicate_is_told_why_and_closed_before_ours_is_opened_again(world: World) -> None:
    world.open()
    change(world, world.rdo, state_event="close")
    mallory = somebody(world)
    ask = {"source_branch": BRANCH, "target_branch": "main", "title": ID, "labels": "gate::satisfied"}
    project_as(world, mallory).mergerequests.create(ask)
    _, out, err = world.approve()
    assert brought_back(out, err) == ["write a note on !2", "close !2", "reopen !1"]
    assert (world.api(1).state, world.api(2).state) == ("opened", "closed")
    assert "The merge request of `CentOS-Stream-10-20261120.0` is !1" in world.notes(2)[0]
    change(world, mallory, 2, state_event="reopen", target_branch=_other(world))
    assert sentences(world.approve()[1])[0] == "close !2"
    assert len(world.notes(2)) == 1


def _other(world: World) -> str:
    branch(world, "other")
    return "other"


def test_a_merge_request_of_somebody_elses_is_never_judged(world: World) -> None:
    branch(world, BRANCH)
    ask = {"source_branch": BRANCH, "target_branch": "main", "title": ID}
    project_as(world, world.rdo).mergerequests.create(ask)
    world.server.requests.clear()
    for verb in (world.approve, partial(world.merge, ID, "--published")):
        code, _, err = verb()
        assert code == 2
        assert "has no merge request of compose-bot's" in err
        assert "(!1 by rdo-ci: never judged); open it: compose-repo open" in err
    assert world.writes() == []


def test_a_duplicate_that_was_faster_than_ours_is_closed(world: World) -> None:
    ask = {"source_branch": BRANCH, "target_branch": "main", "title": ID}
    world.server.faults.before(
        "POST", "/merge_requests$", lambda: project_as(world, world.rdo).mergerequests.create(ask)
    )
    code, _, err = world.open()
    assert code == 2
    assert "Another open merge request already exists" in err
    code, out, _ = world.open()
    assert code == 0
    assert [line.split()[0] for line in sentences(out)] == ["write", "close", "open"]
    assert world.api(2).author["username"] == "compose-bot"
    assert "The compose bot opens the merge request" in world.notes(1)[0]


def test_a_branch_that_was_there_before_the_compose_bot_is_not_built_upon(world: World) -> None:
    branch(world, BRANCH)
    world.server.requests.clear()
    code, _, err = world.open()
    assert code == 1
    assert "foreign-branch" in err
    assert f"branch {BRANCH} was created by rdo-ci, not by compose-bot" in err
    assert world.writes() == []


@pytest.mark.smoke
def test_a_branch_that_somebody_has_deleted_comes_back_with_its_results(world: World) -> None:
    world.open()
    passed(world)
    head = world.api().sha
    project_as(world, world.rdo).branches.delete(BRANCH)
    assert world.api().state == "closed"
    code, out, err = world.approve()
    assert (code, world.api().state, world.api().sha, world.approvers()) == (0, "opened", head, ["gate-bot"])
    assert brought_back(out, err) == [f"create branch {BRANCH} again at {head[:12]}", "reopen !1"]


def test_a_branch_that_a_maintainer_has_deleted_stays_away(world: World) -> None:
    world.open()
    project_as(world, somebody(world, MAINTAINER)).branches.delete(BRANCH)
    world.server.requests.clear()
    assert "stays closed: mallory, a Maintainer, closed it" in world.approve()[1]
    assert world.writes() == []


def test_what_was_merged_elsewhere_is_opened_anew_with_its_results(world: World) -> None:
    world.open()
    passed(world)
    branch(world, "evil")
    change(world, world.rdo, target_branch="evil")
    project_as(world, world.rdo).mergerequests.get(1, lazy=True).merge(should_remove_source_branch=True)
    code, _, err = world.approve()
    assert code == 2
    assert "!1 of CentOS-Stream-10-20261120.0 was merged into evil, not into main as it is; open it" in err
    code, out, _ = world.open()
    assert (code, [line.split()[0] for line in sentences(out)]) == (0, ["create", "open"])
    assert world.approve()[0] == 0
    assert world.approvers(2) == ["gate-bot"]
    assert "needs nothing" in world.approve()[1]


def test_merge_requests_that_bear_the_name_only_are_named_and_left_alone(world: World) -> None:
    world.open()
    branch(world, "feature")
    ask = {"source_branch": "feature", "target_branch": "main", "title": f"About {ID}"}
    project_as(world, world.rdo).mergerequests.create(ask)
    stranger = world.server.create_user("stranger")
    api = gitlab.Gitlab(world.server.url, private_token=stranger.token)
    own: Any = api.projects.get(api.projects.get(world.project.id).forks.create({}).id)
    step = {"action": "create", "file_path": "x", "content": "y"}
    own.commits.create({"branch": BRANCH, "commit_message": "m", "actions": [step]})
    target = {"target_branch": "main", "target_project_id": world.project.id}
    own.mergerequests.create({"source_branch": BRANCH, "title": "t", **target})
    world.approve()
    world.server.requests.clear()
    _, out, err = world.approve()
    assert "needs nothing" in out
    assert "!2 by rdo-ci, from another branch, is left alone: only its name fits" in err
    assert "!3 by stranger, from a fork, is left alone: only its name fits" in err
    assert world.writes() == []


def test_a_dry_run_says_all_that_would_be_done_and_does_nothing(world: World) -> None:
    world.open()
    passed(world)
    branch(world, "evil")
    change(world, world.rdo, target_branch="evil", title="x", state_event="close")
    world.server.requests.clear()
    code, out, _ = world.approve(ID, "--dry-run")
    assert code == 0
    assert [line.split()[0] for line in sentences(out)] == ["give", "reopen", "set", "give", "write", "give", "approve"]
    world.publish(ID)
    assert sentences(world.merge(ID, "--dry-run")[1])[:2] == sentences(out)[:2]
    assert world.writes() == []


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_in_json_all_is_one_plan_that_keeps_to_its_schema(world: World, more: tuple[str, ...]) -> None:
    world.open()
    change(world, world.rdo, title="x", state_event="close")
    plan = json.loads(world.approve(ID, "--format", "json", *more)[1])
    jsonschema.validate(plan, json.loads((ROOT / "schemas" / "plan.schema.json").read_text()))
    kinds = [row["action"] for row in plan["actions"]]
    assert kinds == [
        "UpdateMergeRequest",
        "ReopenMergeRequest",
        "SetStatus",
        "UpdateMergeRequest",
        "PutNote",
        "Describe",
    ]


def test_an_approval_is_taken_back_from_every_merge_request_when_the_rules_cannot_be_read(world: World) -> None:
    world.open()
    passed(world)
    world.approve()
    owner = world.client.projects.get(world.project.id)
    step = {"action": "update", "file_path": "gate/streams.toml", "content": "broken ="}
    owner.commits.create({"branch": "main", "commit_message": "m", "actions": [step]})
    code, _, err = world.approve()
    assert code == 1
    assert "withdraw approval of !1: it cannot be judged: not-toml" in err
    assert world.approvers() == []


def test_a_head_that_was_pushed_away_and_back_is_approved_anew(world: World) -> None:
    world.open()
    passed(world)
    world.approve()
    assert "needs nothing" in world.approve()[1]
    clone = world.clone(world.rdo)
    git(clone, "push", "--quiet", "--force", "origin", f"HEAD~1:{BRANCH}")
    git(clone, "push", "--quiet", "--force", "origin", f"HEAD:{BRANCH}")
    code, out, _ = world.approve()
    assert code == 0
    assert sentences(out)[0] == "withdraw approval of !1: the branch was pushed to since"
    assert sentences(out)[-1].startswith("approve !1")
    assert "needs nothing" in world.approve()[1]


def _close(world: World) -> None:
    change(world, world.rdo, state_event="close")


def _draft(world: World) -> None:
    change(world, world.rdo, title=f"Draft: {ID}")


def _retarget(world: World) -> None:
    branch(world, "evil")
    change(world, world.rdo, target_branch="evil")


UNDONE = {"state": "reopen !1", "title": f"give !1 title '{ID}'", "target": "give !1 target branch main"}
"""How a plan says that it undoes what somebody has done."""


@pytest.mark.parametrize(
    ("act", "what"), [(_close, "state"), (_draft, "title"), (_retarget, "target")], ids=["close", "draft", "retarget"]
)
@pytest.mark.parametrize("moment", ["GET /approvals$", "POST /notes$"], ids=["judged", "written"])
def test_what_somebody_does_between_judging_and_approving_makes_the_pass_start_over(
    world: World, act: Callable[[World], None], what: str, moment: str
) -> None:
    world.open()
    passed(world)
    method, path = moment.split()
    world.server.faults.before(method, path, lambda: act(world))
    code, out, err = world.approve()
    assert code == 0
    assert f"the {what} of !1 has changed meanwhile: reading it again" in err
    assert UNDONE[what] in sentences(out)
    assert (world.api().state, world.api().title, world.api().target_branch) == ("opened", ID, "main")
    assert world.approvers() == ["gate-bot"]


@pytest.mark.parametrize(
    ("act", "what"), [(_close, "state"), (_draft, "title"), (_retarget, "target")], ids=["close", "draft", "retarget"]
)
def test_what_somebody_does_between_judging_and_merging_never_merges_elsewhere(
    world: World, act: Callable[[World], None], what: str
) -> None:
    world.open()
    world.publish(ID)
    world.server.faults.before("POST", "/notes$", lambda: act(world))
    code, _, err = world.merge()
    assert code == 0
    assert f"the {what} of !1 has changed meanwhile: reading it again" in err
    assert (world.api().state, world.api().target_branch) == ("merged", "main")
    assert world.on_main(f"composes/{ID}/manifest.json")


@pytest.mark.parametrize("act", [_close, _draft], ids=["close", "draft"])
def test_what_gitlab_refuses_to_merge_because_of_somebody_is_judged_again(
    world: World, act: Callable[[World], None]
) -> None:
    world.open()
    world.publish(ID)
    world.server.faults.before("PUT", "/merge$", lambda: act(world))
    code, _, err = world.merge()
    assert code == 0
    assert "has changed meanwhile: reading it again" in err
    assert world.api().state == "merged"


def test_a_push_right_before_the_approval_is_judged_first(world: World) -> None:
    world.open()
    passed(world)
    world.server.faults.before("POST", "/approve$", lambda: world.report(ID, "rdo", "failed", run="2"))
    code, _, err = world.approve()
    assert code == 1
    assert "its head moved meanwhile: reading it again" in err
    assert world.approvers() == []


def test_whoever_never_stops_is_told_of_and_gets_nothing_approved(world: World) -> None:
    world.open()
    passed(world)
    for _ in range(9):
        world.server.faults.before("GET", "/approvals$", lambda: _draft(world))
    code, _, err = world.approve()
    assert code == 2
    assert err.splitlines()[-1].endswith(
        "the title of !1 has changed meanwhile, for the 4th time in this run; run again"
    )
    assert world.approvers() == []


@pytest.mark.parametrize("options", [(), ("--format", "json")])
def test_whoever_never_stops_keeps_no_approval_from_before(world: World, options: tuple[str, ...]) -> None:
    world.open()
    passed(world)
    assert world.approve()[0] == 0

    def push(run: int) -> None:
        world.report(ID, "rdo", "failed", run=str(run))
        world.server.faults.before("GET", "/merge_requests/1$", lambda: push(run + 1))

    push(2)
    code, out, err = world.run(world.gate, "approve", ID, *options)
    assert (code, "for the 4th time in this run; run again" in out + err) == (2, True)
    assert "withdraw approval of !1: it cannot be judged: head-moving" in out + err
    world.server.faults.clear()
    assert world.approvers() == []
