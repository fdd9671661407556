"""What every problem code means and how to fix it. `docs/problems.md` is this module in Markdown."""

from dataclasses import dataclass
from typing import Final

from compose_repo.core.problems.codes import Code


@dataclass(frozen=True, slots=True)
class Law:
    """The law that a problem breaks, and how to fix it in general; each problem says how in particular."""

    law: str
    fix: str


READING: Final = {
    Code.BYTE_ORDER_MARK: Law("A file starts with its first character.", "Save it as UTF-8 without a byte order mark."),
    Code.CONTROL_CHARACTER: Law(
        "Text has no control characters except tab and newline; keys have none at all.", "Remove them."
    ),
    Code.DUPLICATE_KEY: Law("A key is in its object or table once.", "Keep one of them."),
    Code.FILE_TOO_LARGE: Law(
        "A result file has at most 8 MiB, a manifest 4 MiB, a file of gate/ 1 MiB.", "Split it into several runs."
    ),
    Code.INTEGER_TOO_LARGE: Law(
        "Whole numbers stay within ±(2^53 - 1), so that every reader reads the same value.",
        "Write larger numbers as text.",
    ),
    Code.LONE_SURROGATE: Law("Text has whole characters only.", "Write the character as UTF-8, or as both halves."),
    Code.MORE_PROBLEMS: Law(
        "At most 100 problems of a file are listed.", "Fix those that are listed first, then validate again."
    ),
    Code.NOT_FINITE: Law("Numbers are finite: no NaN, no infinity, no 1e999.", "Leave the field out."),
    Code.NOT_JSON: Law("Result files and manifests are JSON (RFC 8259).", "Write them with a JSON library."),
    Code.NOT_TOML: Law("Files of gate/ are TOML 1.0.", "Fix the line."),
    Code.NOT_UTF8: Law("Files are UTF-8.", "Save it as UTF-8."),
    Code.TOO_DEEP: Law("At most 32 objects and arrays are nested in one another.", "Make the structure flatter."),
    Code.TOO_MANY_KEYS: Law("An object has at most 1,000 keys.", "Use an array."),
}
"""What strict reading refuses."""

SCHEMAS: Final = {
    Code.BAD_FORM: Law("A text has the form that its field asks for.", "Write it as the schema's examples do."),
    Code.BAD_LINK: Law(
        "A link is http or https, with a host, without user or password.", "Give the address that a browser shows."
    ),
    Code.MISSING_FIELD: Law("Required fields are present.", "Add the field."),
    Code.OUT_OF_BOUNDS: Law("Lengths, counts and numbers stay within their bounds.", "Shorten it, or split it."),
    Code.SCHEMA: Law("A file satisfies its schema.", "Compare it with the schema's examples."),
    Code.UNKNOWN_FIELD: Law("Every field is one of its schema's.", "Fix its name, or move it into misc."),
    Code.WRONG_TYPE: Law("A field has the type that its schema asks for.", "Mind quotes around numbers."),
    Code.WRONG_VALUE: Law("A field with a fixed set of values has one of these.", "Use one that is listed."),
}
"""What the schemas refuse; they are in `schemas/`."""

PLACES: Final = {
    Code.BAD_COMPOSE_ID: Law("A compose's folder is named by its compose id.", "Name it as the COMPOSE_ID file does."),
    Code.BAD_NAME: Law(
        "Names in a path are ASCII letters, digits, '.', '_' and '-', a letter or digit first, at most 128.",
        "Rename the file.",
    ),
    Code.COMPOSE_MISMATCH: Law("A file names the compose whose folder it is in.", "Move the file or fix the field."),
    Code.MISSING_FILE: Law("gate/policy.toml, gate/origins.toml and a compose's manifest.json exist.", "Add it."),
    Code.NAME_COLLISION: Law("No two names differ only in case.", "Give one of them another name."),
    Code.NOT_A_PLAIN_FILE: Law(
        "Files are plain: no links, nothing executable.", "Replace it with a file of mode 100644."
    ),
    Code.ORIGIN_MISMATCH: Law("A result file carries the origin its folder names.", "Move the file or fix the field."),
    Code.REMOVED_FILE: Law("Results and manifests are never removed; a rerun adds a file.", "Restore the file."),
    Code.RUN_MISMATCH: Law("A result file is named by its run.", "Rename the file or fix the field."),
    Code.STRAY_FILE: Law("composes/ and gate/ hold only files that the program or people read.", "Remove it."),
}
"""Where files belong."""

RESULTS: Final = {
    Code.BAD_TIME: Law("Times and dates are valid.", "Fix it; give times in UTC."),
    Code.COUNTS_CONTRADICTION: Law(
        "Tests that passed, failed or errored have run: together they are no more than `run`.",
        "Give the numbers that the tool itself counted, or leave out those that it does not have.",
    ),
    Code.DUPLICATE_CELL: Law(
        "A file has each testcase, scenario, arch and variant once.", "Report a rerun in a new file."
    ),
    Code.FUTURE_TIME: Law(
        "No run starts or ends more than 5 minutes after its file was pushed.", "Set the clock, and report again."
    ),
    Code.MANIFEST_MISMATCH: Law(
        "A result file carries the SHA-256 of its compose's manifest.json.",
        "Test the compose that the manifest describes.",
    ),
    Code.MISSING_FINISH: Law(
        "A run has finished_at unless every outcome is queued or running.", "Add it, or report what is in progress."
    ),
    Code.NO_MANIFEST: Law("Results are on a compose that has a manifest.", "Use the compose's branch."),
    Code.STRAY_ERROR_REASON: Law("Only an error has an error_reason.", "Move the text to note."),
    Code.TIMES_OUT_OF_ORDER: Law("A run ends after it starts.", "Fix the times; check their UTC offsets."),
    Code.UNKNOWN_ARCH: Law("Results are about arches that the compose has.", "Use productmd's names: x86_64, aarch64."),
    Code.UNKNOWN_ORIGIN: Law("Origins are listed in gate/origins.toml.", "Fix the name, or have it added."),
    Code.UNKNOWN_VARIANT: Law("Results are about variants that the compose has on that arch.", "Fix the name."),
}
"""What result files must agree with."""

MANIFESTS: Final = {
    Code.MANIFEST_CONTRADICTION: Law("A manifest agrees with its compose id.", "Make it again."),
    Code.NOT_CANONICAL: Law("A manifest has exactly the bytes that `compose-repo manifest` writes.", "Make it again."),
    Code.NOT_SORTED: Law("A manifest lists each SRPM once, sorted by NVR.", "Make it again."),
}
"""What manifests must be."""

GATE: Final = {
    Code.BAD_HOLD: Law(
        "A hold says what it holds: either a stream or composes.", "Give one of stream and composes, not both."
    ),
    Code.BAD_KEY: Law(
        "An origin's keys are plain SSH public keys (Ed25519, ECDSA, RSA of 3072 bits or more), each once; what one "
        "origin has revoked, no other origin may list as valid.",
        "Copy the one line of the .pub file of a key made with `ssh-keygen -t ed25519`.",
    ),
    Code.BAD_STREAM: Law("A stream is a release short name and version.", 'Name it as in "CentOS-Stream-10".'),
    Code.DUPLICATE_MAPPING: Law(
        "A message of the bus, or a job of a Jenkins, reports for one origin, by one mapping.",
        "Keep one of the mappings that overlap.",
    ),
    Code.DUPLICATE_REQUIREMENT: Law("No two requirements ask the same of the same cells.", "Keep one of them."),
    Code.LABEL_CLASH: Law(
        "Each label has its own name, and labels that mean different things have different scopes.",
        "Give it another name: GitLab keeps one label of a scope, the part before its last two colons.",
    ),
    Code.TOO_FEW_ATTEMPTS: Law(
        "Of `{passed = m, of = n}`, m is at most n, and n at most `max_attempts`: else no compose could pass.",
        "Ask for fewer passes, or look at more attempts.",
    ),
    Code.UNKNOWN_STREAM: Law("Requirements name streams of gate/streams.toml.", "Fix the name, or add the stream."),
}
"""What files of gate/ must agree with."""

AGEING: Final = {
    Code.ANSWERS_NO_REQUIREMENT: Law(
        "A result whose name, or whose test, comes close to a requirement of its origin answers it.",
        "Report it in a new file under the name, arch, variant and scenario that gate/policy.toml asks for.",
    ),
    Code.HOLD_ENDS_SOON: Law(
        "A hold lasts for another day. This is advice even on a hold that a change brings.",
        "Check whether the cause is gone; otherwise give it a new last day in a merge request.",
    ),
    Code.HOLD_EXPIRED: Law(
        "A hold has not ended; after its last day (UTC) it holds nothing.",
        "Remove it, or give it a new last day in a merge request.",
    ),
    Code.HOLD_MATCHES_NOTHING: Law(
        "A hold's stream is one of gate/streams.toml, and what it excepts is what it would hold.",
        "Correct the name, or add the stream.",
    ),
    Code.HOLD_TOO_LONG: Law(
        "A hold ends at most 14 days ahead; before that it has no force.",
        "Let it end within 14 days; it can be renewed then.",
    ),
    Code.MORE_ADVICE: Law(
        "At most 100 pieces of advice on a file are listed.", "Follow those that are listed first, then validate again."
    ),
    Code.NO_DOCS: Law(
        "The contact of an origin that a blocking requirement waits for has docs.",
        "Add the address of a page about its tests to its contact in gate/origins.toml.",
    ),
    Code.NO_WHY: Law(
        "A requirement that blocks says why: who waits for it wants to know what it protects.",
        "Add why to it, in one line.",
    ),
    Code.PATTERN_MATCHES_NOTHING: Law(
        "A pattern of a waiver or hold can match a compose of a stream of gate/streams.toml.",
        "Correct the pattern, or add the stream.",
    ),
    Code.WAIVER_EXPIRED: Law(
        "A waiver has not expired; after its last day (UTC) it covers nothing.",
        "Remove it, or renew it in a merge request, with a reason.",
    ),
}
"""What time makes of gate/: advice, and a problem only in an entry that a change brings."""

SOURCES: Final = {
    Code.COMPOSE_CHANGED: Law("A compose does not change while it is read.", "Try again."),
    Code.COMPOSE_ID_INVALID: Law("COMPOSE_ID holds a compose id.", "Name a compose that pungi has made."),
    Code.COMPOSE_ID_MISMATCH: Law(
        "COMPOSE_ID and the metadata name the same compose.", "Tell the server's administrators."
    ),
    Code.COMPOSE_ID_MISSING: Law("A compose has COMPOSE_ID.", "Name the folder that holds it."),
    Code.COMPOSE_NOT_FOUND: Law("The compose is where the address says.", "Fix the address."),
    Code.FOREIGN_BRANCH: Law("A compose's branch is created by the compose bot.", "Have a Maintainer delete it."),
    Code.INDEX_NOT_A_LISTING: Law(
        "An index of composes is a listing by Apache, nginx, Caddy, http.server or S3.",
        "Fix the address, or try again later.",
    ),
    Code.INDEX_NOT_FOUND: Law("The folder of the composes exists.", "Fix the address in gate/streams.toml."),
    Code.INDEX_TRUNCATED: Law("A listing is complete.", "Try again."),
    Code.MANIFEST_DIFFERS: Law("A compose has one manifest.", "Find out which one is right before going on."),
    Code.METADATA_INVALID: Law("Metadata is what productmd writes.", "Tell the compose's makers."),
    Code.METADATA_MISSING: Law(
        "The metadata files that a manifest needs exist.", "Wait until the compose is complete."
    ),
    Code.METADATA_NOT_JSON: Law("Metadata is JSON.", "Tell the server's administrators."),
    Code.METADATA_TRUNCATED: Law("Metadata is complete.", "Try again."),
    Code.METADATA_VERSION: Law("Metadata is of productmd's version 1.", "Use a newer compose-repo."),
    Code.NEVRA_INVALID: Law("Each row of rpms.json has a NEVRA.", "Tell the compose's makers."),
    Code.NOT_A_COMPOSE: Law("The folder is a compose root.", "Name the folder that holds COMPOSE_ID."),
    Code.SOURCE_REDIRECT: Law(
        "The server does not redirect to another server, or in a circle.", "Use the final address."
    ),
    Code.SOURCE_STATUS: Law("The server answers with what was asked for.", "Fix the address, or try again later."),
    Code.SOURCE_TIMEOUT: Law("The server answers in time.", "Try again later."),
    Code.SOURCE_TLS: Law("The server's certificate is valid.", "Tell the server's administrators."),
    Code.SOURCE_TOO_LARGE: Law("Metadata files are not larger than the limit.", "Make sure that the address is right."),
    Code.SOURCE_TRUNCATED: Law("The server sends all of a file.", "Try again."),
    Code.SOURCE_UNREACHABLE: Law("The server can be reached.", "Check name and network."),
    Code.SOURCE_UNREADABLE: Law("The files may be read.", "Fix their permissions."),
    Code.STATUS_MISSING: Law("A compose has STATUS.", "Wait for it; pungi writes it at the end."),
    Code.STATUS_UNFINISHED: Law("The compose has finished.", "Wait for it."),
    Code.STATUS_UNKNOWN: Law("STATUS holds a word that pungi writes.", "Tell the compose's makers."),
    Code.VARIANT_MISMATCH: Law("The metadata files name the same variants.", "Tell the compose's makers."),
}
"""What `manifest`, `diff`, `open` and `merge` may find wrong with a compose."""

COMMITS: Final = {
    Code.CHANGED_RESULT: Law("A result is written once; its first version counts.", "Report a rerun in a new file."),
    Code.FOREIGN_CHANGE: Law(
        "The commits of a compose's branch only add results of this compose.", "Undo the change in another commit."
    ),
    Code.FOREIGN_MANIFEST: Law(
        "The compose bot, as GitLab knows it, has pushed the manifest.", "Let it open the compose; see [bots]."
    ),
    Code.HISTORY_REWRITTEN: Law(
        "What was pushed stays on the branch; commits that a force push removed still count.",
        "Protect the branches of composes against force pushes: `compose-repo setup`.",
    ),
    Code.LFS_POINTER: Law("A result is its file, not a pointer to one.", "Push the file itself; switch LFS off."),
    Code.MANIFEST_CHANGED: Law(
        "A manifest is written once; that of the compose bot counts.", "Undo the change in another commit."
    ),
    Code.MERGE_COMMIT: Law("The branch has no merge commits.", "Rebase: `git pull --rebase`."),
    Code.NOT_ATTRIBUTED: Law(
        "The user who pushed or signed a result, as GitLab or the signature says, may report for its origin.",
        "Use an account or a key that gate/origins.toml lists for it.",
    ),
    Code.TOO_MANY_FILES: Law(
        "An origin reports at most 5,000 files and 256 MiB on a compose.", "Put more results into each file."
    ),
}
"""What the commits of a merge request may not do; see `docs/threat-model.md`."""

CONVERSION: Final = {
    Code.JENKINS_AGGREGATED: Law("A test report is that of one build.", "Convert each build with its own report."),
    Code.JENKINS_NAMELESS: Law("Each case of a test report has a name.", "Name it in the test."),
    Code.JENKINS_NOT_A_BUILD: Law("The files are Jenkins's api/json of a build and of its test report.", "Fetch them."),
    Code.JENKINS_ONE_BUILD: Law("One result file is about one build.", "Convert each build by itself."),
    Code.JENKINS_OTHER_COMPOSE: Law(
        "A build that names a compose has tested that one.", "Name the manifest of the compose that was tested."
    ),
    Code.JENKINS_REPORT_MISMATCH: Law(
        "A test report has every case that Jenkins counts.", "Fetch both again, complete."
    ),
    Code.JENKINS_REPORT_MISSING: Law(
        "A build that has a test report comes with it.", "Give its testReport/api/json too."
    ),
    Code.JENKINS_UNKNOWN_WORD: Law(
        "Results and statuses are words that Jenkins uses.", "Fetch it again, or report it to us."
    ),
}
"""What `convert` may find wrong with another tool's files."""

POLLS: Final = {
    Code.JENKINS_COMPOSE_UNCLEAR: Law(
        "A build has tested one compose.", "Set compose_parameter in gate/origins.toml to the parameter that names it."
    ),
    Code.JENKINS_ELSEWHERE: Law(
        "A Jenkins does not redirect to another server.", "Give the address that it really has in gate/origins.toml."
    ),
    Code.JENKINS_NO_ARCH: Law(
        "A build says which arch it tests.", "Fix the parameter, or arch_parameter in gate/origins.toml."
    ),
    Code.JENKINS_NO_ROOM: Law(
        "Builds add at most 1,000 files to an origin's folder, and nobody else takes their names.",
        "See who has pushed there, and what the job is doing.",
    ),
    Code.JENKINS_NOT_A_JOB: Law(
        "Everybody may read a job that is polled.", "Fix the address in gate/origins.toml, or the job's permissions."
    ),
    Code.JENKINS_OTHER_BUILD: Law(
        "A Jenkins lists a build and shows the same build.", "Nothing; the next run looks again."
    ),
    Code.JENKINS_SLOW: Law(
        "A run of sync reads one Jenkins for at most 100 seconds, and all of them for at most 300.",
        "Nothing if there are many new builds; otherwise find out why it is slow.",
    ),
}
"""What `sync` may find wrong with a Jenkins that it polls, beside what is wrong with a build and its report."""

PASSES: Final = {
    Code.GIT_FAILED: Law("git commands succeed.", "See the message; the next run tries again."),
    Code.GITLAB_FAILED: Law("Requests to GitLab succeed.", "See the message; the next run tries again."),
    Code.HEAD_MOVING: Law("A merge request does not change while it is judged.", "Nothing; the next run tries again."),
    Code.NOT_DONE: Law("Every step that is due can be done.", "Do as the message says; the next run tries again."),
    Code.REFUSED_REPORT: Law(
        "Where merging leads to publishing, nothing is merged while a refused report affects an answer.",
        "The origin reports on each test again, or takes the file back.",
    ),
    Code.PIPELINE_FAILED: Law(
        "A satisfied compose has a successful pipeline, if GitLab requires one for merging.",
        "Look at the pipeline; retry it if what failed in it is waived now.",
    ),
    Code.PIPELINE_HELD: Law(
        "Nobody sets statuses in the pipeline of a satisfied compose, or cancels its jobs, if GitLab requires one.",
        "Ask the account that is named to stop, or remove its membership; then a Maintainer runs the pipeline again.",
    ),
    Code.PROMOTION_FAILED: Law(
        "The hook of a stream can be reached and takes the call.", "Fix it, then do with the tag as the message says."
    ),
    Code.PROMOTION_UNKNOWN: Law(
        "Each claimed promotion has a recorded outcome.",
        "Find out whether the hook was called: if not, delete the claim's tag, otherwise create the outcome's.",
    ),
    Code.PUBLISHED_UNKNOWN: Law(
        "COMPOSE_ID on the mirrors names a compose of the stream.", "Fix the address in gate/streams.toml."
    ),
}
"""What a pass of `sync` may meet with."""

MESSAGES: Final = {
    Code.KEPT_FAILING: Law(
        "The work for a message succeeds, at once or after retries.", "Fix the cause, then move the message back."
    ),
    Code.UNREADABLE_MESSAGE: Law(
        "A message is one that fedora-messaging reads.", "Send it with a fedora-messaging library."
    ),
}
"""What `listen` dead-letters a message for, beside what is wrong with its fields and with the result made of it."""

PROGRAM: Final = {
    Code.INTERNAL_ERROR: Law("The program has no bug.", "Report the output of the same command with --verbose."),
}
"""What nobody expected."""

GROUPS: Final = {
    "Reading a file": READING,
    "Schemas": SCHEMAS,
    "Places": PLACES,
    "Results": RESULTS,
    "Manifests": MANIFESTS,
    "Policy, waivers, holds, origins and streams": GATE,
    "Advice on policy, waivers, holds and origins": AGEING,
    "Composes": SOURCES,
    "Commits of a merge request": COMMITS,
    "Messages of the bus": MESSAGES,
    "Other tools' reports": CONVERSION,
    "Polls of a Jenkins": POLLS,
    "Runs of sync": PASSES,
    "The program": PROGRAM,
}
CODES: Final = {code: entry for group in GROUPS.values() for code, entry in group.items()}
"""Every code, in the order of the table."""


_ABOUT: Final = {
    "Advice on policy, waivers, holds and origins": "These codes are advice: they never change an exit code, and gate/ "
    "can be read all the same. There is one\nexception: `validate --base REV` judges a change. There it is a problem "
    "if the change adds or edits the waiver, the hold\nor the requirement, or takes an origin's docs away. An entry "
    "that was there before, wherever it stood in its file, stays\nadvice.",
}
"""What is said of a group before its table."""


def as_markdown() -> str:
    """Write `docs/problems.md`."""
    parts = [
        "# Problem codes\n",
        "Each problem has a stable code. A message also says where the problem is and how to fix it in",
        "particular. This table says what each code means.",
        "It is made from `scripts/compose_repo/core/problems/laws.py`.",
    ]
    for title, group in GROUPS.items():
        about = [f"{_ABOUT[title]}\n"] if title in _ABOUT else []
        parts += [f"\n## {title}\n", *about, "| code | law | fix |", "|---|---|---|"]
        parts += [f"| `{code}` | {entry.law} | {entry.fix} |" for code, entry in group.items()]
    return "\n".join(parts) + "\n"
