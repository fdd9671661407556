"""A local GitLab with a project, its people and a merge request, for the tests of the local GitLab itself."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import gitlab
from gitlab.v4.objects import Project as ApiProject
from gitlab.v4.objects import ProjectMergeRequest

from local_gitlab import CiRunner, LocalGitLab, Project, User

BRANCH = "compose/CentOS-Stream-10-20261120.0"
GIT = ["git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """One server and whoever acts on it."""

    server: LocalGitLab
    directory: Path
    root: User
    opener: User
    gate: User
    rdo: User
    guest: User
    stranger: User
    project: Project

    def api(self, user: User) -> gitlab.Gitlab:
        """Return the API as a user sees it."""
        return gitlab.Gitlab(self.server.url, private_token=user.token, retry_transient_errors=False)

    def as_user(self, user: User) -> ApiProject:
        """Return the project as a user sees it."""
        return self.api(user).projects.get(self.project.path)

    def open(self, branch: str = BRANCH) -> ProjectMergeRequest:
        """Open a merge request as the opener."""
        project = self.as_user(self.opener)
        project.branches.create({"branch": branch, "ref": "main"})
        commit(project, branch, f"composes/{branch}/manifest.json", "{}\n")
        values = {"source_branch": branch, "target_branch": "main", "title": branch, "description": "**A compose**"}
        merge_request = project.mergerequests.create(values)
        assert isinstance(merge_request, ProjectMergeRequest)
        return merge_request

    def clone(self, user: User, branch: str = BRANCH) -> Path:
        """Clone the branch as a user."""
        target = self.directory / f"clone-{user.username}-{len(list(self.directory.iterdir()))}"
        git(self.directory, "clone", "--quiet", "--branch", branch, self.project.clone_url_for(user), str(target))
        return target


def commit(project: ApiProject, branch: str, path: str, content: str, *, action: str = "create") -> str:
    """Commit one file through the API and return the sha."""
    step = {"action": action, "file_path": path, "content": content}
    return str(project.commits.create({"branch": branch, "commit_message": f"Write {path}", "actions": [step]}).id)


def git(where: Path, *arguments: str) -> str:
    """Run git, which has to succeed."""
    done = try_git(where, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def try_git(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git and return whatever came of it."""
    return subprocess.run(
        [*GIT, *arguments],
        cwd=where,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(where), "GIT_TERMINAL_PROMPT": "0"},
    )


def write(clone: Path, path: str, content: str, message: str = "Report results") -> str:
    """Commit a file in a clone and return the sha."""
    target = clone / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content, encoding="utf-8")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", message)
    return git(clone, "rev-parse", "HEAD")


def build_world(directory: Path, *, ci: CiRunner | None = None, files: dict[str, str] | None = None) -> World:
    """Start a server with a project and its people; whoever calls stops it."""
    source = directory / "source"
    source.mkdir()
    git(source, "init", "--quiet", "--initial-branch=main")
    for path, content in {"README.md": "# Composes\n", **(files or {})}.items():
        write(source, path, content, f"Add {path}")
    server = LocalGitLab.start(directory / "server", ci=ci)
    root = server.create_user("root", admin=True)
    people = {name: server.create_user(name) for name in ("opener", "gate", "rdo", "guest", "stranger")}
    project = server.create_project("centos/compose-repo", owner=root, from_repository=source)
    for name, level in (("opener", 30), ("gate", 40), ("rdo", 30), ("guest", 10)):
        server.add_member(project, people[name], access_level=level)
    return World(server=server, directory=directory, root=root, project=project, **people)
