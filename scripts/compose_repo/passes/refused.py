"""Where merging leads to publishing, a refused report that bears on an answer stops what publishes."""

from compose_repo.core.problem import InputError, Problem
from compose_repo.session import Judgement


def see_that_no_refused_report_is_lost(judgement: Judgement) -> None:
    """Restore, merge and promote nothing while a refused report bears on an answer, be it waived.

    Nor if somebody else has taken it off the branch: only its origin takes it back.

    Raises:
        InputError: one does.

    """
    decision = judgement.decision
    if not decision.bears_on:
        return
    problems = {problem.path: problem.code for problem in decision.refused}
    raise InputError(
        *(
            Problem(
                path=path,
                code="refused-report",
                message="the gate is satisfied, but this report was refused "
                f"({problems.get(path, 'problem not listed')}) and bears on "
                f"{'1 answer' if answers == 1 else f'{answers} answers'}; going on would lose it",
                fix="its origin reports again on each affected test, or takes the file back",
            )
            for path, answers in decision.bears_on.items()
        )
    )
