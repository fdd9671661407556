"""What the passes over all streams share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.escape import terminal
from compose_repo.core.forge.bots import Bot
from compose_repo.core.forge.forge import ForgeError, MergeRequest, MergeRequestState
from compose_repo.core.forge.merge_requests import compose_of, is_bots
from compose_repo.passes.jenkins import LIMITS, Poll
from compose_repo.passes.work import Work
from compose_repo.ports.http import Http, Patience


@dataclass(kw_only=True, slots=True)
class Tools:
    """What the passes over all streams share.

    `opener` acts as the compose bot; without it nothing is opened and no Jenkins is polled.
    `index_http` reads what is asked for only if it is another by now; `http` reads everything else, of which several
    machines may answer for one name.
    """

    work: Work
    opener: Work | None
    http: Http
    index_http: Http
    only: ComposeId | None = None
    recent: Sequence[MergeRequest] | None = field(default=None, init=False)
    poll: Poll = field(init=False)

    def __post_init__(self) -> None:
        """Begin to poll nothing yet."""
        console = self.work.console
        patience = Patience(LIMITS.timeout, console.clock, share=1.0)  # a poll goes on where the last one has stopped
        http = Http(LIMITS, clock=console.clock, patience=patience, trace=console.trace)
        self.poll = Poll(work=self.work, opener=self.opener, http=http)

    def look(self) -> None:
        """Read anew what is in GitLab and on main, by which both accounts have to be the bots.

        Raises:
            UsageError: one of them is not.

        """
        self.recent = None
        self.work.world.look(self.only)
        self.work.world.require(Bot.GATE)
        if self.opener is not None:
            try:
                self.opener.world.require(Bot.COMPOSE)
            except ForgeError as error:  # its token has ended, say: it can write nothing, and stops nothing else
                self.work.console.info(str(error))

    def tell(self, text: str) -> None:
        """Print a line, unless one document is to be all of the output."""
        if not self.work.as_json:
            self.work.console.out(terminal(text))

    def is_wanted(self, compose_id: ComposeId) -> bool:
        """Tell whether the pass is for a compose."""
        return self.only is None or compose_id == self.only

    def ours(self, merge_requests: Iterable[MergeRequest]) -> dict[ComposeId, MergeRequest]:
        """Give the composes of those merge requests that the compose bot has opened."""
        bots = self.work.world.gate_files().bots
        found = {found: line for line in merge_requests if is_bots(line, bots) and (found := compose_of(line))}
        return found if self.only is None else {one: line for one, line in found.items() if one == self.only}

    def recently_closed(self) -> dict[ComposeId, MergeRequest]:
        """Give the composes of the compose bot's newest merge requests that are closed; asked for once."""
        if self.recent is None:
            self.recent = self.work.world.forge.recent_merge_requests()
        return self.ours(line for line in self.recent if line.state is MergeRequestState.CLOSED)
