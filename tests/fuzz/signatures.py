"""Commit objects and keys: one is taken apart as git does it, or not at all."""

import base64
import re
from typing import Final

from draw import Draw

from compose_repo.core.branch.signing import KeyFormError, SignatureError, fingerprint, public_key, take_apart

LINES: Final = (
    b"tree " + b"a" * 40,
    b"parent " + b"b" * 40,
    b"author A <a@example.org> 1 +0000",
    b"committer A <a@example.org> 1 +0000",
    b"encoding ISO-8859-1",
    b"mergetag object " + b"c" * 40,
    b" type commit",
    b"gpgsig -----BEGIN SSH SIGNATURE-----",
    b"gpgsig-sha256 -----BEGIN SSH SIGNATURE-----",
    b"gpgsig -----BEGIN PGP SIGNATURE-----",
    b" -----END SSH SIGNATURE-----",
    b"",
    b" ",
    b"gpgsig",
    b"message",
    b"\r",
)
KINDS: Final = (b"ssh-ed25519", b"ssh-rsa", b"ecdsa-sha2-nistp256", b"sk-ssh-ed25519@openssh.com", b"ssh-dss", b"")
SEEDS: Final = (
    b"\x00" + bytes([0, 1, 2, 3, 7, 10, 11, 14]),
    b"\x01" + bytes(30),
    b"\x02" + bytes(40),
    b"\x03tree " + b"a" * 40 + b"\n\nx",
)


def split_any_commit(data: bytes) -> None:
    """Take a commit object apart, or read a key."""
    draw = Draw(data)
    match draw.integer(3):
        case 0:
            _split(b"\n".join(draw.choice(LINES) for _ in range(draw.integer(15))) + draw.rest())
        case 1:
            _split(_signed(draw))
        case 2:
            _read_key(draw)
        case _:
            _split(draw.rest())


def _signed(draw: Draw) -> bytes:
    """Draw a commit that is signed as git signs, but for what is drawn otherwise."""
    namespace = draw.choice([b"git", b"git", b"git", b"file", b"", b"git\0"])
    fields = [
        _key(draw),
        namespace,
        draw.choice([b"", b"", b"", b"x"]),
        draw.choice([b"sha512", b"sha256", b"md5"]),
        b"s",
    ]
    magic = draw.choice([b"SSHSIG\0\0\0\1", b"SSHSIG\0\0\0\1", b"SSHSIG\0\0\0\2", b""])
    blob = magic + _strings(fields[: len(fields) - (draw.integer(4) == 4)]) + bytes(draw.integer(7) == 7)
    text = base64.b64encode(blob)
    columns = draw.choice([70, 70, 20, 1])
    lines = [b"-----BEGIN SSH SIGNATURE-----", *(text[at : at + columns] for at in range(0, len(text), columns))]
    lines += [b"-----END SSH SIGNATURE-----", *([b""] if draw.integer(1) else [])]
    headers = [LINES[0], *([LINES[1]] * draw.integer(2)), LINES[2], LINES[3], b"gpgsig " + b"\n ".join(lines)]
    if draw.chance(4):
        headers.insert(draw.integer(len(headers)), draw.choice(LINES))
    if draw.chance(8):
        at = draw.integer(len(headers) - 1)
        headers[at] = headers[at][: draw.integer(200)] + draw.choice([b"\r", b"\0", b"\n", b" ", b"\xff"])
    return b"\n".join(headers) + b"\n\n" + draw.rest()


def _strings(fields: list[bytes]) -> bytes:
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def _key(draw: Draw) -> bytes:
    return _strings([draw.choice(KINDS), bytes(draw.choice([32, 32, 31, 0]))])


def _split(commit: bytes) -> None:
    """What is signed is the commit without its signature, line by line as git leaves it out."""
    try:
        signed = take_apart(commit)
    except SignatureError as error:
        _assert_told(error)
        return
    head, _, message = commit.partition(b"\n\n")
    kept, leaving = [], False
    for line in head.split(b"\n"):
        leaving = line.startswith(b"gpgsig ") or (leaving and line.startswith(b" "))
        if not leaving:
            kept.append(line)
    assert signed.payload == b"\n".join(kept) + b"\n\n" + message
    assert re.match(
        rb"tree [0-9a-f]{40,64}\n(?:parent [0-9a-f]{40,64}\n)*author [^\n]*\ncommitter [^\n]*\n\n", signed.payload
    )
    assert signed.signature.startswith(b"-----BEGIN SSH SIGNATURE-----\n")
    assert signed.signature.endswith(b"\n-----END SSH SIGNATURE-----\n")
    assert signed.signature.count(b"-----") == 4
    assert fingerprint(signed.key).startswith("SHA256:")
    again = signed.payload.replace(
        b"\n\n", b"\ngpgsig " + signed.signature.rstrip(b"\n").replace(b"\n", b"\n ") + b"\n\n", 1
    )
    assert take_apart(again) == signed


def _assert_told(error: Exception) -> None:
    assert str(error).isprintable()


def _read_key(draw: Draw) -> None:
    kind = draw.choice(KINDS).decode("ascii")
    blob = draw.choice([_key(draw), _strings([kind.encode(), bytes(32)]), draw.rest()])
    written = base64.b64encode(blob).decode("ascii")
    text = draw.choice([f"{kind} {written}", f"{kind} {written} comment", f"{kind} {written[:-1]}", draw.text(20)])
    try:
        key = public_key(text)
    except KeyFormError as error:
        _assert_told(error)
        return
    assert text.split(" ")[1] == base64.b64encode(key).decode("ascii")
    assert public_key(" ".join(text.split(" ")[:2])) == key
