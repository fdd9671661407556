import datetime as dt
import http.server
import os
import subprocess
import threading
from pathlib import Path

import pytest

from compose_repo.ports.git import history
from compose_repo.ports.git.branch import commit_files
from compose_repo.ports.git.history import commits_after, commits_since
from compose_repo.ports.git.objects import Blobs, GitTree
from compose_repo.ports.git.repository import GitError, PartialCloneError, Repository, scratch
from compose_repo.ports.git.tags import release_refs
from compose_repo.ports.tree import Entry
from skipping_clock import SkippingClock

MANIFEST = "composes/C-1-20260101.0/manifest.json"
WHEN = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def git(where: Path, *arguments: str, when: dt.datetime = WHEN) -> str:
    dates = {"GIT_AUTHOR_DATE": when.isoformat(), "GIT_COMMITTER_DATE": when.isoformat()}
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgSign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=where, check=True, capture_output=True, env={**os.environ, **dates}
    )
    return done.stdout.decode().strip()


def commit(where: Path, files: dict[str, bytes], *, when: dt.datetime = WHEN) -> str:
    for name, content in files.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    git(where, "add", "--all")
    git(where, "commit", "--quiet", "--message", "change", when=when)
    return git(where, "rev-parse", "HEAD")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    where = tmp_path / "work"
    where.mkdir()
    git(where, "init", "--quiet", "--initial-branch=main")
    commit(where, {"README.md": b"hello\n", MANIFEST: b"{}\n"})
    return where


def test_a_tree_lists_a_folder_with_sizes_sorted_by_path(work: Path) -> None:
    commit(work, {"composes/C-1-20260101.0/results/rdo/1.json": b"123", "composes/C-2-20260101.0/x": b""})
    tree = GitTree(Repository(work), "main")
    assert tree.list("composes/C-1-20260101.0") == [
        Entry(path=MANIFEST, size=3, at=WHEN),
        Entry(path="composes/C-1-20260101.0/results/rdo/1.json", size=3, at=WHEN),
    ]


def test_an_absent_folder_is_empty(work: Path) -> None:
    assert GitTree(Repository(work), "main").list("nowhere") == []


def test_a_folder_is_no_pattern(work: Path) -> None:
    assert GitTree(Repository(work), "main").list("composes/*") == []


def test_the_whole_tree_is_listed_by_the_empty_folder(work: Path) -> None:
    assert [entry.path for entry in GitTree(Repository(work), "main").list("")] == ["README.md", MANIFEST]


def test_folders_are_a_folders_own_and_no_files(work: Path) -> None:
    commit(work, {"composes/C-1-20260102.0/manifest.json": b"", "composes/README.md": b""})
    tree = GitTree(Repository(work), "main")
    assert tree.folders("composes") == ["C-1-20260101.0", "C-1-20260102.0"]
    assert [tree.folders(""), tree.folders("nowhere")] == [["composes"], []]


def test_reading_gives_the_commits_bytes_and_not_the_working_trees(work: Path) -> None:
    tree = GitTree(Repository(work), "main")
    (work / MANIFEST).write_bytes(b"changed")
    assert [tree.read(MANIFEST), tree.read("README.md"), tree.read(MANIFEST)] == [b"{}\n", b"hello\n", b"{}\n"]


def test_reading_what_is_not_there_gives_none(work: Path) -> None:
    tree = GitTree(Repository(work), "main")
    assert [tree.read("nowhere.json"), tree.read("composes")] == [None, None]


def test_a_link_is_listed_and_never_read(work: Path) -> None:
    (work / "link.json").symlink_to("/etc/passwd")
    commit(work, {})
    tree = GitTree(Repository(work), "main")
    assert [entry.path for entry in tree.list("") if not entry.regular] == ["link.json"]
    assert tree.read("link.json") is None


def test_an_executable_is_no_regular_file(work: Path) -> None:
    (work / "run.json").write_bytes(b"{}")
    (work / "run.json").chmod(0o755)
    commit(work, {})
    assert GitTree(Repository(work), "main").read("run.json") is None


def test_a_path_with_newline_quote_and_bytes_that_are_no_utf8_is_given_as_it_is(work: Path) -> None:
    name = b'odd\n"\xff.json'
    Path(os.fsdecode(os.fsencode(work) + b"/" + name)).write_bytes(b"odd")
    commit(work, {})
    tree = GitTree(Repository(work), "main")
    assert tree.read(os.fsdecode(name)) == b"odd"
    assert os.fsdecode(name) in [entry.path for entry in tree.list("")]


def test_a_replace_ref_does_not_change_what_is_read(work: Path) -> None:
    evil = work / "evil"
    evil.write_bytes(b"evil")
    blob, other = git(work, "rev-parse", f"HEAD:{MANIFEST}"), git(work, "hash-object", "-w", "evil")
    git(work, "replace", blob, other)
    assert GitTree(Repository(work), "main").read(MANIFEST) == b"{}\n"


def test_the_users_configuration_and_variables_do_not_bend_the_answers(
    work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = tmp_path / ".gitconfig"
    settings.write_text(
        "[log]\n showSignature = true\n follow = true\n[color]\n ui = always\n[core]\n pager = false\n"
        "[safe]\n bareRepository = explicit\n[i18n]\n logOutputEncoding = UTF-16\n commitEncoding = UTF-16\n"
        "[push]\n gpgSign = true\n pushOption = ci.skip\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert Repository(work).commit_time(MANIFEST, "main") == WHEN
    assert [commit.date for commit in commits_after(Repository(work), Repository(work).commit("main"), ["main"])] == [
        WHEN
    ]


def test_a_commit_of_ours_is_in_utf8_whatever_the_users_configuration_says(
    work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".gitconfig").write_text("[i18n]\n commitEncoding = ISO-8859-1\n logOutputEncoding = ISO-8859-1\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    made = commit_files(Repository(work), base="main", parents=["main"], files=(), message="Grün", author="gate-bot")
    assert b"\nencoding " not in Blobs(Repository(work)).read(made)
    assert "Grün".encode() in Blobs(Repository(work)).read(made)


def test_a_bare_repository_is_read_where_the_users_configuration_wants_them_named(
    work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".gitconfig").write_text("[safe]\n bareRepository = explicit\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with scratch(work) as repository:
        repository.fetch(str(work), ["refs/heads/main:refs/compose-repo/main"])
        assert GitTree(repository, "refs/compose-repo/main").read(MANIFEST) == b"{}\n"


def test_the_token_goes_to_the_host_it_is_for_wherever_the_users_configuration_leads(
    work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heard: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base class looks it up
            heard.append(f"{self.headers['Host'].partition(':')[0]} {self.headers['Authorization'] is not None}")
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    port = server.server_port
    settings = f'[url "http://localhost:{port}/other/"]\n insteadOf = http://127.0.0.1:{port}/moved/\n'
    (tmp_path / ".gitconfig").write_text(settings)
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in ("own", "moved"):
        with pytest.raises(GitError, match="not found"):
            Repository(work).fetch(f"http://127.0.0.1:{port}/{path}/p.git", ["refs/heads/main"], token="t0ken")  # noqa: S106  # no secret
    server.shutdown()
    server.server_close()
    assert heard == ["127.0.0.1 True", "localhost False"]


@pytest.mark.parametrize("left_out", ["tree:0", "blob:none"])
def test_a_partial_clone_says_what_to_do(work: Path, tmp_path: Path, left_out: str) -> None:
    git(work, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", f"--filter={left_out}", work.as_uri(), "partial")
    repository = Repository(tmp_path / "partial")
    with pytest.raises(PartialCloneError, match=r"is a partial clone, .* run: git fetch --refetch --no-filter origin"):
        GitTree(repository, "origin/main").list("composes")
    git(tmp_path / "partial", "fetch", "-q", "--refetch", "--no-filter", "origin")
    assert len(GitTree(repository, "origin/main").list("composes")) == 1


def test_a_folder_that_a_partial_clone_has_not_is_not_taken_for_an_empty_one(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "LOG_BYTES", 10)
    head = commit(work, {"composes/C-1-20260101.0/x.json": b"1"})
    git(work, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=tree:0", work.as_uri(), "partial")
    with pytest.raises(PartialCloneError):
        commits_since(Repository(tmp_path / "partial"), f"{head}^", [head])


def test_a_partial_clone_lends_no_objects_to_a_pass(work: Path, tmp_path: Path) -> None:
    git(work, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=tree:0", work.as_uri(), "partial")
    with scratch(tmp_path / "partial") as repository:
        repository.fetch(str(work), ["refs/heads/main:refs/compose-repo/main"])
        assert GitTree(repository, "refs/compose-repo/main").read(MANIFEST) == b"{}\n"


def test_a_hook_of_the_repository_is_not_run(work: Path, tmp_path: Path) -> None:
    hook = work / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    Repository(work).fetch(str(work), ["refs/heads/main:refs/compose-repo/main"])
    assert not (tmp_path / "ran").exists()


def test_an_unknown_revision_is_a_named_error(work: Path) -> None:
    with pytest.raises(GitError, match=r"has no commit 'nowhere'; fetch it"):
        GitTree(Repository(work), "nowhere")


def test_a_revision_that_looks_like_an_option_is_none(work: Path) -> None:
    assert Repository(work).find("--all") is None


def test_a_directory_that_is_no_repository_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        Repository(tmp_path).commit("HEAD")


def test_the_time_of_a_manifest_is_that_of_the_commit_that_added_it(work: Path) -> None:
    later = WHEN + dt.timedelta(days=1)
    commit(work, {"composes/C-1-20260102.0/manifest.json": b"{}"}, when=later)
    commit(work, {"composes/C-1-20260102.0/manifest.json": b"{ }"}, when=later + dt.timedelta(days=1))
    assert Repository(work).commit_time("composes/C-1-20260102.0/manifest.json", "main") == later


def test_a_path_that_was_never_added_has_no_time(work: Path) -> None:
    assert Repository(work).commit_time("nowhere", "main") is None


def test_history_that_was_cut_off_gives_no_time(work: Path, tmp_path: Path) -> None:
    commit(work, {"other": b""})
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{work}", "shallow")
    assert Repository(tmp_path / "shallow").commit_time(MANIFEST, "HEAD") is None


@pytest.mark.parametrize("seconds", ["253402300800", "99999999999999999999", "9223372036854775807", "-5", ""])
def test_a_commit_whose_time_is_none_that_there_can_be_gives_no_time(work: Path, seconds: str) -> None:
    people = "".join(f"{role} T <t@example.org> {seconds} +0000\n" for role in ("author", "committer"))
    (work / "commit").write_text(f"tree {git(work, 'rev-parse', 'HEAD^{tree}')}\n{people}\nx\n")
    made = git(work, "hash-object", "--literally", "-t", "commit", "-w", "commit")
    assert Repository(work).commit_time(MANIFEST, made) is None


def test_without_a_common_ancestor_it_is_said_what_is_missing(work: Path) -> None:
    git(work, "checkout", "--quiet", "--orphan", "other")
    commit(work, {"x": b""})
    with pytest.raises(GitError, match="has no commit that HEAD and main come from; fetch more of their history"):
        Repository(work).changed_paths("main")


def test_an_object_that_is_not_there_is_told_when_its_folder_is_listed(work: Path) -> None:
    name = git(work, "rev-parse", f"HEAD:{MANIFEST}")
    (work / ".git" / "objects" / name[:2] / name[2:]).unlink()
    with pytest.raises(GitError, match="the repository is damaged: clone it anew"):
        GitTree(Repository(work), "main").list("composes")


def test_changed_paths_are_those_since_the_branch_left_its_base(work: Path) -> None:
    git(work, "switch", "--quiet", "--create", "compose/x")
    commit(work, {"composes/new.json": b"1"})
    git(work, "switch", "--quiet", "main")
    commit(work, {"elsewhere": b"1"})
    assert Repository(work).changed_paths("main", "compose/x") == ["composes/new.json"]


def test_fetching_brings_the_commit_under_its_own_ref_and_touches_nothing_else(work: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    repository = Repository(tmp_path / "bare.git")
    repository.fetch(str(work), ["refs/heads/main:refs/compose-repo/main"])
    assert git(tmp_path / "bare.git", "for-each-ref", "--format=%(refname)") == "refs/compose-repo/main"
    assert repository.find("refs/compose-repo/main") == git(work, "rev-parse", "main")


def test_a_fetch_that_fails_says_why_and_never_the_token(work: Path) -> None:
    lines: list[str] = []
    clock = SkippingClock()
    repository = Repository(work, lines.append, clock)
    with pytest.raises(GitError) as failed:
        repository.fetch("http://127.0.0.1:9/x.git", ["refs/heads/main"], token="s3cret")  # noqa: S106
    assert "127.0.0.1" in str(failed.value)
    assert "s3cret" not in str(failed.value) + "".join(lines)
    assert clock.slept == [0.5, 1.0, 2.0]


def test_each_command_is_traced_with_its_time(work: Path) -> None:
    lines: list[str] = []
    Repository(work, lines.append).find("main")
    assert lines[0].startswith("git rev-parse")
    assert lines[0].endswith(" ms)")


class Hostile(Repository):
    """A repository whose server lists what it likes."""

    listed = b""

    def _travel(self, url: str, token: str | None, *command: str) -> bytes:
        del url, token, command
        return self.listed


SHA = b"0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\t",
        b"no tab",
        b"\xe9\trefs/tags/v1.0.0",
        b"0123\trefs/tags/v1.0.0",
        SHA + b"\t",
        SHA + b" refs/tags/v1.0.0",
    ],
)
def test_a_line_of_a_server_that_is_not_a_ref_is_left_out(work: Path, line: bytes) -> None:
    repository = Hostile(work)
    repository.listed = line + b"\n" + SHA + b"\trefs/tags/v\xff\t1\n"
    assert repository.remote_refs("url", (), below=("refs/tags/v",)) == {"refs/tags/v\udcff\t1": SHA.decode()}


def test_refs_of_a_repository_elsewhere_are_read_by_its_path(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(work, "tag", "v1.0.0")
    git(work, "branch", "v2.0.0")
    monkeypatch.chdir(work.parent)
    assert list(release_refs(Repository(work.parent), work.name, "refs/tags/v")) == ["refs/tags/v1.0.0"]


def test_what_git_says_of_a_repository_elsewhere_is_told_without_the_command(work: Path) -> None:
    with pytest.raises(GitError, match=r"\A[^`]+\Z"):
        release_refs(Repository(work), "https://127.0.0.1:1/certificate", "refs/tags/v")
