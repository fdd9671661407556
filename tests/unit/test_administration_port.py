"""What no good GitLab shows: a setting that may be read and not written, and answers of another shape."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compose_repo.core.hardening.administration import (
    Access,
    Change,
    ChangeSettings,
    Endpoint,
    ForbidForcePush,
    NotOnThisTier,
    Refused,
    Schedule,
    Trigger,
    Variable,
    to_dict,
)
from compose_repo.ports.environment import Environment
from compose_repo.ports.gitlab.administration import Administrator, administer
from compose_repo.ports.gitlab.setup_rows import branch_rule_of, level_of, schedule_of, trigger_of, variable_of
from local_gitlab.server import LocalGitLab
from skipping_clock import SkippingClock

LEVELS = {"name": "main", "allow_force_push": False, "merge_access_levels": []}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalGitLab]:
    with LocalGitLab.start(tmp_path) as server:
        yield server


@pytest.fixture
def administrator(server: LocalGitLab) -> Iterator[Administrator]:
    owner = server.create_user("releng")
    project = server.create_project("centos/compose-repo", owner=owner)
    environment = Environment(gitlab_url=server.url, project=project.path, token=owner.token, in_ci=False)
    administrator = administer(environment, lambda _line: None, SkippingClock())
    yield administrator
    administrator.close()


@pytest.mark.parametrize("endpoint", [Endpoint.APPROVALS, Endpoint.PUSH_RULE])
def test_a_setting_that_may_be_read_and_not_written_is_not_on_the_tier(
    server: LocalGitLab, administrator: Administrator, endpoint: Endpoint
) -> None:
    server.site.paid = False
    change = ChangeSettings(
        project="centos/compose-repo", endpoint=endpoint, changes=(Change(name="x", old=False, new=True),)
    )
    with pytest.raises(NotOnThisTier, match=r"^not on this tier: centos/compose-repo: set x from false to true"):
        administrator.apply(change)


def test_a_branch_rule_that_is_gone_is_refused(administrator: Administrator) -> None:
    with pytest.raises(Refused, match=r"could not forbid force pushes to release in centos/compose-repo: ") as caught:
        administrator.apply(ForbidForcePush(project="centos/compose-repo", branch="release"))
    assert not isinstance(caught.value, NotOnThisTier)


def test_of_an_access_its_holder_is_told() -> None:
    rows = [
        {"access_level": 40, "access_level_description": "Jane Doe", "user_id": 7, "group_id": None},
        {"access_level": 40, "access_level_description": None, "deploy_key_id": 3},
        {"access_level": None, "access_level_description": "ops", "group_id": 4},
        {"access_level": 0, "access_level_description": "No one"},
    ]
    assert branch_rule_of({**LEVELS, "push_access_levels": rows}).push == (
        Access(level=40, holder="the user Jane Doe", user_id=7),
        Access(level=40, holder="the deploy key 3"),
        Access(level=0, holder="the group ops"),
        Access(level=0),
    )


@pytest.mark.parametrize(
    ("permissions", "level"),
    [
        ({"project_access": None, "group_access": None}, None),
        ({"project_access": {"access_level": 30}, "group_access": {"access_level": 40}}, 40),
        (None, None),
    ],
)
def test_the_higher_of_two_roles_counts(permissions: Any, level: int | None) -> None:  # noqa: ANN401
    assert level_of({"permissions": permissions}) == level


def test_a_schedule_may_give_its_branchs_full_name_and_no_owner() -> None:
    row = {"id": 1, "description": "x", "ref": "refs/heads/main", "active": True, "owner": None}
    assert schedule_of(row) == Schedule(id=1, description="x", ref="main", active=True, owner="nobody")


def test_a_trigger_may_have_no_owner_and_no_description() -> None:
    assert trigger_of({"id": 1, "description": None, "owner": None}) == Trigger(id=1, description="", owner="nobody")


def test_a_hidden_variable_is_a_masked_secret() -> None:
    row = {"key": "X", "value": None, "protected": True, "masked": False, "hidden": True}
    assert variable_of(row) == Variable(key="X", scope="*", protected=True, masked=True, secret=True)


def test_a_change_of_settings_is_told_setting_by_setting() -> None:
    change = ChangeSettings(
        project="p", endpoint=Endpoint.PROJECT, changes=(Change(name="lfs_enabled", old=True, new=False),)
    )
    assert to_dict(change) == {
        "action": "ChangeSettings",
        "sentence": "p: set lfs_enabled from true to false",
        "project": "p",
        "endpoint": Endpoint.PROJECT,
        "changes": [{"name": "lfs_enabled", "old": True, "new": False}],
    }
