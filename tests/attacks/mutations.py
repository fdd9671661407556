"""Defences that stop more than one attack: what is taken away to see them go red."""

from typing import Final

from attacks.world import Mutation

MERGES_ONLY_WHAT_COUNTS: Final = Mutation(
    module="passes/merge.py",
    old="if is_clean(judgement.counted, judgement.brings):",
    new="if judgement.counted:",
)
"""Before a merge the branch is brought to exactly what counts."""
RULES_ARE_MAINS: Final = Mutation(
    module="passes/judge.py",
    old=("gate_files = self._world.gate_files()\n        head = self._world.head(merge_request)"),
    new=(
        "head = self._world.head(merge_request)\n"
        "        from compose_repo.reading.loading import load_gate\n"
        "        gate_files = load_gate(GitTree(self._world.repository, head), self._world.now)"
    ),
)
"""Policy, waivers, holds, origins and streams are read from main."""
COMMITS_NOT_THE_TIP: Final = Mutation(
    module="reading/line.py",
    old="files = (*opened, *results)",
    new="files = tuple(file for file in (*opened, *results) if file.path in brings)",
)
"""What counts is read from the commits, whatever the head has."""
ONLY_LISTED_PUSHERS: Final = Mutation(
    module="core/branch/attribution.py",
    old="return None if is_listed(entry, push) else _pushed(entry, push)",
    new="return None",
)
"""Only accounts that the origin lists report for it."""
THROWN_AWAY_COUNTS: Final = Mutation(
    module="reading/line.py",
    old="commits = commits_since(self._repository, main, [head, *elsewhere])",
    new="commits = commits_since(self._repository, main, [head])",
)
"""Commits that a force push has thrown away are read too."""
REMOVED_COUNTS: Final = Mutation(
    module="core/branch/history.py",
    old=("if path not in self.versions:\n            return None\n        return _removed("),
    new=("if self.versions.pop(path, None) is None or path:\n            return None\n        return _removed("),
)
"""What is removed still counts, and is named."""
FIRST_VERSION_COUNTS: Final = Mutation(
    module="core/branch/history.py",
    old=("if there is not None:\n            return None if there.blob == blob else self._edit(commit, path, there)"),
    new=("if there is not None and there.blob == blob:\n            return None"),
)
"""The first version of a result counts, and an edit is named."""
PLAIN_FILES_ONLY: Final = Mutation(
    module="core/branch/history.py",
    old=("if after.mode != PLAIN:\n            return not_plain(path)"),
    new=("if not after.mode:\n            return not_plain(path)"),
)
"""Only plain files count."""
NAMES_ARE_ASCII: Final = Mutation(
    module="core/composes/layout.py",
    old="if not is_name(name):",
    new="if not name:",
)
"""Names in a path are safe."""
FOREIGN_IS_NAMED: Final = Mutation(
    module="core/branch/history.py",
    old="if self._first[change.path] == change.after:",
    new="if change.path:",
)
"""Whatever is no result of the compose is named."""
TEXT_IS_ESCAPED: Final = Mutation(
    module="core/escape.py",
    old='return _numbered().sub(r"\\1\\\\\\2", _markup().sub(_escaped, terminal(text)))',
    new="return text",
)
"""Text from outside is escaped for Markdown."""
INCONCLUSIVE_REPLACES_NOTHING: Final = Mutation(
    module="core/verdict/finding.py",
    old=("    if conclusive:\n        return _judge_conclusive"),
    new=("    if conclusive and len(conclusive) == len(history):\n        return _judge_conclusive"),
)
"""What is no verdict never replaces one."""
LISTED_KEYS_ONLY: Final = Mutation(
    module="core/branch/signing.py",
    old=("listed = [line for line in entry.keys if _key_of(line) == key]\n    if not listed:"),
    new=(
        "listed = [line for line in entry.keys if _key_of(line) == key]\n"
        "    if not listed:\n"
        "        return None\n"
        "    if not listed:"
    ),
)
"""A signature is the origin's own key's."""
SIGNATURE_IS_VERIFIED: Final = Mutation(
    module="ports/signatures.py",
    old="if self._verify(signed, entry, at):",
    new="if signed:",
)
"""ssh-keygen says that the signature fits the commit."""
TITLE_IS_SET_BACK: Final = Mutation(
    module="core/plan/plan.py",
    old="*_update(merge_request, title=str(compose_id), target_branch=target_branch, as_it_is=True),",
    new="*_update(merge_request, target_branch=target_branch, as_it_is=True),",
)
"""A compose's merge request bears the compose's name."""
CLOSED_IS_REOPENED: Final = Mutation(
    module="core/plan/plan.py",
    old="reopen = merge_request.state is MergeRequestState.CLOSED",
    new="reopen = False",
)
"""What a Developer has closed is opened again."""
OURS_IS_THE_BOTS: Final = Mutation(
    module="core/forge/merge_requests.py",
    old="ours = [line for line in lines if is_bots(line, bots) and line.source_branch == compose_id.branch]",
    new="ours = [line for line in lines if compose_id.text in line.source_branch]",
)
"""Only the compose bot's merge request from the compose's branch counts."""
SWALLOWED_IS_READ: Final = Mutation(
    module="reading/line.py",
    old="commits = [*self._swallowed(pushes, commits, [head, *elsewhere], bots), *commits]",
    new="pass",
)
"""What main has swallowed of a line is read all the same."""
CASE_IS_NO_NAME: Final = Mutation(
    module="core/branch/history.py",
    old="        if taken != path:",
    new="        if not taken:",
)
"""Names do not differ in case alone."""
BRANCH_IS_OURS: Final = Mutation(
    module="core/plan/plan.py",
    old="if opener is not None and (opener.is_called(bots.compose) or opener.is_called(bots.gate)):",
    new="if branch:",
)
"""Nothing is built upon a branch that somebody else has made."""
PUSHED_BY_SOMEBODY: Final = Mutation(
    module="core/branch/attribution.py",
    old='return "GitLab does not name the user who pushed it; push it in a commit of its own, to this branch alone"',
    new="return None",
)
"""Nobody is believed for whom GitLab names no push."""
EXPIRED_KEYS_ARE_NONE: Final = (
    Mutation(
        module="core/branch/signing.py",
        old="day >= line.valid_before",
        new="day is None",
    ),
    Mutation(
        module="core/branch/signing.py",
        old=("    if line.valid_before is not None:\n        options"),
        new=("    if not line:\n        options"),
    ),
)
"""A key is valid by GitLab's time of the push."""
