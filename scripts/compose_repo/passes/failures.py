"""What goes wrong in a pass, under codes; whatever it is, it stops one step, or the reading of one stream."""

from typing import Final

from compose_repo.core.forge.forge import ForgeError, StaleHead
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, UsageError
from compose_repo.ports.git.repository import GitError

FAILURES: Final = (InputError, UsageError, OSError)
"""What stops a step, or the reading of a stream, and nothing else."""
_AGAIN: Final = "the next run tries again"


def problems_of(error: Exception, where: str) -> tuple[Problem, ...]:
    """Give what went wrong, under a code."""
    match error:
        case InputError():
            return error.problems
        case StaleHead():
            code = Code.HEAD_MOVING
        case ForgeError():
            code = Code.GITLAB_FAILED
        case GitError():
            code = Code.GIT_FAILED
        case _:
            code = Code.NOT_DONE
    return (Problem(path=where, code=code, message=str(error), fix=_AGAIN),)


def mistake_of(error: Exception, where: str) -> Problem:
    """Return the problem of an unexpected error, which is reported like any other failure."""
    return Problem(
        path=where,
        code=Code.INTERNAL_ERROR,
        message=f"{type(error).__name__}: {error}",
        fix="this is a bug: please report it with the output of the same command with --verbose",
    )
