"""Branches, commits, files and comparisons."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from local_gitlab import entities, protection
from local_gitlab import web_request as asked
from local_gitlab.errors import ApiError, bad_parameter, bad_request, forbidden, not_found
from local_gitlab.git import ZERO, Change, GitError, Person, StaleRefError, TreeEntry
from local_gitlab.pushes import branch_updated, remove_branch
from local_gitlab.site import DEVELOPER

if TYPE_CHECKING:
    from local_gitlab.git import Commit, Repository
    from local_gitlab.store import Row

blueprint = Blueprint("repository", __name__)
ACTIONS = ("create", "delete", "move", "update", "chmod")
REFUSED = "You are not allowed to push into this branch"


def _commit(project: Row, revision: str, what: str = "Commit") -> Commit:
    found = asked.repository(project).commit(revision)
    if found is None:
        raise not_found(what)
    return found


# --- branches


def _branch(project: Row, name: str) -> dict[str, Any]:
    head = asked.repository(project).branch(name)
    if head is None:
        raise not_found("Branch")
    found = _commit(project, head)
    return entities.branch(asked.site(), project, name, found, asked.user_or_none())


@blueprint.get("/projects/<key:project_id>/repository/branches")
def branches(project_id: str) -> Response:
    """List branches by name; `search` knows `^prefix` and `suffix$`."""
    project = asked.project(project_id)
    values = asked.parameters()
    names = sorted(asked.repository(project).branches())
    search = str(values.get("search") or "")
    if search.startswith("^"):
        names = [name for name in names if name.startswith(search[1:])]
    elif search.endswith("$"):
        names = [name for name in names if name.endswith(search[:-1])]
    elif search:
        names = [name for name in names if search.lower() in name.lower()]
    return asked.paginated(names, lambda name: _branch(project, name))


@blueprint.post("/projects/<key:project_id>/repository/branches")
def create_branch(project_id: str) -> Response:
    """Create a branch."""
    project = asked.project(project_id, DEVELOPER)
    values = asked.parameters()
    asked.required(values, "branch", "ref")
    name = str(values["branch"])
    repository = asked.repository(project)
    if not repository.valid_branch_name(name):
        raise bad_request("Branch name is invalid")
    asked.only(values, "branch", "ref")
    with asked.site().lock(project):
        if not repository.branches():
            _begin(project)
        if repository.branch(name) is not None:
            raise bad_request("Branch already exists")
        sha = repository.resolve(str(values["ref"]))
        if sha is None:
            raise bad_request(f"Invalid reference name: {values['ref']}")
        ref = f"refs/heads/{name}"
        refusal = protection.push_refusal(asked.site(), project, asked.user(), ref, ZERO, sha, web=True)
        if refusal:
            raise bad_request(refusal)
        try:
            repository.update_ref(ref, sha, ZERO)
        except StaleRefError:
            raise bad_request("Branch already exists") from None
        branch_updated(asked.site(), project, asked.user(), ref, ZERO, sha)
    return asked.answer(_branch(project, name), 201)


def _begin(project: Row) -> None:
    """Give an empty project its default branch, as GitLab's `Branches::CreateService` does before it makes another."""
    user, repository = asked.user(), asked.repository(project)
    person = Person(name=user["name"], email=user["email"])
    readme = Change(kind="create", path="README.md", content=b"")
    sha = repository.commit_changes([readme], parent=None, message="Add README.md", author=person, committer=person)
    ref = f"refs/heads/{project['default_branch']}"
    repository.update_ref(ref, sha)
    branch_updated(asked.site(), project, user, ref, ZERO, sha)


@blueprint.get("/projects/<key:project_id>/repository/branches/<key:name>")
def branch(project_id: str, name: str) -> Response:
    """Return a branch."""
    project = asked.project(project_id)
    if request.method == "HEAD" and asked.repository(project).branch(name) is not None:
        return asked.nothing()
    return asked.answer(_branch(project, name))


@blueprint.delete("/projects/<key:project_id>/repository/branches/<key:name>")
def delete_branch(project_id: str, name: str) -> Response:
    """Delete a branch; a protected one is deleted by maintainers only, and only here, not by a push."""
    project = asked.project(project_id, DEVELOPER)
    head = asked.repository(project).branch(name)
    if head is None:
        raise not_found("Branch")
    ref = f"refs/heads/{name}"
    refusal = protection.push_refusal(asked.site(), project, asked.user(), ref, head, ZERO, web=True)
    if refusal:
        raise bad_request(refusal)
    remove_branch(asked.site(), project, asked.user(), name)
    return asked.nothing()


@blueprint.get("/projects/<key:project_id>/repository/tags")
def tags(project_id: str) -> Response:
    """List tags."""
    project = asked.project(project_id)
    names = sorted(asked.repository(project).refs("refs/tags/"), reverse=True)

    def render(name: str) -> dict[str, Any]:
        found = _commit(project, f"refs/tags/{name}")
        return {
            "name": name,
            "message": "",
            "target": found.sha,
            "commit": entities.commit(asked.site(), project, found),
            "release": None,
            "protected": False,
            "created_at": None,
        }

    return asked.paginated(names, render)


@blueprint.delete("/projects/<key:project_id>/repository/tags/<key:name>")
def delete_tag(project_id: str, name: str) -> Response:
    """Delete a tag; a protected one only as a Maintainer."""
    project = asked.project(project_id, DEVELOPER)
    repository = asked.repository(project)
    found = repository.refs("refs/tags/")
    if name not in found:
        raise not_found("Tag")
    refusal = protection.push_refusal(
        asked.site(), project, asked.user(), f"refs/tags/{name}", found[name], ZERO, web=True
    )
    if refusal:
        raise forbidden(refusal)
    repository.delete_ref(f"refs/tags/{name}")
    return asked.nothing()


# --- commits


@blueprint.get("/projects/<key:project_id>/repository/commits")
def commits(project_id: str) -> Response:
    """List commits, newest first."""
    site = asked.site()
    project = asked.project(project_id)
    values = asked.parameters()
    repository = asked.repository(project)
    revision = str(values.get("ref_name") or project["default_branch"])
    first, dots, last = revision.partition("..")
    heads = [repository.resolve(name) for name in ([first, last] if dots else [revision])]
    if None in heads:
        if not repository.branches():
            return asked.paginated([], lambda row: row)
        raise not_found("Commit")
    span = "..".join(str(head) for head in heads)
    options = [f"--{name}={values[name]}" for name in ("since", "until", "author") if values.get(name)]
    if asked.flag(values.get("first_parent")):
        options.append("--first-parent")
    paths = [str(values["path"])] if values.get("path") else []
    if asked.flag(values.get("all")):
        options.append("--branches")
    found = repository.log(*options, span, paths=paths)
    return asked.paginated(found, lambda one: entities.commit(site, project, one))


@blueprint.post("/projects/<key:project_id>/repository/commits")
def create_commit(project_id: str) -> Response:
    """Write one commit of several file actions to a branch."""
    project = asked.project(project_id, DEVELOPER)
    values = asked.parameters()
    asked.required(values, "branch", "commit_message")
    actions = values.get("actions")
    if not isinstance(actions, list):
        raise bad_parameter("actions is missing")
    # GitLab's commits API asks this itself; its files API leaves it to the service, which answers 400.
    if not protection.may_push(asked.site(), project, asked.user(), str(values["branch"])):
        raise forbidden(REFUSED)
    sha = write(project, values, [_action(step) for step in actions])
    return asked.answer(entities.commit_detail(asked.site(), project, _commit(project, sha)), 201)


def write(project: Row, values: dict[str, Any], steps: list[dict[str, Any]]) -> str:
    """Commit file actions and move the branch; return the new commit."""
    site = asked.site()
    user = asked.user()
    repository = asked.repository(project)
    name = str(values["branch"])
    ref = f"refs/heads/{name}"
    if not repository.valid_branch_name(name):
        raise bad_request("You can only create or edit files when you are on a branch")
    if not protection.may_push(site, project, user, name):
        raise bad_request(REFUSED)
    with site.lock(project):
        old = repository.branch(name)
        parent = _parent(project, repository, values, old)
        changes = _changes(repository, parent, steps)
        author = Person(
            name=str(values.get("author_name") or user["name"]),
            email=str(values.get("author_email") or user["email"]),
        )
        try:
            sha = repository.commit_changes(
                changes,
                parent=parent,
                message=str(values["commit_message"]),
                author=author,
                committer=Person(name=user["name"], email=user["email"]),
            )
            repository.update_ref(ref, sha, old or ZERO)
        except GitError as error:
            raise bad_request(str(error)) from None
        branch_updated(site, project, user, ref, old or ZERO, sha)
    return sha


def _parent(project: Row, repository: Repository, values: dict[str, Any], old: str | None) -> str | None:
    """Return the commit to build on."""
    name = str(values["branch"])
    start = values.get("start_sha") or values.get("start_branch")
    force = asked.flag(values.get("force"))
    if old is not None and not force:
        if start and values.get("start_branch") != name:
            raise bad_request(
                f"A branch called '{name}' already exists. Switch to that branch in order to make changes"
            )
        return old
    if start:
        found = repository.resolve(str(start))
        if found is None:
            raise bad_request(f"Cannot find start_branch '{start}'")
        if old is not None and protection.fast_forward_only(asked.site(), project, f"refs/heads/{name}"):
            raise bad_request(protection.FORCE_REFUSED)
        return found
    if old is None and repository.branches():
        raise bad_request("You can only create or edit files when you are on a branch")
    return old


def _action(step: object) -> dict[str, Any]:
    if not isinstance(step, dict):
        raise bad_parameter("actions is invalid")
    if step.get("action") not in ACTIONS:
        raise bad_parameter("actions[action] does not have a valid value")
    if not step.get("file_path"):
        raise bad_parameter("actions[file_path] is missing")
    return step


def _content(step: dict[str, Any]) -> bytes | None:
    content = step.get("content")
    if content is None:
        return None
    if step.get("encoding") != "base64":
        return str(content).encode()
    try:
        return base64.b64decode(str(content), validate=False)
    except binascii.Error:
        raise bad_request("The file content is not valid base64") from None


def _changes(repository: Repository, parent: str | None, steps: list[dict[str, Any]]) -> list[Change]:
    """Check every action against the tree as the actions before it leave it."""
    state: dict[str, TreeEntry | None] = {}

    def at(path: str) -> TreeEntry | None:
        if path not in state:
            state[path] = repository.entry(parent, path) if parent else None
        return state[path]

    return [change for step in steps for change in _change(step, at, state)]


def _safe(path: str) -> str:
    parts = path.split("/")
    if "\x00" in path or any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts):
        raise bad_request("Path cannot include directory traversal" if ".." in parts else "invalid path")
    return path


def _change(step: dict[str, Any], at: Any, state: dict[str, Any]) -> list[Change]:  # noqa: ANN401  # a function; one branch per action
    path = _safe(str(step["file_path"]))
    kind = step["action"]
    there = at(path)
    content = _content(step)
    if kind == "create":
        if there is not None:
            raise bad_request("A file with this name already exists")
        state[path] = _placeholder(path)
        return [Change(kind="create", path=path, content=content or b"")]
    if kind == "move":
        previous = _safe(str(step.get("previous_path") or ""))
        old = at(previous)
        if old is None:
            raise bad_request("A file with this name doesn't exist")
        if there is not None:
            raise bad_request("A file with this name already exists")
        state[previous], state[path] = None, old
        return [Change(kind="move", path=path, previous_path=previous, content=content, mode=old.mode)]
    if there is None:
        raise bad_request("A file with this name doesn't exist")
    if kind == "delete":
        state[path] = None
        return [Change(kind="delete", path=path)]
    if kind == "chmod":
        mode = "100755" if asked.flag(step.get("execute_filemode")) else "100644"
        return [Change(kind="chmod", path=path, blob=there.sha, mode=mode)]
    return [Change(kind="update", path=path, content=content or b"", mode=there.mode)]


def _placeholder(path: str) -> TreeEntry:
    return TreeEntry(mode="100644", kind="blob", sha="", size=0, path=path)


@blueprint.get("/projects/<key:project_id>/repository/commits/<key:sha>")
def commit(project_id: str, sha: str) -> Response:
    """Return a commit."""
    project = asked.project(project_id)
    return asked.answer(entities.commit_detail(asked.site(), project, _commit(project, sha)))


@blueprint.get("/projects/<key:project_id>/repository/commits/<key:sha>/diff")
def commit_diff(project_id: str, sha: str) -> Response:
    """Return what a commit changes."""
    project = asked.project(project_id)
    found = _commit(project, sha)
    repository = asked.repository(project)
    base = found.parents[0] if found.parents else repository.empty_tree()
    return asked.paginated(repository.diff(base, found.sha), entities.diff)


@blueprint.get("/projects/<key:project_id>/repository/commits/<key:sha>/refs")
def commit_refs(project_id: str, sha: str) -> Response:
    """List the branches and tags that contain a commit."""
    project = asked.project(project_id)
    found = _commit(project, sha)
    text = asked.repository(project).run(
        "for-each-ref",
        f"--contains={found.sha}",
        "--format=%(refname)",
        "refs/heads/",
        "refs/tags/",
    )
    wanted = asked.parameters().get("type", "all")
    rows = []
    for line in text.decode().splitlines():
        kind = "branch" if line.startswith("refs/heads/") else "tag"
        if wanted in {"all", kind}:
            rows.append({"type": kind, "name": line.split("/", 2)[2]})
    return asked.paginated(rows, lambda row: row)


@blueprint.get("/projects/<key:project_id>/repository/commits/<key:sha>/merge_requests")
def commit_merge_requests(project_id: str, sha: str) -> Response:
    """List the merge requests that a commit is part of."""
    site = asked.site()
    project = asked.project(project_id)
    found = _commit(project, sha)
    repository = asked.repository(project)
    rows = [
        row
        for row in site.store.all("SELECT * FROM merge_requests WHERE project_id = ? ORDER BY iid", project["id"])
        if row["merge_commit_sha"] == found.sha
        or (
            row["head_sha"]
            and repository.is_ancestor(found.sha, row["head_sha"])
            and not repository.is_ancestor(found.sha, row["base_sha"])
        )
    ]
    return asked.paginated(rows, lambda row: entities.merge_request_basic(site, project, row))


# --- trees and files


@blueprint.get("/projects/<key:project_id>/repository/tree")
def tree(project_id: str) -> Response:
    """List a folder."""
    project = asked.project(project_id)
    values = asked.parameters()
    repository = asked.repository(project)
    revision = repository.resolve(str(values.get("ref") or project["default_branch"]))
    if revision is None:
        raise not_found("Tree")
    path = str(values.get("path") or "")
    entries = repository.tree(revision, path, recursive=asked.flag(values.get("recursive")))
    if path and not entries and repository.entry(revision, path) is None:
        raise ApiError(404, {"message": "404 invalid revision or path Not Found"})
    ordered = sorted(entries, key=lambda entry: entry.kind != "tree")
    return asked.paginated(ordered, entities.tree_object)


def _file(project: Row, path: str) -> tuple[str, TreeEntry]:
    values = asked.parameters()
    ref = str(values.get("ref") or "HEAD")
    repository = asked.repository(project)
    revision = repository.resolve(project["default_branch"] if ref == "HEAD" else ref)
    if revision is None:
        raise not_found("Commit")
    entry = repository.entry(revision, path)
    if entry is None or entry.kind != "blob":
        raise not_found("File")
    return revision, entry


def _file_facts(project: Row, path: str) -> tuple[dict[str, Any], bytes]:
    repository = asked.repository(project)
    revision, entry = _file(project, path)
    content = repository.blob(entry.sha)
    last = repository.log("-1", revision, paths=[f":(literal){entry.path}"])
    facts = {
        "file_name": entry.path.rpartition("/")[2],
        "file_path": entry.path,
        "size": len(content),
        "encoding": "base64",
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": str(asked.parameters().get("ref") or "HEAD"),
        "blob_id": entry.sha,
        "commit_id": revision,
        "last_commit_id": last[0].sha if last else revision,
        "execute_filemode": entry.mode == "100755",
    }
    return facts, content


@blueprint.get("/projects/<key:project_id>/repository/files/<key:path>")
def file(project_id: str, path: str) -> Response:
    """Return a file; `HEAD` puts what is known about it into headers."""
    project = asked.project(project_id)
    if not asked.parameters().get("ref"):
        raise bad_parameter("ref is missing, ref is empty")
    facts, content = _file_facts(project, path)
    headers = {
        f"X-Gitlab-{name.replace('_', '-').title()}": str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in facts.items()
    }
    if request.method == "HEAD":
        return Response(status=200, headers=headers)
    return asked.answer({**facts, "content": base64.b64encode(content).decode()}, headers=headers)


@blueprint.get("/projects/<key:project_id>/repository/files/<key:path>/raw")
def raw_file(project_id: str, path: str) -> Response:
    """Return a file's bytes."""
    project = asked.project(project_id)
    _, entry = _file(project, path)
    return _bytes(asked.repository(project).blob(entry.sha))


def _bytes(content: bytes) -> Response:
    binary = b"\0" in content[:8000]
    return Response(content, content_type="application/octet-stream" if binary else "text/plain; charset=utf-8")


def _write_file(project_id: str, path: str, kind: str) -> Response:
    project = asked.project(project_id, DEVELOPER)
    values = asked.parameters()
    asked.required(values, "branch", "commit_message")
    if kind != "delete":
        asked.required(
            {"content": values.get("content")} if values.get("content") != "" else {"content": " "}, "content"
        )
    step = {**values, "action": kind, "file_path": path}
    if kind == "update" and values.get("last_commit_id"):
        _refuse_stale(project, path, values)
    write(project, values, [step])
    if kind == "delete":
        return asked.nothing()
    return asked.answer({"file_path": path, "branch": values["branch"]}, 201 if kind == "create" else 200)


def _refuse_stale(project: Row, path: str, values: dict[str, Any]) -> None:
    last = asked.repository(project).log("-1", str(values["branch"]), paths=[f":(literal){path}"])
    if last and last[0].sha != values["last_commit_id"]:
        raise bad_request("You are attempting to update a file that has changed since you started editing it.")


@blueprint.post("/projects/<key:project_id>/repository/files/<key:path>")
def create_file(project_id: str, path: str) -> Response:
    """Create a file."""
    return _write_file(project_id, path, "create")


@blueprint.put("/projects/<key:project_id>/repository/files/<key:path>")
def update_file(project_id: str, path: str) -> Response:
    """Change a file."""
    return _write_file(project_id, path, "update")


@blueprint.delete("/projects/<key:project_id>/repository/files/<key:path>")
def delete_file(project_id: str, path: str) -> Response:
    """Delete a file."""
    return _write_file(project_id, path, "delete")


def _blob(project: Row, sha: str) -> bytes:
    try:
        return asked.repository(project).run("cat-file", "blob", sha)
    except GitError:
        raise not_found("Blob") from None


@blueprint.get("/projects/<key:project_id>/repository/blobs/<key:sha>")
def blob(project_id: str, sha: str) -> Response:
    """Return a blob."""
    content = _blob(asked.project(project_id), sha)
    body = {"size": len(content), "encoding": "base64", "content": base64.b64encode(content).decode(), "sha": sha}
    return asked.answer(body)


@blueprint.get("/projects/<key:project_id>/repository/blobs/<key:sha>/raw")
def raw_blob(project_id: str, sha: str) -> Response:
    """Return a blob's bytes."""
    return _bytes(_blob(asked.project(project_id), sha))


# --- comparisons


@blueprint.get("/projects/<key:project_id>/repository/compare")
def compare(project_id: str) -> Response:
    """Compare two revisions: from their common ancestor, or, `straight`, from one to the other."""
    site = asked.site()
    project = asked.project(project_id)
    values = asked.parameters()
    asked.required(values, "from", "to")
    repository = asked.repository(project)
    old, new = _commit(project, str(values["from"]), "Ref"), _commit(project, str(values["to"]), "Ref")
    straight = asked.flag(values.get("straight"))
    base = old.sha if straight else repository.merge_base(old.sha, new.sha)
    found = list(reversed(repository.log(f"{old.sha}..{new.sha}")))
    body = {
        "commit": entities.commit(site, project, found[-1]) if found else None,
        "commits": [entities.commit(site, project, one) for one in found],
        "diffs": [entities.diff(one) for one in repository.diff(base, new.sha)] if base else [],
        "compare_timeout": False,
        "compare_same_ref": old.sha == new.sha,
        "web_url": site.web(project, "compare", f"{old.sha}...{new.sha}"),
    }
    return asked.answer(body)


@blueprint.get("/projects/<key:project_id>/repository/merge_base")
def merge_base(project_id: str) -> Response:
    """Return the best common ancestor."""
    project = asked.project(project_id)
    values = asked.parameters()
    refs = values.get("refs")
    if not isinstance(refs, list) or len(refs) < 2:  # noqa: PLR2004  # a base is common to two
        raise bad_parameter("refs is missing")
    found = asked.repository(project).merge_base(*[_commit(project, str(ref), "Ref").sha for ref in refs])
    if found is None:
        raise not_found("Merge Base")
    return asked.answer(entities.commit(asked.site(), project, _commit(project, found)))
