"""Every problem code: what it means and how to fix it. `docs/problems.md` is this module in Markdown."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Code:
    """The law that a problem breaks, and how to fix it in general; each problem says it in particular."""

    law: str
    fix: str


READING: Final = {
    "byte-order-mark": Code("A file starts with its first character.", "Save it as UTF-8 without a byte order mark."),
    "control-character": Code(
        "Text has no control characters but tab and newline, keys not even these.", "Take them out."
    ),
    "duplicate-key": Code("A key stands once in its object or table.", "Keep one of them."),
    "file-too-large": Code(
        "A result file has at most 8 MiB, a manifest 4 MiB, a file of gate/ 1 MiB.", "Split it into several runs."
    ),
    "integer-too-large": Code(
        "Whole numbers stay within ±(2^53 - 1), so that every reader reads the same.", "Write larger ones as text."
    ),
    "lone-surrogate": Code("Text has whole characters only.", "Write the character as UTF-8, or as both halves."),
    "more-problems": Code(
        "At most 100 problems of a file are listed.", "Fix those that are listed first, then validate again."
    ),
    "not-finite": Code("Numbers are finite: no NaN, no infinity, no 1e999.", "Leave the field out."),
    "not-json": Code("Result files and manifests are JSON (RFC 8259).", "Write them with a JSON library."),
    "not-toml": Code("Files of gate/ are TOML 1.0.", "Fix the line."),
    "not-utf8": Code("Files are UTF-8.", "Save it as UTF-8."),
    "too-deep": Code("At most 32 objects and arrays are nested in one another.", "Make the structure flatter."),
    "too-many-keys": Code("An object has at most 1,000 keys.", "Use an array."),
}
"""What strict reading refuses."""

SCHEMAS: Final = {
    "bad-form": Code("A text has the form that its field asks for.", "Write it as the schema's examples do."),
    "bad-link": Code(
        "A link is http or https, with a host, without user or password.", "Give the address that a browser shows."
    ),
    "missing-field": Code("Required fields are there.", "Add the field."),
    "out-of-bounds": Code("Lengths, counts and numbers stay within their bounds.", "Shorten it, or split it."),
    "schema": Code("A file satisfies its schema.", "Compare it with the schema's examples."),
    "unknown-field": Code("Every field is one of its schema's.", "Fix its name, or move it into misc."),
    "wrong-type": Code("A field has the type that its schema asks for.", "Mind quotes around numbers."),
    "wrong-value": Code("A field with a fixed set of values has one of these.", "Use one that is listed."),
}
"""What the schemas refuse; they are in `schemas/`."""

PLACES: Final = {
    "bad-compose-id": Code("A compose's folder is named by its compose id.", "Name it as COMPOSE_ID has it."),
    "bad-name": Code(
        "Names in a path are ASCII letters, digits, '.', '_' and '-', a letter or digit first, at most 128.",
        "Rename the file.",
    ),
    "compose-mismatch": Code("A file names the compose whose folder it lies in.", "Move the file or fix the field."),
    "missing-file": Code("gate/policy.toml, gate/origins.toml and a compose's manifest.json are there.", "Add it."),
    "name-collision": Code("No two names differ only in case.", "Give one of them another name."),
    "not-a-plain-file": Code("Files are plain: no links, nothing executable.", "Replace it by a file of mode 100644."),
    "origin-mismatch": Code("A result file carries the origin its folder names.", "Move the file or fix the field."),
    "removed-file": Code("Results and manifests are kept; a rerun adds a file.", "Bring the file back."),
    "run-mismatch": Code("A result file is named by its run.", "Rename the file or fix the field."),
    "stray-file": Code("Only files that somebody reads lie in composes/ and gate/.", "Remove it."),
}
"""Where files belong."""

RESULTS: Final = {
    "bad-time": Code("Times and dates exist.", "Fix it; give times in UTC."),
    "duplicate-cell": Code(
        "A testcase, scenario, arch and variant stand once in a file.", "Report a rerun in a file of its own."
    ),
    "future-time": Code(
        "No run starts or ends more than 5 minutes after its file was pushed.", "Set the clock, and report again."
    ),
    "manifest-mismatch": Code(
        "A result file carries the SHA-256 of its compose's manifest.json.", "Test the compose that is there."
    ),
    "missing-finish": Code(
        "A run has finished_at unless every outcome is queued or running.", "Add it, or report what is in progress."
    ),
    "no-manifest": Code("Results are on a compose whose manifest is there.", "Use the compose's branch."),
    "stray-error-reason": Code("Only an error has an error_reason.", "Move the text to note."),
    "times-out-of-order": Code("What ends does so after it starts.", "Fix the times; mind their offsets."),
    "unknown-arch": Code("Results are about arches that the compose has.", "Use productmd's names: x86_64, aarch64."),
    "unknown-origin": Code("Origins are listed in gate/origins.toml.", "Fix the name, or have it added."),
    "unknown-variant": Code("Results are about variants that the compose has on that arch.", "Fix the name."),
}
"""What result files must agree with."""

MANIFESTS: Final = {
    "manifest-contradiction": Code("A manifest's facts are those that its id names.", "Make it anew."),
    "not-canonical": Code("A manifest has the very bytes that `compose-repo manifest` writes.", "Make it anew."),
    "not-sorted": Code("A manifest lists each SRPM once, sorted by NVR.", "Make it anew."),
}
"""What manifests must be."""

GATE: Final = {
    "bad-key": Code(
        "An origin's keys are plain SSH public keys (Ed25519, ECDSA, RSA of 3072 bits or more), each once; what one "
        "origin has revoked is no other's.",
        "Copy the one line of the .pub file of a key made with `ssh-keygen -t ed25519`.",
    ),
    "bad-stream": Code("A stream is a release short name and version.", 'Name it as in "CentOS-Stream-10".'),
    "duplicate-mapping": Code(
        "A message of the bus, or a job of a Jenkins, reports for one origin, by one mapping.",
        "Keep one of the mappings that meet.",
    ),
    "duplicate-requirement": Code("No two requirements ask the same of the same cells.", "Keep one of them."),
    "label-clash": Code(
        "Each label has a name of its own, and none is of the scope of one that tells of something else.",
        "Name it otherwise: GitLab keeps one label of a scope, which is what stands before its last two colons.",
    ),
    "unknown-stream": Code("Requirements name streams of gate/streams.toml.", "Fix the name, or add the stream."),
}
"""What files of gate/ must agree with."""

AGEING: Final = {
    "more-advice": Code(
        "At most 100 pieces of advice on a file are listed.", "Follow those that are listed first, then validate again."
    ),
    "no-docs": Code(
        "The contact of an origin that a blocking requirement waits for has docs.",
        "Add the address of a page about its tests to its contact in gate/origins.toml.",
    ),
    "pattern-matches-nothing": Code(
        "A waiver's pattern can match a compose of a stream of gate/streams.toml.",
        "Correct the pattern, or add the stream.",
    ),
    "waiver-expired": Code(
        "A waiver has not expired; after its last day (UTC) it covers nothing.",
        "Remove it, or renew it in a merge request, with a reason.",
    ),
}
"""What time makes of gate/: advice, and a problem only in an entry that a change brings."""

SOURCES: Final = {
    "compose-changed": Code("A compose does not change while it is read.", "Try again."),
    "compose-id-invalid": Code("COMPOSE_ID holds a compose id.", "Name a compose that pungi has made."),
    "compose-id-mismatch": Code("COMPOSE_ID and the metadata name the same compose.", "Tell the server's keepers."),
    "compose-id-missing": Code("A compose has COMPOSE_ID.", "Name the folder that holds it."),
    "compose-not-found": Code("The compose is where the address says.", "Fix the address."),
    "foreign-branch": Code("A compose's branch is created by the compose bot.", "Have a Maintainer delete it."),
    "index-not-a-listing": Code(
        "An index of composes is a listing by Apache or nginx.", "Fix the address, or try again later."
    ),
    "index-not-found": Code("The folder of the composes is there.", "Fix the address in gate/streams.toml."),
    "index-truncated": Code("A listing is whole.", "Try again."),
    "manifest-differs": Code("A compose has one manifest.", "Find out which one is right before going on."),
    "metadata-invalid": Code("Metadata is what productmd writes.", "Tell the compose's makers."),
    "metadata-missing": Code("rpms.json and its like are there.", "Wait until the compose is complete."),
    "metadata-not-json": Code("Metadata is JSON.", "Tell the server's keepers."),
    "metadata-truncated": Code("Metadata is complete.", "Try again."),
    "metadata-version": Code("Metadata is of productmd's version 1.", "Use a newer compose-repo."),
    "nevra-invalid": Code("Each row of rpms.json has a NEVRA.", "Tell the compose's makers."),
    "not-a-compose": Code("The folder is a compose root.", "Name the folder that holds COMPOSE_ID."),
    "source-redirect": Code("The server does not send us elsewhere, or round in circles.", "Use the final address."),
    "source-status": Code("The server answers with what was asked for.", "Fix the address, or try again later."),
    "source-timeout": Code("The server answers in time.", "Try again later."),
    "source-tls": Code("The server's certificate is valid.", "Tell the server's keepers."),
    "source-too-large": Code("Metadata has a bounded size.", "Make sure that the address is right."),
    "source-truncated": Code("The server sends all of a file.", "Try again."),
    "source-unreachable": Code("The server can be reached.", "Check name and network."),
    "source-unreadable": Code("The files may be read.", "Fix their permissions."),
    "status-missing": Code("A compose has STATUS.", "Wait for it; pungi writes it at the end."),
    "status-unfinished": Code("The compose has finished.", "Wait for it."),
    "status-unknown": Code("STATUS holds a word that pungi writes.", "Tell the compose's makers."),
    "variant-mismatch": Code("The metadata files speak of the same variants.", "Tell the compose's makers."),
}
"""What `manifest`, `diff`, `open` and `merge` may find wrong with a compose."""

COMMITS: Final = {
    "changed-result": Code(
        "A result is written once; its first version counts.", "Report a rerun in a file of its own."
    ),
    "foreign-change": Code(
        "The commits of a compose's branch only add results of this compose.", "Take the change back by another commit."
    ),
    "foreign-manifest": Code(
        "The compose bot, as GitLab knows it, has pushed the manifest.", "Let it open the compose; see [bots]."
    ),
    "history-rewritten": Code(
        "What was pushed stays on the branch; what was pushed over counts all the same.",
        "Protect the branches of composes against force pushes: `compose-repo setup`.",
    ),
    "lfs-pointer": Code("A result is its file, not a pointer to one.", "Push the file itself; switch LFS off."),
    "manifest-changed": Code(
        "A manifest is written once; that of the compose bot counts.", "Take the change back by another commit."
    ),
    "merge-commit": Code("The commits of a branch make one line.", "Rebase: `git pull --rebase`."),
    "not-attributed": Code(
        "Who GitLab says has pushed a result, or who has signed it, may report for its origin.",
        "Use an account or a key that gate/origins.toml lists for it.",
    ),
    "too-many-files": Code(
        "An origin reports at most 5,000 files and 256 MiB on a compose.", "Put more results into each file."
    ),
}
"""What the commits of a merge request may not do; see `docs/threat-model.md`."""

CONVERSION: Final = {
    "jenkins-aggregated": Code("A test report is that of one build.", "Convert each build with its own report."),
    "jenkins-nameless": Code("Each case of a test report has a name.", "Name it in the test."),
    "jenkins-not-a-build": Code("The files are Jenkins's api/json of a build and of its test report.", "Fetch them."),
    "jenkins-one-build": Code("One result file is about one build.", "Convert each build by itself."),
    "jenkins-other-compose": Code(
        "A build that names a compose has tested that one.", "Name the manifest of the compose that was tested."
    ),
    "jenkins-report-mismatch": Code("A test report has every case that Jenkins counts.", "Fetch both anew, whole."),
    "jenkins-report-missing": Code(
        "A build that has a test report comes with it.", "Give its testReport/api/json too."
    ),
    "jenkins-unknown-word": Code("Results and statuses are words of Jenkins's.", "Fetch it again, or report it to us."),
}
"""What `convert` may find wrong with another tool's files."""

POLLS: Final = {
    "jenkins-compose-unclear": Code(
        "A build has tested one compose.", "Say by compose_parameter in gate/origins.toml which parameter names it."
    ),
    "jenkins-elsewhere": Code(
        "A Jenkins answers for itself.", "Give the address that it really has in gate/origins.toml."
    ),
    "jenkins-no-arch": Code(
        "A build says which arch it tests.", "Fix the parameter, or arch_parameter in gate/origins.toml."
    ),
    "jenkins-no-room": Code(
        "Builds bring at most 1,000 files to an origin's folder, and nobody stands in their place.",
        "Look at who has pushed there, and at what the job is doing.",
    ),
    "jenkins-not-a-job": Code(
        "Everybody may read a job that is polled.", "Fix the address in gate/origins.toml, or the job's permissions."
    ),
    "jenkins-other-build": Code("A Jenkins says the same of a build twice.", "Nothing; the next pass looks again."),
    "jenkins-slow": Code(
        "A pass reads a Jenkins for 100 seconds, and all of them for 300.",
        "Nothing if there is much that is new; else look at why it is slow.",
    ),
}
"""What `sync` may find wrong with a Jenkins that it polls, beside what is wrong with a build and its report."""

PASSES: Final = {
    "git-failed": Code("git does what it is asked for.", "Look at the message; the next pass tries again."),
    "gitlab-failed": Code("GitLab does what it is asked for.", "Look at the message; the next pass tries again."),
    "head-moving": Code(
        "A merge request rests for as long as it takes to judge it.", "Nothing; the next pass tries again."
    ),
    "not-done": Code("What is due can be done.", "Do as the message says; the next pass tries again."),
    "refused-report": Code(
        "Where merging leads to publishing, nothing is merged while a refused report bears on an answer.",
        "The origin reports on each test again, or takes the file back.",
    ),
    "pipeline-failed": Code(
        "What is satisfied has a pipeline that succeeds, where GitLab merges nothing without.",
        "Look at the pipeline; run it again if what failed in it is waived by now.",
    ),
    "promotion-failed": Code(
        "The hook of a stream can be reached and takes the call.", "Fix it, then do with the tag as the message says."
    ),
    "promotion-unknown": Code(
        "Of each claimed promotion it is recorded what came of it.",
        "Look whether the hook was called: delete the claim's tag, or create the outcome's.",
    ),
    "published-unknown": Code(
        "COMPOSE_ID on the mirrors names a compose of the stream.", "Fix the address in gate/streams.toml."
    ),
}
"""What a pass of `sync` may meet with."""

MESSAGES: Final = {
    "kept-failing": Code(
        "The work for a message succeeds, if not at once.", "Fix what stood in the way, then move the message back."
    ),
    "unreadable-message": Code("A message is one that fedora-messaging reads.", "Send it by a library for it."),
}
"""What `listen` dead-letters a message for, beside what is wrong with its fields and with the result made of it."""

PROGRAM: Final = {
    "internal-error": Code("The program makes no mistake.", "Report what the same command says under --verbose."),
}
"""What nobody expected."""

GROUPS: Final = {
    "Reading a file": READING,
    "Schemas": SCHEMAS,
    "Places": PLACES,
    "Results": RESULTS,
    "Manifests": MANIFESTS,
    "Policy, waivers, origins and streams": GATE,
    "Advice on policy, waivers and origins": AGEING,
    "Composes": SOURCES,
    "Commits of a merge request": COMMITS,
    "Messages of the bus": MESSAGES,
    "Other tools' reports": CONVERSION,
    "Polls of a Jenkins": POLLS,
    "Passes of sync": PASSES,
    "The program": PROGRAM,
}
CODES: Final = {code: entry for group in GROUPS.values() for code, entry in group.items()}
"""Every code, in the order of the table."""


_ABOUT: Final = {
    "Advice on policy, waivers and origins": "These codes are advice: they never change an exit code, and gate/ can be "
    "read all the same. There is one exception:\n`validate --base REV` judges a change. There it is a problem if the "
    "change adds or edits the waiver or the requirement,\nor takes an origin's docs away. An entry that was there "
    "before, wherever it stood in its file, stays advice.",
}
"""What is said of a group before its table."""


def as_markdown() -> str:
    """Write `docs/problems.md`."""
    parts = [
        "# Problem codes\n",
        "Each problem has a stable code. What `compose-repo` prints says where it is and how to fix it in",
        "particular; this table says what each code means.",
        "It is made from `scripts/compose_repo/core/problems/codes.py`.",
    ]
    for title, group in GROUPS.items():
        about = [f"{_ABOUT[title]}\n"] if title in _ABOUT else []
        parts += [f"\n## {title}\n", *about, "| code | law | fix |", "|---|---|---|"]
        parts += [f"| `{code}` | {entry.law} | {entry.fix} |" for code, entry in group.items()]
    return "\n".join(parts) + "\n"
