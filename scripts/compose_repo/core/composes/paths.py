"""What a compose's branch is called, and where its files lie in the repository: spelled here, and nowhere else."""

from typing import Final

BRANCH_PREFIX: Final = "compose/"
"""What the branch of a compose's merge request begins with."""
BRANCHES: Final = f"{BRANCH_PREFIX}*"
"""The branches of all composes, as a pattern of GitLab's protected branches."""
COMPOSES: Final = "composes"
"""The folder that holds a folder for each compose."""
MANIFEST: Final = "manifest.json"
"""The name of a manifest in its compose's folder."""
RESULTS: Final = "results"
"""The folder in a compose's folder that holds a folder for each origin."""
README: Final = "README.md"
"""May stand in any folder of ours, and is read by people only."""
RESULT_SUFFIX: Final = ".json"
"""What follows the run's id in the name of a result file."""


def branch_of(compose_id: str) -> str:
    """Give the branch of a compose's merge request."""
    return f"{BRANCH_PREFIX}{compose_id}"


def folder_of(compose_id: str) -> str:
    """Give a compose's folder in the repository, without a trailing slash."""
    return f"{COMPOSES}/{compose_id}"


def manifest_of(compose_id: str) -> str:
    """Give the path of a compose's manifest."""
    return f"{folder_of(compose_id)}/{MANIFEST}"


def results_of(compose_id: str) -> str:
    """Give the folder of all results on a compose, without a trailing slash."""
    return f"{folder_of(compose_id)}/{RESULTS}"


def readme_of(compose_id: str) -> str:
    """Give the path of the page that tells people how to report on a compose."""
    return f"{results_of(compose_id)}/{README}"


def result_of(compose_id: str, origin: str, run_id: str) -> str:
    """Give the path of the result file of an origin's run."""
    return f"{results_of(compose_id)}/{origin}/{run_id}{RESULT_SUFFIX}"


def origin_in(path: str) -> str | None:
    """Return whose folder of results a path lies in; None if it lies in nobody's."""
    match path.split("/"):
        case [_, _, folder, origin, _, *_] if folder == RESULTS:
            return origin
    return None


def below_results(path: str) -> str | None:
    """Return what follows the folder of results in a path; None if it does not lie in one."""
    _, found, rest = path.partition(f"/{RESULTS}/")
    return rest if found else None
