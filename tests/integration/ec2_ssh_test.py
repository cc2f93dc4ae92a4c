"""Key pairs as they are meant: a real ssh client logs in to a real instance with the key, by
`weir ssh` and, as root, at the instance's address; nobody else does.

Usage: ec2_ssh_test.py [--rootless]
"""
import argparse
import os
import pwd
import subprocess
import sys
import unittest

import boto3

import templates
from weir_harness import WeirTest, wait_until

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()
QUIET = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
         "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10"]


class Ssh(WeirTest):
    rootless = OPTIONS.rootless

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        template = cls.weir.home / "site.yaml"
        template.write_text(templates.site(templates.ECHO, port=18410))
        url = cls.weir.up(template)["daemon"]["api"]["url"]
        cls.ec2 = boto3.client("ec2", endpoint_url=url, region_name="us-east-1",
                               aws_access_key_id="any", aws_secret_access_key="any")
        cls.addClassCleanup(cls.ec2.close)
        cls.keyless = next(iter(cls.weir.instances()))
        made = cls.ec2.create_key_pair(KeyName="made")
        cls.made = cls.write_key("made.pem", made["KeyMaterial"])
        other = cls.ec2.create_key_pair(KeyName="other", KeyType="ed25519")
        cls.other = cls.write_key("other.pem", other["KeyMaterial"])
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", cls.weir.folder / "own"],
                       check=True)
        cls.own = cls.write_key("own.pem", (cls.weir.folder / "own").read_text())
        cls.ec2.import_key_pair(KeyName="own",
                                PublicKeyMaterial=(cls.weir.folder / "own.pub").read_bytes())
        group = cls.ec2.create_security_group(GroupName="ssh", Description="ssh")["GroupId"]
        cls.ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22,
                                                 ToPort=22, CidrIp="0.0.0.0/0")
        cls.ids = {name: cls.launch(name, group) for name in ("made", "own")}
        cls.ec2.get_waiter("instance_running").wait(InstanceIds=list(cls.ids.values()),
                                                    WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        cls.weir.note_instances()

    @classmethod
    def launch(cls, key, group):
        answer = cls.ec2.run_instances(ImageId=templates.IMAGE, InstanceType="t2.micro", MinCount=1,
                                       MaxCount=1, KeyName=key, SecurityGroupIds=[group])
        return answer["Instances"][0]["InstanceId"]

    @classmethod
    def write_key(cls, name, text):
        """Readable by the one who calls ssh, as ssh wants it."""
        path = cls.weir.home / name
        path.write_text(text)
        path.chmod(0o600)
        if cls.weir.user:
            entry = pwd.getpwnam(cls.weir.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)
        return path

    def ssh(self, id_, key, *words, login=None, check=True):
        flags = ["-l", login] if login else []
        return self.weir.run("ssh", id_, "-i", key, *flags, "--", *words, check=check)

    def test_the_key_of_each_pair_opens_its_instance(self):
        for name, key in (("made", self.made), ("own", self.own)):
            with self.subTest(name):
                self.assertEqual(self.ssh(self.ids[name], key, "id", "-un").stdout, "ubuntu\n")

    def test_status_and_output_are_the_commands(self):
        done = self.ssh(self.ids["made"], self.made, "echo out; echo err >&2; exit 7", check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, "out\n", "err\n"))

    def test_an_id_may_be_shortened(self):
        self.assertEqual(self.ssh(self.ids["own"][:12], self.own, "hostname").stdout,
                         self.weir.exec(self.ids["own"], "hostname").stdout)

    def test_another_key_and_root_are_refused(self):
        self.assertIn("Permission denied",
                      self.ssh(self.ids["made"], self.other, "true", check=False).stderr)
        self.assertIn("Permission denied",
                      self.ssh(self.ids["made"], self.made, "true", login="root", check=False).stderr)

    def test_without_a_key_pair_it_says_so(self):
        done = self.ssh(self.keyless, self.made, "true", check=False)
        self.assertEqual(done.returncode, 255)
        self.assertIn("launched without a key pair", done.stderr)

    def test_there_is_no_such_instance(self):
        done = self.ssh("i-0123456789abcdef0", self.made, "true", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no instance", done.stderr)

    def test_the_metadata_service_has_the_key(self):
        command = ("import urllib.request as r; print(r.urlopen('http://169.254.169.254/latest/"
                   "meta-data/public-keys/0/openssh-key').read().decode().strip())")
        told = self.weir.exec(self.ids["own"], "python3", "-c", command).stdout.split()
        self.assertEqual(told[:2], (self.weir.folder / "own.pub").read_text().split()[:2])

    def test_the_host_key_is_the_same_after_a_stop_and_a_start(self):
        id_ = self.ids["own"]
        before = self.ssh(id_, self.own, "cat", "/etc/ssh/ssh_host_ed25519_key.pub").stdout
        self.weir.run("instances", "stop", id_)
        self.weir.run("instances", "start", id_)
        after = self.ssh(id_, self.own, "cat", "/etc/ssh/ssh_host_ed25519_key.pub").stdout
        self.assertEqual(before, after)

    @unittest.skipIf(OPTIONS.rootless or os.geteuid() != 0,
                     "only root reaches the VPC's addresses from the machine")
    def test_sshd_listens_at_the_instances_address(self):
        address = self.weir.instances()[self.ids["made"]]["private_ip"]

        def login():
            return subprocess.run(["ssh", *QUIET, "-i", self.made, f"ubuntu@{address}", "id", "-un"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=60)
        done = wait_until(lambda: (lambda tried: tried.returncode == 0 and tried)(login()),
                          "sshd listens")
        self.assertEqual(done.stdout, "ubuntu\n")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
