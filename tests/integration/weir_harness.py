"""What the end-to-end tests share: a real daemon in a folder of its own, real instances, real traffic.

As root each test program first moves to a network namespace of its own, so it has its own port 80
and its own VPC, and tests run side by side. As an ordinary user it shares the machine's.
A test that fails leaves its folder where it is and prints its path; one that succeeds checks that
nothing at all was left behind.
"""
import atexit
import ctypes
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

CLONE_NEWNET = 0x40000000
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
WEIR = pathlib.Path(os.environ["WEIR_BINARY"])
IS_ROOT = os.geteuid() == 0
ROOTLESS_USER = "weirtest"


def enter_own_network():
    """A network namespace for this process and its children, with loopback up."""
    if not IS_ROOT:
        return
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


enter_own_network()


def wait_until(condition, what, timeout=30.0):
    """Looks until `condition()` is true; returns what it gave."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.05)


class Weir:
    """One state folder, with the daemon that serves it."""

    def __init__(self, rootless=False, serve_flags=()):
        self.rootless = rootless or not IS_ROOT
        self.user = ROOTLESS_USER if IS_ROOT and rootless else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-it-"))
        self.folder.chmod(0o755)
        self.binary = self.folder / "weir"
        shutil.copy(WEIR, self.binary)
        self.binary.chmod(0o755)
        self.home = self.folder / "home"
        self.home.mkdir()
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.home, entry.pw_uid, entry.pw_gid)
        self.state = self.home / "state"
        self.serve_flags = list(serve_flags)
        self.serving = None
        self.instance_ids = set()

    # ------------------------------------------------------------ commands
    def command(self, *arguments):
        words = [str(self.binary), *map(str, arguments), "--state", str(self.state)]
        if "--" in arguments:  # options end there
            cut = words.index("--")
            words = words[:cut] + ["--state", str(self.state)] + words[cut:-2]
        if self.user:
            words = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups",
                     "--reset-env", "--", *words]
        return words

    def run(self, *arguments, check=True, timeout=180, stdin=subprocess.DEVNULL):
        done = subprocess.run(self.command(*arguments), stdin=stdin, capture_output=True, text=True,
                              timeout=timeout, cwd=self.home)
        if check and done.returncode != 0:
            raise AssertionError(f"weir {' '.join(map(str, arguments))}: status {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}{self.log_tail()}")
        return done

    def json(self, *arguments, **options):
        return json.loads(self.run(*arguments, "--output", "json", **options).stdout)

    def serve(self):
        """The daemon alone, in the background, without a stack. Returns where its AWS APIs are."""
        self.serving = subprocess.Popen(self.command("serve", *self.serve_flags), cwd=self.home,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(lambda: self.serving.poll() is not None or self.json("version")["daemon"],
                   "the daemon serves")
        if self.serving.poll() is not None:
            raise AssertionError(f"the daemon ended: status {self.serving.returncode}{self.log_tail()}")
        return self.api()["url"]

    def api(self):
        """What the daemon says about its AWS APIs; "url" is empty where they are off."""
        return self.json("version")["daemon"]["api"]

    def up(self, *arguments, **options):
        result = self.json("up", *arguments, *self.serve_flags, **options)
        self.note_instances()
        return result

    def note_instances(self):
        self.instance_ids.update(i["id"] for i in self.json("instances", "--all")["instances"])

    def exec(self, instance, *words, check=True):
        return self.run("exec", instance, "--", *words, check=check)

    def log_tail(self):
        text = ""
        for log in ("weir.log", "holder.log"):
            path = self.state / log
            if path.exists():
                text += f"\n--- {log}\n" + "\n".join(path.read_text("utf-8", "replace").splitlines()[-40:])
        return text

    def daemon_pid(self):
        return self.json("version")["daemon"]["pid"]

    # ------------------------------------------------------------ looking
    def instances(self):
        return {i["id"]: i for i in self.json("instances")["instances"]}

    def targets(self):
        groups = self.json("status")["target_groups"]
        return {g["name"]: {t["id"]: t for t in g["targets"]} for g in groups}

    def target_states(self):
        return {id_: t["state"] for targets in self.targets().values() for id_, t in targets.items()}

    def first_process(self, instance):
        """The pid of the instance's first process, as this machine sees it. By its id: addresses
        and host names of other tests' instances may be the same."""
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if words[0] != b"/run/weir/init" or instance.encode() not in words:
                    continue
                if re.search(r"^NSpid:\t.*\t1$", (entry / "status").read_text(), re.M):
                    return int(entry.name)
            except (FileNotFoundError, ProcessLookupError):
                continue
        return None

    # ------------------------------------------------------------ the end
    def kill_daemon(self):
        pid = self.daemon_pid()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid), "the killed daemon is gone")

    def close(self):
        """Removes everything, by Weir's own means."""
        if self.run("version", "--output", "json", check=False).returncode == 0:
            self.run("stop", "--with-instances", check=False)

    def discard(self):
        """The end of a second Weir within a test."""
        self.close()
        shutil.rmtree(self.folder)

    def leftovers_at_rest(self, timeout=60.0):
        """The same, once what is ending (the holder's processes) has had time to end."""
        deadline = time.monotonic() + timeout
        while (left := self.leftovers()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def leftovers(self):
        """What is still there of this folder's instances: must be nothing after the end."""
        left = []
        marks = [str(self.state), *self.instance_ids]
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                words = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
                if any(mark in words for mark in marks):
                    left.append(f"process {entry.name}: {words!r}")
            except (FileNotFoundError, ProcessLookupError):
                continue
        # os.walk passes over what vanishes meanwhile: other tests have cgroups too.
        for path, names, _ in os.walk("/sys/fs/cgroup"):
            left += [f"cgroup {path}/{name}" for name in names if name in self.instance_ids]
        with open("/proc/mounts", encoding="utf-8") as mounts:
            left += [f"mount {line.split()[1]}" for line in mounts if str(self.state) in line]
        if IS_ROOT:  # in a network namespace of its own, whatever is there beside loopback is Weir's
            links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True)
            left += [f"link {line}" for line in links.stdout.splitlines() if ": lo:" not in line]
        for id_ in self.instance_ids:
            left += [f"file {path}/{name}" for path, folders, files in os.walk(self.state)
                     for name in folders + files if name.startswith(id_)]
        return left


def is_alive(pid):
    """A killed process whose first thread is gone holds its locks until the last one is."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] != "Z":
                return True
        return len(os.listdir(f"/proc/{pid}/task")) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


class Balancer:
    """The first listener of a stack's load balancer, as a client."""

    def __init__(self, up_result):
        balancer = up_result["load_balancers"][0]
        listener = balancer["listeners"][0]
        self.url = listener["url"]
        self.host = balancer["dns_name"]
        self.port = listener["bound_port"]

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def get(self, path, connection=None, **headers):
        own = connection is None
        connection = connection or self.connect()
        connection.request("GET", path, headers={"Host": self.host, **headers})
        response = connection.getresponse()
        body = response.read().decode()
        if own:
            connection.close()
        return response.status, body

    def raw(self, data, timeout=10):
        """Sends bytes as they are; returns all that comes back until the end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            received = b""
            while block := client.recv(65536):
                received += block
        return received


class WeirTest(unittest.TestCase):
    """A test case with one Weir for all of its tests. Subclasses set `rootless` and `serve_flags`."""
    rootless = False
    serve_flags = ()

    @classmethod
    def setUpClass(cls):
        cls.weir = Weir(cls.rootless, cls.serve_flags)
        cls.failed = False
        cls.addClassCleanup(cls.finish)

    @classmethod
    def finish(cls):
        cls.weir.close()
        left = cls.weir.leftovers_at_rest()
        if cls.failed or left:
            print(f"kept for a look: {cls.weir.folder}{cls.weir.log_tail()}", file=sys.stderr)
        else:
            shutil.rmtree(cls.weir.folder)
        if left:
            raise AssertionError("left behind:\n" + "\n".join(left))

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            type(self).failed = True


def main():
    atexit.register(sys.stdout.flush)
    unittest.main(verbosity=2, failfast=False)
