"""What every part of the GitLab port shares: one project, one token, and how requests are sent and sent again.

Reads are repeated on failures that pass, writes too, but never blindly: when it cannot be known whether a write has
worked (the line broke, a proxy gave up), GitLab is asked before the write is sent again. So nothing is posted twice.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final, TypedDict, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import gitlab
import gitlab.exceptions
import requests

from compose_repo.core.forge.forge import ForgeError, Project
from compose_repo.core.links import SCHEMES
from compose_repo.core.problems.problem import UsageError
from compose_repo.ports.clock import Clock
from compose_repo.ports.environment import TIMEOUT, Environment
from compose_repo.ports.gitlab.bounds import TooLarge
from compose_repo.ports.gitlab.failures import NOT_FOUND, explained
from compose_repo.ports.gitlab.pace import Pace
from compose_repo.ports.gitlab.rows import project_of, whole_of
from compose_repo.ports.gitlab.session import BACKOFF, BROKEN, TRANSIENT, Session, Trace
from compose_repo.ports.retry import Retry, http_date

T = TypeVar("T")

PAGE: Final = 100
SMALL_PAGE: Final = 10
"""Rows of a page where that many more are too large: texts of GitLab may have a megabyte each."""
MOST_PAGES: Final = 1_000
"""Most pages of one list; GitLab keeps 5,000 notes of a merge request."""
OURS: Final[dict[str, Any]] = {"obey_rate_limit": False}
"""Keeps python-gitlab from waiting on 429 after `Session` has done so."""


class Address(TypedDict):
    """Where a project is, and with which token it is reached."""

    url: str
    project: str
    token: str
    timeout: float


def address_of(environment: Environment) -> Address:
    """Check what the environment says of GitLab.

    Raises:
        UsageError: a setting is missing or cannot be right; the message names the variable.

    """
    url, project, token = environment.gitlab_url, environment.project, environment.token
    if not url:
        raise UsageError("the GitLab is not named; set COMPOSE_REPO_URL to its address")
    if "@" in urlsplit(url).netloc:
        raise UsageError(
            "COMPOSE_REPO_URL holds a user or a password; give it without, and COMPOSE_REPO_TOKEN the token"
        )
    if urlsplit(url).scheme not in SCHEMES or not urlsplit(url).hostname:
        raise UsageError(f"COMPOSE_REPO_URL is {url!r}; it should be an address such as https://gitlab.com")
    if not project:
        raise UsageError("no project is named; set COMPOSE_REPO_PROJECT to its path or id")
    if not token:
        raise UsageError("no token is given; set COMPOSE_REPO_TOKEN to one with scope api")
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError(
            "COMPOSE_REPO_TOKEN is not a valid token: it has spaces, control characters or letters beyond ASCII; "
            "copy it again"
        )
    return Address(url=url, project=project, token=token, timeout=environment.timeout)


class Client:
    """One project of one GitLab, seen with one account's token."""

    def __init__(  # noqa: PLR0913  # what there is to say of a line
        self,
        *,
        url: str,
        project: str,
        token: str,
        trace: Trace,
        clock: Clock,
        pace: Pace | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._project = project
        self._trace = trace
        self._clock = clock
        self._session = Session(self.url, trace, clock, pace or Pace(clock))
        self._client = gitlab.Gitlab(
            self.url,
            private_token=token,
            timeout=timeout,
            keep_base_url=True,
            session=self._session,
            user_agent="compose-repo",
        )

    def close(self) -> None:
        """Close what connections are open."""
        self._client.session.close()

    def told_time(self) -> dt.datetime | None:
        """Give the time by GitLab's own clock, as of its last answer; None where it has not told."""
        return http_date(self._session.date)

    def project(self) -> Project:
        """Give the project."""
        return self._found

    @cached_property
    def _found(self) -> Project:
        return self._read(f"project {self._project}", lambda: project_of(self._row, home=self.url))

    @cached_property
    def _base(self) -> str:
        """The project's address, by its id: GitLab takes no write at the path of a project that was renamed since."""
        if self._project.isdecimal():
            return f"/projects/{self._project}"
        return self._read(f"project {self._project}", lambda: f"/projects/{whole_of(self._row['id'])}")

    @cached_property
    def _row(self) -> Mapping[str, Any]:
        return self._project_anew()

    def _project_anew(self) -> Mapping[str, Any]:
        where = f"/projects/{quote(self._project, safe='')}"
        return self._get(f"project {self._project}", where, lambda data: {**data})

    def _send(
        self,
        what: str,
        send: Callable[[], object],
        is_so: Callable[[], bool],
        *,
        passes: Callable[[Exception], bool] | None = None,
    ) -> None:
        """Send a write until it is known to have worked, or to be refused.

        Whatever goes wrong, GitLab is asked whether it is so already before anything else: a try whose answer was
        lost has worked, or a run beside ours was faster.

        Raises:
            ForgeError: it is refused; its cause is GitLab's own answer.

        """
        failure: Exception
        retry = Retry(BACKOFF, self._clock)
        while (wait := retry.wait()) is not None:
            try:
                send()
            except (gitlab.exceptions.GitlabError, requests.RequestException) as error:
                failure = error
            else:
                return
            if not (passes or may_pass)(failure) or not self._session.may_wait(wait):
                if _is_so_for_certain(is_so):
                    return
                break
            self._clock.sleep(wait)
            if is_so():
                return
        raise explained(self.url, what, failure) from failure

    def _get(self, what: str, path: str, parse: Callable[[Mapping[str, Any]], T]) -> T:
        def ask() -> T:
            found: Any = self._client.http_get(path, **OURS)
            return parse(found)

        return self._read(what, ask)

    def _find(self, what: str, path: str, parse: Callable[[requests.Response], T], **query: str) -> T | None:
        """Read what may be absent. A project that is absent is an error all the same."""

        def ask() -> T | None:
            try:
                found = self._client.http_get(path, query_data=query, raw=True, **OURS)
            except gitlab.exceptions.GitlabHttpError as error:
                if error.response_code == NOT_FOUND:
                    return None
                raise
            if not isinstance(found, requests.Response):
                raise TypeError(f"python-gitlab gave {type(found)} for a raw request")
            return parse(found)

        found = self._read(what, ask)
        if found is None:
            self._project_anew()
        return found

    def _list(
        self, what: str, path: str, parse: Callable[[Mapping[str, Any]], T], *, limit: int | None = None, **query: str
    ) -> list[T]:
        """Read every page, or the first rows only; where a page is too large, smaller ones are asked for.

        Of a link to the next page only its query is taken: where GitLab is, it does not say.
        """

        def ask(page: int) -> list[T]:
            rows = self._rows(what, path, {**query, "per_page": page}, None if limit is None else -(-limit // page))
            return [parse(row) for row in rows]

        try:
            return self._read(what, lambda: ask(PAGE))
        except ForgeError as error:
            if not isinstance(error.__cause__, TooLarge):
                raise
            return self._read(what, lambda: ask(SMALL_PAGE))

    def _rows(self, what: str, path: str, query: Mapping[str, Any], pages: int | None) -> Iterator[Any]:
        """Yield the rows of every page, or of so many."""
        for number in range(1, MOST_PAGES + 1):
            answer = self._client.http_get(path, query_data=dict(query), raw=True, **OURS)
            rows = answer.json()  # type: ignore[union-attr]  # `raw` gives the answer itself
            if type(rows) is not list:
                raise TypeError("not a list")
            yield from rows
            following = answer.links.get("next", {}).get("url")  # type: ignore[union-attr]  # as above
            if following is None or number == pages:
                return
            query = dict(parse_qsl(urlsplit(following).query, keep_blank_values=True))
        raise ForgeError(f"{self.url}: could not read {what}: it lists more than {MOST_PAGES:,} pages")

    def _read(self, what: str, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except (gitlab.exceptions.GitlabError, requests.RequestException) as error:
            raise explained(self.url, f"read {what}", error) from error
        except (AttributeError, LookupError, TypeError, ValueError) as error:  # JSON, but of another shape
            raise ForgeError(f"{self.url} does not answer like a GitLab for {what}; check COMPOSE_REPO_URL") from error


def may_pass(failure: Exception) -> bool:
    """Tell whether a failure may be gone soon."""
    if isinstance(failure, BROKEN):
        return not isinstance(failure, requests.exceptions.SSLError)
    return code_of(failure) in TRANSIENT


def code_of(failure: BaseException | None) -> int | None:
    """Give the status that GitLab has refused with; None for failures that are no answer."""
    return failure.response_code if isinstance(failure, gitlab.exceptions.GitlabError) else None


def _is_so_for_certain(is_so: Callable[[], bool]) -> bool:
    """Ask after a refusal; if that fails too, the refusal is the error to tell of."""
    try:
        return is_so()
    except ForgeError:
        return False
