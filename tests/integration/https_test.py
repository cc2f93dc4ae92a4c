"""HTTPS as its users set it up and speak it: `weir certificate`, boto3, templates; curl, Python's ssl
and openssl as clients.

Usage: https_test.py [--rootless]
"""
import argparse
import http.client
import pathlib
import socket
import ssl
import subprocess
import sys
import unittest

from botocore.exceptions import ClientError

import aws_client
import templates
from weir_harness import WeirTest, wait_until

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()

PORT = 18390
HTTPS = 18391
OF_STACK = 18392

STACK = """\
Resources:
  Secure:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: {balancer}
      Port: {port}
      Protocol: HTTPS
      SslPolicy: {policy}
      Certificates: [{{CertificateArn: '{default}'}}]
      DefaultActions:
        - {{Type: fixed-response, FixedResponseConfig: {{StatusCode: '204'}}}}
  More:
    Type: AWS::ElasticLoadBalancingV2::ListenerCertificate
    Properties:
      ListenerArn: !Ref Secure
      Certificates: [{{CertificateArn: '{second}'}}]
"""


class Authority:
    """Certificates as an operator gets them, by openssl."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate = folder / "ca.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-keyout", folder / "ca.key", "-out", self.certificate, "-days", "2",
                     "-subj", "/CN=Test Root")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def issue(self, name):
        """(certificate with the chain behind it, key), as files."""
        base = self.folder / name.replace("*", "wild")
        key, request, out = (base.with_name(base.name + end) for end in (".key", ".csr", ".pem"))
        extensions = base.with_name(base.name + ".ext")
        extensions.write_text(f"subjectAltName=DNS:{name}\n")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request,
                     "-subj", f"/CN={name}")
        self.openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey",
                     self.folder / "ca.key", "-CAcreateserial", "-days", "1", "-extfile", extensions,
                     "-out", out)
        out.write_text(out.read_text() + self.certificate.read_text())
        key.chmod(0o644)  # rootless, weir is another user than this test
        return out, key


class Https(WeirTest):
    rootless = OPTIONS.rootless

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        template = cls.weir.home / "site.yaml"
        template.write_text(templates.site(templates.ECHO, port=PORT))
        result = cls.weir.up(template)
        endpoint = result["daemon"]["api"]["url"]
        cls.elb = aws_client.client("elbv2", endpoint)
        cls.balancer = cls.elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
        cls.group = cls.elb.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
        cls.authority = Authority(pathlib.Path(cls.weir.home))
        cls.first = cls.import_certificate("www.example.test")
        cls.second = cls.import_certificate("*.wild.test")
        cls.listener = cls.elb.create_listener(
            LoadBalancerArn=cls.balancer, Protocol="HTTPS", Port=HTTPS,
            SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
            Certificates=[{"CertificateArn": cls.first}],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": cls.group}])["Listeners"][0]

    @classmethod
    def tearDownClass(cls):
        cls.elb.close()

    @classmethod
    def import_certificate(cls, name, *more):
        certificate, key = cls.authority.issue(name)
        return cls.weir.json("certificate", "import", "--certificate", str(certificate), "--key",
                             str(key), *more)["arn"]

    def context(self, **settings):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        for name, value in settings.items():
            setattr(context, name, value)
        return context

    def ask(self, name, port=HTTPS, **settings):
        """The status, and what of TLS was agreed on, with the name and its certificate verified."""
        with self.context(**settings).wrap_socket(
                socket.create_connection(("127.0.0.1", port), 20),
                server_hostname=name) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while block := connection.recv(65536):
                answer += block
            return int(answer.split()[1]), connection.version(), answer

    def test_python_verifies_and_is_served(self):
        status, version, answer = self.ask("www.example.test")
        self.assertEqual((status, version), (200, "TLSv1.3"))
        status, version, _ = self.ask("www.example.test", maximum_version=ssl.TLSVersion.TLSv1_2)
        self.assertEqual((status, version), (200, "TLSv1.2"))

    def test_curl_verifies_and_is_served(self):
        answer = subprocess.run(
            ["curl", "-sS", "--cacert", str(self.authority.certificate), "--resolve",
             f"www.example.test:{HTTPS}:127.0.0.1", "-w", "%{http_code} %{ssl_verify_result}",
             "-o", "/dev/null", f"https://www.example.test:{HTTPS}/a",
             "-o", "/dev/null", f"https://www.example.test:{HTTPS}/b"],
            capture_output=True, text=True, timeout=30, check=True)
        self.assertEqual(answer.stdout, "200 0" * 2)

    def test_openssl_resumes_sessions(self):
        session = self.weir.home / "session.pem"
        base = ["openssl", "s_client", "-connect", f"127.0.0.1:{HTTPS}", "-servername",
                "www.example.test", "-CAfile", str(self.authority.certificate), "-tls1_2"]
        for more, wanted in ((["-sess_out", str(session)], "New, "),
                             (["-sess_in", str(session)], "Reused, ")):
            answer = subprocess.run(base + more, input="GET / HTTP/1.0\r\n\r\n", text=True,
                                    capture_output=True, timeout=30, check=False)
            self.assertIn(wanted, answer.stdout)
            self.assertIn("Verify return code: 0 (ok)", answer.stdout)

    def test_certificates_are_chosen_by_name_and_replaced_under_traffic(self):
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.ask("a.wild.test")
        self.elb.add_listener_certificates(ListenerArn=self.listener["ListenerArn"],
                                           Certificates=[{"CertificateArn": self.second}])
        self.assertEqual(self.ask("a.wild.test")[0], 200)
        kept = http.client.HTTPSConnection("127.0.0.1", HTTPS, timeout=20,
                                           context=self.context(check_hostname=False))
        kept.request("GET", "/")
        kept.getresponse().read()
        self.import_certificate("www.example.test", "--arn", self.first)
        kept.request("GET", "/")
        self.assertEqual(kept.getresponse().status, 200)
        kept.close()
        shown = self.elb.describe_listener_certificates(
            ListenerArn=self.listener["ListenerArn"])["Certificates"]
        self.assertEqual([(each["CertificateArn"], each["IsDefault"]) for each in shown],
                         [(self.first, True), (self.second, False)])
        self.elb.remove_listener_certificates(ListenerArn=self.listener["ListenerArn"],
                                              Certificates=[{"CertificateArn": self.second}])
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.ask("a.wild.test")

    def test_what_is_in_use_stays_and_what_is_wrong_is_refused(self):
        result = self.weir.run("certificate", "delete", self.first, check=False)
        self.assertNotEqual(result.returncode, 0)
        certificate, _ = self.authority.issue("one.test")
        _, other_key = self.authority.issue("two.test")
        result = self.weir.run("certificate", "import", "--certificate", str(certificate), "--key",
                               str(other_key), check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("does not match", result.stderr)
        with self.assertRaises(ClientError) as refused:
            self.elb.create_listener(
                LoadBalancerArn=self.balancer, Protocol="HTTPS", Port=OF_STACK + 1,
                Certificates=[{"CertificateArn": self.first + "0"}],
                DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group}])
        self.assertEqual(refused.exception.response["Error"]["Code"], "CertificateNotFound")

    def test_templates_have_https_listeners(self):
        template = self.weir.home / "secure.yaml"

        def deploy(policy):
            template.write_text(STACK.format(balancer=self.balancer, port=OF_STACK, policy=policy,
                                             default=self.first, second=self.second))
            self.weir.up(str(template), "--name", "secure")

        deploy("ELBSecurityPolicy-TLS13-1-3-2021-06")
        self.assertEqual(self.ask("www.example.test", OF_STACK)[:2], (204, "TLSv1.3"))
        self.assertEqual(self.ask("b.wild.test", OF_STACK)[0], 204)
        deploy("ELBSecurityPolicy-TLS-1-2-2017-01")
        self.assertEqual(self.ask("www.example.test", OF_STACK)[:2], (204, "TLSv1.2"))
        self.weir.run("down", "secure")

    def test_listeners_come_back_with_the_daemon(self):
        self.weir.kill_daemon()
        self.weir.serve()
        wait_until(lambda: self.ask("www.example.test")[0] == 200, "HTTPS is served again")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST])
