"""What of a signed commit and of an origin's keys reaches ssh-keygen: only what cannot be read in two ways."""

import base64
import datetime as dt
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.branch import signing
from compose_repo.core.branch.signing import (
    KeyFormError,
    SignatureError,
    allowed_signers,
    fingerprint,
    key_refusal,
    public_key,
    take_apart,
)
from compose_repo.core.names import Origin
from compose_repo.core.result import Contact
from compose_repo.core.rules.policy import OriginEntry, SigningKey

TREE: Final = b"tree " + b"a" * 40
PARENT: Final = b"parent " + b"b" * 40
AUTHOR: Final = b"author A <a@example.org> 1 +0000"
COMMITTER: Final = b"committer A <a@example.org> 1 +0000"
HEADERS: Final = (TREE, PARENT, AUTHOR, COMMITTER)
BEGIN, END = b"-----BEGIN SSH SIGNATURE-----", b"-----END SSH SIGNATURE-----"
DAY: Final = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def strings(*fields: bytes) -> bytes:
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def key(kind: str, *fields: bytes) -> str:
    return f"{kind} {base64.b64encode(strings(kind.encode(), *fields)).decode()}"


def rsa(bits: int) -> str:
    return key("ssh-rsa", b"\1\0\1", b"\0" + (1 << (bits - 1)).to_bytes((bits + 7) // 8, "big"))


ED25519: Final = key("ssh-ed25519", b"k" * 32)
OTHER: Final = key("ssh-ed25519", b"o" * 32)
BLOB: Final = strings(b"ssh-ed25519", b"k" * 32)


def sshsig(
    *, public: bytes = BLOB, namespace: bytes = b"git", reserved: bytes = b"", digest: bytes = b"sha512"
) -> bytes:
    return b"SSHSIG\0\0\0\1" + strings(public, namespace, reserved, digest, b"signature")


def armoured(blob: bytes) -> list[bytes]:
    text = base64.b64encode(blob)
    return [BEGIN, *(text[at : at + 70] for at in range(0, len(text), 70)), END]


def gpgsig(lines: list[bytes], name: bytes = b"gpgsig") -> bytes:
    return name + b" " + b"\n ".join(lines)


SIGNATURE: Final = gpgsig(armoured(sshsig()))


def commit(*headers: bytes, message: bytes = b"Add it\n") -> bytes:
    return b"\n".join(headers) + b"\n\n" + message


def refused(raw: bytes) -> str:
    with pytest.raises(SignatureError) as caught:
        take_apart(raw)
    return str(caught.value)


@pytest.mark.parametrize("parents", [(), (PARENT,), (PARENT, PARENT)])
@pytest.mark.parametrize("message", [b"Add it\n", b"", b"\n", b"a\n\ngpgsig x\n", b"\0\xff"])
def test_what_is_signed_is_the_commit_without_its_signature(parents: tuple[bytes, ...], message: bytes) -> None:
    signed = take_apart(commit(TREE, *parents, AUTHOR, COMMITTER, SIGNATURE, message=message))
    assert signed.payload == commit(TREE, *parents, AUTHOR, COMMITTER, message=message)
    assert signed.key == BLOB


def test_the_signature_is_written_anew_for_ssh_keygen() -> None:
    lines = [BEGIN, base64.b64encode(sshsig()), END, b"", b""]
    signed = take_apart(commit(*HEADERS, gpgsig(lines)))
    assert signed.signature == b"\n".join(armoured(sshsig())) + b"\n"


def test_a_commit_of_sha256_has_longer_names() -> None:
    assert take_apart(commit(b"tree " + b"a" * 64, AUTHOR, COMMITTER, SIGNATURE)).key == BLOB


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (commit(*HEADERS), "not signed; sign with an SSH key: git config gpg.format ssh"),
        (commit(*HEADERS, gpgsig([b"-----BEGIN PGP SIGNATURE-----", b"", b"x"])), "signed with OpenPGP; sign with"),
        (commit(*HEADERS, gpgsig([b"-----BEGIN SIGNED MESSAGE-----", b"x"])), "signed with an X.509 certificate;"),
        (commit(*HEADERS, gpgsig([b"hello"])), "not signed with an SSH key"),
        (commit(*HEADERS, gpgsig([b"", *armoured(sshsig())])), "not signed with an SSH key"),
        (commit(*HEADERS, gpgsig(armoured(sshsig())[:-1])), "not signed with an SSH key"),
        (commit(*HEADERS, gpgsig([*armoured(sshsig()), *armoured(sshsig())])), "its signature is damaged"),
        (commit(*HEADERS, gpgsig([BEGIN, b"!", END])), "its signature is damaged"),
        (commit(*HEADERS, gpgsig([BEGIN, b"AAA", END])), "its signature is damaged"),
        (commit(*HEADERS, gpgsig(armoured(b"SSHSIG\0\0\0\2"))), "its signature is damaged"),
        (commit(*HEADERS, gpgsig(armoured(sshsig() + strings(b"more")))), "its signature is damaged"),
        (commit(*HEADERS, gpgsig(armoured(sshsig()[:-1]))), "its signature is damaged"),
        (commit(*HEADERS, gpgsig(armoured(sshsig() + b"\0\0"))), "its signature is damaged"),
        (commit(*HEADERS, gpgsig(armoured(sshsig(namespace=b"file")))), "signed for the namespace 'file'; git signs"),
        (commit(*HEADERS, gpgsig(armoured(sshsig(namespace=b"g\x1b\n")))), r"signed for the namespace 'g\x1b\n';"),
        (commit(*HEADERS, gpgsig(armoured(sshsig(reserved=b"x")))), "its signature is of a kind that git does not"),
        (commit(*HEADERS, gpgsig(armoured(sshsig(digest=b"Invalid option")))), "its signature is of a kind that git"),
    ],
)
def test_a_signature_that_is_none_of_ours_is_named(raw: bytes, reason: str) -> None:
    assert refused(raw).startswith(reason)


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ((*HEADERS, SIGNATURE, SIGNATURE), "tree, parent, author, committer, gpgsig, gpgsig"),
        ((*HEADERS, SIGNATURE, gpgsig(armoured(sshsig()), b"gpgsig-sha256")), "gpgsig, gpgsig-sha256"),
        ((*HEADERS, gpgsig(armoured(sshsig()), b"gpgsig-sha256")), "committer, gpgsig-sha256"),
        ((*HEADERS, b"encoding latin1", SIGNATURE), "encoding, gpgsig"),
        ((*HEADERS, SIGNATURE, b"encoding latin1"), "gpgsig, encoding"),
        ((*HEADERS, b"mergetag object x", SIGNATURE), "mergetag"),
        ((SIGNATURE, *HEADERS), "gpgsig, tree"),
        ((TREE, TREE, AUTHOR, COMMITTER, SIGNATURE), "tree, tree"),
        ((TREE, AUTHOR, PARENT, COMMITTER, SIGNATURE), "tree, author, parent"),
        ((TREE, AUTHOR, AUTHOR, COMMITTER, SIGNATURE), "tree, author, author"),
        ((b"object " + b"a" * 40, b"type commit", b"tag v1", SIGNATURE), "object, type, tag, gpgsig"),
        ((*HEADERS, b"\xff\x1b[2J x", SIGNATURE), "committer, gpgsig"),
        ((b" x", *HEADERS, SIGNATURE), "tree"),
        ((b"",), "none"),
    ],
)
def test_a_signed_commit_has_git_s_headers_in_git_s_order(headers: tuple[bytes, ...], shown: str) -> None:
    reason = refused(commit(*headers))
    assert reason.startswith("its commit has other headers than a signed commit needs: ")
    assert shown in reason
    assert reason.isprintable()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "no end of its headers"),
        (b"\n".join([*HEADERS, SIGNATURE]), "no end of its headers"),
        (commit(TREE, PARENT, AUTHOR + b"\n more", COMMITTER, SIGNATURE), "a header of several lines that is no"),
        (commit(b"tree main", AUTHOR, COMMITTER, SIGNATURE), "names a tree or a parent that cannot be"),
        (commit(TREE, b"parent " + b"B" * 40, AUTHOR, COMMITTER, SIGNATURE), "names a tree or a parent that cannot be"),
        (commit(TREE, b"parent " + b"\xb2" * 40, AUTHOR, COMMITTER, SIGNATURE), "names a tree or a parent that cannot"),
        (commit(*HEADERS, gpgsig([BEGIN, *[b"A" * 100] * 1000, END])), "its commit has a header that is too long"),
        (commit(*HEADERS, SIGNATURE, message=b"x" * signing.COMMIT_BYTES), "its commit is larger than 1024 KiB"),
    ],
)
def test_what_is_no_commit_of_git_s_is_refused(raw: bytes, reason: str) -> None:
    assert reason in refused(raw)


@given(st.data())
def test_whatever_a_commit_holds_it_is_taken_apart_or_refused(data: st.DataObject) -> None:
    raw = bytearray(commit(*HEADERS, SIGNATURE))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b"\n", b"\n "])
        )
    try:
        signed = take_apart(bytes(raw))
    except SignatureError as error:
        assert str(error).isprintable()  # noqa: PT017  # either is right
    else:
        assert b"\ngpgsig" not in signed.payload.partition(b"\n\n")[0]


GOOD_KEYS: Final = [
    ED25519,
    rsa(3072),
    rsa(4096),
    key("ecdsa-sha2-nistp256", b"nistp256", b"\4" + b"p" * 64),
    key("ecdsa-sha2-nistp384", b"nistp384", b"\4" + b"p" * 96),
    key("ecdsa-sha2-nistp521", b"nistp521", b"\4" + b"p" * 132),
    key("sk-ssh-ed25519@openssh.com", b"k" * 32, b"ssh:"),
    key("sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", b"\4" + b"p" * 64, b"ssh:me"),
]


@pytest.mark.parametrize("text", GOOD_KEYS)
@pytest.mark.parametrize("comment", ["", " rdo-ci", ' cert-authority * namespaces="file"'])
def test_a_key_is_read_without_its_comment(text: str, comment: str) -> None:
    assert public_key(text + comment) == base64.b64decode(text.split()[1])


KIND_AND_KEY: Final = tuple(ED25519.split())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it should be a type"),
        (KIND_AND_KEY[1], "it should be a type"),
        (f'namespaces="git" {ED25519}', "it should be a type"),
        (f"cert-authority {ED25519}", "it should be a type"),
        (f"* {ED25519}", "it should be a type"),
        (f"rdo,idm {ED25519}", "it should be a type"),
        (f"@cert-authority {ED25519}", "it should be a type"),
        (f"{ED25519}\n* {OTHER}", "it should be a type"),
        (f"{ED25519}\n", "it should be a type"),
        (f"{ED25519}\r* {OTHER}", "it should be a type"),
        (f" {ED25519}", "it should be a type"),
        (ED25519.replace(" ", "\t"), "it should be a type"),
        (f"{ED25519} é", "it should be a type"),
        (f"#{ED25519}", "it should be a type"),
        (key("ssh-dss", b"x"), "keys of type ssh-dss are not accepted"),
        (key("ssh-ed25519-cert-v01@openssh.com", b"x"), "are not accepted"),
        (f"ssh-rsa {KIND_AND_KEY[1]}", "does not hold a key of type ssh-rsa"),
        (f"{ED25519[:-1]}", "does not hold a key"),
        (f"ssh-ed25519 {KIND_AND_KEY[1]}A=", "does not hold a key"),
        ("ssh-ed25519 AAAA", "does not hold a key"),
        (f"ssh-ed25519 {KIND_AND_KEY[1][:-2]}t=", "does not hold a key"),
        (f"ssh-ed25519 {base64.b64encode(bytes(16)).decode()}", "does not hold a key of type"),
        (key("ssh-ed25519", b"k" * 31), "does not hold an Ed25519 key"),
        (key("ssh-ed25519", b"k" * 32, b"more"), "does not hold an Ed25519 key"),
        (key("ssh-rsa", b"\3"), "does not hold an RSA key"),
        (rsa(3071), "an RSA key has 3072 to 16384 bits, this one has 3071"),
        (rsa(2048), "this one has 2048"),
        (rsa(16385), "this one has 16385"),
        (key("ecdsa-sha2-nistp256", b"nistp384", b"\4" + b"p" * 96), "does not hold an ECDSA key on nistp256"),
        (key("ecdsa-sha2-nistp256", b"nistp256", b"\2" + b"p" * 64), "does not hold an ECDSA key on nistp256"),
        (key("ecdsa-sha2-nistp256", b"nistp256", b""), "does not hold an ECDSA key on nistp256"),
        (key("ecdsa-sha2-nistp256", b"nistp256"), "does not hold an ECDSA key on nistp256"),
        (key("sk-ssh-ed25519@openssh.com", b"k" * 32, b"web"), "the key on its security token is not for SSH"),
        (key("sk-ssh-ed25519@openssh.com"), "the key on its security token is not for SSH"),
        (key("sk-ssh-ed25519@openssh.com", b"k", b"ssh:"), "does not hold an Ed25519 key"),
    ],
)  # fmt: skip
def test_what_is_no_plain_key_or_too_weak_is_refused(text: str, reason: str) -> None:
    with pytest.raises(KeyFormError, match=reason):
        public_key(text)


def origin(*keys: SigningKey | str, name: str = "rdo") -> OriginEntry:
    contact = Contact(email="rdo-ci@example.org")
    lines = tuple(SigningKey(key=line) if isinstance(line, str) else line for line in keys)
    return OriginEntry(origin=Origin(name), name="RDO", contact=contact, keys=lines)


def signing_key(text: str = ED25519, **fields: Any) -> SigningKey:  # noqa: ANN401  # whatever a key has
    return SigningKey(key=text, **fields)


NAMED: Final = f"signed with the key {fingerprint(BLOB)}"


def test_a_fingerprint_is_that_of_ssh_keygen() -> None:
    """Made once with ssh-keygen -lf of this very key."""
    assert fingerprint(BLOB) == "SHA256:sArVyTbDlP2ByuRNM59Xf/iwOUmdy69sxylyNl3iUQQ"


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ((ED25519,), None),
        ((OTHER, f"{ED25519} rdo-ci"), None),
        ((), f"{NAMED}, which gate/origins.toml does not list for rdo"),
        ((OTHER, "no key"), f"{NAMED}, which gate/origins.toml does not list for rdo"),
        ((signing_key(revoked=True),), f"{NAMED} of rdo, which is revoked"),
        ((ED25519, signing_key(revoked=True)), f"{NAMED} of rdo, which is revoked"),
        ((signing_key(valid_after=dt.date(2026, 11, 20)),), None),
        ((signing_key(valid_before=dt.date(2026, 11, 21)),), None),
        (
            (signing_key(valid_after=dt.date(2026, 11, 21)),),
            f"{NAMED} of rdo, which is valid only from 2026-11-21; it was pushed on 2026-11-20",
        ),
        (
            (signing_key(valid_before=dt.date(2026, 11, 20)),),
            f"{NAMED} of rdo, which is no longer valid from 2026-11-20; it was pushed on 2026-11-20",
        ),
        ((signing_key(valid_before=dt.date(2026, 1, 1)), signing_key(valid_after=dt.date(2026, 11, 1))), None),
    ],
)
def test_a_key_speaks_for_its_origin_in_its_time(keys: tuple[SigningKey | str, ...], reason: str | None) -> None:
    assert key_refusal(origin(*keys), BLOB, DAY) == reason


def test_days_are_those_of_utc() -> None:
    west = dt.timezone(dt.timedelta(hours=-5))
    late = dt.datetime(2026, 11, 19, 20, tzinfo=west)
    assert key_refusal(origin(signing_key(valid_after=dt.date(2026, 11, 20))), BLOB, late) is None


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ((f"{ED25519} a comment",), f'rdo namespaces="git" {ED25519}\n'),
        (
            (signing_key(valid_after=dt.date(2026, 1, 1), valid_before=dt.date(2027, 1, 1)), OTHER),
            (
                f'rdo namespaces="git",valid-after="20260101000000",valid-before="20261231235959" {ED25519}\n'
                f'rdo namespaces="git" {OTHER}\n'
            ),
        ),
        ((signing_key(valid_after=dt.date(1, 1, 1)),), f'rdo namespaces="git" {ED25519}\n'),
        ((signing_key(valid_before=dt.date(1, 1, 1)), OTHER), f'rdo namespaces="git" {OTHER}\n'),
        ((signing_key(valid_after=dt.date(2026, 1, 2), valid_before=dt.date(2026, 1, 1)),), ""),
        ((signing_key(valid_after=dt.date(2026, 1, 1), valid_before=dt.date(2026, 1, 1)),), ""),
        ((signing_key(revoked=True), OTHER), f'rdo namespaces="git" {OTHER}\n'),
        ((ED25519, signing_key(f"{ED25519} again", revoked=True)), ""),
        ((f"* cert-authority {ED25519}", f"{ED25519}\n* {OTHER}"), ""),
    ],
)
def test_ssh_keygen_is_told_of_the_keys_that_may_sign(keys: tuple[SigningKey | str, ...], lines: str) -> None:
    assert allowed_signers(origin(*keys)) == lines
