"""Webhooks of the local GitLab that call its own pipeline trigger: which pushes, what is sent, and what comes of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from gitlab_world import BRANCH, World, build_world, commit, git, write

TEMPLATE: Final = '{"object_kind": "{{object_kind}}", "project_id": {{project_id}}, "branch": "{{ref}}"}'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build_world(tmp_path)
    yield made
    made.server.stop()


def address(world: World, ref: str = "main") -> str:
    return f"{world.server.url}/api/v4/projects/{world.project.id}/ref/{ref}/trigger/pipeline?token="


def hook(world: World, **more: object) -> Any:  # noqa: ANN401  # python-gitlab is loosely typed
    """Make a trigger of the gate bot's, and the hook that calls it."""
    project = world.as_user(world.gate)
    token = project.triggers.create({"description": "pushes"}).token
    values = {"url": address(world) + "{token}", "url_variables": [{"key": "token", "value": token}], **more}
    return project.hooks.create(values)


def payloads(world: World) -> list[dict[str, Any]]:
    """Give what came with each pipeline that a trigger has started."""
    assert world.server.wait_for_pipelines()
    rows = world.server.site.store.all("SELECT * FROM pipelines WHERE source = 'trigger' ORDER BY id")
    assert all(row["ref"] == "main" for row in rows)
    return [json.loads(json.loads(row["variables"])["TRIGGER_PAYLOAD"]["file"]) for row in rows]


def alert(world: World, hook_id: int) -> str:
    assert world.server.wait_for_pipelines()
    return str(world.as_user(world.gate).hooks.get(hook_id).alert_status)


@pytest.mark.smoke
def test_a_push_starts_the_triggers_pipeline_whose_ref_takes_the_place_of_the_events(world: World) -> None:
    hook(world)
    sha = commit(world.as_user(world.gate), "main", "x", "y")
    [payload] = payloads(world)
    assert (payload["object_kind"], payload["after"], payload["user_username"]) == ("push", sha, "gate")
    assert (payload["ref"], payload["id"], payload["variables"]) == ("main", str(world.project.id), {})
    assert "token" not in payload


def test_a_template_of_its_own_is_all_that_is_sent(world: World) -> None:
    hook(world, custom_webhook_template=TEMPLATE)
    world.open()
    sent = {"object_kind": "push", "project_id": world.project.id, "branch": f"refs/heads/{BRANCH}"}
    added = {"id": str(world.project.id), "ref": "main", "variables": {}}
    assert payloads(world) == [{**sent, **added}] * 2


@pytest.mark.parametrize(
    ("strategy", "wanted", "heard"),
    [
        ("wildcard", "compose/*", [BRANCH, BRANCH]),
        ("regex", r"^(main|compose/.+)$", [BRANCH, BRANCH, "main"]),
        ("all_branches", "compose/*", [BRANCH, BRANCH, "devel", "main"]),
    ],
)
def test_pushes_go_by_the_branch_filter(world: World, strategy: str, wanted: str, heard: list[str]) -> None:
    made = hook(world, custom_webhook_template=TEMPLATE)
    made.branch_filter_strategy, made.push_events_branch_filter = strategy, wanted
    made.save()
    world.open()
    project = world.as_user(world.gate)
    commit(project, "main", "x", "y")
    clone = world.clone(world.rdo, "main")
    git(clone, "checkout", "--quiet", "-b", "devel")
    write(clone, "z", "z")
    git(clone, "push", "--quiet", "origin", "devel")
    found = [payload["branch"].removeprefix("refs/heads/") for payload in payloads(world)]
    assert sorted(found) == sorted(heard)


def test_a_push_of_more_than_three_branches_calls_no_hook(world: World) -> None:
    hook(world)
    clone = world.clone(world.rdo, "main")
    git(clone, "push", "--quiet", "origin", *(f"HEAD:refs/heads/b{number}" for number in range(4)))
    assert payloads(world) == []
    git(clone, "push", "--quiet", "origin", *(f"HEAD:refs/heads/c{number}" for number in range(3)))
    assert len(payloads(world)) == 3


def test_a_tag_is_no_push_to_a_branch(world: World) -> None:
    made = hook(world)
    clone = world.clone(world.rdo, "main")
    git(clone, "push", "--quiet", "origin", "HEAD:refs/tags/v1")
    assert payloads(world) == []
    made.tag_push_events = True
    made.save()
    git(clone, "push", "--quiet", "origin", "HEAD:refs/tags/v2")
    assert [payload["object_kind"] for payload in payloads(world)] == ["tag_push"]


def test_the_masked_part_of_an_address_is_never_shown(world: World) -> None:
    made = hook(world)
    assert (made.url.partition("=")[2], made.url_variables) == ("{token}", [{"key": "token"}])
    listed = world.as_user(world.gate).hooks.list(get_all=True)
    assert "glptt-" not in json.dumps([one.attributes for one in listed])


def test_a_hook_that_fails_again_and_again_is_disabled_for_a_while(world: World) -> None:
    made = hook(world)
    project = world.as_user(world.gate)
    project.triggers.delete(project.triggers.list(get_all=True)[0].id)
    states = []
    for number in range(4):
        commit(project, "main", f"x{number}", "y")
        states.append(alert(world, made.id))
    assert states == ["executable"] * 3 + ["temporarily_disabled"]
    world.server.requests.clear()
    commit(project, "main", "z", "y")
    world.server.wait_for_pipelines()
    assert world.server.requests.count("POST", "/projects/<project_id>/ref/<ref>/trigger/pipeline") == 0


@pytest.mark.parametrize(("restricted", "status"), [(False, 201), (True, 400)])
def test_where_nobody_may_set_variables_a_payload_alone_is_let_through_by_newer_gitlabs(
    world: World,
    restricted: bool,  # noqa: FBT001  # pytest gives it
    status: int,
) -> None:
    world.server.site.payload_is_restricted = restricted
    project = world.as_user(world.root)
    project.ci_pipeline_variables_minimum_override_role = "no_one_allowed"
    project.save()
    token = world.as_user(world.gate).triggers.create({"description": "pushes"}).token
    alone = requests.post(address(world) + token, json={"object_kind": "push"}, timeout=10)
    more = requests.post(address(world) + token, json={"variables": {"PATH": "/nowhere"}}, timeout=10)
    refused = (400, {"message": {"base": ["Insufficient permissions to set pipeline variables"]}})
    assert (more.status_code, more.json()) == refused
    assert alone.status_code == status


@pytest.mark.parametrize(("merge", "status"), [(40, 201), (0, 400)])
def test_a_trigger_runs_main_for_whoever_may_merge_into_it(world: World, merge: int, status: int) -> None:
    rules = world.as_user(world.root).protectedbranches
    rules.delete("main")
    rules.create({"name": "main", "push_access_level": 0, "merge_access_level": merge})
    token = world.as_user(world.gate).triggers.create({"description": "pushes"}).token
    assert requests.post(address(world) + token, json={}, timeout=10).status_code == status


def test_events_of_pipelines_start_none(world: World) -> None:
    token = world.as_user(world.gate).triggers.create({"description": "pushes"}).token
    headers = {"X-Gitlab-Event": "Pipeline Hook"}
    assert requests.post(address(world) + token, json={}, headers=headers, timeout=10).status_code == 403
