#!/usr/bin/env python3
"""The AWS APIs with AWS's own tools (aws CLI, boto3) against a real daemon: identities, errors,
signatures and what tampers with them, pagination, many clients at once.

boto3 and the CLI are the distribution's (python3-boto3, awscli): the test runs with its Python.
"""
import concurrent.futures
import datetime
import http.client
import json
import os
import socket
import subprocess
import urllib.parse
import unittest

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions

import aws_client
from aws_client import REGION
from weir_harness import Weir, WeirTest

ACCOUNT = "123456789012"


def client(url, service, *credentials, **options):
    """A client that asks once."""
    return aws_client.client(service, url, *credentials, retries={"max_attempts": 0}, **options)


def aws(url, *words, check=True, **environment):
    """The aws CLI, with nothing of this machine's configuration."""
    done = subprocess.run(
        ["/usr/bin/aws", "--endpoint-url", url, "--output", "json", *words],
        capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_DEFAULT_REGION": REGION,
             "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", **environment})
    if check and done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout) if done.returncode == 0 and done.stdout else done.stderr


def code_of(call):
    """The error's code; None: the call went well."""
    try:
        call()
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return None


class OpenEndpoint(WeirTest):
    """On loopback, as it is by default: any well-formed signature is taken."""
    rootless = True
    serve_flags = ("--api", "127.0.0.1:0")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.weir.serve()
        cls.api = cls.weir.api()
        cls.url = cls.api["url"]

    def test_the_daemon_says_that_it_is_open(self):
        self.assertFalse(self.api["verifies_signatures"])
        self.assertIn("development mode", self.weir.run("status").stdout)

    def test_the_cli_learns_who_it_is(self):
        self.assertEqual(aws(self.url, "sts", "get-caller-identity"),
                         {"UserId": ACCOUNT, "Account": ACCOUNT,
                          "Arn": f"arn:aws:iam::{ACCOUNT}:root"})

    def test_a_role_is_assumed_and_its_credentials_work(self):
        assumed = aws(self.url, "sts", "assume-role", "--role-session-name", "me", "--role-arn",
                      f"arn:aws:iam::{ACCOUNT}:role/deploy")
        given = assumed["Credentials"]
        who = aws(self.url, "sts", "get-caller-identity", AWS_ACCESS_KEY_ID=given["AccessKeyId"],
                  AWS_SECRET_ACCESS_KEY=given["SecretAccessKey"],
                  AWS_SESSION_TOKEN=given["SessionToken"])
        self.assertEqual(who["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/me")

    def test_errors_are_what_the_clients_expect(self):
        sts = client(self.url, "sts", parameter_validation=False)
        with self.assertRaises(botocore.exceptions.ClientError) as raised:
            sts.get_access_key_info(AccessKeyId="short")
        answer = raised.exception.response
        self.assertEqual(answer["Error"]["Code"], "ValidationError")
        self.assertEqual(answer["Error"]["Message"],
                         "1 validation error detected: Value 'short' at 'accessKeyId' failed to "
                         "satisfy constraint: Member must have length greater than or equal to 16")
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 400)
        self.assertRegex(answer["ResponseMetadata"]["RequestId"], r"^[0-9a-f-]{36}$")
        self.assertEqual(code_of(lambda: sts.get_federation_token(Name="x")), "InvalidAction")
        classic = client(self.url, "elb")
        with self.assertRaisesRegex(botocore.exceptions.ClientError, "Classic Load Balancers"):
            classic.describe_load_balancers()
        self.assertEqual(code_of(lambda: client(self.url, "sns").list_topics()), "InvalidAction")

    def test_an_unsigned_request_is_refused(self):
        connection = http.client.HTTPConnection(urllib.parse.urlparse(self.url).netloc, timeout=20)
        connection.request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 403)
        self.assertIn(b"<Code>MissingAuthenticationToken</Code>", answer.read())

    def test_pages_come_one_after_the_other(self):
        elbv2 = client(self.url, "elbv2")
        whole = [p["Name"] for p in elbv2.describe_ssl_policies()["SslPolicies"]]
        pages = list(elbv2.get_paginator("describe_ssl_policies").paginate(
            PaginationConfig={"PageSize": 7}))
        self.assertEqual([p["Name"] for page in pages for p in page["SslPolicies"]], whole)
        self.assertTrue(all(len(page["SslPolicies"]) <= 7 for page in pages))
        self.assertGreater(len(pages), 1)
        self.assertEqual(code_of(lambda: elbv2.describe_ssl_policies(Marker="made-up")),
                         "ValidationError")

    def test_many_clients_at_once(self):
        def work(number):
            sts = client(self.url, "sts", key=f"AKIAWORKER{number:010d}")
            return [sts.get_caller_identity()["Account"] for _ in range(20)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(work, range(16)))
        self.assertEqual(answers, [[ACCOUNT] * 20] * 16)


class VerifyingEndpoint(WeirTest):
    rootless = True
    serve_flags = ("--api", "127.0.0.1:0", "--verify-signatures")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = cls.weir.serve()
        cls.key = cls.weir.json("credentials", "create", "test")

    def sts(self, **changes):
        return client(self.url, "sts", **{"key": self.key["id"], "secret": self.key["secret"],
                                          **changes})

    def test_known_credentials_are_taken_by_header_and_presigned(self):
        self.assertEqual(self.sts().get_caller_identity()["Account"], ACCOUNT)
        url = self.sts().generate_presigned_url("get_caller_identity", HttpMethod="GET")
        self.assertEqual(self.fetch(url), 200)
        self.assertEqual(self.fetch(url), 200, "again, within its time")
        self.assertEqual(self.fetch(url.replace("GetCallerIdentity", "GetSessionToken")), 403)
        self.assertEqual(self.fetch(url.replace("X-Amz-Expires=3600", "X-Amz-Expires=7200")), 403)

    @staticmethod
    def fetch(url):
        parts = urllib.parse.urlparse(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        connection.request("GET", f"{parts.path or '/'}?{parts.query}")
        return connection.getresponse().status

    def test_unknown_and_wrong_credentials_are_refused(self):
        self.assertEqual(code_of(self.sts(key="AKIAUNKNOWNUNKNOWN00").get_caller_identity),
                         "InvalidClientTokenId")
        self.assertEqual(code_of(self.sts(secret="wrong").get_caller_identity),
                         "SignatureDoesNotMatch")

    def send(self, change=lambda request: None, at=None):
        """One call signed by botocore, changed on its way; the code of the refusal."""
        request = botocore.awsrequest.AWSRequest(
            "POST", self.url + "/", data="Action=GetCallerIdentity&Version=2011-06-15",
            headers={"Content-Type": "application/x-www-form-urlencoded"})
        signer = botocore.auth.SigV4Auth(
            botocore.credentials.Credentials(self.key["id"], self.key["secret"]), "sts", REGION)
        now = at or datetime.datetime.utcnow()
        request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        clock = botocore.auth.datetime
        botocore.auth.datetime = FixedClock(now)
        try:
            signer.add_auth(request)
        finally:
            botocore.auth.datetime = clock
        prepared = request.prepare()
        change(prepared)
        connection = http.client.HTTPConnection(urllib.parse.urlparse(self.url).netloc, timeout=20)
        connection.request("POST", "/", prepared.body, dict(prepared.headers.items()))
        answer = connection.getresponse()
        body = answer.read().decode()
        return None if answer.status == 200 else body.split("<Code>")[1].split("</Code>")[0]

    def test_what_is_tampered_with_is_refused(self):
        self.assertIsNone(self.send())

        def body(request):
            request.body = request.body.replace("2011-06-15", "2011-06-16")
        self.assertEqual(self.send(body), "SignatureDoesNotMatch")

        def header(request):
            request.headers["X-Amz-Anything"] = "unsigned"
        self.assertEqual(self.send(header), "SignatureDoesNotMatch")

        def unsigned(request):
            request.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
        self.assertEqual(self.send(unsigned), "SignatureDoesNotMatch")

    def test_clocks_may_differ_by_a_quarter_of_an_hour(self):
        now = datetime.datetime.utcnow()
        for minutes, code in ((-14, None), (14, None), (-16, "SignatureDoesNotMatch"),
                              (16, "SignatureDoesNotMatch")):
            with self.subTest(minutes=minutes):
                self.assertEqual(self.send(at=now + datetime.timedelta(minutes=minutes)), code)

    def test_sessions_end_with_their_key(self):
        key = self.weir.json("credentials", "create", "short-lived")
        given = client(self.url, "sts", key["id"], key["secret"]).get_session_token()["Credentials"]
        session = client(self.url, "sts", given["AccessKeyId"], given["SecretAccessKey"],
                         given["SessionToken"])
        self.assertEqual(session.get_caller_identity()["Account"], ACCOUNT)
        self.assertIn(key["id"], self.weir.run("credentials", "list").stdout)
        self.assertNotIn(key["secret"], self.weir.run("credentials", "list").stdout)
        self.weir.run("credentials", "delete", key["id"])
        self.assertEqual(code_of(session.get_caller_identity), "InvalidClientTokenId")

    def test_credentials_survive_the_daemons_death(self):
        self.weir.kill_daemon()
        type(self).url = self.weir.serve()
        self.assertEqual(self.sts().get_caller_identity()["Account"], ACCOUNT)


class TwoDaemons(unittest.TestCase):
    def test_the_second_takes_the_next_port(self):
        weirs = [Weir(rootless=True), Weir(rootless=True)]
        try:
            ports = [int(weir.serve().rsplit(":", 1)[1]) for weir in weirs]
            self.assertGreaterEqual(ports[0], 4566)
            self.assertGreater(ports[1], ports[0])
        finally:
            for weir in weirs:
                weir.discard()


class WhereItListens(unittest.TestCase):
    """Each with a daemon of its own."""

    def daemon(self, *flags):
        weir = Weir(rootless=True, serve_flags=flags)
        self.addCleanup(weir.discard)
        return weir

    def test_off_loopback_signatures_are_verified(self):
        weir = self.daemon("--api", "0.0.0.0:0")
        weir.serve()
        api = weir.api()
        self.assertTrue(api["verifies_signatures"])
        url = api["url"].replace("0.0.0.0", "127.0.0.1")
        self.assertEqual(code_of(client(url, "sts").get_caller_identity), "InvalidClientTokenId")

    def test_a_port_that_is_asked_for_must_be_free(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            weir = self.daemon()
            done = weir.run("serve", "--api", f"127.0.0.1:{taken.getsockname()[1]}", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("in use", done.stderr)

    def test_it_can_be_left_out(self):
        weir = self.daemon("--api", "off")
        self.assertEqual(weir.serve(), "")
        self.assertNotIn("endpoint", weir.run("credentials", "create").stdout.lower())


class FixedClock:
    """botocore.auth's `datetime` module, at a moment of our choice."""

    def __init__(self, now):
        self.datetime = type("datetime", (), {"utcnow": staticmethod(lambda: now)})


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")  # botocore leaves sockets to the collector
