"""Who may move which branch: roles and protected branches.

The order of the questions and the words of the refusals are those of GitLab's `Gitlab::Checks::BranchCheck`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_gitlab.git import ZERO
from local_gitlab.site import DEVELOPER, MAINTAINER, access_level

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row

PUSH_REFUSED = "You are not allowed to push code to protected branches on this project."
CREATE_REFUSED = "You are not allowed to create protected branches on this project."
FORCE_REFUSED = "You are not allowed to force push code to a protected branch on this project."
CREATE_FROM_UNPROTECTED_REFUSED = (
    "You can only use an existing protected branch ref as the basis of a new protected branch."
)
CREATE_BY_PUSH_REFUSED = "You can only create protected branches using the web interface and API."
HEX_NAME_REFUSED = "You cannot create a branch with a 40-character hexadecimal branch name."
DELETE_REFUSED = (
    "You are not allowed to delete protected branches from this project. "
    "Only a project maintainer or owner can delete a protected branch."
)
DELETE_BY_PUSH_REFUSED = "You can only delete protected branches using the web interface."
DELETE_DEFAULT_REFUSED = "The default branch of a project cannot be deleted."
TAG_CREATE_REFUSED = "You are not allowed to create this tag as it is protected."
TAG_UPDATE_REFUSED = "Protected tags cannot be updated."
TAG_DELETE_REFUSED = (
    "You are not allowed to delete protected tags from this project. "
    "Only a project maintainer or owner can delete a protected tag."
)
TAG_DELETE_BY_PUSH_REFUSED = "You can only delete protected tags using the web interface."
_HEX_NAME = re.compile(r"[0-9a-fA-F]{40}(-/|/|$)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """What the rules that match a branch add up to."""

    protected: bool
    push_levels: frozenset[int]
    merge_levels: frozenset[int]
    allow_force_push: bool


def matches(pattern: str, branch: str) -> bool:
    """Tell whether a protected branch's name, in which `*` stands for anything, covers a branch."""
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(expression, branch, re.DOTALL) is not None


def protection(site: Site, project: Row, branch: str) -> Protection:
    """Add up every rule that matches: whatever one of them allows is allowed."""
    rows = site.store.all("SELECT * FROM protected_branches WHERE project_id = ?", project["id"])
    rules = [row for row in rows if matches(row["name"], branch)]
    return Protection(
        protected=bool(rules),
        push_levels=frozenset(level for rule in rules for level in json.loads(rule["push_levels"])),
        merge_levels=frozenset(level for rule in rules for level in json.loads(rule["merge_levels"])),
        allow_force_push=any(rule["allow_force_push"] for rule in rules),
    )


def _reaches(level: int, levels: frozenset[int]) -> bool:
    # Level 0 means "No one"; it never lets anyone through.
    return any(0 < wanted <= level for wanted in levels)


def may_push(site: Site, project: Row, user: Row | None, branch: str) -> bool:
    """Tell whether the user may move the branch forward."""
    level = access_level(site, project, user)
    rules = protection(site, project, branch)
    if not rules.protected:
        return level >= DEVELOPER
    return level >= DEVELOPER and _reaches(level, rules.push_levels)


def may_merge(site: Site, project: Row, user: Row | None, branch: str) -> bool:
    """Tell whether the user may merge into the branch."""
    level = access_level(site, project, user)
    rules = protection(site, project, branch)
    if not rules.protected:
        return level >= DEVELOPER
    return level >= DEVELOPER and _reaches(level, rules.merge_levels | rules.push_levels)


def push_refusal(site: Site, project: Row, user: Row, ref: str, old: str, new: str, *, web: bool = False) -> str:
    """Return why this user may not move this ref, or nothing; `web` is the API, which may do what a push may not."""
    if ref.startswith("refs/tags/"):
        return _tag_refusal(site, project, user, ref.removeprefix("refs/tags/"), old, new, web=web)
    if not ref.startswith("refs/heads/"):
        return ""
    branch = ref.removeprefix("refs/heads/")
    if new == ZERO:
        return _delete_refusal(site, project, user, branch, web=web)
    if _HEX_NAME.match(branch):
        return HEX_NAME_REFUSED
    if not protection(site, project, branch).protected or may_push(site, project, user, branch):
        return ""
    return _create_refusal(site, project, user, branch, new, web=web) if old == ZERO else PUSH_REFUSED


def _tag_refusal(site: Site, project: Row, user: Row, tag: str, old: str, new: str, *, web: bool) -> str:
    """Return why this user may not touch this tag, as GitLab's `Gitlab::Checks::TagCheck` has it."""
    rows = site.store.all("SELECT * FROM protected_tags WHERE project_id = ?", project["id"])
    rules = [row for row in rows if matches(row["name"], tag)]
    level = access_level(site, project, user)
    if not rules:
        return ""
    if new == ZERO:
        return TAG_DELETE_REFUSED if level < MAINTAINER else "" if web else TAG_DELETE_BY_PUSH_REFUSED
    if old != ZERO:
        return TAG_UPDATE_REFUSED
    levels = frozenset(one for row in rules for one in json.loads(row["create_levels"]))
    return "" if level >= DEVELOPER and _reaches(level, levels) else TAG_CREATE_REFUSED


def _create_refusal(site: Site, project: Row, user: Row, branch: str, new: str, *, web: bool) -> str:
    """Let those who may merge into a protected branch make it, by the API, of what is protected already."""
    if not may_merge(site, project, user, branch):
        return CREATE_REFUSED
    holders = site.repository(project).branches_with(new)
    if not any(protection(site, project, name).protected for name in holders):
        return CREATE_FROM_UNPROTECTED_REFUSED
    return "" if web else CREATE_BY_PUSH_REFUSED


def _delete_refusal(site: Site, project: Row, user: Row, branch: str, *, web: bool) -> str:
    if branch == project["default_branch"]:
        return DELETE_DEFAULT_REFUSED
    if not protection(site, project, branch).protected:
        return ""
    if access_level(site, project, user) < MAINTAINER:
        return DELETE_REFUSED
    return "" if web else DELETE_BY_PUSH_REFUSED


def fast_forward_only(site: Site, project: Row, ref: str) -> bool:
    """Tell whether the ref's history must not be rewritten."""
    if not ref.startswith("refs/heads/"):
        return False
    rules = protection(site, project, ref.removeprefix("refs/heads/"))
    return rules.protected and not rules.allow_force_push
