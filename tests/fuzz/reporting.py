"""A result file's whole way: any bytes are inspected, judged and told, and nothing of them acts where they are told."""

import datetime as dt
import json
from pathlib import Path
from typing import Any, Final

from draw import Draw
from escaping import PIECES
from gitlab_markdown import acts, rendered

from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.escape import json_text
from compose_repo.core.names import Sha
from compose_repo.core.problems.report import Report, as_code_quality, as_json, as_junit
from compose_repo.core.verdict.decision import Decision, State, Verdict
from compose_repo.core.verdict.decision_text import Basis, decision_text
from compose_repo.core.verdict.gate import decide
from compose_repo.ports.tree import GivenTree, WorkingTree
from compose_repo.reading.loading import LoadedCompose, load_compose, load_gate
from compose_repo.words import wording

BASE: Final = Path(__file__).resolve().parents[1] / "examples" / "base"
ID: Final = ComposeId.parse("CentOS-Stream-10-20261120.0")
MANIFEST: Final = f"{ID.folder}/manifest.json"
MANIFEST_BYTES: Final = (BASE / MANIFEST).read_bytes()
NOW: Final = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
GATE_FILES: Final = load_gate(WorkingTree(BASE))
SOUND: Final = json.loads((BASE / ID.folder / "results" / "rdo" / "8841.json").read_text(encoding="utf-8"))
TESTCASE: Final = GATE_FILES.policy.requirements[0].testcase
ARCHES: Final = ("x86_64", "aarch64")
OUTCOMES: Final = (
    *(
        "passed",
        "failed",
        "error",
        "running",
        "queued",
        "info",
        "needs_inspection",
        "skipped",
        "not_applicable",
        "PASSED",
    ),
)
VALUES: Final[tuple[object, ...]] = (
    None,
    True,
    0,
    -1,
    1.5,
    2**53,
    1e308,
    "",
    [],
    {},
    [[]],
    "2026-11-20T04:10:00Z",
    "2026-02-30T04:10:00Z",
)
FIELDS: Final = (
    *(
        ("results", 0, name)
        for name in ("outcome", "arch", "variant", "scenario", "url", "log_url", "note", "error_reason")
    ),
    *(("results", 0, name) for name in ("testcase", "duration", "misc")),
    *(("run", name) for name in ("id", "url", "log_url", "started_at", "finished_at")),
    *((name,) for name in ("schema", "compose_id", "manifest_sha256", "origin", "contact", "misc", "results", "extra")),
)
OWN_TAGS: Final = {
    "a", "code", "details", "h3", "h4", "li", "p", "strong", "summary", "table", "tbody", "td", "th", "thead", "tr",
    "ul", "blockquote", "<!-- compose-repo: gate -->",
}  # fmt: skip
SEEDS: Final = (
    bytes(40),
    b"\x01\x02" + bytes(range(40)),
    b"\x00\x01" + b"\x04\x02\x0a\x03" * 8,
    b"\x03" + b'{"schema": "results/1"}',
    b'\x01\x02\x00\x01\x02`\x07,$\x7f\x7f#",>\x01',  # an unknown field '>' in a result
)


def report_any_file(data: bytes) -> None:
    """Judge up to two result files of any bytes, and tell what came of it in every way there is."""
    draw = Draw(data)
    files = {
        f"{ID.folder}/results/rdo/{run_id}.json": _file(draw, run_id)
        for run_id in ("8841", "8842")[: 1 + draw.integer(1)]
    }
    tree = GivenTree({MANIFEST: MANIFEST_BYTES, **files})
    loaded = load_compose(tree, ID, GATE_FILES, NOW)
    decision = _decide(loaded)
    turned = LoadedCompose(
        manifest=loaded.manifest,
        manifest_sha256=loaded.manifest_sha256,
        files=loaded.files[::-1],
        refused=loaded.refused[::-1],
        unasked=loaded.unasked,
    )
    assert _decide(turned).to_dict()["answers"] == decision.to_dict()["answers"], "the order of files decides"
    assert len({problem.path for problem in loaded.refused}) + len(loaded.files) == len(files)
    _assert_earned(decision, loaded)
    _assert_told(decision, Report(checked=sorted(files), problems=sorted(loaded.refused)))


def _decide(loaded: LoadedCompose) -> Decision:
    return decide(
        manifest=loaded.manifest,
        manifest_sha256=loaded.manifest_sha256,
        policy=GATE_FILES.policy,
        policy_sha256=GATE_FILES.policy_sha256,
        files=loaded.files,
        waivers=GATE_FILES.waivers,
        refused=loaded.refused,
        unasked=loaded.unasked,
        opened_at=NOW,
        now=NOW,
    )


def _file(draw: Draw, run_id: str) -> bytes:
    """Draw a result file: a sound one of which some values are others, now and then of other bytes."""
    document = json.loads(json.dumps(SOUND))
    document["run"]["id"] = run_id
    for _ in range(draw.integer(3)):
        _set(document, draw.choice(FIELDS), _value(draw))
    raw = json.dumps(document, ensure_ascii=draw.integer(1) == 0).encode("utf-8", "surrogatepass")
    if draw.chance(8):
        at = draw.integer(min(len(raw), 0xFFFF))
        raw = raw[:at] + draw.rest()
    return raw


def _set(document: dict[str, Any], place: tuple[str | int, ...], value: object) -> None:
    within: Any = document
    for step in place[:-1]:
        within = within[step] if not isinstance(step, int) or len(within) > step else None
        if not isinstance(within, (dict, list)):
            return
    if isinstance(within, dict):
        within[place[-1]] = value


def _value(draw: Draw) -> object:
    match draw.integer(5):
        case 0:
            return draw.choice(VALUES)
        case 1:
            return draw.choice(OUTCOMES)
        case 2:
            return f"https://ci.example.org/{draw.text(8, PIECES)}"
        case 3:
            return draw.choice((TESTCASE, *ARCHES, "AppStream", "BaseOS", f"{draw.text(3, PIECES)}"))
        case _:
            return draw.text(12, PIECES)


def _assert_earned(decision: Decision, loaded: LoadedCompose) -> None:
    """No requirement passes that no sound file has reported as passed."""
    reported = {result.outcome for file in loaded.files for result in file.results}
    for answer in decision.answers:
        if answer.state is State.PASSED:
            assert answer.outcome in reported
            assert str(answer.outcome) in {"passed", "info"}
    if not loaded.files and not GATE_FILES.waivers:
        assert decision.verdict is not Verdict.SATISFIED


def _assert_told(decision: Decision, report: Report) -> None:
    """Every way of telling it can be read, and none does more than tell."""
    note = wording.note(decision, GATE_FILES.origins, head=Sha("a" * 40), published=False)
    result = rendered(note)
    assert result.tags <= OWN_TAGS, result.tags - OWN_TAGS
    assert [act for act in acts(note) if not act.startswith("our marker")] == []
    assert note.count("<!--") == 1
    assert all(link.lower().startswith(("https://", "http://")) for link in result.links)
    assert {len(row) for row in result.rows} <= {0, 5, 6}
    basis = Basis(where="on a branch", believed=len(decision.answers))
    for line in decision_text(decision, GATE_FILES.origins, basis=basis, every=True, emphasize=lambda _, text: text):
        assert line.isprintable()
    assert json.loads(json_text(decision.to_dict())) == json.loads(json.dumps(decision.to_dict()))
    if report.problems:
        json.loads(as_json(report))
        json.loads(as_code_quality(report))
        as_junit(report)
