"""Who may write as one of our two bots: the account that `[bots]` in gate/streams.toml names, and no other."""

from enum import StrEnum
from typing import Final

from compose_repo.core.forge.forge import User
from compose_repo.core.problems.problem import UsageError
from compose_repo.core.rules.policy import Bots


class Bot(StrEnum):
    """Our two accounts, by their names in `[bots]`."""

    COMPOSE = "compose"
    GATE = "gate"


_DOES: Final = {Bot.COMPOSE: "opens composes", Bot.GATE: "approves and merges"}


def not_the_bot(me: User, bot: Bot, bots: Bots, *, variable: str = "the token") -> UsageError | None:
    """Give the reason why an account may not write as a bot; None if it is that bot.

    A note, a status or a label of any other account would be taken for the project's word. `variable` is the
    name of the one that holds the token.
    """
    username = bots.compose if bot is Bot.COMPOSE else bots.gate
    if me.is_called(username):
        return None
    return UsageError(
        f"{variable} belongs to {me.username}, but {username} {_DOES[bot]} "
        f"([bots] {bot} in gate/streams.toml on main); use the token of {username}, or name the account there"
    )
