"""Only the accounts that main names write as the bots: everybody else is refused before anything is written.

The merge request has been renamed, which the gate bot's verbs undo first: so each of them has something to write.
"""

import itertools

import gitlab
import pytest
from gitlab.v4.objects import Project as ApiProject
from test_main_path import ID, NEWER, STREAMS, World, server, world

from local_gitlab.server import User

__all__ = ["server", "world"]
GATE_VERBS = [("approve", ID), ("merge", ID, "--published"), ("sync",), ("sync", "--only", ID)]
WAYS = [(), ("--dry-run",), ("--dry-run", "--format", "json")]
NOT_THE_GATE_BOT = (
    "COMPOSE_REPO_TOKEN belongs to {}, but gate-bot approves and merges ([bots] gate in gate/streams.toml on main); "
    "use the token of gate-bot, or name the account there"
)
NOT_THE_COMPOSE_BOT = (
    "{} belongs to {}, but compose-bot opens composes ([bots] compose in gate/streams.toml on main); "
    "use the token of compose-bot, or name the account there"
)


@pytest.fixture
def busy(world: World) -> World:  # the fixture of that name
    """Give a world in which every verb has something to do."""
    world.open()
    world.report(ID, "rdo", "passed")
    world.report(ID, "idm", "passed")
    world.publish(ID)
    as_(world, world.rdo).mergerequests.update(1, {"title": "Draft: mine"})
    world.monkeypatch.setenv("COMPOSE_REPO_OPENER_TOKEN", world.opener.token)
    world.server.requests.clear()
    return world


def as_(world: World, user: User) -> ApiProject:
    return gitlab.Gitlab(world.server.url, private_token=user.token).projects.get(world.project.id)


def write(world: World, path: str, content: str) -> None:
    """Change a file of main."""
    file = world.client.projects.get(world.project.id).files.get(path, ref="main")
    file.content = content
    file.save(branch="main", commit_message=f"Change {path}")
    world.server.requests.clear()


def refusal(world: World, who: User, *command: str) -> str:
    """Run a verb, see that it has written nothing, and give its one line."""
    code, out, err = world.run(who, *command)
    assert (code, out, world.writes(), len(err.splitlines())) == (2, "", [], 1), (out, err)
    return err.strip().removeprefix(f"compose-repo {command[0]}: ")


@pytest.mark.smoke
def test_open_refuses_everybody_but_the_compose_bot(busy: World) -> None:
    for who, more in itertools.product((busy.rdo, busy.gate), WAYS):
        said = refusal(busy, who, "open", f"{busy.web}/{NEWER}", *more)
        assert said == NOT_THE_COMPOSE_BOT.format("COMPOSE_REPO_TOKEN", who.username)


@pytest.mark.parametrize("verb", GATE_VERBS)
def test_the_gate_bots_verbs_refuse_everybody_but_the_gate_bot(busy: World, verb: tuple[str, ...]) -> None:
    for who, more in itertools.product((busy.rdo, busy.opener), WAYS):
        assert refusal(busy, who, *verb, *more) == NOT_THE_GATE_BOT.format(who.username)


def test_sync_refuses_a_second_token_that_is_not_the_compose_bots(busy: World) -> None:
    for who, more in itertools.product((busy.rdo, busy.gate), WAYS):
        busy.monkeypatch.setenv("COMPOSE_REPO_OPENER_TOKEN", who.token)
        said = refusal(busy, busy.gate, "sync", *more)
        assert said == NOT_THE_COMPOSE_BOT.format("COMPOSE_REPO_OPENER_TOKEN", who.username)


@pytest.mark.parametrize("verb", GATE_VERBS)
def test_it_is_main_that_says_who_the_gate_bot_is(busy: World, verb: tuple[str, ...]) -> None:
    streams = STREAMS % {"web": busy.web, "mode": "mirror"}
    write(busy, "gate/streams.toml", f'{streams}[bots]\ngate = "Judge"\n')
    judge = busy.server.create_user("judge")
    busy.server.add_member(busy.project, judge, access_level=40)
    said = refusal(busy, busy.gate, *verb)
    assert said == NOT_THE_GATE_BOT.format("gate-bot").replace("but gate-bot", "but Judge").replace(
        "of gate-bot", "of Judge"
    )
    busy.run(judge, *verb)
    opens = {"compose-bot"} if verb == ("sync",) else set()
    assert {entry.user for entry in busy.writes()} == {"judge"} | opens


@pytest.mark.parametrize("verb", GATE_VERBS)
def test_the_bots_are_known_though_other_rules_have_problems(busy: World, verb: tuple[str, ...]) -> None:
    as_(busy, busy.rdo).mergerequests.get(1).approve()
    write(busy, "gate/policy.toml", "no TOML")
    assert refusal(busy, busy.rdo, *verb) == NOT_THE_GATE_BOT.format("rdo-ci")
    assert busy.approvers() == ["rdo-ci"]


@pytest.mark.parametrize("verb", [("approve", ID), ("sync",)])
def test_where_nobody_knows_the_bots_an_account_takes_back_its_own_approval_and_no_more(
    busy: World, verb: tuple[str, ...]
) -> None:
    busy.approve()
    as_(busy, busy.rdo).mergerequests.get(1).approve()
    write(busy, "gate/streams.toml", "no TOML")
    code, _, err = busy.run(busy.rdo, *verb)
    assert (code, "not-toml" in err) == (1, True)
    assert [(entry.method, entry.path.rpartition("/")[2], entry.user) for entry in busy.writes()] == [
        ("POST", "unapprove", "rdo-ci")
    ]
    assert busy.approvers() == ["gate-bot"]


@pytest.mark.parametrize("verb", [("open",), ("merge", ID, "--published")])
def test_where_nobody_knows_the_bots_nothing_is_opened_or_merged(busy: World, verb: tuple[str, ...]) -> None:
    write(busy, "gate/streams.toml", "no TOML")
    code, _, err = busy.run(busy.rdo, *(verb if verb[1:] else ("open", f"{busy.web}/{NEWER}")))
    assert (code, "not-toml" in err, busy.writes()) == (1, True, [])
