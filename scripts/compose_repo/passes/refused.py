"""Where merging leads to publishing, a refused report that bears on an answer stops what publishes."""

from typing import Final

from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.passes.judge import Judgement

NAMED: Final = 20
"""How many refused reports are named."""


def see_that_no_refused_report_is_lost(judgement: Judgement) -> None:
    """Restore, merge and promote nothing while a refused report bears on an answer, be it waived.

    Nor if somebody else has taken it off the branch: only its origin takes it back.

    Raises:
        InputError: one does.

    """
    decision = judgement.decision
    if not decision.bears_on:
        return
    codes = {problem.path: problem.code for problem in decision.refused}
    paths = sorted(decision.bears_on, key=lambda path: (-decision.bears_on[path], path))
    raise InputError(*(_problem(path, codes.get(path), decision.bears_on[path], len(paths)) for path in paths[:NAMED]))


def _problem(path: str, code: str | None, answers: int, files: int) -> Problem:
    refused = "this report was refused" + ("" if code is None else f" ({code})")
    on = "1 answer" if answers == 1 else f"{answers:,} answers"
    among = "" if files == 1 else f", one of {files:,} such files"
    return Problem(
        path=path,
        code=Code.REFUSED_REPORT,
        message=f"the gate is satisfied, but {refused} and bears on {on}{among}; going on would lose it",
        fix="its origin reports again on each affected test, or takes the file back",
    )
