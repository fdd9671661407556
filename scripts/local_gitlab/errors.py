"""Errors as GitLab answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ApiError(Exception):
    """An answer that ends a request: a status and a JSON body."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = dict(body)
        self.headers = dict(headers or {})


def bad_request(message: object) -> ApiError:
    """Describe a request whose values do not validate."""
    return ApiError(400, {"message": message})


def bad_parameter(error: str) -> ApiError:
    """Describe a parameter that is absent or malformed; GitLab uses `error` for these, not `message`."""
    return ApiError(400, {"error": error})


def unauthorized() -> ApiError:
    """Describe a request without a valid token, or a vote or merge this user has no right to."""
    return ApiError(401, {"message": "401 Unauthorized"})


def forbidden(reason: str = "") -> ApiError:
    """Describe a request by a known user whose role is too low."""
    return ApiError(403, {"message": f"403 Forbidden - {reason}" if reason else "403 Forbidden"})


def not_found(what: str = "") -> ApiError:
    """Describe something absent, or hidden from this user."""
    return ApiError(404, {"message": f"404 {what} Not Found" if what else "404 Not Found"})


def not_allowed() -> ApiError:
    """Describe a merge that the state of the merge request forbids."""
    return ApiError(405, {"message": "405 Method Not Allowed"})


def conflict(message: object) -> ApiError:
    """Describe a stale sha or something that exists already."""
    return ApiError(409, {"message": message})


def unprocessable(message: object) -> ApiError:
    """Describe a request that is understood and cannot be carried out."""
    return ApiError(422, {"message": message})
