"""Signed commits of real git, with real keys, judged by real ssh-keygen."""

import base64
import datetime as dt
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from compose_repo.core.branch.signing import fingerprint, public_key
from compose_repo.core.names import Origin, Sha
from compose_repo.core.problems.problem import UsageError
from compose_repo.core.result import Contact
from compose_repo.core.rules.policy import OriginEntry, SigningKey
from compose_repo.ports.signatures import Signatures

DATE: Final = "2026-11-20T11:00:00Z"
PUSHED: Final = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
DOES_NOT_FIT: Final = (
    "its signature does not fit the commit: one of the two was changed, or the signature is another commit's"
)
KINDS: Final = {"ed25519": (), "rsa": ("-b", "3072"), "ecdsa": ("-b", "384"), "other": ()}


def run(*command: str, where: Path, data: bytes | None = None, date: str = DATE) -> bytes:
    variables = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
    }
    return subprocess.run(command, cwd=where, input=data, check=True, capture_output=True, env=variables).stdout


class Signer:
    """A repository, and keys to sign its commits with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        run("git", "init", "--quiet", str(self.repository), where=folder)
        for name, options in KINDS.items():
            kind = name if name != "other" else "ed25519"
            run("ssh-keygen", "-q", "-t", kind, *options, "-N", "", "-C", "rdo ci", "-f", name, where=folder)

    def public(self, name: str = "ed25519") -> str:
        return (self.folder / f"{name}.pub").read_text().strip()

    def named(self, name: str = "ed25519") -> str:
        return f"signed with the key {fingerprint(public_key(self.public(name)))}"

    def commit(self, name: str | None = "ed25519", message: str = "Add it", date: str = DATE) -> bytes:
        """Commit as git does, signed with a key or not at all, and give the commit object."""
        identity = ["-c", "user.name=RDO", "-c", "user.email=rdo-ci@example.org"]
        sign = ["-c", f"user.signingkey={self.folder / str(name)}", "-c", "gpg.format=ssh"]
        options = ["--quiet", "--allow-empty", "-m", message, "-S" if name else "--no-gpg-sign"]
        run("git", *identity, *(sign if name else []), "commit", *options, where=self.repository, date=date)
        return run("git", "cat-file", "commit", "HEAD", where=self.repository)

    def signature(self, payload: bytes, namespace: str = "git") -> bytes:
        return run("ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", "ed25519", where=self.folder, data=payload)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory, require_tool: Callable[[str, str], str]) -> Signer:
    require_tool("ssh-keygen", "install openssh-client")
    return Signer(tmp_path_factory.mktemp("signer"))


def rdo(*keys: SigningKey | str, origin: str = "rdo") -> OriginEntry:
    contact = Contact(email="rdo-ci@example.org")
    lines = tuple(SigningKey(key=line) if isinstance(line, str) else line for line in keys)
    return OriginEntry(origin=Origin(origin), name="RDO", contact=contact, keys=lines)


def judged(raw: bytes, entry: OriginEntry, at: dt.datetime = PUSHED) -> str | None:
    with Signatures() as signatures:
        return signatures.refusal(Sha("a" * 40), raw, entry, at)


@pytest.mark.parametrize("name", ["ed25519", "rsa", "ecdsa"])
@pytest.mark.parametrize("message", ["Add it", "Füge es an\n\ngpgsig -----BEGIN\n x"])
def test_a_commit_that_git_has_signed_is_good(signer: Signer, name: str, message: str) -> None:
    raw = signer.commit(name, message)
    assert judged(raw, rdo(signer.public("other"), signer.public(name))) is None


def test_a_long_message_is_signed_too(signer: Signer) -> None:
    payload = signer.commit(None) + b"x" * 900_000 + b"\n"
    assert judged(with_signature(payload, signer.signature(payload)), rdo(signer.public())) is None


def with_signature(commit: bytes, signature: bytes) -> bytes:
    """Put a signature into a commit as git does."""
    head, _, message = commit.partition(b"\n\n")
    return head + b"\ngpgsig " + signature.rstrip(b"\n").replace(b"\n", b"\n ") + b"\n\n" + message


def test_a_commit_that_is_not_signed_is_named(signer: Signer) -> None:
    reason = judged(signer.commit(None), rdo(signer.public()))
    assert reason == "not signed; sign with an SSH key: git config gpg.format ssh"


def test_another_origin_s_key_is_not_good(signer: Signer) -> None:
    reason = judged(signer.commit(), rdo(signer.public("other"), origin="idm"))
    assert reason == f"{signer.named()}, which gate/origins.toml does not list for idm"


def test_a_revoked_key_is_named(signer: Signer) -> None:
    reason = judged(signer.commit(), rdo(SigningKey(key=signer.public(), revoked=True)))
    assert reason == f"{signer.named()} of rdo, which is revoked"


@pytest.mark.parametrize(
    ("days", "at", "good"),
    [
        ({"valid_before": dt.date(2026, 11, 21)}, dt.datetime(2026, 11, 20, 23, 59, 59, 999_999, dt.UTC), True),
        ({"valid_before": dt.date(2026, 11, 21)}, dt.datetime(2026, 11, 21, tzinfo=dt.UTC), False),
        ({"valid_after": dt.date(2026, 11, 21)}, dt.datetime(2026, 11, 21, tzinfo=dt.UTC), True),
        ({"valid_after": dt.date(2026, 11, 21)}, dt.datetime(2026, 11, 20, 23, 59, 59, 999_999, dt.UTC), False),
        (
            {"valid_after": dt.date(2026, 11, 21)},
            dt.datetime(2026, 11, 20, 22, tzinfo=dt.timezone(dt.timedelta(hours=-5))),
            True,
        ),
    ],
)
def test_a_key_must_be_valid_when_it_is_pushed(
    signer: Signer,
    days: dict[str, Any],
    at: dt.datetime,
    good: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    assert (judged(signer.commit(), rdo(SigningKey(key=signer.public(), **days)), at) is None) is good


def test_a_backdated_commit_does_not_bring_an_expired_key_back(signer: Signer) -> None:
    """git itself would take the committer's date, at which the key was valid."""
    raw = signer.commit(date="2026-01-15T00:00:00Z")
    key = SigningKey(key=signer.public(), valid_after=dt.date(2026, 1, 1), valid_before=dt.date(2026, 2, 1))
    assert judged(raw, rdo(key)) == (
        f"{signer.named()} of rdo, which is no longer valid from 2026-02-01; it was pushed on 2026-11-20"
    )


@pytest.mark.parametrize("part", [b"tree ", b"author RDO", b"Add it"])
def test_a_commit_that_was_changed_after_signing_is_refused(signer: Signer, part: bytes) -> None:
    raw = signer.commit()
    at = raw.index(part) + len(part) - 1
    changed = raw[: at + 1] + (b"0" if raw[at + 1 : at + 2] != b"0" else b"1") + raw[at + 2 :]
    assert judged(changed, rdo(signer.public())) == DOES_NOT_FIT


def test_another_commit_s_signature_is_refused(signer: Signer) -> None:
    unsigned = signer.commit(None, "One")
    other = signer.commit(message="Another")
    start, end = other.index(b"gpgsig "), other.index(b"\n\n")
    stolen = unsigned.replace(b"\n\n", b"\n" + other[start:end] + b"\n\n", 1)
    assert judged(stolen, rdo(signer.public())) == DOES_NOT_FIT


def test_a_signature_for_files_is_refused(signer: Signer) -> None:
    payload = signer.commit(None)
    reason = judged(with_signature(payload, signer.signature(payload, "file")), rdo(signer.public()))
    assert reason == "signed for the namespace 'file'; git signs commits for 'git'"


def test_a_signature_that_claims_another_key_is_refused(signer: Signer) -> None:
    """The key in a signature is a claim; only the verification makes it true."""
    payload = signer.commit(None)
    signature = run("ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", "other", where=signer.folder, data=payload)
    raw = with_signature(payload, forged(signature, signer.public("other"), signer.public()))
    assert judged(raw, rdo(signer.public())) == DOES_NOT_FIT


def forged(signature: bytes, old: str, new: str) -> bytes:
    lines = signature.strip().split(b"\n")
    blob = base64.b64decode(b"".join(lines[1:-1])).replace(public_key(old), public_key(new))
    return b"\n".join([lines[0], base64.b64encode(blob), lines[-1]])


def test_a_signature_is_verified_once(signer: Signer) -> None:
    traced: list[str] = []
    raw, entry = signer.commit(), rdo(signer.public())
    with Signatures(traced.append) as signatures:
        for _ in range(3):
            assert signatures.refusal(Sha("a" * 40), raw, entry, PUSHED) is None
        assert signatures.refusal(Sha("b" * 40), raw, entry, PUSHED) is None
        assert signatures.refusal(Sha("a" * 40), raw, rdo(origin="idm"), PUSHED) is not None
    assert len(traced) == 2
    assert traced[0].startswith("ssh-keygen -Y verify (")


def test_each_origin_has_its_own_keys(signer: Signer) -> None:
    ours, theirs = signer.commit(), signer.commit("other")
    with Signatures() as signatures:
        assert signatures.refusal(Sha("a" * 40), ours, rdo(signer.public()), PUSHED) is None
        assert signatures.refusal(Sha("b" * 40), theirs, rdo(signer.public("other"), origin="idm"), PUSHED) is None
        assert signatures.refusal(Sha("b" * 40), theirs, rdo(signer.public()), PUSHED) == (
            f"{signer.named('other')}, which gate/origins.toml does not list for rdo"
        )


def test_nothing_is_left_behind(signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Signatures() as signatures:
        assert signatures.refusal(Sha("a" * 40), signer.commit(), rdo(signer.public()), PUSHED) is None
        assert [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()] == [0o700]
    assert list(tmp_path.iterdir()) == []


def test_without_ssh_keygen_it_is_said_what_to_install(signer: Signer) -> None:
    with (
        Signatures(program="/nowhere/ssh-keygen") as signatures,
        pytest.raises(UsageError, match=r"is not installed, .* install OpenSSH's client"),
    ):
        signatures.refusal(Sha("a" * 40), signer.commit(), rdo(signer.public()), PUSHED)


def test_without_a_signature_in_question_ssh_keygen_is_not_needed(signer: Signer) -> None:
    signatures = Signatures(program="/nowhere/ssh-keygen")
    assert signatures.refusal(Sha("a" * 40), signer.commit(None), rdo(), PUSHED) is not None


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'Invalid option \"verify-time=1\"' >&2; exit 255", "cannot verify signatures .Invalid option"),
        ("echo 'usage: ssh-keygen' >&2; exit 1", "cannot verify signatures .usage: ssh-keygen"),
        ("exit 3", r"cannot verify signatures \(exit code 3\); install OpenSSH 8.8 or later"),
    ],
)
def test_an_ssh_keygen_that_cannot_do_it_is_no_bad_signature(
    signer: Signer, tmp_path: Path, script: str, message: str
) -> None:
    program = tmp_path / "ssh-keygen"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\n{script}\n")
    program.chmod(0o755)
    with Signatures(program=str(program)) as signatures, pytest.raises(UsageError, match=message):
        signatures.refusal(Sha("a" * 40), signer.commit(), rdo(signer.public()), PUSHED)


def test_an_ssh_keygen_that_hangs_is_given_up(signer: Signer, tmp_path: Path) -> None:
    program = tmp_path / "ssh-keygen"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    with (
        Signatures(program=str(program), timeout=0.1) as signatures,
        pytest.raises(UsageError, match=r"took longer than 0\.1 seconds"),
    ):
        signatures.refusal(Sha("a" * 40), signer.commit(), rdo(signer.public()), PUSHED)
