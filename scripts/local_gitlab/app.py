"""The WSGI application: routes, errors, faults and the log of requests."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter

from local_gitlab import git_http, web
from local_gitlab import web_request as asked
from local_gitlab.api import (
    forks,
    merge_requests,
    notes,
    pipelines,
    projects,
    protected_branches,
    protected_tags,
    repository,
    settings,
    users,
)
from local_gitlab.errors import ApiError
from local_gitlab.faults import Fault, Faults, LoggedRequest, RequestLog
from local_gitlab.git import GitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from local_gitlab.site import Site
    from local_gitlab.throttle import Throttle

API = "/api/v4"
# A slash inside one part of an address arrives as %2F; it travels through the router as this character.
SLASH = "\0"
logger = logging.getLogger("local_gitlab")


class KeyConverter(BaseConverter):
    """One part of an address in which %2F stands for a slash: `group%2Fproject`."""

    regex = "[^/]+"
    part_isolating = True

    def to_python(self, value: str) -> str:
        """Return the text that was meant."""
        return value.replace(SLASH, "/")


class EncodedSlashes:
    """Keeps %2F apart from a slash, which WSGI would not."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401  # WSGI's
        """Hand the request on with its path decoded our way."""
        raw = environ.get("REQUEST_URI", environ.get("PATH_INFO", "/")).split("?", 1)[0]
        if "%00" in raw:
            start_response("400 Bad Request", [("Content-Type", "application/json"), ("Content-Length", "2")])
            return [b"{}"]
        path = unquote_to_bytes(raw.replace("%2F", "%00").replace("%2f", "%00"))
        return self._app({**environ, "PATH_INFO": path.decode("latin-1")}, start_response)


def create_app(site: Site, faults: Faults, log: RequestLog, throttle: Throttle) -> Flask:
    """Build the application of one server."""
    app = Flask("local_gitlab")
    app.extensions["gitlab"] = site
    app.url_map.converters["key"] = KeyConverter
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    blueprints = (
        users.blueprint,
        projects.blueprint,
        forks.blueprint,
        repository.blueprint,
        protected_branches.blueprint,
        protected_tags.blueprint,
        merge_requests.blueprint,
        notes.blueprint,
        pipelines.blueprint,
        pipelines.jobs_blueprint,
        settings.blueprint,
    )
    for blueprint in blueprints:
        app.register_blueprint(blueprint, url_prefix=API)
    app.register_blueprint(git_http.blueprint)
    app.register_blueprint(web.blueprint)
    _observe(app, faults, log)
    _limit(app, throttle)
    _answer_errors(app)
    app.wsgi_app = EncodedSlashes(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way
    return app


def _observe(app: Flask, faults: Faults, log: RequestLog) -> None:
    @app.before_request
    def begin() -> Response | None:
        log.begin()
        g.counted = True
        g.started = time.perf_counter()
        g.user = None
        g.fault = faults.take(request.method, request.environ.get("REQUEST_URI", request.path))
        if g.fault is not None:
            refused = _stumble(g.fault)
            if refused is not None:
                return refused
        if request.path.startswith(API):
            asked.identify()
        return None

    @app.after_request
    def end(response: Response) -> Response:
        rule = request.url_rule.rule.removeprefix(API) if request.url_rule else ""
        user = g.get("user")
        log.add(
            LoggedRequest(
                method=request.method,
                route=rule.replace("<key:", "<").replace("<int:", "<").replace("<path:", "<"),
                path=request.environ.get("REQUEST_URI", request.path),
                user=user["username"] if user is not None else "",
                status=response.status_code,
                milliseconds=(time.perf_counter() - g.started) * 1000,
            ),
        )
        return response if g.fault is None else _spoil(g.fault, response)

    @app.teardown_request
    def gone(_: BaseException | None) -> None:
        if g.pop("counted", False):
            log.end()


def _limit(app: Flask, throttle: Throttle) -> None:
    """Refuse as GitLab does: it says when to come back of requests in general, and does not of notes."""

    @app.before_request
    def limit() -> Response | None:
        user = g.get("user")
        if user is None or not request.path.startswith(API):
            return None
        wait = throttle.request(user["username"])
        if wait is not None:
            headers = {"Retry-After": str(wait), "RateLimit-Remaining": "0"}
            return Response("Retry later\n", status=429, headers=headers, content_type="text/plain")
        if request.endpoint == "notes.create" and throttle.note(user["username"]) is not None:
            message = "This endpoint has been requested too many times. Try again later."
            return asked.answer({"message": {"error": message}}, 429)
        return None


def _stumble(fault: Fault) -> Response | None:
    """Carry out a fault that comes before the request is looked at."""
    if fault.kind == "slow":
        time.sleep(fault.seconds)
        return None
    if fault.kind in {"act", "act-then-drop"}:
        fault.act()
    if fault.kind in {"act", "apply-then-drop", "apply-then-hang", "apply-then-act", "truncated"}:
        return None
    if fault.kind in {"reset", "act-then-drop"}:
        _drop()
        return Response(status=500)
    if fault.kind == "429":
        headers = {"Retry-After": str(fault.retry_after), "RateLimit-Remaining": "0"}
        return Response("Retry later\n", status=429, headers=headers, content_type="text/plain")
    return asked.answer({"message": f"{fault.kind} Internal Server Error"}, int(fault.kind))


def _spoil(fault: Fault, response: Response) -> Response:
    """Carry out a fault that comes after everything was done."""
    match fault.kind:
        case "apply-then-act":
            fault.act()
            _drop()
        case "apply-then-drop":
            _drop()
        case "apply-then-hang":
            time.sleep(fault.seconds)
        case "truncated":
            return _cut(response)
        case _:
            pass
    return response


def _cut(response: Response) -> Response:
    """Leave the second half of an answer out; the server closes the connection when it notices."""
    response.direct_passthrough = False
    whole = response.get_data()
    if not whole:
        _drop()
        return response
    response.set_data(whole[: len(whole) // 2])
    response.headers["Content-Length"] = str(len(whole))
    return response


def _drop() -> None:
    """Close the connection without a word; the server's channel offers this."""
    drop = request.environ.get("local_gitlab.drop")
    if drop is not None:
        drop()


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(ApiError)
    def api_error(error: ApiError) -> Response:
        return asked.answer(error.body, error.status, error.headers)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if not request.path.startswith(API):
            return web.error_page(error.code or 500, error.name)
        if isinstance(error, MethodNotAllowed):
            return asked.answer({"error": "405 Not Allowed"}, 405)
        if isinstance(error, NotFound):
            return asked.answer({"error": "404 Not Found"}, 404)
        return asked.answer({"message": f"{error.code} {error.name}"}, error.code or 500)

    @app.errorhandler(GitError)
    def git_error(error: GitError) -> Response:
        return asked.answer({"message": str(error)}, 400)

    @app.errorhandler(Exception)
    def failure(error: Exception) -> Response:
        logger.error("%s %s", request.method, request.path, exc_info=error)
        return asked.answer({"message": "500 Internal Server Error"}, 500)
