"""What is done below an origin's folder: whose it is, whether it was taken back, and what of it was refused.

Every change there is attributed: removing, linking and misnaming are changes like adding.
"""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from compose_repo.core.branch.commit import GONE, PLAIN, Change, Commit, Content, Version
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.names import Origin, Sha, is_name
from compose_repo.core.problems.problem import Problem
from compose_repo.core.verdict.refusals import RefusedReport


class Touch(NamedTuple):
    """The last change to a path below an origin's folder by somebody whom the origin's attribution believes.

    `after` is what it left there, `first` what has to be there again for it to be taken back, unless the file counts.
    `came` is the place of its commit among all commits of the line, in the order in which they were pushed.
    """

    first: Content
    after: Content
    came: int


Touched: TypeAlias = Mapping[tuple[Origin, str], Touch]
"""By origin and path."""


def reported(compose_id: ComposeId, commits: Iterable[Commit], origins: Collection[Origin]) -> list[tuple[Origin, Sha]]:
    """Return each origin below whose folder a commit changes anything, with that commit: what has to be attributed.

    `origins` are those that gate/origins.toml lists. Removing, linking and misnaming are changes like adding.
    """
    found = (
        (origin, commit.sha)
        for commit in commits
        for change in commit.changes
        for origin in origins_of(compose_id, change, origins)
    )
    return list(dict.fromkeys(found))


def origins_of(compose_id: ComposeId, change: Change, origins: Collection[Origin]) -> Sequence[Origin]:
    """Return the origins below whose folders a change lies.

    A folder that nobody could look into stands for all that is in it: above all origins, it is a change of each.
    """
    results = compose_id.results_folder
    if not change.path.startswith(f"{results}/"):
        above = change.is_folder and (not change.path or f"{results}/".startswith(f"{change.path}/"))
        return tuple(origins) if above else ()
    name, inside, _ = change.path[len(results) + 1 :].partition("/")
    is_origins = is_name(name) if inside else name in origins
    return (Origin(name),) if is_origins else ()


class Attributed(Struct, frozen=True, kw_only=True):
    """Whom the origins believe: for each origin and commit that `reported` gives.

    `refusals` say why nobody believes that the one has reported by the other. `owned` are those that the origin's own
    attribution believes: not what our bots have pushed, on whomever's behalf.
    """

    refusals: Mapping[tuple[Origin, Sha], str]
    owned: Container[tuple[Origin, Sha]]
    origins: Collection[Origin]


def refused_reports(touched: Touched, counted: Iterable[Version], problems: Iterable[Problem]) -> list[RefusedReport]:
    """Return what was reported by somebody believed, does not count, and was not taken back.

    `counted` are the versions that count after every check. A path is taken back once it is as it was before anybody
    came, or has its counted bytes again.
    """
    blobs = {version.path: version.blob for version in counted}
    codes: dict[str, set[str]] = defaultdict(set)
    for problem in problems:
        codes[problem.path].add(problem.code)
    return [
        RefusedReport(origin=origin, path=path, came=touch.came, codes=tuple(sorted(codes.get(path, ()))))
        for (origin, path), touch in touched.items()
        if not is_same(touch.after, Content(PLAIN, blobs[path]) if path in blobs else touch.first)
    ]


def taken_back(touched: Touched) -> frozenset[str]:
    """Return the paths that somebody whom the origin's attribution believes has left as they were at first."""
    return frozenset(path for (_, path), touch in touched.items() if is_same(touch.after, touch.first))


def is_same(one: Content, other: Content) -> bool:
    """Return whether two contents are alike; nothing is like nothing, whatever id git gives it."""
    return one == other or one.mode == other.mode == GONE
