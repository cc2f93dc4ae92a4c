"""ELBv2 as its users call it: boto3 and the aws CLI against a real daemon, with real traffic.

Usage: elbv2_test.py [--rootless]
"""
import argparse
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest
import urllib.parse
import xml.etree.ElementTree

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import aws_client
import templates
from aws_client import KEYS, REGION
from weir_harness import WeirTest, wait_until

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()

# Debian's own, where there is another one before it.
AWS = "/usr/bin/aws" if pathlib.Path("/usr/bin/aws").exists() else shutil.which("aws")
PORT = 18310


# A load balancer without a target.
SITE = f"""\
Parameters:
  Subnets: {{Type: 'List<AWS::EC2::Subnet::Id>'}}
Resources:
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {{Name: site, Subnets: !Ref Subnets}}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: {PORT}
      Protocol: HTTP
      DefaultActions:
        - {{Type: fixed-response, FixedResponseConfig: {{StatusCode: '503'}}}}
"""


def path_rule(path, status):
    return {"Conditions": [{"Field": "path-pattern", "Values": [path]}],
            "Actions": [{"Type": "fixed-response",
                         "FixedResponseConfig": {"StatusCode": str(status)}}]}


class Elbv2(WeirTest):
    rootless = OPTIONS.rootless

    @classmethod
    def tearDownClass(cls):
        cls.elb.close()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        template = cls.weir.home / "site.yaml"
        template.write_text(templates.site(templates.ECHO, port=PORT))
        result = cls.weir.up(template)
        cls.endpoint = result["daemon"]["api"]["url"]
        cls.elb = aws_client.client("elbv2", cls.endpoint)
        site = cls.elb.describe_load_balancers(Names=["site"])["LoadBalancers"][0]
        cls.site = site["LoadBalancerArn"]
        cls.host = site["DNSName"]
        cls.vpc = site["VpcId"]
        cls.subnets = [zone["SubnetId"] for zone in site["AvailabilityZones"]]
        cls.instance = next(iter(cls.weir.instances()))
        cls.listener = cls.elb.describe_listeners(
            LoadBalancerArn=cls.site)["Listeners"][0]["ListenerArn"]

    def get(self, path, port=PORT, host=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", path, headers={"Host": host or self.host})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status

    def refused(self, code, call, **parameters):
        with self.assertRaises(ClientError) as refused:
            call(**parameters)
        self.assertEqual(refused.exception.response["Error"]["Code"], code)
        return refused.exception.response["Error"]["Message"]

    def raw(self, action, **parameters):
        """What Debian's SDK is too old to know: the texts of the answer by element, and its status."""
        body = urllib.parse.urlencode({"Action": action, "Version": "2015-12-01", **parameters})
        request = AWSRequest("POST", self.endpoint + "/", data=body, headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
        SigV4Auth(Credentials(*KEYS.values()), "elasticloadbalancing", REGION).add_auth(request)
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.endpoint).netloc)
        connection.request("POST", "/", body, dict(request.headers.items()))
        response = connection.getresponse()
        answer = xml.etree.ElementTree.fromstring(response.read())
        connection.close()
        return response.status, {each.tag.split("}")[1]: each.text for each in answer.iter()}

    # ------------------------------------------------------------ a deployment
    def test_a_rule_that_can_never_match_is_warned_of(self):
        made = [self.elb.create_rule(ListenerArn=self.listener, Priority=priority,
                                     **path_rule(path, 404))["Rules"][0]["RuleArn"]
                for priority, path in ((41, "/shade/*"), (42, "/shade/below"))]
        words = "rule 42 of the listener on port {} of site can never match: rule 41 takes all"
        self.assertIn(words.format(PORT), (self.weir.state / "weir.log").read_text())
        explained = self.weir.run("explain", "GET", f"http://{self.host}:{PORT}/shade/below").stdout
        self.assertIn(words.format(PORT), explained)
        for arn in made:
            self.elb.delete_rule(RuleArn=arn)

    def test_a_deployment_from_the_first_call_to_the_last(self):
        elb = self.elb
        group = elb.create_target_group(
            Name="shop", Protocol="HTTP", Port=80, VpcId=self.vpc, HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2, HealthCheckPath="/up",
            Matcher={"HttpCode": "200-299"}, Tags=[{"Key": "team", "Value": "shop"}],
        )["TargetGroups"][0]
        self.assertEqual(group["HealthCheckPath"], "/up")
        self.assertEqual(group["Matcher"], {"HttpCode": "200-299"})
        self.assertEqual(group["LoadBalancerArns"], [])
        group = group["TargetGroupArn"]
        elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[
            {"Key": "deregistration_delay.timeout_seconds", "Value": "0"}])
        made = elb.create_load_balancer(Name="shop", Subnets=self.subnets,
                                        Tags=[{"Key": "team", "Value": "shop"}])
        balancer = made["LoadBalancers"][0]
        arn, host = balancer["LoadBalancerArn"], balancer["DNSName"]
        quick = {"Delay": 1, "MaxAttempts": 60}
        elb.get_waiter("load_balancer_exists").wait(LoadBalancerArns=[arn], WaiterConfig=quick)
        elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[arn], WaiterConfig=quick)

        listener = elb.create_listener(
            LoadBalancerArn=arn, Protocol="HTTP", Port=PORT + 1,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )["Listeners"][0]["ListenerArn"]
        self.assertEqual(self.get("/", PORT + 1, host), 503)  # it listens; nobody is registered
        elb.register_targets(TargetGroupArn=group, Targets=[{"Id": self.instance}])
        elb.get_waiter("target_in_service").wait(TargetGroupArn=group, WaiterConfig=quick)
        self.assertEqual(self.get("/", PORT + 1, host), 200)
        self.assertEqual(elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"][0]
                         ["LoadBalancerArns"], [arn])

        elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": self.instance}])
        elb.get_waiter("target_deregistered").wait(
            TargetGroupArn=group, Targets=[{"Id": self.instance}], WaiterConfig=quick)
        self.assertEqual(self.get("/", PORT + 1, host), 503)

        self.refused("ResourceInUse", elb.delete_target_group, TargetGroupArn=group)
        elb.modify_listener(ListenerArn=listener, Port=PORT + 2, DefaultActions=[
            {"Type": "redirect", "RedirectConfig": {"Path": "/gone", "StatusCode": "HTTP_302"}}])
        self.assertEqual(self.get("/", PORT + 2, host), 302)
        elb.delete_target_group(TargetGroupArn=group)
        elb.delete_load_balancer(LoadBalancerArn=arn)
        elb.get_waiter("load_balancers_deleted").wait(LoadBalancerArns=[arn], WaiterConfig=quick)
        with self.assertRaises(ConnectionRefusedError):
            self.get("/", PORT + 2, host)

    # ------------------------------------------------------------ rules
    def test_a_change_of_rules_is_in_force_when_the_call_returns(self):
        elb = self.elb
        self.assertEqual(self.get("/in-force"), 200)
        for turn in range(20):
            rule = elb.create_rule(ListenerArn=self.listener, Priority=100,
                                   **path_rule("/in-force", 404))["Rules"][0]["RuleArn"]
            self.assertEqual(self.get("/in-force"), 404, turn)
            elb.modify_rule(RuleArn=rule, Actions=path_rule("/in-force", 410)["Actions"])
            self.assertEqual(self.get("/in-force"), 410, turn)
            elb.delete_rule(RuleArn=rule)
            self.assertEqual(self.get("/in-force"), 200, turn)

    def test_priorities_change_places(self):
        elb = self.elb
        first, second = (elb.create_rule(ListenerArn=self.listener, Priority=priority,
                                         **path_rule("/places*", status))["Rules"][0]["RuleArn"]
                         for priority, status in ((200, 404), (201, 410)))
        self.assertEqual(self.get("/places"), 404)
        changed = elb.set_rule_priorities(RulePriorities=[
            {"RuleArn": first, "Priority": 201}, {"RuleArn": second, "Priority": 200}])
        self.assertEqual([rule["Priority"] for rule in changed["Rules"]], ["201", "200"])
        self.assertEqual(self.get("/places"), 410)
        message = self.refused("PriorityInUse", elb.create_rule, ListenerArn=self.listener,
                               Priority=200, **path_rule("/x", 404))
        self.assertEqual(message, "Priority '200' is currently in use")
        for rule in (first, second):
            elb.delete_rule(RuleArn=rule)

    def test_rules_come_back_as_they_were_given(self):
        elb = self.elb
        conditions = [
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}},
            {"Field": "http-header",
             "HttpHeaderConfig": {"HttpHeaderName": "X-Version", "Values": ["v2*"]}},
            {"Field": "query-string",
             "QueryStringConfig": {"Values": [{"Key": "a", "Value": "b"}]}},
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
        ]
        redirect = {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}",
                    "Query": "#{query}", "StatusCode": "HTTP_301"}
        rule = elb.create_rule(ListenerArn=self.listener, Priority=300, Conditions=conditions,
                               Actions=[{"Type": "redirect", "Order": 1,
                                         "RedirectConfig": redirect}])["Rules"][0]
        self.assertEqual(rule["Actions"],
                         [{"Type": "redirect", "Order": 1, "RedirectConfig": redirect}])
        shown = [{key: value for key, value in each.items() if key != "Values"}
                 for each in rule["Conditions"]]
        self.assertEqual(shown, conditions)
        again = elb.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"]
        self.assertEqual(again, [rule])
        elb.delete_rule(RuleArn=rule["RuleArn"])

    def test_rules_by_pages(self):
        elb = self.elb
        rules = [elb.create_rule(ListenerArn=self.listener, Priority=1000 + number,
                                 **path_rule(f"/page/{number}", 404))["Rules"][0]["RuleArn"]
                 for number in range(25)]
        pages = list(elb.get_paginator("describe_rules").paginate(
            ListenerArn=self.listener, PaginationConfig={"PageSize": 10}))
        self.assertEqual([len(page["Rules"]) for page in pages], [10, 10, 6])
        seen = [rule for page in pages for rule in page["Rules"]]
        self.assertEqual([rule["RuleArn"] for rule in seen[:-1]], rules)
        self.assertTrue(seen[-1]["IsDefault"])
        self.assertEqual(seen[-1]["Priority"], "default")
        for rule in rules:
            elb.delete_rule(RuleArn=rule)

    # ------------------------------------------------------------ attributes, tags, the rest
    def test_attributes_and_tags(self):
        elb = self.elb
        elb.modify_load_balancer_attributes(LoadBalancerArn=self.site, Attributes=[
            {"Key": "deletion_protection.enabled", "Value": "true"}])
        self.refused("OperationNotPermitted", elb.delete_load_balancer, LoadBalancerArn=self.site)
        elb.modify_load_balancer_attributes(LoadBalancerArn=self.site, Attributes=[
            {"Key": "deletion_protection.enabled", "Value": "false"}])
        attributes = {each["Key"]: each["Value"] for each in elb.describe_load_balancer_attributes(
            LoadBalancerArn=self.site)["Attributes"]}
        self.assertEqual(attributes["deletion_protection.enabled"], "false")
        self.assertEqual(attributes["idle_timeout.timeout_seconds"], "60")

        status, _ = self.raw("ModifyListenerAttributes", ListenerArn=self.listener, **{
            "Attributes.member.1.Key": "routing.http.response.server.enabled",
            "Attributes.member.1.Value": "false"})
        self.assertEqual(status, 200)
        elb.add_tags(ResourceArns=[self.site, self.listener],
                     Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "ü"}])
        elb.remove_tags(ResourceArns=[self.site], TagKeys=["a"])
        tags = elb.describe_tags(ResourceArns=[self.listener, self.site])["TagDescriptions"]
        self.assertIn({"Key": "b", "Value": "ü"}, tags[0]["Tags"])
        self.assertNotIn("a", [tag["Key"] for tag in tags[1]["Tags"]])

    def test_errors_as_clients_know_them(self):
        elb = self.elb
        self.refused("LoadBalancerNotFound", elb.describe_load_balancers, Names=["none"])
        self.refused("TargetGroupNotFound", elb.describe_target_groups, Names=["none"])
        self.refused("DuplicateLoadBalancerName", elb.create_load_balancer, Name="site",
                     Subnets=self.subnets, Scheme="internal")
        self.refused("InvalidConfigurationRequest", elb.create_load_balancer, Name="net",
                     Subnets=self.subnets, Type="network")
        self.refused("DuplicateListener", elb.create_listener, LoadBalancerArn=self.site,
                     Protocol="HTTP", Port=PORT,
                     DefaultActions=path_rule("/", 404)["Actions"])
        message = self.refused(
            "ValidationError", elb.create_rule, ListenerArn=self.listener, Priority=1,
            Conditions=[{"Field": "path-pattern", "Values": ["/a"]}],
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "304"}}])
        self.assertIn("failed to satisfy constraint", message)
        self.refused("InvalidTarget", elb.register_targets,
                     TargetGroupArn=elb.describe_target_groups(Names=["site"])["TargetGroups"][0]
                     ["TargetGroupArn"], Targets=[{"Id": "i-00000000000000000"}])

    def test_limits_and_policies(self):
        limits = {each["Name"]: int(each["Max"]) for each in
                  self.elb.describe_account_limits()["Limits"]}
        self.assertGreater(limits["rules-per-application-load-balancer"], 100)
        names = [policy["Name"] for page in
                 self.elb.get_paginator("describe_ssl_policies").paginate() for policy in
                 page["SslPolicies"]]
        self.assertIn("ELBSecurityPolicy-TLS13-1-2-2021-06", names)

    def test_a_trust_store_from_a_bucket(self):
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null",
             "-subj", "/CN=Test CA", "-days", "1"], capture_output=True, text=True, check=True)
        bucket = self.weir.state / "s3" / "trust"
        bucket.mkdir(parents=True, exist_ok=True)
        (bucket / "ca.pem").write_text(made.stdout)
        if self.weir.user:
            for path in (bucket.parent, bucket, bucket / "ca.pem"):
                shutil.chown(path, self.weir.user)
        place = {"CaCertificatesBundleS3Bucket": "trust", "CaCertificatesBundleS3Key": "ca.pem"}
        status, store = self.raw("CreateTrustStore", Name="clients", **place)
        self.assertEqual((status, store["Status"], store["NumberOfCaCertificates"]),
                         (200, "ACTIVE", "1"))
        self.assertEqual(
            self.raw("DeleteTrustStore", TrustStoreArn=store["TrustStoreArn"])[0], 200)
        place["CaCertificatesBundleS3Key"] = "none.pem"
        status, error = self.raw("CreateTrustStore", Name="clients", **place)
        self.assertEqual((status, error["Code"]), (400, "CaCertificatesBundleNotFound"))

    # ------------------------------------------------------------ the aws CLI
    def aws(self, *words, status=0):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.weir.home),
                       "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true", **KEYS}
        done = subprocess.run(
            [AWS, "--endpoint-url", self.endpoint, "--output", "json", "elbv2", *words],
            capture_output=True, text=True, env=environment, timeout=120)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        if status:
            return done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def test_the_command_line(self):
        self.aws("wait", "load-balancer-available", "--names", "site")
        rule = self.aws("create-rule", "--listener-arn", self.listener, "--priority", "400",
                        "--conditions", "Field=path-pattern,Values=/cli",
                        "--actions", "Type=fixed-response,FixedResponseConfig={StatusCode=404}")
        self.assertEqual(self.get("/cli"), 404)
        self.aws("delete-rule", "--rule-arn", rule["Rules"][0]["RuleArn"])
        group = self.aws("describe-target-groups", "--names", "site")["TargetGroups"][0]
        health = self.aws("describe-target-health", "--target-group-arn", group["TargetGroupArn"])
        self.assertEqual(health["TargetHealthDescriptions"][0]["TargetHealth"],
                         {"State": "healthy"})
        error = self.aws("describe-load-balancers", "--names", "none", status=254)
        self.assertIn("(LoadBalancerNotFound) when calling the DescribeLoadBalancers operation: "
                      "Load balancers '[none]' not found", error)

    # ------------------------------------------------------------ durability
    def test_an_answered_change_outlives_the_daemon(self):
        rule = self.elb.create_rule(ListenerArn=self.listener, Priority=500,
                                    **path_rule("/kept", 410))["Rules"][0]
        self.weir.kill_daemon()
        self.weir.up(self.weir.home / "site.yaml")
        self.assertEqual(self.elb.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"], [rule])
        wait_until(lambda: self.get("/kept") == 410, "the rule is in force again")
        self.elb.delete_rule(RuleArn=rule["RuleArn"])


class AwsLimits(WeirTest):
    """With AWS's numbers, for rehearsing."""
    rootless = OPTIONS.rootless
    serve_flags = ("--limits", "aws")

    def test_the_hundredth_rule_is_the_last(self):
        template = self.weir.home / "site.yaml"
        template.write_text(SITE)
        endpoint = self.weir.up(template)["daemon"]["api"]["url"]
        elb = aws_client.client("elbv2", endpoint)
        self.addCleanup(elb.close)
        site = elb.describe_load_balancers(Names=["site"])["LoadBalancers"][0]["LoadBalancerArn"]
        listener = elb.describe_listeners(LoadBalancerArn=site)["Listeners"][0]["ListenerArn"]
        for number in range(100):
            elb.create_rule(ListenerArn=listener, Priority=number + 1, **path_rule("/a", 404))
        with self.assertRaises(elb.exceptions.TooManyRulesException):
            elb.create_rule(ListenerArn=listener, Priority=101, **path_rule("/a", 404))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
