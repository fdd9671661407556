"""The request at hand: its user, its parameters, its project, and pages of a list."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast
from urllib.parse import quote, urlencode

from flask import Response, current_app, g, request

from local_gitlab.clock import now
from local_gitlab.errors import ApiError, bad_parameter, forbidden, not_found, unauthorized
from local_gitlab.site import (
    GUEST,
    MAINTAINER,
    NO_ACCESS,
    REPORTER,
    access_level,
    find_project,
    may_read,
    moved_project,
    settings_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local_gitlab.git import Repository
    from local_gitlab.site import Site
    from local_gitlab.store import Row

T = TypeVar("T")
MAX_PER_PAGE = 100
TRUE = ("true", "1", "t", "yes", "on")
FALSE = ("false", "0", "f", "no", "off", "")
# GitLab lets a job's token reach these only; a merge request is not among them.
JOB_TOKEN_ENDPOINTS = frozenset({"jobs.artifact_archive", "jobs.artifact_file", "jobs.current", "projects.get"})


def site() -> Site:
    """Return the server this request came to."""
    return cast("Site", current_app.extensions["gitlab"])


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return JSON."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(text, status=status, headers=headers, content_type="application/json")


def nothing() -> Response:
    """Return an empty answer."""
    return Response(status=204)


# --- who asks


def _presented_token() -> str:
    headers = request.headers
    bearer = headers.get("Authorization", "")
    if bearer.lower().startswith("bearer "):
        return bearer[7:].strip()
    for name in ("PRIVATE-TOKEN", "JOB-TOKEN"):
        if headers.get(name):
            return headers[name]
    return request.args.get("private_token", "") or request.args.get("job_token", "")


def token_owner(value: str) -> tuple[Row, Row]:
    """Return the token and its user.

    Raises ApiError 401 when there is no such token or it is over.
    """
    store = site().store
    token = store.one("SELECT * FROM tokens WHERE value = ?", value)
    if token is None:
        raise unauthorized()
    over = "revoked" if token["revoked"] else "expired" if (token["expires_at"] or "9") <= now()[:10] else ""
    if over:
        body = {
            "error": "invalid_token",
            "error_description": f"Token {'was revoked' if over == 'revoked' else 'is expired'}. "
            "You have to re-authorize from the user.",
        }
        raise ApiError(401, body)
    return token, store.get("users", token["user_id"])


def identify() -> None:
    """Find out who asks; an API request without a token is anonymous."""
    g.user = None
    g.token = None
    value = _presented_token()
    if not value:
        return
    token, user = token_owner(value)
    if token["job_id"] is not None and request.endpoint not in JOB_TOKEN_ENDPOINTS:
        raise unauthorized()
    scopes = token["scopes"].split()
    reading = request.method in {"GET", "HEAD"}
    enough = token["job_id"] is not None or "api" in scopes or (reading and "read_api" in scopes)
    if not enough:
        body = {
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided by the access token.",
            "scope": "api read_api" if reading else "api",
        }
        raise ApiError(403, body)
    g.user = user
    g.token = token


def basic_credentials() -> tuple[str, str] | None:
    """Return the name and password of HTTP's Basic authentication."""
    header = request.headers.get("Authorization", "")
    if not header.lower().startswith("basic "):
        return None
    try:
        name, _, password = base64.b64decode(header[6:], validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, password


def user() -> Row:
    """Return the user who asks.

    Raises ApiError 401 when nobody is signed in.
    """
    if g.user is None:
        raise unauthorized()
    return cast("Row", g.user)


def user_or_none() -> Row | None:
    """Return the user who asks, if anyone is signed in."""
    return cast("Row | None", g.user)


def project(key: str, minimum: int = NO_ACCESS) -> Row:
    """Return a project that the user sees and in which the user has at least this role.

    Raises ApiError 404 when the user may not know of it, 401 or 403 when the role is too low.
    """
    found = find_project(site(), key)
    if found is None:
        _lead_to_moved(key)
    if found is None or not may_read(site(), found, g.user):
        raise not_found("Project")
    if minimum > NO_ACCESS:
        level = access_level(site(), found, user())
        if level < minimum:
            refuse()
    return found


def _lead_to_moved(key: str) -> None:
    """End the request as GitLab does at a path that a project had before: only reads are led on (`project_moved?`)."""
    moved = moved_project(site(), key)
    if moved is None or not may_read(site(), moved, g.user):
        return
    if request.method != "GET":
        raise ApiError(405, {"message": "Non GET methods are not allowed for moved projects"})
    old = f"/projects/{quote(key, safe='')}"
    raw = request.environ.get("REQUEST_URI", request.full_path)
    address = re.sub(re.escape(old), f"/projects/{moved['id']}", raw, count=1, flags=re.IGNORECASE)
    words = f"This resource has been moved permanently to {site().url}{address}"
    raise ApiError(301, {"message": words}, {"Location": f"{site().url}{address}"})


def project_of_paid_tier(key: str) -> Row:
    """Return a project to its maintainers, for what is there on paid tiers only."""
    row = project(key, MAINTAINER)
    if not site().paid:
        raise ApiError(404, {"error": "404 Not Found"})
    return row


def refuse() -> NoReturn:
    """End the request as GitLab does when a role is too low."""
    raise forbidden()


def project_with_jobs(key: str) -> Row:
    """Return a project whose jobs the user may look at: where `public_jobs` is off, reporters and above only."""
    found = project(key)
    if not settings_of(found)["public_jobs"] and access_level(site(), found, user_or_none()) < REPORTER:
        refuse()
    return found


def guest(key: str) -> Row:
    """Return a project that the user may write a note in: any member, or anyone signed in if it is public."""
    found = project(key)
    signed_in = user()
    if found["visibility"] == "private" and access_level(site(), found, signed_in) < GUEST:
        refuse()
    return found


def repository(row: Row) -> Repository:
    """Return a project's repository."""
    return site().repository(row)


# --- what is asked


def parameters() -> dict[str, Any]:
    """Return the values given in the address, as a form or as JSON, in one mapping."""
    found: dict[str, Any] = {}
    for source in (request.args, request.form):
        for name in source:
            values = source.getlist(name)
            if name.endswith("[]"):
                found[name[:-2]] = values
            else:
                found[name] = values[-1]
    if request.is_json and request.get_data(cache=True):
        body = request.get_json(silent=True)
        if body is None and request.get_data(cache=True).strip() != b"null":
            raise bad_parameter("The request body is not valid JSON")
        if isinstance(body, dict):
            found.update(body)
    return found


def header(name: str) -> str:
    """Return a header of the request; empty where it is not there."""
    return str(request.headers.get(name, ""))


def required(values: dict[str, Any], *names: str) -> None:
    """Check that each parameter is given.

    Raises ApiError 400 in GitLab's words when one is not.
    """
    missing = [f"{name} is missing" for name in names if values.get(name) is None]
    empty = [f"{name} is empty" for name in names if values.get(name) == ""]
    if missing or empty:
        raise bad_parameter(", ".join(missing + empty))


def flag(value: object, *, default: bool = False, name: str = "value") -> bool:
    """Read a boolean the way GitLab does."""
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise bad_parameter(f"{name} is invalid")


def integer(value: object, name: str) -> int:
    """Read a whole number."""
    try:
        return int(str(value))
    except ValueError:
        raise bad_parameter(f"{name} is invalid") from None


def day(value: object, name: str) -> str:
    """Read a date; a time of day after it is not looked at."""
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise bad_parameter(f"{name} is invalid") from None


def names(value: object) -> list[str]:
    """Read a list of names, given as a list or with commas between them."""
    if value is None:
        return []
    parts = value if isinstance(value, list) else str(value).split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


def choice(value: object, allowed: Sequence[str], name: str) -> str:
    """Read one of a closed set of words."""
    if value not in allowed:
        raise bad_parameter(f"{name} does not have a valid value")
    return str(value)


def paginated(items: Sequence[T], render: Callable[[T], object]) -> Response:
    """Return one page of a list, with the headers that lead to the others."""
    values = request.args
    page = integer(values.get("page", 1), "page")
    per_page = integer(values.get("per_page", 20), "per_page")
    if page < 1 or per_page < 1:
        raise bad_parameter(f"{'page' if page < 1 else 'per_page'} does not have a valid value")
    per_page = min(per_page, MAX_PER_PAGE)
    total = len(items)
    pages = max(1, -(-total // per_page))
    start = (page - 1) * per_page
    following = page + 1 if page < pages else None
    previous = page - 1 if page > 1 else None
    links = {"prev": previous, "next": following, "first": 1, "last": pages}
    headers = {
        "X-Total": str(total),
        "X-Total-Pages": str(pages),
        "X-Page": str(page),
        "X-Per-Page": str(per_page),
        "X-Next-Page": str(following or ""),
        "X-Prev-Page": str(previous or ""),
        "Link": ", ".join(f'<{_page_url(number, per_page)}>; rel="{rel}"' for rel, number in links.items() if number),
    }
    return answer([render(item) for item in items[start : start + per_page]], headers=headers)


def _page_url(page: int, per_page: int) -> str:
    query = [(name, value) for name, value in request.args.items(multi=True) if name not in {"page", "per_page"}]
    raw = request.environ.get("REQUEST_URI", request.path).split("?", 1)[0]
    return f"{site().url}{raw}?{urlencode([*query, ('page', page), ('per_page', per_page)])}"


def current_token() -> Row:
    """Return the token in use."""
    return cast("Row", g.token)
