"""The story of the demo, scene by scene; each scene states what it expects and stops the demo if it is not so."""

import datetime as dt
import hashlib
import json
import shlex
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from compose_demo import gate_files
from compose_demo.actors import Actor
from compose_demo.composes import Pair
from compose_demo.narrator import Narrator
from compose_demo.stage import PROJECT, Stage
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.composes.paths import branch_of, result_of
from compose_repo.core.result import utc

PIPELINE_SECONDS: Final = 300
SATISFIED: Final = 0
HELD: Final = 3
LABELS: Final = {
    "gate::blocked": "#c91c00",
    "gate::pending": "#ab6100",
    "gate::satisfied": "#108548",
    "compose::published": "#1068bf",
    "compose::superseded": "#737278",
    "hold::active": "#c91c00",
}
"""Labels that tell how a compose stands, in colours that do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """What the scenes share."""

    stage: Stage
    narrator: Narrator
    composes: Pair
    now: dt.datetime

    @property
    def compose_id(self) -> str:
        """The compose that the story is about."""
        return str(self.composes.newer)

    @property
    def address(self) -> str:
        """Where its merge request is looked at."""
        address: str = _get(self, _merge_request_path(self))["web_url"]
        return address


def tell(story: Story, *, until: "Scene | None" = None) -> None:
    """Play the scenes in order, up to and with `until`.

    Raises:
        DemoError: something did not come out as the story says.

    """
    for title, scene in SCENES:
        with story.narrator.scene(title):
            scene(story)
        if scene is until:
            return


def owner_sets_the_rules(story: Story) -> None:
    """RelEng brings policy, origins, waivers and streams to main by a merge request."""
    releng = story.stage.releng
    _write_gate_file(releng, "origins.toml", gate_files.ORIGINS)
    _write_gate_file(releng, "policy.toml", gate_files.POLICY)
    _write_gate_file(releng, "waivers.toml", gate_files.NO_WAIVERS)
    newer = story.composes.newer
    streams = gate_files.streams(newer.stream, story.stage.server.url, compose_type=newer.type.value)
    _write_gate_file(releng, "streams.toml", streams)
    checked = story.narrator.ran("releng", releng.compose_repo("validate", "gate"))
    story.narrator.expect_code(checked, 0, "the rules are well formed")
    for name, color in LABELS.items():
        _create_label(story, name, color)
    _change_main(story, releng, "rules", "Set the rules of the gate")
    _set_up_schedule(story)
    story.narrator.say("RDO must report tempest.smoke on every arch and packstack.allinone on one;")
    story.narrator.say("IdM ipa.install on every arch and ipa.trust on one.")


def composes_appear(story: Story) -> None:
    """Composes appear on their server; the pass opens a merge request for each that is finished."""
    server, narrator = story.stage.server, story.narrator
    older, newer = str(story.composes.older), story.compose_id
    narrator.say("Nobody opens or merges by hand: again and again a schedule runs `compose-repo sync`,")
    narrator.say("the job `sync` of .gitlab-ci.yml on main. Here the story says when, and runs most of them itself.")
    server.begin(older)
    server.finish(older)
    server.begin(newer)
    narrator.say(f"{older} has finished, {newer} is still being made")
    _pass(story)
    narrator.expect(_state(story, older) == "opened", f"the merge request of {older} is open")
    narrator.expect(_state(story, newer) is None, f"{newer} is left until it is whole")
    server.finish(newer)
    narrator.say(f"{newer} has finished")
    _pass(story)
    narrator.expect(_state(story, newer) == "opened", f"the merge request of {newer} is open")
    _nothing_is_due(story)
    narrator.say(f"look at {story.address}")
    _pipelines(story, {"validate": "success", "gate": "failed, allowed"})
    _shown(story, "pending", "no result has come in yet, so the gate waits")


def results_come_in(story: Story) -> None:
    """RDO reports passes, IdM a failure: the compose is blocked."""
    arches = _arches(story)
    _report(story, story.stage.rdo, "rdo", "8841", [_result("tempest.smoke", "passed", arch) for arch in arches])
    failing = [_result("ipa.install", "failed" if arch == arches[0] else "passed", arch) for arch in arches]
    _report(story, story.stage.idm, "idm", "1207", failing)
    _pipelines(story, {"validate": "success", "gate": "failed"})
    _pass(story)
    _shown(story, "blocked", f"IdM's failure on {arches[0]} blocks the compose")


def broken_file_is_named(story: Story) -> None:
    """RDO pushes a file with mistakes: validation names each with its line; RDO takes it away and adds another."""
    rdo, narrator = story.stage.rdo, story.narrator
    broken = {"testcase": "packstack.allinone", "outcome": "pass", "arch": _arches(story)[0], "colour": "green"}
    path = _report(story, rdo, "rdo", "8842", [broken])
    checked = narrator.ran("rdo-ci", rdo.compose_repo("validate", path))
    narrator.expect_code(checked, 1, "the same check on RDO's own machine finds the mistakes")
    _pipelines(story, {"validate": "failed"})
    _pass(story)
    _shown(story, "blocked", "a broken file changes no decision")
    story.narrator.say(
        "what was pushed is never changed: RDO takes the file away, which never counted, and adds another"
    )
    rdo.git("rm", "--quiet", path)
    rdo.git("commit", "--quiet", "-m", "Take rdo run 8842 back")
    _report(story, rdo, "rdo", "8843", [_result("packstack.allinone", "passed", _arches(story)[0])], keep=True)
    _pipelines(story, {"validate": "success", "gate": "failed"})


def rerun_passes(story: Story) -> None:
    """IdM runs again and passes: nothing fails any more, one result is still missing."""
    again = [_result("ipa.install", "passed", _arches(story)[0])]
    _report(story, story.stage.idm, "idm", "1208", again, minutes=30)
    _pipelines(story, {"validate": "success", "gate": "failed, allowed"})
    _pass(story)
    _shown(story, "pending", "the rerun passed; ipa.trust is still missing")
    story.stage.idm.git("fetch", "--quiet", "origin")
    decided = story.stage.idm.compose_repo("gate", story.compose_id, "--format", "json")
    flaky = [answer for answer in decided.json()["answers"] if answer["flaky"]]
    story.narrator.expect(len(flaky) == 1, "the pass after a failure is marked flaky", flaky)


def waiver_comes_in(story: Story) -> None:
    """RelEng waives what cannot be tested this week: the compose is satisfied and approved."""
    stage, narrator = story.stage, story.narrator
    expires = (story.now + dt.timedelta(days=3)).date().isoformat()
    waiver = gate_files.waivers(origin="idm", testcase="ipa.trust", compose_id=story.compose_id, expires=expires)
    _write_gate_file(stage.releng, "waivers.toml", waiver)
    narrator.expect_code(stage.releng.compose_repo("validate", "gate/waivers.toml"), 0, "the waiver is well formed")
    _change_main(story, stage.releng, "waiver", "Waive ipa.trust: the lab's Active Directory is down")
    _pass(story)
    _shown(story, "satisfied", "every requirement is met or waived")
    _nothing_is_due(story)
    approvers = [
        entry["user"]["username"] for entry in _get(story, f"{_merge_request_path(story)}/approvals")["approved_by"]
    ]
    narrator.expect(approvers == ["gate-bot"], "the gate bot has approved the merge request", approvers)


def hold_comes_and_goes(story: Story) -> None:
    """RelEng holds the stream: the verdict stays, and nothing of it goes out, until the hold is lifted."""
    stage, narrator = story.stage, story.narrator
    stream, until = str(story.composes.newer.stream), (story.now + dt.timedelta(days=2)).date().isoformat()
    why = ("--reason", "The kernel of this week eats discs", "--issue", "https://issues.example.org/KERNEL-815")
    said = stage.releng.compose_repo("hold", stream, *why, "--by", "releng", "--until", until)
    narrator.expect_code(narrator.ran("releng", said), 0, "the hold is written into gate/holds.toml")
    _change_main(story, stage.releng, "hold", f"Hold {stream} until {until}")
    _pass(story)
    _shown(story, "satisfied", "a hold changes no verdict")
    labels = _get(story, _merge_request_path(story))["labels"]
    narrator.expect("hold::active" in labels, "GitLab shows hold::active", labels)
    stage.releng.git("fetch", "--quiet", "origin")
    decided = stage.releng.compose_repo("gate", story.compose_id, "--format", "json")
    narrator.expect_code(decided, HELD, "gate says that it is held")
    narrator.expect(decided.json()["held"]["until"] == until, f"until {until}", decided.json()["held"])
    narrator.expect_code(stage.releng.compose_repo("hold", "--lift", stream), 0, "the fix is in: the hold is lifted")
    _change_main(story, stage.releng, "lift", f"Lift the hold on {stream}")
    _pass(story)
    labels = _get(story, _merge_request_path(story))["labels"]
    narrator.expect("hold::active" not in labels, "GitLab no longer shows it", labels)
    _shown(story, "satisfied", "all is as it was before the hold")
    _nothing_is_due(story)


def compose_is_published(story: Story) -> None:
    """The compose appears on the mirrors: its merge request is merged, the older one closed."""
    stage, narrator = story.stage, story.narrator
    stage.server.publish(story.compose_id, under_way=True)
    narrator.say(f"somebody pushes {story.compose_id} to the mirrors")
    _pass(story)
    narrator.expect(_state(story, story.compose_id) == "opened", "while the push is under way, nothing is merged")
    stage.server.publish(story.compose_id)
    narrator.say("the push is over: COMPOSE_ID of the mirrors names it")
    _scheduled_pass(story)
    state = _get(story, _merge_request_path(story))
    narrator.expect(state["state"] == "merged", "the merge request is merged", state["state"])
    narrator.expect("compose::published" in state["labels"], "and labelled as published", state["labels"])
    older = _get(story, _merge_request_path(story, str(story.composes.older)))
    narrator.expect(older["state"] == "closed", f"{story.composes.older} is closed, not merged", older["state"])
    narrator.expect("compose::superseded" in older["labels"], "and labelled as superseded", older["labels"])
    _nothing_is_due(story)


def git_holds_everything(story: Story) -> None:
    """A fresh clone of main repeats the decision without any GitLab."""
    stage, narrator = story.stage, story.narrator
    clone = stage.folder / "fresh-clone"
    narrator.expect_code(stage.rdo.git("clone", "--quiet", stage.repository, str(clone)), 0, "main can be cloned")
    decided = narrator.ran("anyone", stage.rdo.compose_repo("gate", story.compose_id, "--repo", str(clone)), lines=30)
    narrator.expect_code(decided, SATISFIED, "and repeats the decision offline")


def leave_one_open(story: Story, later: ComposeId) -> None:
    """One more compose is opened and waits; a report on it is committed in RDO's clone, and not pushed."""
    stage = story.stage
    stage.server.begin(str(later))
    stage.server.finish(str(later))
    story.narrator.say(f"{later} has finished")
    _pass(story)
    waiting = replace(story, composes=replace(story.composes, older=story.composes.newer, newer=later))
    _shown(waiting, "pending", "no result has come in yet")
    results = [_result("tempest.smoke", "passed", arch) for arch in _arches(waiting)]
    _report(waiting, stage.rdo, "rdo", "8850", results, push=False)
    _tell_who_is_who(waiting)


def _tell_who_is_who(story: Story) -> None:
    """Print addresses, accounts and three lines to try."""
    stage, say, compose_id = story.stage, story.narrator.say, story.compose_id
    for actor in (stage.releng, stage.rdo, stage.scheduled):
        (stage.folder / f"{actor.username}.sh").write_text(actor.shell(), encoding="utf-8")
    say(f"merge request  {story.address}")
    say(f"project        {stage.gitlab.url}/{PROJECT}")
    say(f"composes       {stage.server.url}/production/")
    say(f"mirror         {stage.server.url}/mirror/")
    say("user           token (GitLab's API takes it as PRIVATE-TOKEN, git as password)")
    for actor in (stage.releng, stage.compose_bot, stage.gate_bot, stage.rdo, stage.idm):
        say(f"{actor.username:14} {actor.token}")
    say("three lines to try, in another terminal:")
    for actor, command in (
        (stage.releng, f"git fetch --quiet && compose-repo gate {compose_id}"),
        (stage.rdo, f"git push origin HEAD:{branch_of(compose_id)}"),
        (stage.scheduled, "compose-repo sync"),
    ):
        say(f"(. {shlex.quote(str(stage.folder / f'{actor.username}.sh'))}; {command})")
    say("the first says what is missing, the second reports for RDO, the third judges it as the schedule would")


Scene = Callable[[Story], None]
SCENES: Final[Sequence[tuple[str, Scene]]] = (
    ("Release engineering sets the rules, by merge request", owner_sets_the_rules),
    ("Composes appear on their server: the pass opens a merge request for each", composes_appear),
    ("Two third parties push results: one good, one failing", results_come_in),
    ("A broken file is named, line by line, and fixed", broken_file_is_named),
    ("The failing test is run again and passes", rerun_passes),
    ("A waiver comes in by merge request: satisfied, approved", waiver_comes_in),
    ("A hold keeps the stream from going out, and is lifted again", hold_comes_and_goes),
    ("The compose is published: merged, and the older one closed", compose_is_published),
    ("Git holds everything that the decision needs", git_holds_everything),
)


def _write_gate_file(actor: Actor, name: str, text: str) -> None:
    folder = actor.folder / "gate"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def _commit(story: Story, actor: Actor, message: str) -> None:
    for argv in (["add", "--all"], ["commit", "--quiet", "-m", message]):
        story.narrator.expect_code(actor.git(*argv), 0, f"git {argv[0]}", quietly=True)


def _commit_and_push(story: Story, actor: Actor, branch: str, message: str) -> None:
    _commit(story, actor, message)
    story.narrator.expect_code(actor.git("push", "--quiet", "origin", f"HEAD:{branch}"), 0, "git push", quietly=True)
    story.narrator.say(f"{actor.username} $ git commit -m {json.dumps(message)} && git push origin HEAD:{branch}")


def _change_main(story: Story, actor: Actor, branch: str, message: str) -> None:
    """Change main as rules are changed: by a merge request, which is merged once its pipeline has found no fault."""
    narrator = story.narrator
    _commit_and_push(story, actor, branch, message)
    asked = {"source_branch": branch, "target_branch": "main", "title": message, "remove_source_branch": True}
    opened = json.loads(_call(story, "merge_requests", asked, actor=actor))
    where, name = f"merge_requests/{opened['iid']}", opened["references"]["short"]
    _wait_for_pipelines(story)
    head = _get(story, where)["head_pipeline"]
    checked = head is not None and head["status"] != "skipped"
    narrator.expect(not checked or head["status"] == "success", f"{name}: no fault is found", head, quietly=not checked)
    _call(story, f"{where}/merge", {"sha": opened["sha"]}, actor=actor, method="PUT")
    narrator.expect(_get(story, where)["state"] == "merged", f"{name} is merged")
    narrator.expect_code(actor.git("pull", "--quiet", "origin", "main"), 0, "git pull", quietly=True)
    _wait_for_pipelines(story)


def _wait_for_pipelines(story: Story) -> None:
    with story.narrator.busy("pipelines are running"):
        story.stage.gitlab.wait_for_pipelines(PIPELINE_SECONDS)


def _report(  # noqa: PLR0913  # a report has these parts
    story: Story,
    actor: Actor,
    origin: str,
    run_id: str,
    results: Sequence[Mapping[str, Any]],
    *,
    minutes: int = 0,
    keep: bool = False,
    push: bool = True,
) -> str:
    """Clone, write the result file, commit and push, as a third party would by hand.

    With `keep`, on top of what is committed there already.
    """
    branch = story.composes.newer.branch
    fetched = actor.git("fetch", "--quiet", "origin", branch)
    story.narrator.expect_code(fetched, 0, f"git fetch origin {branch}", quietly=True)
    if not keep:
        actor.git("checkout", "--quiet", "-B", branch, "FETCH_HEAD")
    manifest = (actor.folder / story.composes.newer.manifest_path).read_bytes()
    path = result_of(story.compose_id, origin, run_id)
    finished = story.now - dt.timedelta(hours=1) + dt.timedelta(minutes=minutes)
    data = {
        "schema": "results/1",
        "compose_id": story.compose_id,
        "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
        "origin": origin,
        "run": {
            "id": run_id,
            "url": f"https://{origin}.example.org/runs/{run_id}",
            "started_at": utc(finished - dt.timedelta(hours=2)),
            "finished_at": utc(finished),
        },
        "results": list(results),
    }
    target = actor.folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    if push:
        _commit_and_push(story, actor, branch, f"Report {origin} run {run_id}")
    else:
        _commit(story, actor, f"Report {origin} run {run_id}")
    return path


def _result(testcase: str, outcome: str, arch: str) -> dict[str, Any]:
    return {"testcase": testcase, "outcome": outcome, "arch": arch}


def _arches(story: Story) -> Sequence[str]:
    manifest = story.stage.rdo.folder / story.composes.newer.manifest_path
    if not manifest.exists():
        story.stage.rdo.git("fetch", "--quiet", "origin", story.composes.newer.branch)
        story.stage.rdo.git("checkout", "--quiet", "-B", story.composes.newer.branch, "FETCH_HEAD")
    variants = json.loads(manifest.read_bytes())["variants"]
    return sorted({arch for arches in variants.values() for arch in arches})


def _pass(story: Story) -> None:
    """Let a pass do whatever is due."""
    done = story.narrator.ran("schedule", story.stage.scheduled.compose_repo("sync"), lines=24)
    story.narrator.expect_code(done, 0, "the pass has done what was due", quietly=True)


def _scheduled_pass(story: Story) -> None:
    """Let GitLab's own schedule run the pass, as the job `sync` of main's pipeline; ours where no pipeline can run."""
    stage, narrator = story.stage, story.narrator
    if stage.gitlab.worker.problem:
        _pass(story)
        return
    _wait_for_pipelines(story)
    [schedule] = _get(story, "pipeline_schedules")
    _call(story, f"pipeline_schedules/{schedule['id']}/play", {}, actor=stage.gate_bot)
    _wait_for_pipelines(story)
    played = _get(story, f"pipeline_schedules/{schedule['id']}")["last_pipeline"]
    [job] = _get(story, f"pipelines/{played['id']}/jobs")
    log = _log(story, job)
    narrator.say(f"schedule: pipeline {played['id']} runs the job {job['name']}")
    for line in log.splitlines():
        narrator.say(f"    {line}")
    narrator.expect((job["name"], job["status"]) == ("sync", "success"), "the scheduled job has done it", log)
    tokens = [actor.token for actor in (stage.gate_bot, stage.compose_bot)]
    narrator.expect(not any(token in log for token in tokens), "no token is in its log", quietly=True)


def _set_up_schedule(story: Story) -> None:
    """Put both bots' tokens where the schedule's job alone sees them; the schedule is the gate bot's."""
    stage = story.stage
    for key, actor in (("COMPOSE_REPO_TOKEN", stage.gate_bot), ("COMPOSE_REPO_OPENER_TOKEN", stage.compose_bot)):
        secret = {"protected": True, "masked": True, "environment_scope": "gate"}
        _call(story, "variables", {"key": key, "value": actor.token, **secret})
    hourly = {"description": "compose-repo sync", "ref": "main", "cron": "17 * * * *", "active": False}
    _call(story, "pipeline_schedules", hourly, actor=stage.gate_bot)


def _nothing_is_due(story: Story) -> None:
    """Let another pass run and hold against it what GitLab was asked."""
    stage, narrator = story.stage, story.narrator
    _wait_for_pipelines(story)
    stage.gitlab.requests.clear()
    done = stage.scheduled.compose_repo("sync")
    narrator.expect_code(done, 0, "another pass is no mistake", quietly=True)
    written = [entry.path for entry in stage.gitlab.requests.writes if not entry.path.endswith("/git-upload-pack")]
    narrator.expect(written == [], f"another pass writes nothing: {done.out.splitlines()[-1]}", written)


def _state(story: Story, compose_id: str) -> str | None:
    """Give the state of a compose's merge request; None if it has none."""
    found = _get(story, f"merge_requests?source_branch={branch_of(compose_id)}&state=all")
    return found[0]["state"] if found else None


def _shown(story: Story, verdict: str, told: str) -> None:
    """Look at what GitLab shows of the compose."""
    narrator = story.narrator
    labels = _get(story, _merge_request_path(story))["labels"]
    narrator.expect(f"gate::{verdict}" in labels, f"GitLab shows gate::{verdict}: {told}", labels)
    approved = _get(story, f"{_merge_request_path(story)}/approvals")["approved_by"]
    narrator.expect(bool(approved) == (verdict == "satisfied"), "approved" if approved else "not approved", approved)


def _pipelines(story: Story, told: Mapping[str, str]) -> None:
    """Wait for the pipeline that the push started and hold its jobs against the story.

    Where the tool that runs pipelines is missing, the local GitLab says so and the story goes on without them.
    """
    narrator = story.narrator
    _wait_for_pipelines(story)
    head = _get(story, _merge_request_path(story))["head_pipeline"]
    narrator.expect(head is not None, "the push started a pipeline", head, quietly=True)
    if head["status"] == "skipped":
        narrator.say("no pipeline could run here, as said at the beginning")
        return
    jobs = {job["name"]: job for job in _get(story, f"pipelines/{head['id']}/jobs")}
    for name, expected in told.items():
        job = jobs.get(name, {"status": "absent", "allow_failure": False})
        allowed = ", allowed" if job["status"] == "failed" and job["allow_failure"] else ""
        seen = f"{job['status']}{allowed}"
        log = "" if seen == expected else _log(story, job)
        narrator.expect(seen == expected, f"pipeline {head['id']}: {name} {expected}", f"{seen}\n{log}")


def _log(story: Story, job: Mapping[str, Any]) -> str:
    return _read(story, f"jobs/{job['id']}/trace").decode() if "id" in job else "no such job"


def _merge_request_path(story: Story, compose_id: str | None = None) -> str:
    branch = branch_of(compose_id or story.compose_id)
    found = _get(story, f"merge_requests?source_branch={branch}&state=all")
    story.narrator.expect(len(found) == 1, f"{branch} has one merge request", len(found), quietly=True)
    return f"merge_requests/{found[0]['iid']}"


def _create_label(story: Story, name: str, color: str) -> None:
    """Give a label its colour, as an owner does once in the project's settings."""
    _call(story, "labels", {"name": name, "color": color})


def _get(story: Story, path: str) -> Any:  # noqa: ANN401  # a JSON value
    return json.loads(_read(story, path))


def _read(story: Story, path: str) -> bytes:
    """Look at GitLab as anybody with an account can."""
    return _call(story, path, None)


def _call(
    story: Story,
    path: str,
    values: Mapping[str, Any] | None,
    *,
    actor: Actor | None = None,
    method: str | None = None,
) -> bytes:
    """Ask GitLab's API, as release engineering unless said otherwise; what has values creates something."""
    stage = story.stage
    address = f"{stage.gitlab.url}/api/v4/projects/{stage.project_id}/{path}"
    headers = {"PRIVATE-TOKEN": (actor or stage.releng).token, "Content-Type": "application/json"}
    body = None if values is None else json.dumps(values).encode()
    request = urllib.request.Request(address, data=body, headers=headers, method=method)  # noqa: S310  # loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        data: bytes = answer.read()
    return data
