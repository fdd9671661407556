"""What people read of a compose that is held: in a terminal, and in the note of its merge request, word by word."""

from pathlib import Path
from typing import Final

import pytest
from gate_world import judge, result, run

from compose_repo.core.names import Sha
from compose_repo.core.rules.holds import HoldEntry
from compose_repo.core.verdict.decision import Decision, State, Verdict
from compose_repo.core.verdict.decision_text import Basis, decision_text
from compose_repo.words.wording import note

EXAMPLES: Final = Path(__file__).resolve().parents[1] / "examples" / "decisions"
BASIS: Final = Basis(where="on compose/CentOS-Stream-10-20261120.0 (0123456789ab), by the rules of main (ba9876543210)")


def held(outcome: str, until: str) -> Decision:
    """Decide, on 2026-11-21, on a compose that is held."""
    hold = HoldEntry.from_dict(
        {
            "stream": "CentOS-Stream-10",
            "reason": "The kernel of this week eats *discs*.",
            "issue": "https://issues.example.org/1234",
            "by": "jdoe",
            "until": until,
        }
    )
    return judge([run(result(outcome))], holds=[hold])


def plain(_: State | Verdict, text: str) -> str:
    return text


CASES: Final = {
    "held": (held("passed", "2026-12-05"), {"gating": True}),
    "held-blocked": (held("failed", "2026-11-22"), {}),
    "held-last-day": (held("passed", "2026-11-21"), {}),
    "published-while-held": (held("failed", "2026-12-05"), {"published": True}),
}


def text(name: str) -> str:
    decision, _ = CASES[name]
    return "".join(f"{line}\n" for line in decision_text(decision, {}, basis=BASIS, every=False, emphasize=plain))


def written(name: str) -> str:
    decision, told = CASES[name]
    return note(decision, {}, head=Sha("a" * 40), **told)


@pytest.mark.parametrize("name", CASES)
def test_the_answer_of_gate_is_as_approved(name: str) -> None:
    # Write the examples anew: scripts/in-venv dev python tests/unit/test_held_words.py
    assert text(name) == (EXAMPLES / name / "gate.txt").read_text("utf-8")


@pytest.mark.parametrize("name", CASES)
def test_the_note_is_as_approved(name: str) -> None:
    assert written(name) == (EXAMPLES / name / "note.md").read_text("utf-8")


def test_a_hold_is_said_before_the_verdict_is_explained() -> None:
    first, second, *_ = text("held").splitlines()
    assert (first, second.startswith("It is held until the end of 2026-12-05 (UTC) by jdoe")) == ("SATISFIED", True)


@pytest.mark.parametrize(("name", "words"), [("held", 0), ("held-blocked", 0), ("held-last-day", 1)])
def test_only_on_its_last_day_a_hold_is_said_to_end_within_a_day(name: str, words: int) -> None:
    assert [said.count("within a day") for said in (text(name), written(name))] == [words] * 2


def write() -> None:
    for name in CASES:
        folder = EXAMPLES / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "gate.txt").write_text(text(name), "utf-8")
        (folder / "note.md").write_text(written(name), "utf-8")


if __name__ == "__main__":
    write()
