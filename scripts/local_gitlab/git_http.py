"""Git over HTTP: git's own `upload-pack` and `receive-pack` behind GitLab's questions of who and where."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING, Any, cast

from flask import Blueprint, Response, g, request
from werkzeug.wsgi import wrap_file

from local_gitlab import lfs_locks, push_merge_requests, push_options
from local_gitlab import web_request as asked
from local_gitlab.errors import ApiError
from local_gitlab.git import ZERO
from local_gitlab.old_heads import remove_old_heads
from local_gitlab.protection import fast_forward_only, push_refusal
from local_gitlab.push_events import Move
from local_gitlab.pushes import refs_updated
from local_gitlab.site import DEVELOPER, access_level, find_project, may_read, moved_project, settings_of

if TYPE_CHECKING:
    from local_gitlab.push_options import PushOptions
    from local_gitlab.site import Site
    from local_gitlab.store import Row

blueprint = Blueprint("git", __name__)
MAX_COMMANDS = 10_000
_HEADER = 4


class _RefusedError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@blueprint.get("/<path:name>.git/info/refs")
def advertise(name: str) -> Response:
    """Answer git's first question: which refs are there."""
    service = request.args.get("service", "")
    if service not in {"git-upload-pack", "git-receive-pack"}:
        return _plain(403, "Only smart HTTP is served.")
    try:
        project, user = _admit(name, writing=service == "git-receive-pack")
    except _RefusedError as refused:
        return _plain(refused.status, str(refused))
    remove_old_heads(asked.site(), project)
    return _advertisement(asked.site(), project, user, service)


@blueprint.post("/<path:name>.git/git-upload-pack")
def fetch(name: str) -> Response:
    """Serve a clone or a fetch."""
    try:
        project, user = _admit(name, writing=False)
    except _RefusedError as refused:
        return _plain(refused.status, str(refused))
    if refusal := _unexpected("git-upload-pack"):
        return refusal
    with tempfile.TemporaryFile() as body:
        _spool(body)
        return _result(_git(asked.site(), project, user, "git-upload-pack", body, {}), "git-upload-pack")


@blueprint.post("/<path:name>.git/git-receive-pack")
def push(name: str) -> Response:
    """Take a push, as far as the user's role and the branch's protection let it."""
    site = asked.site()
    try:
        project, user = _admit(name, writing=True)
    except _RefusedError as refused:
        return _plain(refused.status, str(refused))
    if user is None:
        return _plain(401, "HTTP Basic: Access denied")
    if refusal := _unexpected("git-receive-pack"):
        return refusal
    with tempfile.TemporaryFile() as body:
        _spool(body)
        commands, options = _read(body)
        with site.lock(project):
            commands = [(old, new, ref) for old, new, ref in commands if _value(site, project, ref) == old]
            environment = _instructions(site, project, user, commands, options)
            answer = _git(site, project, user, "git-receive-pack", body, environment)
            _follow(site, project, user, commands, options)
    return _result(answer, "git-receive-pack")


# --- locks of Git LFS


@blueprint.get("/<path:name>.git/info/lfs/locks")
def list_locks(name: str) -> Response:
    """List the locks, of one path if it is asked for."""
    found = _lfs(name, writing=False)
    if isinstance(found, Response):
        return found
    path = request.args.get("path")
    rows = [lock for lock in lfs_locks.all_of(asked.site(), found[0]) if path in {None, lock["key"]}]
    return _lfs_answer({"locks": [lfs_locks.body(asked.site(), lock) for lock in rows]})


@blueprint.post("/<path:name>.git/info/lfs/locks")
def lock_file(name: str) -> Response:
    """Lock a file; Developers may."""
    found = _lfs(name, writing=True)
    if isinstance(found, Response):
        return found
    project, user = found
    path = str((request.get_json(silent=True, force=True) or {}).get("path", ""))
    lock = lfs_locks.take(asked.site(), project, user, path)
    if lock is None:
        return _lfs_answer({"message": "already locked"}, 409)
    return _lfs_answer({"lock": lfs_locks.body(asked.site(), lock)}, 201)


@blueprint.post("/<path:name>.git/info/lfs/locks/<int:lock_id>/unlock")
def unlock_file(name: str, lock_id: int) -> Response:
    """Unlock a file: as its holder, or by force as a Maintainer."""
    found = _lfs(name, writing=True)
    if isinstance(found, Response):
        return found
    project, user = found
    lock = next((one for one in lfs_locks.all_of(asked.site(), project) if one["id"] == lock_id), None)
    if lock is None:
        return _lfs_answer({"message": "Lock not found"}, 404)
    force = (request.get_json(silent=True, force=True) or {}).get("force") is True
    if not lfs_locks.may_release(asked.site(), project, user, lock, force=force):
        words = "You must have maintainer access to force delete a lock" if force else "it is locked by another user"
        return _lfs_answer({"message": words}, 403)
    body = lfs_locks.body(asked.site(), lock)
    lfs_locks.release(asked.site(), lock)
    return _lfs_answer({"lock": body})


def _lfs(name: str, *, writing: bool) -> tuple[Row, Row] | Response:
    """Return the project and the user, or the refusal of who may not, or where LFS is off."""
    try:
        project, user = _admit(name, writing=writing)
    except _RefusedError as refused:
        return _lfs_answer({"message": str(refused)}, refused.status)
    if user is None:
        return _lfs_answer({"message": "HTTP Basic: Access denied"}, 401)
    if not settings_of(project)["lfs_enabled"]:
        return _lfs_answer({"message": "Not found."}, 404)
    return project, user


def _lfs_answer(body: dict[str, object], status: int = 200) -> Response:
    answer = asked.answer(body, status)
    answer.content_type = "application/vnd.git-lfs+json"
    return answer


def _value(site: Site, project: Row, ref: str) -> str:
    """Give where a ref is; a push that takes it for elsewhere is refused by git, and nothing follows from it."""
    return site.repository(project).value(ref) or ZERO


def _follow(site: Site, project: Row, user: Row, commands: list[tuple[str, str, str]], options: PushOptions) -> None:
    """Let everything that depends on them follow the refs that have moved as they were told to."""
    moves = []
    for old, new, ref in commands:
        if _value(site, project, ref) == new and old != new:
            moves.append(Move(ref=ref, old=old, new=new))
    refs_updated(site, project, user, moves, options=options)
    push_merge_requests.carry_out(site, project, user, moves, options)


def _admit(name: str, *, writing: bool) -> tuple[Row, Row | None]:
    """Return the project and the user.

    Raises _RefusedError with GitLab's status and words.
    """
    site = asked.site()
    user = _signed_in(writing=writing)
    g.user = user
    project = find_project(site, name) or moved_project(site, name)
    if project is None or not may_read(site, project, user):
        if user is None:
            raise _RefusedError(401, "HTTP Basic: Access denied. The provided password or token is incorrect.")
        text = "The project you were looking for could not be found or you don't have permission to view it."
        raise _RefusedError(404, text)
    if not writing:
        return project, user
    if user is None:
        raise _RefusedError(401, "HTTP Basic: Access denied. The provided password or token is incorrect.")
    if access_level(site, project, user) < DEVELOPER or settings_of(project)["archived"]:
        raise _RefusedError(403, "You are not allowed to push code to this project.")
    return project, user


def _signed_in(*, writing: bool) -> Row | None:
    credentials = asked.basic_credentials()
    if credentials is None:
        return None
    name, password = credentials
    denied = "HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA enabled."
    try:
        token, user = asked.token_owner(password)
    except ApiError:
        raise _RefusedError(401, denied) from None
    del name  # as on GitLab, the token alone says who it is
    scopes = set(token["scopes"].split())
    wanted = {"api", "write_repository"} if writing else {"api", "read_api", "read_repository", "write_repository"}
    if token["job_id"] is not None:
        if writing:
            raise _RefusedError(403, "You are not allowed to upload code.")
        return user
    if not scopes & wanted:
        raise _RefusedError(403, "You are not allowed to upload code." if writing else denied)
    return user


def _plain(status: int, text: str) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="GitLab"'} if status == 401 else {}  # noqa: PLR2004  # HTTP's own
    return Response(f"{text}\n", status=status, headers=headers, content_type="text/plain; charset=UTF-8")


def _spool(body: IO[bytes]) -> None:
    """Copy the request's body to disk, unzipped; waitress has taken chunks apart already."""
    source: Any = request.environ["wsgi.input"]
    if request.headers.get("Content-Encoding", "").lower() in {"gzip", "x-gzip"}:
        with gzip.GzipFile(fileobj=source) as unzipped:
            shutil.copyfileobj(unzipped, body)
    else:
        shutil.copyfileobj(source, body)


def _read(body: IO[bytes]) -> tuple[list[tuple[str, str, str]], PushOptions]:
    """Read which refs a push wants to move, and its options; the pack that follows stays unread."""
    found: list[tuple[str, str, str]] = []
    capabilities = b""
    body.seek(0)
    while len(found) < MAX_COMMANDS and (packet := _packet(body)):
        line, _, more = packet.partition(b"\0")
        capabilities = capabilities or more
        parts = line.decode(errors="surrogateescape").rstrip("\n").split(" ", 2)
        if len(parts) == 3 and len(parts[0]) == len(ZERO):  # noqa: PLR2004  # old, new, ref
            found.append((parts[0], parts[1], parts[2]))
    options = []
    if b"push-options" in capabilities.split():
        while packet := _packet(body):
            options.append(packet.decode(errors="replace").rstrip("\n"))
    return found, push_options.parse(options)


def _packet(body: IO[bytes]) -> bytes:
    """Read one of git's packets; nothing at the end of a list."""
    length = body.read(_HEADER)
    return body.read(int(length, 16) - _HEADER) if len(length) == _HEADER and length != b"0000" else b""


def _instructions(
    site: Site, project: Row, user: Row, commands: list[tuple[str, str, str]], options: PushOptions
) -> dict[str, str]:
    """Return what the repository's hooks are to do about this push."""
    refusals = (push_refusal(site, project, user, ref, old, new) for old, new, ref in commands)
    linear = [ref for old, new, ref in commands if ZERO not in {old, new} and fast_forward_only(site, project, ref)]
    return {
        "LOCAL_GITLAB_REFUSAL": next((text for text in refusals if text), ""),
        "LOCAL_GITLAB_FAST_FORWARD_ONLY": " ".join(linear),
        "LOCAL_GITLAB_GREETING": "\n".join(
            _warning(site, project, commands, options) + _greeting(site, project, commands)
        ),
    }


def _warning(site: Site, project: Row, commands: list[tuple[str, str, str]], options: PushOptions) -> list[str]:
    moves = [Move(ref=ref, old=old, new=new) for old, new, ref in commands]
    told = push_merge_requests.warnings(site, project, moves, options)
    given = " ".join(f"'{text}'" for text in options.raw)
    return [f"WARNINGS:\nError encountered with push options {given}: {text}" for text in told[:1]]


def _greeting(site: Site, project: Row, commands: list[tuple[str, str, str]]) -> list[str]:
    lines = []
    for _, new, ref in commands:
        branch = ref.removeprefix("refs/heads/")
        if new == ZERO or branch in {ref, project["default_branch"]}:
            continue
        existing = site.store.one(
            "SELECT * FROM merge_requests WHERE coalesce(source_project_id, project_id) = ? AND source_branch = ? "
            "AND state = 'opened'",
            project["id"],
            branch,
        )
        if existing:
            target = site.store.get("projects", existing["project_id"])
            lines.append(f"View merge request for {branch}:\n  {site.web(target, 'merge_requests', existing['iid'])}")
    return lines


def _advertisement(site: Site, project: Row, user: Row | None, service: str) -> Response:
    """Say what is there, as `git http-backend` does: to a fetch in version 2 of the protocol, only what it can do."""
    protocol = request.headers.get("Git-Protocol", "")
    newest = max(re.findall(r"(?:^|:)version=([012])(?=:|$)", protocol), default="0")
    output = tempfile.TemporaryFile()  # noqa: SIM115  # the server closes it when it is sent
    if newest == "2" and service == "git-upload-pack":
        if protocol not in site.abilities:
            with _git(site, project, user, service, None, {}, "--http-backend-info-refs") as answer:
                site.abilities[protocol] = answer.read()
        output.write(site.abilities[protocol])
    else:
        line = f"# service={service}\n"
        output.write(b"" if newest == "2" else f"{len(line) + _HEADER:04x}{line}0000".encode())
        with _git(site, project, user, service, None, {}, "--http-backend-info-refs") as answer:
            shutil.copyfileobj(answer, output)
    return _sent(output, f"application/x-{service}-advertisement")


def _unexpected(service: str) -> Response | None:
    """Refuse what is not the body that git sends."""
    wanted, given = f"application/x-{service}-request", request.content_type or ""
    if given == wanted:
        return None
    return Response(f"Expected POST with Content-Type '{wanted}', but received '{given}' instead.\n", status=415)


def _result(answer: IO[bytes], service: str) -> Response:
    return _sent(answer, f"application/x-{service}-result")


def _sent(answer: IO[bytes], content_type: str) -> Response:
    """Pass an answer on from its file, so that no pack is held in memory."""
    headers = [
        ("Expires", "Fri, 01 Jan 1980 00:00:00 GMT"),
        ("Pragma", "no-cache"),
        ("Cache-Control", "no-cache, max-age=0, must-revalidate"),
        ("Content-Type", content_type),
        ("Content-Length", str(answer.seek(0, os.SEEK_END))),
    ]
    answer.seek(0)
    response = Response(wrap_file(request.environ, answer), headers=headers)
    response.direct_passthrough = True
    response.call_on_close(answer.close)
    return response


def _git(
    site: Site,
    project: Row,
    user: Row | None,
    service: str,
    body: IO[bytes] | None,
    extra: dict[str, str],
    *arguments: str,
) -> IO[bytes]:
    """Run the program behind a service as `git http-backend` does, and return what it says, at its start."""
    name = user["username"] if user else "anonymous"
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(site.directory),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": f"{name}@http.127.0.0.1",
        **({"GIT_PROTOCOL": request.headers["Git-Protocol"]} if "Git-Protocol" in request.headers else {}),
        **extra,
    }
    if body is not None:
        # git reads the file itself, from where the system, not Python's buffer, believes the position to be
        body.flush()
        os.lseek(body.fileno(), 0, os.SEEK_SET)
    output = tempfile.TemporaryFile()  # noqa: SIM115  # whoever calls closes it
    subprocess.run(
        ["git", service.removeprefix("git-"), "--stateless-rpc", *arguments, str(site.repository(project).path)],
        stdin=subprocess.DEVNULL if body is None else body,
        stdout=output,
        stderr=subprocess.DEVNULL,
        env=environment,
        check=False,
    )
    output.seek(0)
    return cast("IO[bytes]", output)
