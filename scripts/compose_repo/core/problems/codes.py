"""The code of every problem; `core.problems.laws` says what each means."""

from enum import StrEnum


class Code(StrEnum):
    """A kind of problem. The values are stable: reports, messages and notes carry them."""

    # Reading a file
    BYTE_ORDER_MARK = "byte-order-mark"
    CONTROL_CHARACTER = "control-character"
    DUPLICATE_KEY = "duplicate-key"
    FILE_TOO_LARGE = "file-too-large"
    INTEGER_TOO_LARGE = "integer-too-large"
    LONE_SURROGATE = "lone-surrogate"
    MORE_PROBLEMS = "more-problems"
    NOT_FINITE = "not-finite"
    NOT_JSON = "not-json"
    NOT_TOML = "not-toml"
    NOT_UTF8 = "not-utf8"
    TOO_DEEP = "too-deep"
    TOO_MANY_KEYS = "too-many-keys"

    # Schemas
    BAD_FORM = "bad-form"
    BAD_LINK = "bad-link"
    MISSING_FIELD = "missing-field"
    OUT_OF_BOUNDS = "out-of-bounds"
    SCHEMA = "schema"
    UNKNOWN_FIELD = "unknown-field"
    WRONG_TYPE = "wrong-type"
    WRONG_VALUE = "wrong-value"

    # Places
    BAD_COMPOSE_ID = "bad-compose-id"
    BAD_NAME = "bad-name"
    COMPOSE_MISMATCH = "compose-mismatch"
    MISSING_FILE = "missing-file"
    NAME_COLLISION = "name-collision"
    NOT_A_PLAIN_FILE = "not-a-plain-file"
    ORIGIN_MISMATCH = "origin-mismatch"
    REMOVED_FILE = "removed-file"
    RUN_MISMATCH = "run-mismatch"
    STRAY_FILE = "stray-file"

    # Results
    BAD_TIME = "bad-time"
    COUNTS_CONTRADICTION = "counts-contradiction"
    DUPLICATE_CELL = "duplicate-cell"
    FUTURE_TIME = "future-time"
    MANIFEST_MISMATCH = "manifest-mismatch"
    MISSING_FINISH = "missing-finish"
    NO_MANIFEST = "no-manifest"
    STRAY_ERROR_REASON = "stray-error-reason"
    TIMES_OUT_OF_ORDER = "times-out-of-order"
    UNKNOWN_ARCH = "unknown-arch"
    UNKNOWN_ORIGIN = "unknown-origin"
    UNKNOWN_VARIANT = "unknown-variant"

    # Manifests
    MANIFEST_CONTRADICTION = "manifest-contradiction"
    NOT_CANONICAL = "not-canonical"
    NOT_SORTED = "not-sorted"

    # Policy, waivers, holds, origins and streams
    BAD_HOLD = "bad-hold"
    BAD_KEY = "bad-key"
    BAD_STREAM = "bad-stream"
    DUPLICATE_MAPPING = "duplicate-mapping"
    DUPLICATE_REQUIREMENT = "duplicate-requirement"
    LABEL_CLASH = "label-clash"
    TOO_FEW_ATTEMPTS = "too-few-attempts"
    UNKNOWN_STREAM = "unknown-stream"

    # Advice on policy, waivers, holds, origins and results
    ANSWERS_NO_REQUIREMENT = "answers-no-requirement"
    HOLD_ENDS_SOON = "hold-ends-soon"
    HOLD_EXPIRED = "hold-expired"
    HOLD_MATCHES_NOTHING = "hold-matches-nothing"
    HOLD_TOO_LONG = "hold-too-long"
    MORE_ADVICE = "more-advice"
    NO_DOCS = "no-docs"
    NO_WHY = "no-why"
    PATTERN_MATCHES_NOTHING = "pattern-matches-nothing"
    WAIVER_EXPIRED = "waiver-expired"

    # Composes
    COMPOSE_CHANGED = "compose-changed"
    COMPOSE_ID_INVALID = "compose-id-invalid"
    COMPOSE_ID_MISMATCH = "compose-id-mismatch"
    COMPOSE_ID_MISSING = "compose-id-missing"
    COMPOSE_NOT_FOUND = "compose-not-found"
    FOREIGN_BRANCH = "foreign-branch"
    INDEX_NOT_A_LISTING = "index-not-a-listing"
    INDEX_NOT_FOUND = "index-not-found"
    INDEX_TRUNCATED = "index-truncated"
    MANIFEST_DIFFERS = "manifest-differs"
    METADATA_INVALID = "metadata-invalid"
    METADATA_MISSING = "metadata-missing"
    METADATA_NOT_JSON = "metadata-not-json"
    METADATA_TRUNCATED = "metadata-truncated"
    METADATA_VERSION = "metadata-version"
    NEVRA_INVALID = "nevra-invalid"
    NOT_A_COMPOSE = "not-a-compose"
    SOURCE_REDIRECT = "source-redirect"
    SOURCE_STATUS = "source-status"
    SOURCE_TIMEOUT = "source-timeout"
    SOURCE_TLS = "source-tls"
    SOURCE_TOO_LARGE = "source-too-large"
    SOURCE_TRUNCATED = "source-truncated"
    SOURCE_UNREACHABLE = "source-unreachable"
    SOURCE_UNREADABLE = "source-unreadable"
    STATUS_MISSING = "status-missing"
    STATUS_UNFINISHED = "status-unfinished"
    STATUS_UNKNOWN = "status-unknown"
    VARIANT_MISMATCH = "variant-mismatch"

    # Commits of a merge request
    CHANGED_RESULT = "changed-result"
    FOREIGN_CHANGE = "foreign-change"
    FOREIGN_MANIFEST = "foreign-manifest"
    HISTORY_REWRITTEN = "history-rewritten"
    LFS_POINTER = "lfs-pointer"
    MANIFEST_CHANGED = "manifest-changed"
    MERGE_COMMIT = "merge-commit"
    NOT_ATTRIBUTED = "not-attributed"
    TOO_MANY_FILES = "too-many-files"

    # Messages of the bus
    KEPT_FAILING = "kept-failing"
    UNREADABLE_MESSAGE = "unreadable-message"

    # Other tools' reports
    JENKINS_AGGREGATED = "jenkins-aggregated"
    JENKINS_NAMELESS = "jenkins-nameless"
    JENKINS_NOT_A_BUILD = "jenkins-not-a-build"
    JENKINS_ONE_BUILD = "jenkins-one-build"
    JENKINS_OTHER_COMPOSE = "jenkins-other-compose"
    JENKINS_REPORT_MISMATCH = "jenkins-report-mismatch"
    JENKINS_REPORT_MISSING = "jenkins-report-missing"
    JENKINS_UNKNOWN_WORD = "jenkins-unknown-word"

    # Polls of a Jenkins
    JENKINS_COMPOSE_UNCLEAR = "jenkins-compose-unclear"
    JENKINS_ELSEWHERE = "jenkins-elsewhere"
    JENKINS_NO_ARCH = "jenkins-no-arch"
    JENKINS_NO_ROOM = "jenkins-no-room"
    JENKINS_NOT_A_JOB = "jenkins-not-a-job"
    JENKINS_OTHER_BUILD = "jenkins-other-build"
    JENKINS_SLOW = "jenkins-slow"

    # Passes of sync
    GIT_FAILED = "git-failed"
    GITLAB_FAILED = "gitlab-failed"
    HEAD_MOVING = "head-moving"
    NOT_DONE = "not-done"
    REFUSED_REPORT = "refused-report"
    PIPELINE_FAILED = "pipeline-failed"
    PIPELINE_HELD = "pipeline-held"
    PROMOTION_FAILED = "promotion-failed"
    PROMOTION_UNKNOWN = "promotion-unknown"
    PUBLISHED_UNKNOWN = "published-unknown"

    # The program
    INTERNAL_ERROR = "internal-error"
