"""The examples that drive AWS's APIs with AWS's own tools, run as a reader would: shell and aws CLI,
boto3, JavaScript SDK, CDK. Each brings up two small clusters, which must answer, and takes them down.

Usage: clients_test.py FOLDER-WITH-NODE-PACKAGES [--rootless]
"""
import argparse
import collections
import os
import pathlib
import shutil
import subprocess
import sys
import unittest


import aws_client
from aws_client import REGION
from weir_harness import SOURCE, Balancer, WeirTest, wait_until

options = argparse.ArgumentParser()
options.add_argument("packages", type=pathlib.Path)
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()

SIZES = {"CLUSTER1_SIZE": "2", "CLUSTER2_SIZE": "1"}


class Clients(WeirTest):
    rootless = OPTIONS.rootless
    serve_flags = ("--api", "127.0.0.1:0")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = cls.weir.serve()

    def run_client(self, *words, folder=None):
        """A program of an example, with nothing of this machine's configuration."""
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=280, cwd=folder or self.weir.home,
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_ENDPOINT_URL": self.url,
                 "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION,
                 "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
                 "CDK_OUTDIR": str(self.weir.home / "cdk.out"),
                 "PYTHONDONTWRITEBYTECODE": "1", **SIZES})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def example_with_packages(self, name):
        """A copy of an example beside the packages that it needs."""
        folder = self.weir.folder / "examples" / name
        shutil.copytree(SOURCE / "examples" / name, folder,
                        ignore=shutil.ignore_patterns("node_modules"))
        folder.joinpath("node_modules").symlink_to(OPTIONS.packages / name / "node_modules")
        apps = self.weir.folder / "apps"
        if not apps.exists():
            apps.symlink_to(SOURCE / "apps")
        return folder

    def check_clusters(self):
        """Every instance answers on its path, and only there."""
        self.weir.note_instances()
        balancer = Balancer(self.weir.json("status"))
        running = [i for i in self.weir.instances().values() if i["state"] == "running"]
        types = {"/cluster1": "m4.large", "/cluster2": "t2.large"}
        self.assertEqual(collections.Counter(i["type"] for i in running),
                         {"m4.large": 2, "t2.large": 1})
        for path, type_ in types.items():
            expected = {f"Instance {i['id']} is responding now!" for i in running
                        if i["type"] == type_}
            wait_until(lambda: {balancer.get(path)[1].strip() for _ in range(8)} == expected,
                       f"all of {path} answer", timeout=60)
        self.assertEqual(balancer.get("/")[1].strip(), "Healthy!")

    def check_nothing_is_left(self):
        status = self.weir.json("status")
        self.assertEqual((status["load_balancers"], status["target_groups"]), ([], []))
        self.assertEqual([i for i in self.weir.instances().values()
                          if i["state"] not in ("terminated", "shutting-down")], [])

    def test_shell_and_aws_cli(self):
        script = str(SOURCE / "examples/aws-cli/two-clusters.sh")
        said = self.run_client(script, "deploy", "--endpoint-url", self.url)
        self.assertRegex(said.splitlines()[-1], r"^http://two-clusters-cli-\d+\.")
        self.check_clusters()
        self.run_client(script, "delete", "--endpoint-url", self.url)
        self.check_nothing_is_left()

    def test_boto3(self):
        script = str(SOURCE / "examples/boto3/two_clusters.py")
        said = self.run_client("/usr/bin/python3", script, "deploy", "--endpoint-url", self.url)
        self.assertRegex(said, r"^http://two-clusters-py-\d+\.")
        self.check_clusters()
        self.run_client("/usr/bin/python3", script, "delete", "--endpoint-url", self.url)
        self.check_nothing_is_left()

    def test_javascript(self):
        folder = self.example_with_packages("javascript")
        said = self.run_client("node", "two-clusters.mjs", "deploy", folder=folder)
        self.assertRegex(said, r"^http://two-clusters-js-\d+\.")
        self.check_clusters()
        self.run_client("node", "two-clusters.mjs", "delete", folder=folder)
        self.check_nothing_is_left()

    def test_cdk(self):
        folder = self.example_with_packages("cdk")
        self.run_client("node", "two-clusters.mjs", folder=folder)
        self.run_client("/usr/bin/aws", "--endpoint-url", self.url, "cloudformation", "deploy",
                        "--stack-name", "TwoClusters", "--capabilities", "CAPABILITY_IAM",
                        "--template-file", str(self.weir.home / "cdk.out/TwoClusters.template.json"))
        self.check_clusters()
        cloudformation = aws_client.client("cloudformation", self.url)
        cloudformation.delete_stack(StackName="TwoClusters")
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName="TwoClusters", WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        cloudformation.close()
        self.check_nothing_is_left()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
