"""The line of a merge request: whatever is pushed after it, what counted goes on counting, and nothing foreign does."""

import datetime as dt
from typing import Final

from draw import Draw

from compose_repo.core.branch.attribution import attribute
from compose_repo.core.branch.commit import GONE, PLAIN, Change, Commit, Content
from compose_repo.core.branch.history import (
    Line,
    Pushed,
    gone_from_head,
    in_push_order,
    is_clean,
    read_line,
    read_unattributed,
    still_true,
    within_bytes,
)
from compose_repo.core.branch.touch import Attributed, refused_reports, reported
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.forge import Push, User
from compose_repo.core.names import Origin, Sha, is_name
from compose_repo.core.problems.laws import CODES
from compose_repo.core.problems.report import as_line
from compose_repo.core.rules.policy import Bots

ID: Final = ComposeId.parse("CentOS-Stream-10-20261120.0")
FOLDER: Final = f"composes/{ID}"
MANIFEST: Final = f"{FOLDER}/manifest.json"
README: Final = f"{FOLDER}/results/README.md"
ABSENT: Final = Content(GONE, "0" * 40)
BOTS: Final = Bots()
ORIGINS: Final = frozenset({Origin("rdo"), Origin("idm")})
MAIN: Final = Sha(f"{0xFFFF:040x}")
RESULTS: Final = tuple(
    f"{FOLDER}/results/{name}"
    for name in ("rdo/1.json", "rdo/2.json", "idm/1.json", "RDO/1.json", "rdo/1.JSON", "rdo/a.json", "rdo/A.json")
)
PATHS: Final = (
    *(MANIFEST, README, f"{FOLDER}/results/rdo/b/1.json", f"{FOLDER}/results/1.json", FOLDER.upper()),
    *(
        f"{FOLDER}/results/rdo/{name}.json"
        for name in ("..", "-x", ".git", "a b", "\u0455", "\udcff", "a\nb", "x\u202e", "\\")
    ),
    *(
        ".gitlab-ci.yml",
        "gate/policy.toml",
        "scripts/in-venv",
        ".gitattributes",
        ".gitmodules",
        "",
        "/etc/passwd",
        "../x",
    ),
    *("composes/CentOS-Stream-10-20261119.0/results/rdo/1.json", "composes/CentOS-Stream-10-20261119.0/manifest.json"),
    *(f"{FOLDER}//results/rdo/1.json", f"./{FOLDER}/results/rdo/1.json"),
)
CONTENTS: Final = (
    *(Content(PLAIN, blob) for blob in ("a", "b", "c", "d", "e")),
    *(ABSENT, Content("100755", "a"), Content("120000", "a"), Content("160000", "a"), Content("040000", "a")),
)
USERS: Final = ("compose-bot", "gate-bot", "rdo-ci", "mallory", "Compose-Bot")
SEEDS: Final = (
    b"\x01" + bytes(60),
    b"\x05" + bytes(range(1, 90)),
    b"\x03" + b"\x00\x01\x05\x00" * 12,
    # the whole tree is a folder that nobody could look into
    bytes.fromhex(
        "050106ffffffffffffff020b0c0d0e0f47303132141516171819311b1c1d1e1f202122233c3d3e3f4041"
        "4243444546473031ffffffffffffffffffffff0002000000000000084c4d4e4f50515253545556575859"
    ),
)
NOW: Final = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


class History:
    """Commits and the pushes that brought them; the first are as the compose bot makes them, more often than not."""

    def __init__(self, draw: Draw) -> None:
        self.commits: list[Commit] = []
        self.pushes: list[Push] = []
        self.trees: dict[Sha, dict[str, Content]] = {MAIN: {"gate/policy.toml": Content(PLAIN, "p")}}
        if not draw.chance(4):
            self._add({MANIFEST: Content(PLAIN, "m"), README: Content(PLAIN, "r")}, (MAIN,))
            self._push("compose-bot", self.commits[-1].sha)
        while draw and len(self.pushes) < 5:
            self._draw_push(draw)

    def _draw_push(self, draw: Draw) -> None:
        """Draw a push of up to three commits, on top of the last one or, by force, of any."""
        for _ in range(draw.integer(3)):
            known = list(self.trees)
            parents = [known[-1] if draw.chance(2) else draw.choice(known[::-1])]
            if draw.chance(6):
                parents.append(draw.choice(known))
            changes = {}
            for _ in range(draw.integer(3)):
                where = draw.choice(draw.choice([RESULTS, RESULTS, RESULTS, PATHS]))
                where = f"{FOLDER}/results/{draw.text(4)}.json" if draw.chance(16) else where
                changes[where] = draw.choice(CONTENTS)
            self._add(changes, tuple(dict.fromkeys(parents)))
        to = None if draw.chance(16) else draw.choice(list(self.trees)[::-1])
        self._push(draw.choice(USERS), to)

    def _add(self, changes: dict[str, Content], parents: tuple[Sha, ...]) -> None:
        sha = Sha(f"{len(self.commits) + 1:040x}")
        before = self.trees[parents[0]]
        after = {**before, **changes}
        listed = []
        for where, content in after.items():
            others = [self.trees[parent].get(where, ABSENT) for parent in parents]
            if content not in others:
                listed.append(Change(where, others[0], content))
        self.trees[sha] = after
        self.commits.append(Commit(sha, parents, tuple(listed)))

    def _push(self, username: str, after: Sha | None) -> None:
        before = self.pushes[-1].after if self.pushes else None
        user = User(id=len(username), username=username)
        at = NOW + dt.timedelta(minutes=len(self.pushes))
        self.pushes.append(Push(user=user, branch=ID.branch, before=before, after=after, at=at))

    def reachable(self, pushes: list[Push]) -> list[Commit]:
        """Give the commits that some of the pushes have brought, parents first."""
        parents = {commit.sha: commit.parents for commit in self.commits}
        waiting, found = [push.after for push in pushes if push.after is not None], set[Sha]()
        while waiting:
            sha = waiting.pop()
            if sha in parents and sha not in found:
                found.add(sha)
                waiting.extend(parents[sha])
        return [commit for commit in self.commits if commit.sha in found]


def judge_any_line(data: bytes) -> None:
    """Judge a history at its end and some time before: what is pushed can only be added to what counts."""
    draw = Draw(data)
    refused = draw.integer(255)
    history = History(draw)
    pushes = len(history.pushes)
    earlier = _judge(history, refused % pushes, refused, None) if pushes and refused % pushes else None
    _judge(history, pushes, refused, earlier)
    everything = [commit.sha for commit in history.commits]
    found = read_unattributed(ID, history.commits, ORIGINS)
    assert {version.commit for version in found.results} <= set(everything)
    still_true(found.problems, set())
    for problem in found.problems:
        assert as_line(problem).isprintable()


def _judge(history: History, number: int, refused: int, earlier: Line | None) -> Line | None:
    pushes = history.pushes[:number]
    commits = history.reachable(pushes)
    pushed = Pushed(pushes=pushes, of=attribute([(commit.sha, commit.parents) for commit in commits], pushes))
    # The same origin and commit are refused in every pass.
    asked = reported(ID, commits, ORIGINS)
    refusals = {pair: "no" for pair in asked if (len(pair[0]) + int(pair[1], 16)) & refused & 3 == 3}
    ours = {sha for sha in pushed.of if pushed.is_by(sha, BOTS.compose) or pushed.is_by(sha, BOTS.gate)}
    owned = {pair for pair in asked if pair not in refusals and pair[1] not in ours}
    attributed = Attributed(refusals=refusals, owned=owned, origins=ORIGINS)
    line = read_line(ID, commits, pushed=pushed, attributed=attributed, bots=BOTS)
    assert earlier is None or line is not None, "a later push takes the whole line away"
    if earlier is not None and line is not None:
        assert line.manifest == earlier.manifest
        assert line.readme == earlier.readme
        assert line.results[: len(earlier.results)] == earlier.results, "a later push changes what counted"
    if number < len(history.pushes):
        return line
    shuffled = sorted(commits, key=lambda commit: getattr(pushed.of.get(commit.sha), "at", NOW), reverse=True)
    again = read_line(ID, shuffled, pushed=pushed, attributed=attributed, bots=BOTS)
    assert again == line, "the order of pushes decides"
    if line is None:
        return None
    _assert_lawful(line, {commit.sha: commit for commit in commits}, pushed, refusals)
    _assert_complete(line, in_push_order(commits, pushed), pushed, refusals)
    head = {MANIFEST: Content(PLAIN, line.manifest.blob)}
    told = [*line.problems, *gone_from_head(line, head, line.problems)]
    assert is_clean(line.counted, {version.path: Content(PLAIN, version.blob) for version in line.counted})
    kept, _ = within_bytes(line.results, {version.blob: 1 for version in line.counted})
    assert kept == list(line.results)
    for report in refused_reports(line.touched, line.results, told):
        own = f"{FOLDER}/results/{report.origin}/"  # or a folder above it that nobody could look into
        assert report.path.startswith(own) or own.startswith(report.path and f"{report.path}/"), report.path
        assert any(origin == report.origin for origin, _ in owned), "a refused report of nobody"
        assert any(problem.path == report.path or problem.code == "more-problems" for problem in told), report.path
    for problem in told:
        assert problem.code in CODES, problem.code
        assert as_line(problem).isprintable()
    return line


def _assert_lawful(
    line: Line, commits: dict[Sha, Commit], pushed: Pushed, refusals: dict[tuple[Origin, Sha], str]
) -> None:
    """Nothing counts that its origin has not added as a plain file in its own place; no two names differ in case."""
    opened = commits[line.manifest.commit]
    assert pushed.is_by(opened.sha, BOTS.compose)
    assert any(
        change.path == MANIFEST and change.after == Content(PLAIN, line.manifest.blob) for change in opened.changes
    )
    assert line.readme is None or line.readme.commit == opened.sha
    for version in line.results:
        folder, _, name = version.path.rpartition("/")
        assert folder == f"{FOLDER}/results/{version.origin}", version.path
        assert is_name(str(version.origin))
        assert is_name(name.removesuffix(".json"))
        assert name.endswith(".json")
        assert version.origin is not None
        assert (version.origin, version.commit) not in refusals
        assert not pushed.is_by(version.commit, BOTS.gate)
        assert any(
            change.path == version.path and change.after == Content(PLAIN, version.blob)
            for change in commits[version.commit].changes
        )
    names = [version.path.casefold() for version in line.results]
    assert len(names) == len(set(names))


def _assert_complete(
    line: Line, ordered: list[Commit], pushed: Pushed, refusals: dict[tuple[Origin, Sha], str]
) -> None:
    """The first version that is believed counts, whatever came before or after it."""
    counted = {version.path.casefold(): version for version in line.results}
    seen: set[str] = set()
    for commit in ordered:
        if pushed.is_by(commit.sha, BOTS.gate):
            continue
        for change in commit.changes:
            parts = change.path.split("/")
            if len(parts) != 5 or not change.path.startswith(f"{FOLDER}/results/") or change.after.mode != PLAIN:
                continue
            origin, name = parts[3:]
            if not (name.endswith(".json") and is_name(origin) and is_name(name.removesuffix(".json"))):
                continue
            if (Origin(origin), commit.sha) in refusals or change.path.casefold() in seen:
                continue
            seen.add(change.path.casefold())
            version = counted.get(change.path.casefold())
            assert version is not None, change.path
            assert (version.path, version.blob, version.commit) == (change.path, change.after.blob, commit.sha)
    assert seen == set(counted)
