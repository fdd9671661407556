"""`sync`, as a schedule runs it: whatever is due is done by nothing else, and a second pass has nothing to do."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import gitlab
import jsonschema
import pytest
from sync_world import ROOT, STREAMS, SyncWorld, sync_world
from test_main_path import git

from local_gitlab.server import LocalGitLab
from samples import write_compose

SCHEMA = json.loads((ROOT / "schemas" / "sync.schema.json").read_text())
A, B, C, D = (f"CentOS-Stream-10-202611{day}.0" for day in (19, 20, 21, 22))

TWO_PLACES = """\
schema = "streams/1"
[streams.CentOS-Stream-10]
composes = ["{web}/stream-10/", "{web}/development/"]
published = "{web}/mirror/COMPOSE_ID"
types = ["production", "development"]
"""
PLAIN_LABELS = """
[labels]
satisfied = "ok"
pending = "waits"
blocked = "no"
published = "out"
superseded = "old"
vanished = "gone"
stream = "release "
"""


ON_A_DISK = """\
schema = "streams/1"
[streams.CentOS-Stream-10]
composes = "file://{folder}/web/stream-10/"
published = "file://{folder}/web/mirror/COMPOSE_ID"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGitLab]:
    with LocalGitLab.start(tmp_path_factory.mktemp("gitlab")) as running:
        yield running


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    server: LocalGitLab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[SyncWorld]:
    with sync_world(server, tmp_path, monkeypatch, capsys, more=getattr(request, "param", "")) as made:
        yield made


def passed(world: SyncWorld, name: str, run: str = "1") -> None:
    world.report(name, "rdo", "passed", run=run)
    world.report(name, "idm", "passed", run=run)


@pytest.mark.smoke
def test_nothing_but_sync_takes_composes_from_first_sight_to_merged_and_superseded(world: SyncWorld) -> None:
    assert world.rows() == []
    world.compose(A)
    world.compose(B, version="5.2.2")
    code, out, err = world.sync()
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "2 opened, 2 brought up to date, 2 pending"
    assert world.states() == {"20261119.0": "opened", "20261120.0": "opened"}
    assert world.api(world.iid(A)).labels == ["gate::pending", "stream::CentOS-Stream-10"]

    passed(world, B)
    assert world.rows() == [
        ("20261119.0", "judge", "is-open", "unchanged"),
        ("20261120.0", "judge", "is-open", "changed"),
    ]
    assert world.approvers(world.iid(B)) == ["gate-bot"]

    world.compose(C, version="5.2.3")
    world.publish(B)
    assert world.rows() == [
        ("20261120.0", "merge", "carried", "changed"),
        ("20261121.0", "open", "first-seen", "changed"),
        ("20261121.0", "judge", "is-open", "changed"),
    ]
    assert world.states() == {"20261119.0": "closed", "20261120.0": "merged", "20261121.0": "opened"}
    assert "compose::superseded" in world.api(world.iid(A)).labels
    assert "compose::published" in world.api(world.iid(B)).labels
    world.server.requests.clear()
    assert world.rows() == [("20261121.0", "judge", "is-open", "unchanged")]
    assert world.writes() == []


def test_the_description_begins_with_the_verdict_and_a_forged_one_is_undone(world: SyncWorld) -> None:
    world.compose(A)
    world.sync()
    before = world.api(world.iid(A)).description
    assert before.startswith("**The gate is pending.** Of ")
    forged = world.api(world.iid(A))
    forged.description = before.replace("The gate is pending", "The gate is satisfied")
    forged.save()
    assert world.rows() == [("20261119.0", "judge", "is-open", "changed")]
    assert world.api(world.iid(A)).description.startswith("**The gate is pending.** Of ")
    assert world.rows() == [("20261119.0", "judge", "is-open", "unchanged")]
    world.publish(A)
    world.sync()
    assert world.api(world.iid(A)).description.startswith("**Published while pending.** Of ")


def seed(world: SyncWorld, names: list[str]) -> None:
    for name in names:
        world.compose(name)
    world.configure(STREAMS.format(web=world.web, more="open_at_most = 50"))
    assert world.sync()[0] == 0


def test_a_pass_over_thirty_in_which_nothing_changed_asks_once_for_each_and_writes_nothing(world: SyncWorld) -> None:
    names = [f"CentOS-Stream-10-202611{day:02}.0" for day in range(1, 31)]
    seed(world, names)
    passed(world, names[3])
    world.report(names[4], "rdo", "failed")
    world.sync()
    world.server.requests.clear()
    code, out, _ = world.sync()
    assert (code, out.splitlines()[-1]) == (0, "30 unchanged, 1 satisfied, 28 pending, 1 blocked")
    assert world.writes() == []
    asked = Counter(entry.route for entry in world.server.requests.entries)
    notes = "/projects/<project_id>/merge_requests/<iid>/notes"
    assert (asked[notes], asked.total()) == (30, 41), asked  # six of the API beside these, and five of git


@pytest.mark.smoke
def test_a_dry_run_says_what_a_pass_would_do_and_writes_nothing(world: SyncWorld) -> None:
    world.compose(A)
    world.compose(B)
    world.publish(A)
    code, out, _ = world.sync("--dry-run")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith(A)] == [
        f"{A}: open: the mirrors carry it",
        f"{A}: merge: the mirrors carry it",
    ]
    assert f"{B}: open: it is finished and new" in out
    assert world.writes() == []


def test_text_says_what_was_done_and_ends_with_a_summary(world: SyncWorld) -> None:
    world.compose(A)
    out = world.sync()[1].splitlines()
    assert out[0] == "CentOS-Stream-10: 1 composes on the server; the mirrors carry nothing"
    assert out[1] == f"{A}: open: it is finished and new"
    assert out[2].startswith(f"→ create branch compose/{A}")
    assert f"{A}: pending: Of 4 required, 4 missing" in "\n".join(out)
    assert out[-1] == "1 opened, 1 brought up to date, 1 pending"


def test_the_report_is_a_file_with_the_same_document(world: SyncWorld) -> None:
    world.compose(A)
    file = world.folder / "sync.json"
    assert world.sync("--report", str(file))[0] == 0
    report = json.loads(file.read_text())
    jsonschema.validate(report, SCHEMA)
    assert [row["step"] for row in report["streams"][0]["composes"]] == ["open", "judge"]
    code, _, err = world.sync("--report", str(world.folder / "nowhere" / "sync.json"))
    assert (code, "No such file" in err) == (2, True)


@pytest.mark.parametrize("world", ["open_at_most = 2"], indirect=True)
def test_a_pass_opens_no_more_than_the_limit_the_oldest_first(world: SyncWorld) -> None:
    for name in (D, C, B, A):
        world.compose(name)
    report = world.report_of()
    jsonschema.validate(report, SCHEMA)
    opened = [(row["step"], row["why"]) for row in report["streams"][0]["composes"]]
    assert opened == [("open", "first-seen")] * 2 + [("leave", "limit")] * 2 + [("judge", "is-open")] * 2
    assert set(world.states()) == {"20261119.0", "20261120.0"}
    world.sync()
    assert len(world.states()) == 4


def test_without_the_compose_bots_token_the_rest_is_done_and_the_pass_says_so(world: SyncWorld) -> None:
    world.compose(A)
    world.sync()
    world.compose(B)
    world.report(A, "rdo", "failed")
    code, out, err = world.sync(opener=False)
    assert code == 0
    assert "COMPOSE_REPO_OPENER_TOKEN is not set: nothing is opened" in err
    assert f"{B}: left: COMPOSE_REPO_OPENER_TOKEN is not set" in out
    assert "gate::blocked" in world.api().labels


def half_written(folder: Path, how: str) -> None:
    match how:
        case "no STATUS":
            (folder / "STATUS").unlink()
        case "no COMPOSE_ID":
            (folder / "COMPOSE_ID").unlink()
        case "started":
            (folder / "STATUS").write_text("STARTED\n")
        case "doomed":
            (folder / "STATUS").write_text("DOOMED\n")
        case "no metadata":
            (folder / "compose" / "metadata" / "rpms.json").unlink()
        case "a page in place of metadata":
            (folder / "compose" / "metadata" / "rpms.json").write_text("<html>Please log in</html>")
        case "a page in place of STATUS":
            (folder / "STATUS").write_text("<html>Please log in</html>")
        case "truncated metadata":
            rpms = folder / "compose" / "metadata" / "rpms.json"
            rpms.write_bytes(rpms.read_bytes()[:-40])


@pytest.mark.parametrize(
    "how",
    [
        "no STATUS",
        "no COMPOSE_ID",
        "started",
        "doomed",
        "no metadata",
        "a page in place of metadata",
        "a page in place of STATUS",
        "truncated metadata",
    ],
)
def test_a_half_written_compose_is_left_with_a_reason_and_opened_when_it_is_whole(world: SyncWorld, how: str) -> None:
    world.compose(A)
    world.compose(B)
    half_written(world.server_folder / A, how)
    report = world.report_of()
    jsonschema.validate(report, SCHEMA)
    first = report["streams"][0]["composes"][0]
    assert (first["compose_id"], first["outcome"], report["failed"]) == (A, "left", False)
    assert first["problems"][0]["message"]
    assert set(world.states()) == {"20261120.0"}
    world.compose(A)
    assert world.rows()[0] == ("20261119.0", "open", "first-seen", "changed")


def test_a_compose_that_will_never_be_right_is_a_failure_and_stops_no_other(world: SyncWorld) -> None:
    world.compose(A)
    world.compose(B)
    (world.server_folder / A / "COMPOSE_ID").write_text(B)
    report = world.report_of()
    assert report["failed"]
    assert report["streams"][0]["composes"][0]["problems"][0]["code"] == "compose-id-mismatch"
    assert world.states() == {"20261120.0": "opened"}


TWO = """\
schema = "streams/1"
[streams.CentOS-Stream-9]
composes = "{web}/nothing-here/"
published = "{web}/mirror/COMPOSE_ID"
[streams.CentOS-Stream-10]
composes = "{web}/stream-10/"
published = "{web}/mirror-10/COMPOSE_ID"
"""


@pytest.mark.smoke
def test_a_stream_that_fails_is_visible_and_does_not_stop_the_others(world: SyncWorld) -> None:
    world.configure(TWO.format(web=world.web))
    world.compose(A)
    world.publish(A)  # to the mirrors of the other stream
    code, out, err = world.sync()
    assert code == 1
    assert (
        "published-unknown: the mirrors name CentOS-Stream-10-20261119.0, which is not a compose of CentOS-Stream-9"
        in err
    )
    assert "index-not-found" in err
    assert out.splitlines()[-1] == "1 opened, 1 brought up to date, 2 failed, 1 pending"
    assert world.states() == {"20261119.0": "opened"}


def test_a_merge_request_that_fails_does_not_stop_the_others(world: SyncWorld) -> None:
    world.compose(A)
    world.compose(B)
    world.sync()
    world.report(A, "rdo", "failed")
    world.report(B, "rdo", "failed")
    world.server.faults.add("500", method="POST", path="/statuses/", times=10)
    report = world.report_of()
    outcomes = {row["compose_id"]: (row["outcome"], row["problems"]) for row in report["streams"][0]["composes"]}
    assert outcomes[A][0] == "failed"
    assert outcomes[A][1][0]["code"] == "gitlab-failed"
    world.server.faults.clear()
    assert world.sync()[0] == 0
    assert {"gate::blocked"} <= set(world.api(1).labels) & set(world.api(2).labels)


def test_nothing_is_concluded_while_the_mirrors_are_pushed_to(world: SyncWorld) -> None:
    world.compose(A)
    world.sync()
    world.publish(A)
    (world.folder / "web" / "mirror" / ".sync_in_progress").touch()
    code, out, _ = world.sync()
    assert (code, "a push to the mirrors is under way" in out) == (0, True)
    assert world.states() == {"20261119.0": "opened"}
    (world.folder / "web" / "mirror" / ".sync_in_progress").unlink()
    assert world.sync()[0] == 0
    assert world.states() == {"20261119.0": "merged"}


def test_a_published_compose_that_was_never_seen_is_opened_and_merged_though_the_limit_is_reached(
    world: SyncWorld,
) -> None:
    for name in (A, B, C):
        world.compose(name)
    world.publish(B)
    assert world.rows() == [
        ("20261120.0", "open", "carried", "changed"),
        ("20261120.0", "merge", "carried", "changed"),
        ("20261121.0", "open", "first-seen", "changed"),
        ("20261121.0", "judge", "is-open", "changed"),
    ]
    assert world.states() == {"20261120.0": "merged", "20261121.0": "opened"}
    assert world.sync()[0] == 0
    assert set(world.states()) == {"20261120.0", "20261121.0"}


def gone(_: Path) -> None:
    """The server never had it, or has deleted it."""


def truncated(metadata: Path) -> None:
    (metadata / "rpms.json").write_text('{"header": {')


def of_another_compose(metadata: Path) -> None:
    (metadata.parent.parent / "COMPOSE_ID").write_text(B)


def doomed(metadata: Path) -> None:
    (metadata.parent.parent / "STATUS").write_text("DOOMED")


@pytest.mark.parametrize(
    ("spoil", "code", "status"),
    [
        (gone, "compose-not-found", None),
        (truncated, "metadata-truncated", "FINISHED"),
        (of_another_compose, "compose-id-mismatch", "FINISHED"),
        (doomed, "status-unfinished", None),
    ],
)
def test_a_published_compose_that_cannot_be_read_is_opened_and_merged_in_one_run(
    world: SyncWorld, spoil: Callable[[Path], None], code: str, status: str | None
) -> None:
    if spoil is not gone:
        world.compose(A)
        spoil(world.server_folder / A / "compose" / "metadata")
    world.publish(A)
    world.compose(B)
    done, _, err = world.sync()
    assert (done, f"{A} is recorded without its contents: " in err, f"{code}: " in err) == (0, True, True)
    assert world.states() == {"20261119.0": "merged", "20261120.0": "opened"}
    project = world.client.projects.get(world.project.id)
    manifest = json.loads(project.files.get(f"composes/{A}/manifest.json", ref="main").decode())
    assert (manifest["unreadable"]["code"], manifest["compose"]["status"]) == (code, status)
    assert [manifest[name] for name in ("variants", "images", "packages")] == [None] * 3
    assert "what changed is not known" in project.mergerequests.get(world.iid(B)).description
    assert world.sync()[0] == 0


def test_a_blocked_compose_that_is_published_is_merged_and_labelled_so(world: SyncWorld) -> None:
    world.compose(A)
    world.sync()
    world.report(A, "rdo", "failed")
    world.publish(A)
    assert world.sync()[0] == 0
    assert world.api().state == "merged"
    assert {"compose::published", "gate::blocked"} <= set(world.api().labels)
    assert "Published while blocked" in world.notes()[0]


def test_compose_id_jumps_goes_back_and_names_one_that_is_merged(world: SyncWorld) -> None:
    for name in (A, B, C, D):
        world.compose(name)
    world.sync()
    world.publish(C)
    world.sync()
    assert world.states() == {
        "20261119.0": "closed",
        "20261120.0": "closed",
        "20261121.0": "merged",
        "20261122.0": "opened",
    }
    world.publish(A)
    assert world.sync()[0] == 0
    assert world.states()["20261119.0"] == "merged"
    assert world.states()["20261122.0"] == "opened"
    world.publish(C)
    world.server.requests.clear()
    assert world.rows() == [("20261122.0", "judge", "is-open", "unchanged")]
    assert world.writes() == []


def test_what_was_left_open_though_it_is_overtaken_is_closed_by_the_next_pass(world: SyncWorld) -> None:
    world.compose(A)
    world.compose(B)
    world.sync()
    world.publish(B)
    world.server.faults.add("500", method="PUT", path="/merge_requests/1$", times=50)
    assert world.sync()[0] == 1
    assert world.states() == {"20261119.0": "opened", "20261120.0": "merged"}
    world.server.faults.clear()
    assert world.rows() == [("20261120.0", "close", "overtaken", "changed")]
    assert world.states() == {"20261119.0": "closed", "20261120.0": "merged"}
    assert "compose::superseded" in world.api(1).labels


def test_a_compose_that_vanishes_before_any_result_came_is_noticed_and_may_come_back(world: SyncWorld) -> None:
    world.compose(A)
    world.compose(B)
    world.sync()
    shutil.rmtree(world.server_folder / A)
    report = world.report_of()
    assert [row["vanished"] for row in report["streams"][0]["composes"]] == [True, False]
    assert "compose::vanished" in world.api(1).labels
    world.server.requests.clear()
    assert "1 vanished" in world.sync()[1]
    assert world.writes() == []
    world.compose(A)
    assert "vanished" not in world.sync()[1].splitlines()[-1]
    assert "compose::vanished" not in world.api(1).labels


def test_a_compose_with_results_does_not_vanish(world: SyncWorld) -> None:
    world.compose(A)
    world.compose(B)
    world.sync()
    world.report(A, "rdo", "passed")
    shutil.rmtree(world.server_folder / A)
    world.sync()
    assert "compose::vanished" not in world.api(1).labels


def test_what_a_developer_has_closed_is_opened_again_and_what_a_maintainer_has_closed_is_not(world: SyncWorld) -> None:
    world.compose(A)
    world.compose(B)
    world.sync()
    with gitlab.Gitlab(world.server.url, private_token=world.rdo.token) as developer:
        developer.projects.get(world.project.id).mergerequests.update(1, {"state_event": "close"})
    with gitlab.Gitlab(world.server.url, private_token=world.client.private_token) as owner:
        owner.projects.get(world.project.id).mergerequests.update(2, {"state_event": "close"})
    assert world.sync()[0] == 0
    assert world.states() == {"20261119.0": "opened", "20261120.0": "closed"}
    world.server.requests.clear()
    assert world.sync()[0] == 0
    assert world.writes() == []


def test_only_one_compose_is_looked_after_where_only_one_is_asked_for(world: SyncWorld) -> None:
    for name in (A, B, C):
        world.compose(name)
    assert world.rows("--only", B) == [
        ("20261120.0", "open", "first-seen", "changed"),
        ("20261120.0", "judge", "is-open", "changed"),
    ]
    world.sync()
    passed(world, A)
    passed(world, B)
    world.server.requests.clear()
    assert world.rows("--only", B) == [("20261120.0", "judge", "is-open", "changed")]
    assert world.approvers(world.iid(B)) == ["gate-bot"]
    assert world.approvers(world.iid(A)) == []
    world.publish(B)
    assert world.rows("--only", C) == [("20261121.0", "judge", "is-open", "unchanged")]
    assert world.rows("--only", B) == [("20261120.0", "merge", "carried", "changed")]
    assert world.states() == {"20261119.0": "closed", "20261120.0": "merged", "20261121.0": "opened"}


@pytest.mark.parametrize("world", ['mode = "gating"'], indirect=True)
def test_where_merging_leads_to_publishing_what_is_satisfied_is_merged_oldest_first(world: SyncWorld) -> None:
    for name in (A, B, C):
        world.compose(name)
    world.sync()
    passed(world, A)
    passed(world, C)
    world.report(B, "rdo", "failed")
    rows = [row for row in world.rows() if row[1] == "merge"]
    assert rows == [("20261119.0", "merge", "satisfied", "changed"), ("20261121.0", "merge", "satisfied", "changed")]
    assert world.states() == {"20261119.0": "merged", "20261120.0": "closed", "20261121.0": "merged"}
    world.publish(A)  # the mirrors are behind main
    world.server.requests.clear()
    assert world.rows() == []
    assert world.writes() == []


@pytest.mark.parametrize("world", ['mode = "gating"'], indirect=True)
def test_what_the_gate_has_not_let_through_and_is_published_all_the_same_is_refused_aloud(world: SyncWorld) -> None:
    world.compose(A)
    world.sync()
    world.publish(A)
    world.report(A, "rdo", "failed")
    code, _, err = world.sync()
    assert (code, "is gated" in err) == (1, True)
    assert world.states() == {"20261119.0": "opened"}
    assert "gate::blocked" in world.api().labels


def let_pipelines_lock(world: SyncWorld) -> None:
    """Set what `setup` sets where every stream is gated."""
    project = world.client.projects.get(world.project.id)
    project.only_allow_merge_if_pipeline_succeeds = True
    project.save()


def end_pipeline(world: SyncWorld, status: str) -> None:
    """Let the newest pipeline of the merge request come to something: no runner is here to do it."""
    world.server.wait_for_pipelines(60)  # whatever they come to by themselves, they do it now
    store = world.server.site.store
    newest = store.one("SELECT * FROM pipelines WHERE merge_request_id IS NOT NULL ORDER BY id DESC LIMIT 1")
    assert newest is not None
    store.run("DELETE FROM jobs WHERE pipeline_id = ?", newest["id"])
    job = {name: newest[name] for name in ("project_id", "ref", "sha", "user_id", "created_at")}
    store.insert("jobs", **job, pipeline_id=newest["id"], kind="build", name="validate", stage="test", status=status)
    store.update("pipelines", newest["id"], status=status)


@pytest.mark.parametrize("world", ['mode = "gating"'], indirect=True)
def test_what_is_gated_waits_for_its_pipeline_and_is_merged_by_the_pass_after_it(world: SyncWorld) -> None:
    world.compose(A)
    let_pipelines_lock(world)
    world.sync()
    passed(world, A)
    end_pipeline(world, "running")
    report = world.report_of()
    jsonschema.validate(report, SCHEMA)
    rows = [(row["step"], row["why"], row["outcome"]) for row in report["streams"][0]["composes"]]
    assert rows == [("judge", "is-open", "changed"), ("leave", "pipeline", "left")]
    assert (report["failed"], report["summary"]) == (False, "1 brought up to date, 1 left for a later run, 1 satisfied")
    world.server.requests.clear()
    code, out, err = world.sync()
    assert (code, err, world.writes()) == (0, "", [])
    assert f"{A}: left: it is satisfied, and merged as soon as its pipeline has succeeded" in out
    assert world.run(world.gate, "merge", A, "--published")[0] == 3
    assert not {"compose::published", "compose::approved"} & set(world.api().labels)
    end_pipeline(world, "success")
    assert world.rows() == [
        ("20261119.0", "judge", "is-open", "unchanged"),
        ("20261119.0", "merge", "satisfied", "changed"),
    ]
    assert world.states() == {"20261119.0": "merged"}


@pytest.mark.parametrize("world", ['mode = "gating"'], indirect=True)
def test_a_pipeline_that_has_failed_keeps_what_is_satisfied_back_and_is_named_once(world: SyncWorld) -> None:
    world.compose(A)
    let_pipelines_lock(world)
    world.sync()
    passed(world, A)
    end_pipeline(world, "failed")
    world.sync()
    world.server.requests.clear()
    code, _, err = world.sync()
    assert (code, len(err.splitlines()), "pipeline-failed" in err, world.writes()) == (1, 1, True, [])
    assert world.states() == {"20261119.0": "opened"}
    assert world.approvers() == ["gate-bot"]
    end_pipeline(world, "success")
    assert world.sync()[0] == 0
    assert world.states() == {"20261119.0": "merged"}


@pytest.mark.parametrize("world", ['mode = "gating"'], indirect=True)
def test_a_report_that_its_own_origin_broke_is_neither_taken_off_nor_merged(world: SyncWorld) -> None:
    world.compose(A)
    let_pipelines_lock(world)
    world.sync()
    passed(world, A)
    world.push_broken(world.rdo, A)
    end_pipeline(world, "success")
    before = world.api().sha
    assert world.sync()[0] == 0
    assert (world.api().sha, world.states(), world.approvers()) == (before, {"20261119.0": "opened"}, [])
    assert "a report of rdo was refused" in "".join(world.notes()).replace("\\", "")


@pytest.mark.parametrize("world", ['mode = "gating"'], indirect=True)
def test_a_strangers_file_that_fails_the_pipeline_is_taken_off_and_the_rest_merged(world: SyncWorld) -> None:
    world.compose(A)
    let_pipelines_lock(world)
    world.sync()
    passed(world, A)
    world.push_broken(world.idm, A)
    end_pipeline(world, "failed")
    before = world.api().sha
    code, out, err = world.sync()
    # no runner here: the pipeline of the commit that restores is skipped, like the one that is started in its place
    assert (code, " on top of " in out, "start a new pipeline" in out) == (1, True, True), out + err
    assert (world.api().sha != before, world.states()) == (True, {"20261119.0": "opened"})
    url = world.project.clone_url_for(world.rdo)
    git(world.folder / "local.git", "fetch", "--quiet", url, "+refs/heads/*:refs/remotes/origin/*")
    judged = ["--base", "origin/main", "--rev", f"origin/compose/{A}", f"--branch=compose/{A}"]
    code, out, err = world.run(world.rdo, "validate", *judged)  # the job that failed before
    assert code == 0, out + err
    end_pipeline(world, "running")
    assert world.sync()[0] == 0
    end_pipeline(world, "success")
    assert world.sync()[0] == 0
    assert world.states() == {"20261119.0": "merged"}


BOTH = """\
schema = "streams/1"
[streams.CentOS-Stream-9]
composes = "{web}/stream-10/"
published = "{web}/mirror-9/COMPOSE_ID"
mode = "gating"
[streams.CentOS-Stream-10]
composes = "{web}/stream-10/"
published = "{web}/mirror/COMPOSE_ID"
"""


def test_one_stream_may_be_gated_and_another_follow_its_mirrors(world: SyncWorld) -> None:
    gated = A.replace("Stream-10", "Stream-9")
    world.configure(BOTH.format(web=world.web))
    for name in (gated, A):
        world.compose(name)
    world.sync()
    passed(world, gated)
    passed(world, A)
    merges = [row for row in world.rows() if row[1] == "merge"]
    assert merges == [("20261119.0", "merge", "satisfied", "changed")]
    states = {line.title: line.state for line in world.client.projects.get(world.project.id).mergerequests.list(
        get_all=True, state="all"
    )}  # fmt: skip
    assert states == {gated: "merged", A: "opened"}
    world.publish(A)
    assert [row for row in world.rows() if row[1] == "merge"] == [("20261119.0", "merge", "carried", "changed")]


def test_an_index_of_three_thousand_entries_is_read_whole_and_old_ones_are_left_alone(world: SyncWorld) -> None:
    for number in range(3000):
        (world.server_folder / f"CentOS-Stream-10-{20100101 + number % 28}.{number}").mkdir()
    world.compose(A)
    world.publish(A)
    world.compose(B)
    report = world.report_of()
    assert report["streams"][0]["on_server"] == 3002
    assert world.states() == {"20261119.0": "merged", "20261120.0": "opened"}


def test_two_passes_at_once_leave_what_one_would_have_left(world: SyncWorld) -> None:
    world.monkeypatch.setenv("COMPOSE_REPO_OPENER_TOKEN", world.opener.token)
    world.compose(A)
    world.compose(B)
    both = world.run_twice_at_once(world.gate, "sync")
    assert [code for code, _ in both] == [0, 0], both
    passed(world, B)
    world.publish(A)
    world.run_twice_at_once(world.gate, "sync")
    assert world.sync()[0] == 0
    assert world.states() == {"20261119.0": "merged", "20261120.0": "opened"}
    assert [len(world.notes(iid)) for iid in (1, 2)] == [1, 1]
    assert world.approvers(world.iid(B)) == ["gate-bot"]
    world.server.requests.clear()
    world.sync()
    assert world.writes() == []


def test_a_push_while_it_is_judged_makes_the_step_start_over(world: SyncWorld) -> None:
    world.compose(A)
    world.sync()
    passed(world, A)
    world.server.faults.before("PUT", "/merge_requests/1$", lambda: world.report(A, "rdo", "failed", run="2"))
    code, _, err = world.sync()
    assert (code, "has changed meanwhile: reading it again" in err) == (0, True)
    assert world.approvers() == []
    assert "gate::blocked" in world.api().labels


def test_rules_that_cannot_be_read_take_every_approval_back_and_end_the_pass(world: SyncWorld) -> None:
    world.compose(A)
    world.sync()
    passed(world, A)
    world.sync()
    assert world.approvers() == ["gate-bot"]
    world.configure("no TOML")
    file = world.folder / "sync.json"
    code, _, err = world.sync("--report", str(file))
    assert (code, "not-toml" in err) == (1, True)
    assert world.approvers() == []
    report = json.loads(file.read_text())
    jsonschema.validate(report, SCHEMA)
    assert [problem["code"] for problem in report["problems"]] == ["not-toml"]


def test_a_token_of_the_compose_bots_that_has_ended_opens_nothing_and_the_rest_is_done(world: SyncWorld) -> None:
    world.compose(A)
    world.sync()
    passed(world, A)
    world.compose(B)
    store = world.server.site.store
    store.run("UPDATE tokens SET revoked = 1 WHERE value = ?", world.opener.token)
    code, out, err = world.sync()
    assert (code, "the token is not valid" in err) == (1, True)
    assert out.splitlines()[-1] == "1 brought up to date, 1 failed, 1 satisfied"
    assert world.approvers() == ["gate-bot"]
    store.run("UPDATE tokens SET revoked = 0 WHERE value = ?", world.opener.token)
    assert world.sync()[0] == 0


def test_what_was_done_is_reported_though_gitlab_is_gone_after_it(world: SyncWorld) -> None:
    world.compose(A)

    def gone() -> None:
        world.server.faults.add("500", method="GET", path=r"/merge_requests(\?|$)", times=100)

    world.server.faults.before("POST", "/merge_requests$", gone)
    report = world.report_of()
    jsonschema.validate(report, SCHEMA)
    assert [row["outcome"] for row in report["streams"][0]["composes"]] == ["changed"]
    assert [problem["code"] for problem in report["problems"]] == ["gitlab-failed"]
    world.server.faults.clear()
    assert world.rows() == [("20261119.0", "judge", "is-open", "changed")]


def test_a_pass_that_cannot_begin_says_so_in_one_line_and_in_the_report(world: SyncWorld) -> None:
    world.server.faults.add("500", method="GET", path="/user$|/projects/[^/]+$", times=100)
    file = world.folder / "sync.json"
    code, _, err = world.sync("--report", str(file), opener=True)
    assert (code, len(err.splitlines())) == (2, 1)
    report = json.loads(file.read_text())
    jsonschema.validate(report, SCHEMA)
    assert report["failed"]


def test_a_thousand_merged_composes_cost_a_pass_no_request(world: SyncWorld) -> None:
    world.compose(A)
    world.sync()
    counts = []
    for merged in (10, 1000):
        clone = world.folder / f"clone-{merged}"
        git(world.folder, "clone", "--quiet", world.project.clone_url_for(world.gate), str(clone))
        for number in range(merged):
            folder = clone / "composes" / f"CentOS-Stream-10-20250101.{number}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "manifest.json").write_text(f"{number}\n")
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--message", "Publish")
        git(clone, "push", "--quiet", "origin", "HEAD:main")
        world.server.requests.clear()
        assert world.rows() == [("20261119.0", "judge", "is-open", "unchanged")]
        counts.append(Counter(entry.route for entry in world.server.requests.entries))
    assert counts[0] == counts[1]
    assert counts[0].total() == 11


@pytest.mark.parametrize("name", ["CentOS-Stream-10-20261119.n.0", "CentOS-Stream-9-20261119.0"])
def test_a_compose_that_no_stream_follows_is_not_opened_even_if_asked_for(world: SyncWorld, name: str) -> None:
    world.compose(name)
    assert world.rows("--only", name) == []
    assert world.rows() == []
    assert world.states() == {}


def test_composes_of_several_types_may_have_a_place_each(world: SyncWorld) -> None:
    development = "CentOS-Stream-10-20261120.d.0"
    (world.folder / "web" / "development").mkdir()
    write_compose(world.folder / "web" / "development", development, version="5.2.2", status="FINISHED")
    world.compose(A)
    world.configure(TWO_PLACES.format(web=world.web))
    assert world.rows() == [
        ("20261119.0", "open", "first-seen", "changed"),
        ("20261120.d.0", "open", "first-seen", "changed"),
        ("20261119.0", "judge", "is-open", "changed"),
        ("20261120.d.0", "judge", "is-open", "changed"),
    ]
    assert world.report_of("--only", development)["failed"] is False


def test_a_place_that_cannot_be_read_hides_nothing_that_another_lists(world: SyncWorld) -> None:
    world.compose(A)
    world.configure(TWO_PLACES.format(web=world.web))
    report = world.report_of()
    (stream,) = report["streams"]
    assert [problem["code"] for problem in stream["problems"]] == ["index-not-found"]
    assert [row["step"] for row in stream["composes"]] == ["open", "judge"]
    shutil.rmtree(world.server_folder / A)
    world.compose(B)
    (stream,) = world.report_of()["streams"]
    assert [row["vanished"] for row in stream["composes"] if row["compose_id"] == A] == [False]  # nobody knows


def test_labels_are_called_what_main_says(world: SyncWorld) -> None:
    world.compose(A)
    world.compose(B)
    world.configure(STREAMS.format(web=world.web, more="") + PLAIN_LABELS)
    world.sync()
    assert world.api(world.iid(A)).labels == ["release CentOS-Stream-10", "waits"]
    passed(world, A)
    world.report(B, "rdo", "failed")
    world.sync()
    assert world.api(world.iid(A)).labels == ["ok", "release CentOS-Stream-10"]
    assert world.api(world.iid(B)).labels == ["no", "release CentOS-Stream-10"]
    world.publish(B)
    world.sync()
    assert world.api(world.iid(A)).labels == ["ok", "old", "release CentOS-Stream-10"]
    assert world.api(world.iid(B)).labels == ["no", "out", "release CentOS-Stream-10"]


# --- hints


def hint(world: SyncWorld, event: object) -> str:
    file = world.folder / "event.json"
    file.write_bytes(event if isinstance(event, bytes) else json.dumps(event).encode())
    return str(file)


def pushed(world: SyncWorld, branch: str) -> dict[str, object]:
    return {"object_kind": "push", "project_id": world.project.id, "branch": f"refs/heads/{branch}", "ref": "main"}


@pytest.mark.smoke
def test_a_hint_at_a_compose_brings_it_up_to_date_and_no_other(world: SyncWorld) -> None:
    seed(world, [A, B])
    world.sync()
    passed(world, A)
    passed(world, B)
    code, out, err = world.sync("--hint", hint(world, pushed(world, f"compose/{A}")))
    assert (code, out.splitlines()[-1]) == (0, "1 brought up to date, 1 satisfied")
    assert f"hint: {A} has changed" in err
    assert [bool(approvals(world, name)) for name in (A, B)] == [True, False]


def test_a_hint_at_nothing_of_ours_asks_gitlab_for_the_project_alone_and_reports(world: SyncWorld) -> None:
    world.compose(A)
    file = world.folder / "sync.json"
    world.server.requests.clear()
    code, out, err = world.sync("--hint", hint(world, pushed(world, "compose/evil\nmain")), "--report", str(file))
    assert (code, out) == (0, "nothing to do\n")
    assert "hint: it is not about a compose: nothing to do because of it" in err
    assert [entry.route for entry in world.server.requests.entries] == ["/projects/<project_id>"]
    jsonschema.validate(json.loads(file.read_text()), SCHEMA)


@pytest.mark.parametrize("event", [b"", b"{", b"[" * (10 << 20), b'"\xff"'])
def test_a_hint_that_cannot_be_understood_is_a_whole_pass(world: SyncWorld, event: bytes) -> None:
    world.compose(A)
    code, out, _ = world.sync("--hint", hint(world, event))
    assert (code, out.splitlines()[-1]) == (0, "1 opened, 1 brought up to date, 1 pending")


@pytest.mark.parametrize("file", ["", "/nowhere/event.json", "/dev/zero", "."])
def test_where_there_is_no_hint_the_whole_pass_is_due(world: SyncWorld, file: str) -> None:
    world.compose(A)
    code, out, _ = world.sync("--hint", file)
    assert (code, out.splitlines()[-1]) == (0, "1 opened, 1 brought up to date, 1 pending")


def test_a_push_to_main_is_a_whole_pass(world: SyncWorld) -> None:
    seed(world, [A, B])
    code, out, err = world.sync("--hint", hint(world, pushed(world, "main")))
    assert (code, "2 pending" in out.splitlines()[-1]) == (0, True)
    assert "hint: main has changed: doing everything that is due" in err


def approvals(world: SyncWorld, name: str) -> list[str]:
    line = world.client.projects.get(world.project.id).mergerequests.get(world.iid(name))
    return [one["user"]["username"] for one in line.approvals.get().approved_by]


def test_a_stream_on_a_disk_is_followed(world: SyncWorld) -> None:
    world.configure(ON_A_DISK.format(folder=world.folder))
    world.compose(A)
    world.compose(B)
    (world.folder / "web" / "mirror" / "COMPOSE_ID").write_text(A)
    code, out, err = world.sync()
    assert (code, err) == (0, ""), out
    assert world.states() == {"20261119.0": "merged", "20261120.0": "opened"}
    assert world.run(world.gate, "merge", B)[0] == 3
    (world.folder / "web" / "mirror" / "COMPOSE_ID").write_text(B)
    assert world.run(world.gate, "merge", B)[0] == 0
