"""`weir import`: what is made with boto3 at one daemon is imported from its endpoint, brought up at a
second one from the template, and described by both alike.

Usage: import_test.py
"""
import http.server
import os
import re
import ssl
import subprocess
import threading

from aws_client import KEYS, REGION, client
from weir_harness import Weir, WeirTest, main


def fixed(status, text="as asked"):
    return {"Type": "fixed-response", "FixedResponseConfig": {
        "StatusCode": str(status), "ContentType": "text/plain", "MessageBody": text}}


def forward(*groups, sticky=False):
    config = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]}
    if sticky:
        config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 60}
    return {"Type": "forward", "ForwardConfig": config}


RULES = [
    (5, [{"Field": "path-pattern", "Values": ["/shop", "/shop/*"]}], "shop"),
    (6, [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/both"]}}], "both"),
    (7, [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}},
         {"Field": "http-header",
          "HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "Values": ["off", "1e3", "a: b #c"]}}],
     {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}",
                                             "Path": "/#{path}", "Query": "#{query}",
                                             "StatusCode": "HTTP_301"}}),
    (8, [{"Field": "query-string", "QueryStringConfig": {
        "Values": [{"Key": "on", "Value": "yes"}, {"Value": "*~*"}]}},
         {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET", "PUT"]}},
         {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}], fixed(404)),
    (500, [{"Field": "path-pattern", "Values": ["/line"]}], fixed(200, 'a "b"\n\tc: {d} \\ 0755')),
]

# What two daemons cannot have alike.
OWN = {"LoadBalancerArn", "ListenerArn", "RuleArn", "TargetGroupArn", "LoadBalancerArns", "DNSName",
       "CreatedTime", "VpcId", "AvailabilityZones", "SecurityGroups", "CanonicalHostedZoneId",
       "ResponseMetadata", "State"}


class Healthy(http.server.BaseHTTPRequestHandler):
    """A target that both daemons find healthy."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


EMPTY = (200, "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers/>"
              "</DescribeLoadBalancersResult></DescribeLoadBalancersResponse>")
THROTTLED = (400, "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message>"
                  "</Error></ErrorResponse>")


class Scripted(http.server.BaseHTTPRequestHandler):
    """An endpoint that answers what its server's `answers` say, one after another."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.server.answers.pop(0)
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


class Site:
    """All that is described of load balancers, with names for ARNs."""

    def __init__(self, elb):
        self.elb = elb
        groups = elb.describe_target_groups()["TargetGroups"]
        self.names = {g["TargetGroupArn"]: g["TargetGroupName"] for g in groups}
        self.groups = {g["TargetGroupName"]: self.group(g) for g in groups}
        self.balancers = {b["LoadBalancerName"]: self.balancer(b)
                          for b in elb.describe_load_balancers()["LoadBalancers"]}

    def plain(self, value):
        if isinstance(value, dict):
            named = {"Group": self.names[value["TargetGroupArn"]]} if "TargetGroupArn" in value else {}
            return {k: self.plain(v) for k, v in value.items() if k not in OWN} | named
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        return self.names.get(value, value) if isinstance(value, str) else value

    def pairs(self, answer, member="Attributes"):
        return {p["Key"]: self.plain(p["Value"]) for p in answer[member]
                if not p["Key"].startswith("aws:")}

    def tags(self, arn):
        answer = self.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]
        return self.pairs(answer, "Tags")

    def group(self, group):
        arn = group["TargetGroupArn"]
        health = self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return (self.plain(group),
                self.pairs(self.elb.describe_target_group_attributes(TargetGroupArn=arn)),
                self.tags(arn),
                sorted((h["Target"]["Id"], h["Target"]["Port"], h["Target"]["AvailabilityZone"])
                       for h in health))

    def balancer(self, balancer):
        arn = balancer["LoadBalancerArn"]
        listeners = self.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        return (self.plain(balancer),
                self.pairs(self.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)),
                self.tags(arn), {each["Port"]: self.listener(each) for each in listeners})

    def listener(self, listener):
        arn = listener["ListenerArn"]
        return (self.plain(listener),
                [self.plain(rule) for rule in self.elb.describe_rules(ListenerArn=arn)["Rules"]])


class Import(WeirTest):
    serve_flags = ("--api", "127.0.0.1:0", "--verify-signatures")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = cls.weir.serve()
        made = cls.weir.json("credentials", "create", "import")
        cls.key, cls.secret = made["id"], made["secret"]
        cls.elb = client("elbv2", cls.url, cls.key, cls.secret)
        cls.ec2 = client("ec2", cls.url, cls.key, cls.secret)
        cls.vpc = cls.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        cls.subnets = [s["SubnetId"] for s in sorted(cls.ec2.describe_subnets()["Subnets"],
                                                     key=lambda s: s["AvailabilityZone"])][:2]
        cls.addClassCleanup(cls.elb.close)
        cls.addClassCleanup(cls.ec2.close)
        cls.target = http.server.ThreadingHTTPServer(("", 0), Healthy)
        cls.addClassCleanup(cls.target.server_close)
        threading.Thread(target=cls.target.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.target.shutdown)
        cls.make_site()

    @classmethod
    def make_group(cls, name, **more):
        arguments = {"Protocol": "HTTP", "Port": 8080, "VpcId": cls.vpc, "TargetType": "ip", **more}
        return cls.elb.create_target_group(Name=name, **arguments)["TargetGroups"][0][
            "TargetGroupArn"]

    @classmethod
    def make_balancer(cls, name, **more):
        return cls.elb.create_load_balancer(Name=name, Subnets=cls.subnets, **more)[
            "LoadBalancers"][0]["LoadBalancerArn"]

    @classmethod
    def make_site(cls):
        elb = cls.elb
        shop = cls.make_group("shop", HealthCheckPath="/up?a=b&c=<d>", Matcher={"HttpCode": "200-299"},
                              HealthCheckIntervalSeconds=7, HealthCheckTimeoutSeconds=3,
                              Tags=[{"Key": "team", "Value": "off"}])
        blog = cls.make_group("blog")
        mirror = cls.make_group("mirror-1")
        elb.register_targets(TargetGroupArn=shop, Targets=[
            {"Id": "127.0.0.1", "Port": cls.target.server_port, "AvailabilityZone": "all"},
            {"Id": "127.0.0.2", "Port": cls.target.server_port, "AvailabilityZone": "all"}])
        elb.modify_target_group_attributes(TargetGroupArn=shop, Attributes=[
            {"Key": "deregistration_delay.timeout_seconds", "Value": "7"},
            {"Key": "stickiness.enabled", "Value": "true"},
            {"Key": "weir.mirror.target_group_arn", "Value": mirror}])
        web = cls.make_balancer("web", Scheme="internal", Tags=[
            {"Key": "owner", "Value": "Ä: =quoted= - @1"}, {"Key": "null", "Value": ""}])
        elb.modify_load_balancer_attributes(LoadBalancerArn=web, Attributes=[
            {"Key": "idle_timeout.timeout_seconds", "Value": "17"},
            {"Key": "routing.http.xff_client_port.enabled", "Value": "true"}])
        actions = {"shop": {"Type": "forward", "TargetGroupArn": shop},
                   "both": forward((shop, 3), (blog, 0), sticky=True)}
        listener = elb.create_listener(
            LoadBalancerArn=web, Protocol="HTTP", Port=18410,
            DefaultActions=[forward((blog, 1))])["Listeners"][0]["ListenerArn"]
        for priority, conditions, action in RULES:
            action = actions[action] if isinstance(action, str) else action
            elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=conditions,
                            Actions=[action])
        elb.create_listener(LoadBalancerArn=web, Protocol="HTTP", Port=18411,
                            DefaultActions=[fixed(503)])
        elb.create_listener(LoadBalancerArn=cls.make_balancer("second"), Protocol="HTTP",
                            Port=18412, DefaultActions=[fixed(200)])
        cls.make_group("of-nobody")

    def run_import(self, *words, files=None, **variables):
        """With nothing of this machine's configuration; `files`: of ~/.aws."""
        home = self.weir.folder / "importing"
        (home / ".aws").mkdir(parents=True, exist_ok=True)
        for name in ("credentials", "config"):
            (home / ".aws" / name).write_text((files or {}).get(name, ""))
        return subprocess.run([self.weir.binary, "import", *words], capture_output=True, text=True,
                              timeout=60, env={"PATH": os.environ["PATH"], "HOME": str(home),
                                               **variables})

    def own(self):
        return {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret,
                "AWS_ENDPOINT_URL": self.url}

    def succeeds(self, *words, **options):
        done = self.run_import(*words, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def refused(self, *words, **options):
        done = self.run_import(*words, **options)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        return done.stderr

    # ------------------------------------------------------------ the way round
    def test_a_second_daemon_describes_what_was_imported_as_the_first_does(self):
        template = self.weir.folder / "site.yaml"
        said = self.succeeds("--all", "--output", template, **self.own())
        self.assertEqual(said.stdout, "")
        second = Weir(serve_flags=("--api", "127.0.0.1:0"))
        self.addCleanup(second.discard)
        url = second.serve()
        second.run("up", template)
        elb = client("elbv2", url)
        self.addCleanup(elb.close)
        expected, got = Site(self.elb), Site(elb)
        self.assertEqual(set(expected.groups) - set(got.groups), {"of-nobody"})
        del expected.groups["of-nobody"]
        self.maxDiff = None
        self.assertEqual(got.groups, expected.groups)
        self.assertEqual(got.balancers, expected.balancers)

    def test_one_load_balancer_alone(self):
        said = self.succeeds("second", **self.own())
        self.assertIn("SecondLoadBalancer:", said.stdout)
        self.assertNotIn("Web", said.stdout)
        self.assertNotIn("TargetGroup:", said.stdout)

    def test_notices_are_on_standard_error_and_in_the_template(self):
        said = self.succeeds("web", **self.own())
        group = re.search(r"notice: (load balancer web: a security group .*)\n", said.stderr)
        self.assertIn(f"# - {group.group(1)}\n", said.stdout)

    # ------------------------------------------------------------ as whom, and where
    def test_a_profile_has_credentials_region_and_endpoint(self):
        files = {"credentials": f"[site]\naws_access_key_id = {self.key}\n"
                                f"aws_secret_access_key = {self.secret}\n",
                 "config": f"[profile site]\nregion = us-east-1\nendpoint_url = {self.url}\n"}
        self.succeeds("web", "--profile", "site", files=files)
        self.succeeds("web", files=files, AWS_PROFILE="site")
        said = self.refused("web", files=files, AWS_PROFILE="other")
        self.assertIn("there is no profile 'other'", said)
        self.assertIn("There are: site", said)

    def test_temporary_credentials(self):
        sts = client("sts", self.url, self.key, self.secret)
        self.addCleanup(sts.close)
        made = sts.get_session_token()["Credentials"]
        self.succeeds("web", "--endpoint-url", self.url, "--region", REGION,
                      AWS_ACCESS_KEY_ID=made["AccessKeyId"],
                      AWS_SECRET_ACCESS_KEY=made["SecretAccessKey"],
                      AWS_SESSION_TOKEN=made["SessionToken"])

    def test_errors_say_what_to_do(self):
        said = self.refused("nothing", **self.own())
        self.assertIn("there is no load balancer 'nothing'", said)
        self.assertIn("There are: second, web", said)
        said = self.refused("web", AWS_ENDPOINT_URL=self.url)
        self.assertIn("no AWS credentials found; looked at AWS_ACCESS_KEY_ID (not set)", said)
        said = self.refused("web", **{**self.own(), "AWS_SECRET_ACCESS_KEY": "wrong"})
        self.assertIn("The secret is not that of the access key", said)
        said = self.refused("web", **{**self.own(), "AWS_ACCESS_KEY_ID": "AKIAUNKNOWN"})
        self.assertIn("does not know this access key", said)
        said = self.refused("web", **{**self.own(), "AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
        self.assertIn("http://127.0.0.1:1/", said)
        self.assertEqual(self.run_import(**self.own()).returncode, 2)
        self.assertEqual(self.run_import("web", "--all", **self.own()).returncode, 2)

    # ------------------------------------------------------------ an endpoint that misbehaves
    def scripted(self, *answers, tls=None):
        server = http.server.HTTPServer(("127.0.0.1", 0), Scripted)
        self.addCleanup(server.server_close)
        server.answers = list(answers)
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        scheme = "https" if tls else "http"
        return server, {**KEYS, "AWS_ENDPOINT_URL": f"{scheme}://127.0.0.1:{server.server_port}"}

    def test_what_is_throttled_is_asked_again(self):
        server, variables = self.scripted(THROTTLED, EMPTY)
        self.assertIn("no application load balancer", self.refused("--all", **variables))
        self.assertEqual(server.answers, [])

    def test_answers_that_are_not_of_aws(self):
        for answer, expected in [((200, "<html/>"), "is none to DescribeLoadBalancers"),
                                 ((200, "{"), "is no XML"),
                                 ((301, ""), "answered HTTP 301"),
                                 ((404, "<html>not here</html>"), "answered HTTP 404")]:
            _, variables = self.scripted(answer)
            self.assertIn(expected, self.refused("--all", **variables))

    def test_tls_is_verified(self):
        names = {name: str(self.weir.folder / name) for name in ("key.pem", "certificate.pem")}
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", names["key.pem"], "-out", names["certificate.pem"]],
                       check=True, capture_output=True)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(names["certificate.pem"], names["key.pem"])
        _, variables = self.scripted(EMPTY, tls=tls)
        self.assertIn("certificate", self.refused("--all", **variables))
        said = self.refused("--all", **variables, AWS_CA_BUNDLE=names["certificate.pem"])
        self.assertIn("no application load balancer", said)


if __name__ == "__main__":
    main()
