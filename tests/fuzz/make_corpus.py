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


# What a client sends and a target answers, for the proxy as a whole.
POST = b"POST /a HTTP/1.1\r\nHost: a\r\n"
GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"\n=== target\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SMUGGLED = b"GET /second HTTP/1.1\r\nHost: b\r\n\r\n"
EXCHANGES = {
    "pipelined": GET * 4,
    "pipelined-bodies": (POST + b"Content-Length: 5\r\n\r\nhello") * 3 + CHUNKED * 2 + GET,
    "smuggled-in-a-body": POST + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED + GET,
    "cl-te-prefix": POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "te-cl-prefix": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n22\r\n" + SMUGGLED
        + b"\r\n0\r\n\r\n",
    "long-body": POST + b"Content-Length: 3000\r\n\r\n" + b"x" * 3000 + GET,
    "long-chunks": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"3e8\r\n" + b"y" * 1000
        + b"\r\n0\r\nX-Sum: 1\r\n\r\n" + GET,
    "expect": POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello" + GET,
    "malformed-chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0x0\r\n\r\n" + GET,
    "short-body": POST + b"Content-Length: 50\r\n\r\nhello",
    "answer-too-long": GET + GET + ANSWER + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + OK,
    "two-answers": GET + GET + ANSWER + OK + OK + ANSWER + b"HTTP/1.1 204 No Content\r\n\r\n",
    "answer-without-end": GET + GET + ANSWER + b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok",
    "answer-until-close": GET + GET + ANSWER + b"HTTP/1.1 200 OK\r\n\r\nok",
    "answer-chunked": GET + GET + ANSWER
        + b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + ANSWER
        + b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokk",
    "interim": GET + ANSWER + b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        + OK,
    "tunnel": UPGRADE + b"hello\x00" + SMUGGLED + ANSWER
        + b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes",
    "declined-tunnel": UPGRADE + SMUGGLED + ANSWER + OK,
    "switch-unasked": GET + SMUGGLED + ANSWER + b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "silence": GET + ANSWER,
    "head": b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" * 2 + ANSWER
        + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + ANSWER + OK,
    "rubbish": GET + GET + ANSWER + b"rubbish\r\n\r\n",
    "http09": b"GET /a\r\n" + SMUGGLED,
    "http10-kept": b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 3,
}
FLAGS = (0x01, 0x31, 0x81, 0xA1, 0x45, 0x8A)  # see proxy_fuzzer.cpp


def write_exchanges() -> None:
    for i, (name, data) in enumerate(EXCHANGES.items()):
        for k in range(3):
            choice = bytes([FLAGS[(i + 2 * k) % len(FLAGS)], (17 * i + k) & 255])
            (HERE / "corpus" / "proxy" / f"exchange-{name}-{k}").write_bytes(choice + data)


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
    write_exchanges()


if __name__ == "__main__":
    main()
