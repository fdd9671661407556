"""Users, tokens and what the server says of itself."""

from __future__ import annotations

from flask import Blueprint, Response

from local_gitlab import entities
from local_gitlab import web_request as asked
from local_gitlab.errors import bad_request, forbidden, not_found
from local_gitlab.site import add_user

blueprint = Blueprint("users", __name__)
VERSION = "18.5.0"


@blueprint.get("/version")
@blueprint.get("/metadata")
def version() -> Response:
    """Say which GitLab this imitates."""
    asked.user()
    body = {
        "version": VERSION,
        "revision": "local",
        "kas": {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None},
        "enterprise": False,
    }
    return asked.answer(body)


@blueprint.get("/user")
def current() -> Response:
    """Return whoever asks."""
    return asked.answer(entities.user_full(asked.site(), asked.user()))


@blueprint.get("/users")
def listing() -> Response:
    """Find users."""
    site = asked.site()
    values = asked.parameters()
    rows = site.store.all("SELECT * FROM users ORDER BY id DESC")
    if values.get("username"):
        rows = [row for row in rows if row["username"].lower() == str(values["username"]).lower()]
    else:
        asked.user()
    if values.get("search"):
        wanted = str(values["search"]).lower()
        rows = [row for row in rows if wanted in row["username"].lower() or wanted in row["name"].lower()]
    return asked.paginated(rows, lambda row: entities.user_basic(site, row))


@blueprint.post("/users")
def create() -> Response:
    """Create a user; administrators only."""
    site = asked.site()
    if not asked.user()["admin"]:
        raise forbidden()
    values = asked.parameters()
    asked.required(values, "username", "name", "email")
    if site.store.one("SELECT 1 FROM users WHERE username = ?", values["username"]):
        raise bad_request({"username": ["has already been taken"]})
    row = add_user(site, str(values["username"]), name=str(values["name"]), admin=asked.flag(values.get("admin")))
    return asked.answer(entities.user_full(site, row), 201)


@blueprint.get("/users/<int:user_id>")
def get(user_id: int) -> Response:
    """Return one user."""
    site = asked.site()
    row = site.store.one("SELECT * FROM users WHERE id = ?", user_id)
    if row is None:
        raise not_found("User")
    return asked.answer({**entities.user_basic(site, row), "created_at": row["created_at"], "bot": bool(row["bot"])})


@blueprint.get("/personal_access_tokens/self")
def own_token() -> Response:
    """Return the token in use."""
    asked.user()
    return asked.answer(entities.token(asked.current_token()))
