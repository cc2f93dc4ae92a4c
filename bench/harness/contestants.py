"""Who is measured: the relay, nginx, HAProxy and Weir, each a child process of ours."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from typing import Callable

from . import machine

PEERS = pathlib.Path(__file__).resolve().parent.parent / "peers"
SMALL_TEXT = "Instance i-0123456789abcdef0 is responding now!"
START_SECONDS = 10


class NotStarted(Exception):
    pass


@dataclass(frozen=True)
class Wanted:
    """What a contestant is started with."""
    folder: pathlib.Path  # its own
    port: int  # 0: it announces one
    backend: int  # port
    connections: int  # to be ready for
    rules: int
    targets: int = 0  # more of them, that take no request
    change_ms: int = 0  # Weir alone: between changes of its configuration


@dataclass(frozen=True)
class Contestant:
    name: str
    title: str
    role: str  # "floor", "peer" or "weir"
    command: Callable[["Wanted"], list[str]]
    announces_port: bool  # else it is given one


def filled_in(template: str, wanted: Wanted, connections: int, rules: str) -> str:
    text = (PEERS / template).read_text()
    for word, value in {"DIRECTORY": wanted.folder, "PORT": wanted.port, "BACKEND": wanted.backend,
                        "CONNECTIONS": connections, "RULES": rules}.items():
        text = text.replace(f"@{word}@", str(value))
    target = wanted.folder / template
    target.write_text(text)
    return str(target)


def nginx_file(wanted: Wanted) -> str:
    rules = "".join(f"location /rule/{number} {{ proxy_pass http://cluster1; }}\n"
                    for number in range(wanted.rules))
    # Twice: nginx counts the connections to targets among them.
    return filled_in("nginx.conf", wanted, wanted.connections + 2048, rules)


def haproxy_file(wanted: Wanted) -> str:
    """Many rules are a map, as its manual advises."""
    if wanted.rules == 0:
        return filled_in("haproxy.cfg", wanted, wanted.connections, "")
    table = wanted.folder / "rules.map"
    table.write_text("".join(f"/rule/{number} cluster1\n" for number in range(wanted.rules)))
    rule = f"use_backend %[path,map_beg({table})] if {{ path,map_beg({table}) -m found }}"
    return filled_in("haproxy.cfg", wanted, wanted.connections, rule)


def version(words: list[str]) -> str:
    found = re.search(r"\d+\.\d+(\.\d+)*", machine.first_line(words))
    return found.group() if found else "?"


def available(programs: pathlib.Path) -> list[Contestant]:
    """All that can run here, in the order of the table."""
    found = []
    if (programs / "bench_relay").exists():
        found.append(Contestant(
            "relay", "relay", "floor",
            lambda wanted:
                [str(programs / "bench_relay"), "--target-port", str(wanted.backend)], True))
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if nginx:
        found.append(Contestant(
            "nginx", f"nginx {version([nginx, '-v'])}", "peer",
            # -e: not the system's log.
            lambda wanted: [nginx, "-p", str(wanted.folder), "-e", "stderr", "-c", nginx_file(wanted)],
            False))
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if haproxy:
        found.append(Contestant(
            "haproxy", f"HAProxy {version([haproxy, '-v'])}", "peer",
            lambda wanted: [haproxy, "-db", "-f", haproxy_file(wanted)], False))
    if (programs / "bench_weir_proxy").exists():
        for loop in ("io_uring", "epoll"):
            found.append(Contestant(
                f"weir-{loop}", f"Weir ({loop})", "weir",
                lambda wanted, loop=loop:
                    [str(programs / "bench_weir_proxy"), "--loop", loop, "--target-port",
                     str(wanted.backend), "--rules", str(wanted.rules), "--targets",
                     str(wanted.targets), "--change-ms", str(wanted.change_ms)], True))
    return found


class Running:
    """A child process that serves on a port of 127.0.0.1, and its private folder."""

    def __init__(self, command: list[str], core: int, folder: tempfile.TemporaryDirectory | None,
                 port: int | None) -> None:
        self.folder = folder
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.log, preexec_fn=machine.pinned(core))
        try:
            self.port = self.announced_port() if port is None else port
            self.wait_until_it_answers()
        except NotStarted:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        return self.process.pid

    def failure(self, what: str) -> NotStarted:
        self.log.seek(0)
        said = self.log.read().decode(errors="replace").strip()
        return NotStarted(f"{self.process.args[0]} {what}" + (f": {said}" if said else ""))

    def announced_port(self) -> int:
        line = self.process.stdout.readline().decode()
        if not line.startswith("listening "):
            raise self.failure("did not say where it listens")
        return int(line.split()[1])

    def wait_until_it_answers(self) -> None:
        """Until it answers, and rightly."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise self.failure("ended at once")
            try:
                url = f"http://127.0.0.1:{self.port}/cluster1"
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                body = opener.open(url, timeout=2).read().decode()
                if body != SMALL_TEXT:
                    raise self.failure(f"answers {body!r}")
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise self.failure(f"does not serve ({error})") from error
                time.sleep(0.02)

    def changes_ms(self) -> list[float]:
        """Of the changes made so far, the time until each was in force."""
        log = self.log.fileno()  # not seeked: the child writes by the same offset
        said = os.pread(log, os.fstat(log).st_size, 0).decode(errors="replace")
        return [float(one) for one in re.findall(r"^changed in ([0-9.]+) ms$", said, re.MULTILINE)]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()
        if self.folder:
            self.folder.cleanup()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_backend(programs: pathlib.Path, core: int) -> Running:
    return Running([str(programs / "bench_backend"), "--text", SMALL_TEXT], core, None, None)


def start(contestant: Contestant, backend: Running, core: int, connections: int,
          rules: int = 0, targets: int = 0, change_ms: int = 0) -> Running:
    """A port that is given may have been taken meanwhile: then another is tried."""
    for attempts_left in (2, 1, 0):
        folder = tempfile.TemporaryDirectory(prefix=f"weir-bench-{contestant.name}-")
        port = None if contestant.announces_port else free_port()
        command = contestant.command(
            Wanted(pathlib.Path(folder.name), port or 0, backend.port, connections, rules, targets,
                   change_ms))
        try:
            return Running(command, core, folder, port)
        except NotStarted:
            if contestant.announces_port or attempts_left == 0:
                raise
    raise AssertionError("not reached")
