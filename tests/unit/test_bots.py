"""Who may write as a bot, and where that is read when the rest of the rules cannot be."""

import datetime as dt

import pytest

from compose_repo.core.forge.bots import Bot, not_the_bot
from compose_repo.core.forge.forge import User
from compose_repo.core.rules.policy import Bots
from compose_repo.ports.tree import Entry, GivenTree
from compose_repo.reading.bots import read_bots

BOTS = Bots(compose="opener", gate="judge")
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
SOUND = b'schema = "streams/1"\n[bots]\ngate = "judge"\n'


class LinkedTree(GivenTree):
    """Every file is a link."""

    def list(self, folder: str) -> list[Entry]:
        return [Entry(path=entry.path, size=entry.size, regular=False) for entry in super().list(folder)]


def refused(username: str, bot: Bot, variable: str = "COMPOSE_REPO_TOKEN") -> str | None:
    refusal = not_the_bot(User(id=7, username=username), bot, BOTS, variable=variable)
    return None if refusal is None else str(refusal)


@pytest.mark.parametrize(("username", "bot"), [("opener", Bot.COMPOSE), ("judge", Bot.GATE), ("Judge", Bot.GATE)])
def test_the_account_that_is_named_is_the_bot(username: str, bot: Bot) -> None:
    assert refused(username, bot) is None


@pytest.mark.parametrize(
    ("username", "bot"),
    [
        ("judge", Bot.COMPOSE),
        ("opener", Bot.GATE),
        ("rdo-ci", Bot.COMPOSE),
        ("rdo-ci", Bot.GATE),
        ("gate-bot", Bot.GATE),
        ("judge2", Bot.GATE),
        ("", Bot.GATE),
    ],
)
def test_no_other_account_is_the_bot(username: str, bot: Bot) -> None:
    assert refused(username, bot) is not None


def test_a_refusal_says_whose_token_it_is_which_account_is_needed_and_where_that_is_said() -> None:
    assert refused("rdo-ci", Bot.GATE) == (
        "COMPOSE_REPO_TOKEN belongs to rdo-ci, but judge approves and merges ([bots] gate in gate/streams.toml on "
        "main); use the token of judge, or name the account there"
    )
    assert refused("rdo-ci", Bot.COMPOSE, "COMPOSE_REPO_OPENER_TOKEN") == (
        "COMPOSE_REPO_OPENER_TOKEN belongs to rdo-ci, but opener opens composes ([bots] compose in gate/streams.toml "
        "on main); use the token of opener, or name the account there"
    )


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, Bots()),
        ({"gate/streams.toml": SOUND}, Bots(gate="judge")),
        ({"gate/streams.toml": b'schema = "streams/1"\n'}, Bots()),
        ({"gate/streams.toml": SOUND, "gate/policy.toml": b"no TOML", "gate/stray": b""}, Bots(gate="judge")),
        ({"gate/streams.toml": b"no TOML", "gate/policy.toml": b'schema = "policy/1"\n'}, None),
        ({"gate/streams.toml": SOUND + b'merge = "judge"\n'}, None),
        ({"elsewhere/gate/streams.toml": SOUND}, Bots()),
    ],
)
def test_the_bots_are_read_from_their_own_file_alone(files: dict[str, bytes], expected: Bots | None) -> None:
    assert read_bots(GivenTree(files), NOON) == expected


def test_a_link_says_nothing_of_the_bots() -> None:
    assert read_bots(LinkedTree({"gate/streams.toml": SOUND}), NOON) is None
