#!/usr/bin/env python3
"""Writes the conformance messages (tests/conformance/messages/*.txt) as the HTTP fuzzers' corpus:
one file a message, named after its case. Long ones stay out: the fuzzers find lengths themselves."""
import pathlib
import re
import zlib

HERE = pathlib.Path(__file__).resolve().parent
MESSAGES = HERE.parent / "conformance" / "messages"
LONGEST = 1000


def unescape(text: str) -> bytes:
    out, at = b"", 0
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
            continue
        kind = text[at + 1]
        at += 2
        if kind == "x":
            out += bytes([int(text[at:at + 2], 16)])
            at += 2
        elif kind == "{":
            end, depth = text.index("*", at), 1
            star = end
            while depth:
                end += 1
                depth += {"{": 1, "}": -1}.get(text[end], 0)
            out += unescape(text[star + 1:end]) * int(text[at:star])
            at = end + 1
        else:
            out += {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}[kind]
    return out


def write(kind: str, name: str, data: bytes) -> None:
    if not kind or len(data) > LONGEST:
        return
    if kind.startswith("response"):
        data = (b"h" if kind.endswith("HEAD") else b"g") + data
    folder = HERE / "corpus" / f"http_{kind.split()[0]}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")).write_bytes(data)


# The same messages through a whole proxy: a request as what the client sends, a response as what the
# target answers. Flags and seed follow from the name, so that all of them occur.
def write_exchange(kind: str, name: str, data: bytes) -> None:
    kind = kind.split()[0] if kind else ""
    if kind not in ("request", "response") or len(data) > LONGEST:
        return
    if kind == "response":
        data = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n" * 2 + b"\n=== target\n" + data
    folder = HERE / "corpus" / "proxy"
    folder.mkdir(parents=True, exist_ok=True)
    choice = zlib.crc32(name.encode()).to_bytes(4, "big")[:2]
    file = f"{kind}-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    (folder / file).write_bytes(choice + data)


def main() -> None:
    for path in sorted(MESSAGES.glob("*.txt")):
        kind, name, data = "", "", b""
        for line in path.read_text().splitlines():
            if line.startswith("case  "):
                write(kind, name, data)
                write_exchange(kind, name, data)
                kind, name, data = "", line[6:], b""
            elif line.startswith(("request", "response", "chunked")):
                kind = line
            elif line.startswith("> "):
                data += unescape(line[2:])
        write(kind, name, data)
        write_exchange(kind, name, data)


if __name__ == "__main__":
    main()
