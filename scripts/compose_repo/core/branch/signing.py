"""SSH signatures of commits: what is signed, with which key, and whether an origin's entry lets that key speak for it.

Whether a signature is good, only `ssh-keygen` can tell (`ports/signatures.py`). It is handed nothing that this module
has not taken apart and put together again: the payload, the signature and the one key all come from here, so no second
reader can see in them what this one has not seen. Formats: PROTOCOL.sshsig of OpenSSH, RFC 4253 and RFC 5656.
"""

import base64
import binascii
import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct

from compose_repo.core.names import is_name, is_sha
from compose_repo.core.rules.policy import OriginEntry, SigningKey

NAMESPACE: Final = "git"
"""What git signs for. It signs tags and pushes for it too; that a payload begins with a tree tells a commit apart."""
COMMIT_BYTES: Final = 1024 * 1024
"""Most bytes of a signed commit, most of which is its message."""
TOO_LARGE: Final = f"its commit is larger than {COMMIT_BYTES // 1024} KiB, so its signature is not looked at"
SIGNATURE_BYTES: Final = 16 * 1024
"""Most bytes of a signature as it stands in a commit; one of the largest RSA key has less than 8 KiB."""
RSA_BITS: Final = range(3072, 16384 + 1)

_BEGIN: Final = b"-----BEGIN SSH SIGNATURE-----"
_END: Final = b"-----END SSH SIGNATURE-----"
_FOREIGN: Final = {
    b"-----BEGIN PGP": "signed with OpenPGP",
    b"-----BEGIN SIGNED MESSAGE": "signed with an X.509 certificate",
}
_HOW: Final = "; sign with an SSH key: git config gpg.format ssh"
_HEADERS: Final = re.compile(r"tree (?:parent )*author committer (?:gpgsig )?")
"""The headers that a signed commit may have, in git's order. Any other (mergetag, encoding, gpgsig-sha256, a second
signature) is one that readers could disagree about."""
_HASHES: Final = frozenset({b"sha256", b"sha512"})
_KEY: Final = re.compile(r"([a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?: [ -~]*)?")
_LENGTH: Final = 4
_COLUMNS: Final = 70
_ED25519: Final = 32
_UNCOMPRESSED: Final = 4
_POINTS: Final = {b"nistp256": 65, b"nistp384": 97, b"nistp521": 133}
_EPOCH: Final = dt.date(1970, 1, 1)


class KeyFormError(ValueError):
    """A text is no SSH public key that may sign; the message says why."""


class SignatureError(ValueError):
    """A commit has no signature that could be looked at; the message says why."""


class Signed(Struct, frozen=True, kw_only=True):
    """A commit taken apart: what was signed, the signature in OpenSSH's armour, and the key that it claims."""

    payload: bytes
    signature: bytes
    key: bytes


def take_apart(commit: bytes) -> Signed:
    """Split a commit object into what was signed and its signature, as git does, but strictly.

    Nothing is verified yet.

    Raises:
        SignatureError: it is not signed, in another way, for another purpose, or has what no signed commit needs.

    """
    if len(commit) > COMMIT_BYTES:
        raise SignatureError(TOO_LARGE)
    head, blank, message = commit.partition(b"\n\n")
    if not blank:
        raise SignatureError("its commit has no end of its headers")
    headers = _headers(head)
    names = [name.decode("ascii", "replace") for name, _ in headers]
    if not _HEADERS.fullmatch("".join(f"{name} " for name in names)):
        shown = ", ".join(filter(is_name, names[:20])) or "none"
        raise SignatureError(f"its commit has other headers than a signed commit needs: {shown}")
    if any(b"\n" in value for name, value in headers if name != b"gpgsig"):
        raise SignatureError("its commit has a header of several lines that is no signature")
    if not all(is_sha(value.decode("ascii", "replace")) for name, value in headers if name in {b"tree", b"parent"}):
        raise SignatureError("its commit names a tree or a parent that cannot be")
    name, armoured = headers[-1]
    if name != b"gpgsig":
        raise SignatureError(f"not signed{_HOW}")
    signature = _unarmoured(armoured)
    payload = head[: head.index(b"\ngpgsig ") + 1] + b"\n" + message
    return Signed(payload=payload, signature=_armoured(signature), key=_key_of_signature(signature))


def _headers(head: bytes) -> list[tuple[bytes, bytes]]:
    """Give the headers in order; lines that begin with a space continue the one above."""
    headers: list[tuple[bytes, bytes]] = []
    for line in head.split(b"\n"):
        if line.startswith(b" ") and headers:
            name, value = headers[-1]
            if len(value) > SIGNATURE_BYTES:
                raise SignatureError("its commit has a header that is too long")
            headers[-1] = (name, value + b"\n" + line[1:])
        else:
            name, _, value = line.partition(b" ")
            headers.append((name, value))
    return headers


def _unarmoured(text: bytes) -> bytes:
    for begin, how in _FOREIGN.items():
        if text.startswith(begin):
            raise SignatureError(how + _HOW)
    lines = text.rstrip(b"\n").split(b"\n")
    if lines[0] != _BEGIN or lines[-1] != _END:
        raise SignatureError(f"not signed with an SSH key{_HOW}")
    try:
        return base64.b64decode(b"".join(lines[1:-1]), validate=True)
    except binascii.Error:
        raise SignatureError("its signature is damaged") from None


def _armoured(signature: bytes) -> bytes:
    text = base64.b64encode(signature)
    lines = [text[start : start + _COLUMNS] for start in range(0, len(text), _COLUMNS)]
    return b"\n".join([_BEGIN, *lines, _END, b""])


def _key_of_signature(blob: bytes) -> bytes:
    """Give the public key that a signature says it is made with."""
    magic = b"SSHSIG\x00\x00\x00\x01"
    try:
        fields = _fields(blob.removeprefix(magic)) if blob.startswith(magic) else []
    except ValueError:
        fields = []
    if len(fields) != 5:  # noqa: PLR2004  # key, namespace, reserved, hash, signature
        raise SignatureError("its signature is damaged")
    key, namespace, reserved, digest, _ = fields
    if namespace != NAMESPACE.encode("ascii"):
        shown = namespace[:20].decode("ascii", "replace")
        raise SignatureError(f"signed for the namespace {shown!r}; git signs commits for 'git'")
    if reserved or digest not in _HASHES:
        raise SignatureError("its signature is of a kind that git does not make")
    return key


def _fields(blob: bytes) -> list[bytes]:
    """Split what is written as strings with their lengths before them, to its very end."""
    fields = []
    at = 0
    while at < len(blob):
        start = at + _LENGTH
        at = start + int.from_bytes(blob[at:start], "big")
        if start > len(blob) or at > len(blob):
            raise ValueError("ends early")
        fields.append(blob[start:at])
    return fields


@lru_cache(maxsize=1024)
def public_key(text: str) -> bytes:
    """Read `type base64 [comment]` as ssh-keygen writes it, and give the key as it travels.

    Nothing may stand before the type: no options, no principals, no marker for authorities.

    Raises:
        KeyFormError: it is no such line, or a key that is too weak, or of a kind that cannot be judged here.

    """
    match = _KEY.fullmatch(text)
    if match is None:
        raise KeyFormError("it should be a type, the key in base64 and, if wanted, a comment")
    kind, written = match[1], match[2].encode("ascii")
    strong = _KINDS.get(kind)
    if strong is None:
        raise KeyFormError(f"keys of type {kind[:50]} are not accepted")
    try:
        blob = base64.b64decode(written, validate=True)
        fields = _fields(blob)
    except ValueError:
        raise KeyFormError("its base64 does not hold a key") from None
    if base64.b64encode(blob) != written or not fields or fields[0] != kind.encode("ascii"):
        raise KeyFormError(f"its base64 does not hold a key of type {kind}")
    strong(fields[1:])
    return blob


def _is_ed25519(fields: list[bytes]) -> None:
    if len(fields) != 1 or len(fields[0]) != _ED25519:
        raise KeyFormError("its base64 does not hold an Ed25519 key")


def _is_rsa(fields: list[bytes]) -> None:
    if len(fields) != 2:  # noqa: PLR2004  # exponent and modulus
        raise KeyFormError("its base64 does not hold an RSA key")
    bits = int.from_bytes(fields[1], "big").bit_length()
    if bits not in RSA_BITS:
        raise KeyFormError(f"an RSA key has {RSA_BITS[0]} to {RSA_BITS[-1]} bits, this one has {bits}")


def _is_ecdsa(curve: bytes) -> Callable[[list[bytes]], None]:
    def check(fields: list[bytes]) -> None:
        known = len(fields) == 2 and fields[0] == curve and len(fields[1]) == _POINTS[curve]  # noqa: PLR2004
        if not known or fields[1][0] != _UNCOMPRESSED:
            raise KeyFormError(f"its base64 does not hold an ECDSA key on {curve.decode('ascii')}")

    return check


def _on_a_token(check: Callable[[list[bytes]], None]) -> Callable[[list[bytes]], None]:
    """Check a key that lies on a security token: one field more, which says for what."""

    def check_on_token(fields: list[bytes]) -> None:
        if not fields or not fields[-1].startswith(b"ssh:"):
            raise KeyFormError("the key on its security token is not for SSH")
        check(fields[:-1])

    return check_on_token


_KINDS: Final[Mapping[str, Callable[[list[bytes]], None]]] = {
    "ssh-ed25519": _is_ed25519,
    "ssh-rsa": _is_rsa,
    "ecdsa-sha2-nistp256": _is_ecdsa(b"nistp256"),
    "ecdsa-sha2-nistp384": _is_ecdsa(b"nistp384"),
    "ecdsa-sha2-nistp521": _is_ecdsa(b"nistp521"),
    "sk-ssh-ed25519@openssh.com": _on_a_token(_is_ed25519),
    "sk-ecdsa-sha2-nistp256@openssh.com": _on_a_token(_is_ecdsa(b"nistp256")),
}
"""What each type of key consists of after its name. Certificates are not among them."""


def fingerprint(key: bytes) -> str:
    """Give a public key's fingerprint as `ssh-keygen -l` shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode("ascii").rstrip("=")


def key_refusal(entry: OriginEntry, key: bytes, at: dt.datetime) -> str | None:
    """Say why a key may not speak for an origin in something pushed at that moment, or give None if it may.

    Revocation wins over everything: a key that is lost was perhaps never in the right hands. A day begins at 00:00 UTC.
    """
    named = f"the key {fingerprint(key)}"
    listed = [line for line in entry.keys if _key_of(line) == key]
    if not listed:
        return f"signed with {named}, which gate/origins.toml does not list for {entry.origin}"
    if any(line.revoked for line in listed):
        return f"signed with {named} of {entry.origin}, which is revoked"
    day = at.astimezone(dt.UTC).date()
    refused = [reason for line in listed if (reason := _untimely(line, day))]
    if len(refused) == len(listed):
        return f"signed with {named} of {entry.origin}, which {refused[-1]}; it was pushed on {day}"
    return None


def _untimely(line: SigningKey, day: dt.date) -> str | None:
    if line.valid_after is not None and day < line.valid_after:
        return f"is valid only from {line.valid_after}"
    if line.valid_before is not None and day >= line.valid_before:
        return f"is no longer valid from {line.valid_before}"
    return None


def _key_of(line: SigningKey) -> bytes | None:
    try:
        return public_key(line.key)
    except KeyFormError:
        return None


def allowed_signers(entry: OriginEntry) -> str:
    """Write an origin's keys for ssh-keygen, whose principal is the origin; revoked ones are left out.

    Only the type and the key itself are taken from `gate/origins.toml`. Times are UTC without saying so, which is how
    every version of OpenSSH reads them where TZ is UTC. In its eyes the moment of `valid-before` is still valid.
    """
    revoked = {_key_of(line) for line in entry.keys if line.revoked}
    return "".join(
        _allowed(entry, line, key)
        for line in entry.keys
        if (key := _key_of(line)) is not None and key not in revoked and _can_be_valid(line)
    )


def _allowed(entry: OriginEntry, line: SigningKey, key: bytes) -> str:
    options = [f'namespaces="{NAMESPACE}"']
    if line.valid_after is not None and line.valid_after > _EPOCH:
        options.append(f'valid-after="{line.valid_after:%Y%m%d}000000"')
    if line.valid_before is not None:
        options.append(f'valid-before="{line.valid_before - dt.timedelta(days=1):%Y%m%d}235959"')
    kind = _fields(key)[0].decode("ascii")
    return f"{entry.origin} {','.join(options)} {kind} {base64.b64encode(key).decode('ascii')}\n"


def _can_be_valid(line: SigningKey) -> bool:
    """Tell whether there is a day on which it is valid; ssh-keygen reads no line after one that makes no sense."""
    return line.valid_before is None or line.valid_before > max(line.valid_after or _EPOCH, _EPOCH)
