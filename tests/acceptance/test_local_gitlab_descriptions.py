"""The local GitLab's answers against the descriptions of GitLab's API, where those describe the route.

The descriptions say of many fields no more than "string", whatever they hold, and nothing of null; such fields are
checked by name only.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from gitlab_world import BRANCH, World, build_world
from ruamel.yaml import YAML

Json = dict[str, Any]
TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
    "object": (dict,),
    "array": (list,),
}

# Fields of the descriptions that GitLab itself leaves out here: other tiers, administrators, or only on request.
ABSENT = {
    "mirror", "mirror_user_id", "mirror_trigger_builds", "only_mirror_protected_branches",
    "mirror_overwrites_diverged_branches", "external_authorization_classification_label", "marked_for_deletion_at",
    "marked_for_deletion_on", "requirements_enabled", "requirements_access_level", "security_and_compliance_enabled",
    "secret_push_protection_enabled", "pre_receive_secret_detection_enabled", "compliance_frameworks",
    "issues_template", "merge_requests_template", "ci_restrict_pipeline_cancellation_role", "merge_pipelines_enabled",
    "merge_trains_enabled", "merge_trains_skip_train_allowed", "only_allow_merge_if_all_status_checks_passed",
    "allow_pipeline_trigger_approve_deployment", "prevent_merge_without_jira_issue", "approvals_before_merge",
    "license_url", "license", "custom_attributes", "forked_from_project", "container_registry_image_prefix", "owner",
    "container_expiration_policy", "emails_disabled", "runners_token", "statistics", "avatar_path", "title_html",
    "description_html", "allow_collaboration", "allow_maintainer_to_push", "diverged_commits_count",
    "group_saml_identity", "email", "is_using_seat", "override", "member_role", "note", "wiki_page", "attachment",
    "name", "action",
}  # fmt: skip


ABSENT_NAMES = frozenset(ABSENT)

# The description says string; GitLab's documentation of the same route, and GitLab, say number.
MISTAKEN = {"API_Entities_ProjectHook.id", "API_Entities_ProjectHook.project_id"}


class Descriptions:
    """Parts of the big files, parsed one by one."""

    def __init__(self, file: Path, indent: int) -> None:
        text = file.read_text(encoding="utf-8")
        self._parts = dict(_sections(text, indent))
        self._parsed: dict[str, Json] = {}

    def get(self, name: str) -> Json:
        if name not in self._parsed:
            self._parsed[name] = YAML(typ="safe").load(self._parts[name])
        return self._parsed[name]


def _sections(text: str, indent: int) -> Iterator[tuple[str, str]]:
    pattern = re.compile(rf"^ {{{indent}}}(\w+):\n((?: {{{indent + 1}}}.*\n|\n)+)", re.MULTILINE)
    for match in pattern.finditer(text):
        yield match[1], match[2]


@pytest.fixture(scope="module")
def current(shared_data: Path) -> Descriptions:
    return Descriptions(shared_data / "gitlab" / "openapi_v2.yaml", 2)


@pytest.fixture(scope="module")
def from_docs(shared_data: Path) -> Descriptions:
    return Descriptions(shared_data / "gitlab" / "openapi-15.2-from-docs.yaml", 4)


def differences(  # noqa: PLR0911  # one way out for each kind of schema
    value: object, schema: Json, source: Descriptions, where: str, *, depth: int = 3
) -> list[str]:
    """Return how a value is not what the schema says."""
    if value is None or depth < 0:
        return []
    if "$ref" in schema:
        if isinstance(value, list):
            return [text for one in value for text in differences(one, schema, source, f"{where}[]", depth=depth)]
        return differences(value, source.get(schema["$ref"].rpartition("/")[2]), source, where, depth=depth - 1)
    kind = schema.get("type", "object" if "properties" in schema else "")
    vague = kind == "string" and "example" not in schema and "format" not in schema
    if kind in TYPES and not vague and where not in MISTAKEN and not isinstance(value, TYPES[kind]):
        return [f"{where} is {type(value).__name__}, not {kind}"]
    if isinstance(value, list) and "items" in schema:
        return [text for one in value for text in differences(one, schema["items"], source, f"{where}[]", depth=depth)]
    if not isinstance(value, dict):
        return []
    found = []
    for name, part in schema.get("properties", {}).items():
        if name not in value:
            found += [] if name in ABSENT else [f"{where}.{name} is missing"]
        else:
            found += differences(value[name], part, source, f"{where}.{name}", depth=depth)
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A route, and what the current description calls its answer."""

    path: str
    entity: str


P = "/projects/centos%2Fcompose-repo"
MR = f"{P}/merge_requests/1"
B = BRANCH.replace("/", "%2F")
CASES = [
    Case(path=P, entity="API_Entities_ProjectWithAccess"),
    Case(path=f"{P}/members", entity="API_Entities_Member"),
    Case(path=f"{P}/repository/branches", entity="API_Entities_Branch"),
    Case(path=f"{P}/repository/commits", entity="API_Entities_Commit"),
    Case(path=f"{P}/repository/commits/{B}", entity="API_Entities_CommitDetail"),
    Case(path=f"{P}/repository/commits/{B}/diff", entity="API_Entities_Diff"),
    Case(path=f"{P}/repository/commits/{B}/statuses", entity="API_Entities_CommitStatus"),
    Case(path=f"{P}/repository/commits/{B}/refs", entity="API_Entities_BasicRef"),
    Case(path=f"{P}/repository/tree", entity="API_Entities_TreeObject"),
    Case(path=f"{P}/repository/compare?from=main&to={B}", entity="API_Entities_Compare"),
    Case(path=f"{P}/protected_branches", entity="API_Entities_ProtectedBranch"),
    Case(path=f"{P}/merge_requests", entity="API_Entities_MergeRequestBasic"),
    Case(path=MR, entity="API_Entities_MergeRequest"),
    Case(path=f"{MR}/approvals", entity="API_Entities_MergeRequestApprovals"),
    Case(path=f"{MR}/approval_state", entity="EE_API_Entities_MergeRequestApprovalState"),
    Case(path=f"{MR}/commits", entity="API_Entities_Commit"),
    Case(path=f"{MR}/changes", entity="API_Entities_MergeRequestChanges"),
    Case(path=f"{MR}/versions", entity="API_Entities_MergeRequestDiff"),
    Case(path=f"{MR}/pipelines", entity="API_Entities_Ci_PipelineBasic"),
    Case(path=f"{P}/pipelines/latest?ref=main", entity="API_Entities_Ci_PipelineWithMetadata"),
    Case(path=f"{P}/events?action=pushed", entity="API_Entities_Event"),
    Case(path=f"{P}/hooks", entity="API_Entities_ProjectHook"),
    Case(path=f"{P}/triggers", entity="API_Entities_Trigger"),
    Case(path=f"{P}/variables", entity="API_Entities_Ci_Variable"),
    Case(path=f"{P}/pipeline_schedules", entity="API_Entities_Ci_PipelineSchedule"),
    Case(path=f"{P}/members/all", entity="API_Entities_Member"),
    Case(path=f"{P}/deploy_keys", entity="API_Entities_DeployKeysProject"),
    Case(path=f"{P}/job_token_scope", entity="API_Entities_ProjectJobTokenScope"),
    Case(path=f"{P}/forks", entity="API_Entities_Project"),
    Case(path=f"{P}/merge_requests?source_branch=forked", entity="API_Entities_MergeRequestBasic"),
    Case(path="/users", entity="API_Entities_UserBasic"),
    Case(path="/personal_access_tokens/self", entity="API_Entities_PersonalAccessToken"),
]
OLD_CASES = [
    Case(path=f"{P}/labels?with_counts=true", entity="getASingleProjectLabelResponse"),
    Case(path=f"{MR}/notes", entity="getSingleMergeRequestNoteResponse"),
    Case(path=f"{MR}/approvals", entity="getConfigurationResponse"),
    Case(path=MR, entity="getSingleMrResponse"),
    Case(path=f"{P}/repository/files/README.md?ref=main", entity="getFileFromRepositoryResponse"),
    Case(path=P, entity="getSingleProjectResponse"),
    Case(path=f"{P}/protected_tags", entity="getASingleProtectedTagOrWildcardProtectedTagResponse"),
]
# What the 15.2 documentation had and GitLab no longer answers with, or shows to others than an owner of a project.
GONE = {"skype", "printing_merge_requests_link_enabled", "merge_request_iid", "created_at", "email", "project_access"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = build_world(tmp_path_factory.mktemp("described"))
    merge_request = made.open()
    merge_request.labels = ["gate::pending"]
    merge_request.save()
    merge_request.notes.create({"body": "A note"})
    project = made.as_user(made.gate)
    project.commits.get(merge_request.sha).statuses.create({"state": "success", "name": "compose-gate"})
    project.mergerequests.get(1).approve()
    project.protectedtags.create({"name": "v*", "create_access_level": 40})
    project.hooks.create({"url": "https://example.org"})
    project.triggers.create({"description": "bus"})
    project.variables.create({"key": "A", "value": "b"})
    project.pipelineschedules.create({"description": "sync", "ref": "main", "cron": "0 * * * *"})
    project.keys.create({"title": "ci", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== ci"})
    api = made.api(made.stranger)
    own = api.projects.get(api.projects.get(made.project.id).forks.create({}).id)
    own.branches.create({"branch": "forked", "ref": "main"})
    target = {"target_branch": "main", "target_project_id": made.project.id}
    own.mergerequests.create({"source_branch": "forked", "title": "From a fork", **target})
    yield made
    made.server.stop()


@pytest.fixture(scope="module")
def ask(world: World) -> Callable[[str], Any]:
    def get(path: str) -> Any:  # noqa: ANN401  # any JSON
        headers = {"PRIVATE-TOKEN": world.gate.token}
        answer = requests.get(f"{world.server.url}/api/v4{path}", headers=headers, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


def check(value: object, entity: str, source: Descriptions) -> list[str]:
    values = value if isinstance(value, list) else [value]
    assert values
    return sorted({text for one in values for text in differences(one, source.get(entity), source, entity)})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path.replace(P, ""))
def test_answer_is_what_the_current_description_says(
    case: Case, ask: Callable[[str], Any], current: Descriptions
) -> None:
    assert check(ask(case.path), case.entity, current) == []


@pytest.mark.parametrize("case", OLD_CASES, ids=lambda case: case.path.replace(P, ""))
def test_answer_is_what_the_documentation_says(case: Case, ask: Callable[[str], Any], from_docs: Descriptions) -> None:
    found = check(ask(case.path), case.entity, from_docs)
    assert [text for text in found if not text.split(" ")[0].endswith(tuple(f".{name}" for name in GONE))] == []


def test_every_field_that_may_be_absent_is(
    ask: Callable[[str], Any], current: Descriptions, from_docs: Descriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ABSENT", set())
    given = [(current, case) for case in CASES] + [(from_docs, case) for case in OLD_CASES]
    found = [text for source, case in given for text in check(ask(case.path), case.entity, source)]
    missing = {text.removesuffix(" is missing").rpartition(".")[2] for text in found if text.endswith(" is missing")}
    assert sorted(ABSENT_NAMES - missing) == []


def test_a_field_of_another_type_is_seen(ask: Callable[[str], Any], current: Descriptions) -> None:
    branch = ask(f"{P}/repository/branches")[0]
    branch["merged"] = "no"
    assert check(branch, "API_Entities_Branch", current) == ["API_Entities_Branch.merged is str, not boolean"]
