"""Pages to look at in a browser."""

from __future__ import annotations

from flask import Blueprint, Response
from markupsafe import escape

blueprint = Blueprint("web", __name__)


def error_page(status: int, text: str) -> Response:
    """Return a page that says what is wrong."""
    return Response(f"<h1>{status} {escape(text)}</h1>", status=status)
