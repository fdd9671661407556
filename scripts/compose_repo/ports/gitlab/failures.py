"""What went wrong with GitLab, in a line that says how to fix it."""

from typing import Final

import gitlab.exceptions
import requests

from compose_repo.core.forge.forge import ForgeError
from compose_repo.ports.gitlab.session import TOO_MANY

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_ALLOWED, CONFLICT = 401, 403, 404, 405, 409


def explained(url: str, what: str, error: Exception) -> ForgeError:
    """Say where, what and how to fix it, in a line."""
    if isinstance(error, requests.exceptions.SSLError):
        why = "its certificate is not trusted; set REQUESTS_CA_BUNDLE to the CA that signed it"
    elif isinstance(error, requests.Timeout):
        why = "no answer in time (COMPOSE_REPO_TIMEOUT); try again, or check COMPOSE_REPO_URL"
    elif isinstance(error, requests.ConnectionError):
        why = f"it cannot be reached ({_one_line(_innermost(error))}); check COMPOSE_REPO_URL and the network"
    elif isinstance(error, gitlab.exceptions.RedirectError):
        why = "it redirects; set COMPOSE_REPO_URL to the address that it redirects to"
    elif isinstance(error, (gitlab.exceptions.GitlabParsingError, requests.exceptions.InvalidJSONError)):
        why = "its answer is not JSON; COMPOSE_REPO_URL does not name a GitLab"
    elif isinstance(error, gitlab.exceptions.GitlabError):
        why = _refusal(error.response_code) + f" ({_one_line(error.error_message)})"
    else:
        why = _one_line(error)
    return ForgeError(f"{url}: could not {what}: {why}")


_REFUSALS: Final = {
    UNAUTHORIZED: "the token is not valid, or not for this; check COMPOSE_REPO_TOKEN (scope api)",
    FORBIDDEN: "the token's account may not do this; it needs scope api and the role Developer, to merge Maintainer",
    NOT_FOUND: "it does not exist, or the token may not see it; check COMPOSE_REPO_PROJECT and the account's role",
    NOT_ALLOWED: "its state does not allow it",
    CONFLICT: "its state does not allow it",
    TOO_MANY: "it asks to slow down for longer than we wait; try again later",
}


_BARS: Final = {
    "ci_must_pass": "its pipeline has not succeeded; look at it, or switch off 'Pipelines must succeed'",
    "ci_still_running": "its pipeline is not over; wait for it",
    "commits_status": "its branch is gone or brings nothing; run again, which brings the branch back",
    "conflict": "it conflicts with its target; run again, which restores what counts on top of it",
    "discussions_not_resolved": "a thread is open, and the project waits for that; compose-repo setup ends it",
    "draft_status": "it is a draft; run again, which ends that",
    "jira_association_missing": "the project wants a Jira issue in its title; switch that off",
    "locked_lfs_files": "somebody has locked a file of it; run again, and switch Git LFS off (compose-repo setup)",
    "locked_paths": "somebody has locked a file of it; a Maintainer unlocks it under Code > Locked files",
    "merge_request_blocked": "it depends on another merge request; a Maintainer takes that dependency away",
    "merge_time": "it is not to be merged before a date; run again, which takes the date away",
    "need_rebase": "the project merges only what is rebased; compose-repo setup ends that",
    "not_approved": "the project demands more approvals; a Maintainer changes its approval rules",
    "not_open": "it is not open; run again",
    "requested_changes": "a reviewer has requested changes; a Maintainer removes that reviewer",
    "security_policy_violations": "a security policy of the project's forbids it; a Maintainer looks at that",
    "status_checks_must_pass": "an external status check has not passed; a Maintainer looks at it",
    "title_regex": "the project wants other titles; a Maintainer changes that",
}
"""Why GitLab does not merge, by its `detailed_merge_status`, and what ends that."""


def barred(url: str, what: str, status: str | None) -> ForgeError:
    """Say why GitLab does not merge: it answers 405 to all of them, and tells them apart below the merge request."""
    if status is None:
        return ForgeError(f"{url}: could not {what}: its state does not allow it (405, and GitLab does not say why)")
    why = _BARS.get(status, "look at its page, which says what it waits for")
    return ForgeError(f"{url}: could not {what}: its state does not allow it (405, {_one_line(status)}): {why}")


def _refusal(code: int | None) -> str:
    return _REFUSALS.get(code or 0) or f"GitLab answers {code}"


def _one_line(message: object) -> str:
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199]}…"  # noqa: PLR2004  # a screenful is no message


def _innermost(error: BaseException) -> BaseException:
    """Give the first reason: requests wraps urllib3, which wraps the socket's own error."""
    inner = error.__cause__ or error.__context__
    return error if inner is None else _innermost(inner)
