"""CloudWatch as its users call it, `weir top`, and the admin endpoint's token: real traffic through a
real daemon, whose metrics outlive it.

Usage: cloudwatch_test.py [--rootless]
"""
import argparse
import datetime
import json
import os
import subprocess
import sys
import unittest
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import aws_client
import templates
from aws_client import KEYS, REGION
from weir_harness import Balancer, WeirTest, wait_until

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()

SPACE = "AWS/ApplicationELB"


class CloudWatch(WeirTest):
    rootless = OPTIONS.rootless

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        template = cls.weir.home / "site.yaml"
        template.write_text(templates.site(templates.ECHO, port=18350))
        result = cls.weir.up(template)
        cls.balancer = Balancer(result)
        cls.endpoint = result["daemon"]["api"]["url"]
        cls.cloudwatch = cls.client("cloudwatch")
        arn = cls.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
        cls.of = [{"Name": "LoadBalancer", "Value": arn.split("loadbalancer/")[1]}]

    @classmethod
    def client(cls, service):
        return aws_client.client(service, cls.endpoint)

    def window(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        return {"StartTime": now - datetime.timedelta(minutes=30),
                "EndTime": now + datetime.timedelta(minutes=1)}

    def requests(self):
        points = self.cloudwatch.get_metric_statistics(
            Namespace=SPACE, MetricName="RequestCount", Dimensions=self.of, Period=60,
            Statistics=["Sum"], **self.window())["Datapoints"]
        return sum(point["Sum"] for point in points)

    def test_requests_are_counted_at_once_and_over_a_restart(self):
        before = self.requests()
        for _ in range(7):
            self.assertEqual(self.balancer.get("/")[0], 200)
        wait_until(lambda: self.requests() == before + 7, "all requests counted")
        self.weir.run("stop")
        self.weir.run("status", check=False)
        self.weir.up(self.weir.home / "site.yaml")
        self.assertEqual(self.requests(), before + 7)

    def test_latency_comes_with_percentiles(self):
        self.balancer.get("/")
        ids = ["p99", "p50", "tm90"]
        results = self.cloudwatch.get_metric_data(
            MetricDataQueries=[
                {"Id": id_, "MetricStat": {"Stat": id_, "Period": 300, "Metric": {
                    "Namespace": SPACE, "MetricName": "TargetResponseTime",
                    "Dimensions": self.of}}} for id_ in ids], **self.window())["MetricDataResults"]
        self.assertEqual([result["Id"] for result in results], ids)
        for result in results:
            self.assertTrue(result["Values"])
            self.assertTrue(all(0 < value < 10 for value in result["Values"]), result)

    def test_metrics_are_listed_and_ones_own_are_taken(self):
        self.cloudwatch.put_metric_data(Namespace="Shop", MetricData=[
            {"MetricName": "Orders", "Unit": "Count", "Values": [1, 2], "Counts": [3, 1],
             "Dimensions": [{"Name": "City", "Value": "Paris"}]}])
        mine = self.cloudwatch.list_metrics(Namespace="Shop")["Metrics"]
        self.assertEqual([metric["MetricName"] for metric in mine], ["Orders"])
        names = {metric["MetricName"] for page in
                 self.cloudwatch.get_paginator("list_metrics").paginate(Namespace=SPACE)
                 for metric in page["Metrics"]}
        self.assertLessEqual({"HealthyHostCount", "UnHealthyHostCount"}, names)

    def test_aws_cli(self):
        command = ["aws", "--endpoint-url", self.endpoint, "--region", REGION, "--output", "json",
                   "cloudwatch"]
        environment = {**os.environ, **KEYS}
        subprocess.run([*command, "put-metric-data", "--namespace", "Cli", "--metric-name", "Runs",
                        "--value", "3", "--unit", "Count"], env=environment, check=True, timeout=60)
        listed = subprocess.run([*command, "list-metrics", "--namespace", "Cli"], env=environment,
                                check=True, timeout=60, capture_output=True, text=True)
        self.assertEqual(json.loads(listed.stdout)["Metrics"][0]["MetricName"], "Runs")

    def signed(self, path, headers, body):
        request = AWSRequest("POST", self.endpoint + path, data=body, headers=headers)
        SigV4Auth(Credentials(*KEYS.values()), "monitoring", REGION).add_auth(request)
        with urllib.request.urlopen(urllib.request.Request(
                self.endpoint + path, body, dict(request.headers), method="POST")) as answer:
            return answer.headers["Content-Type"], answer.read()

    def test_json_and_cbor(self):
        target = "GraniteServiceVersion20100801"
        kind, body = self.signed("/", {"Content-Type": "application/x-amz-json-1.0",
                                       "X-Amz-Target": target + ".ListMetrics"},
                                 json.dumps({"Namespace": SPACE}).encode())
        self.assertTrue(kind.startswith("application/x-amz-json"))
        self.assertTrue(json.loads(body)["Metrics"])
        # {"Namespace": "None"}
        question = b"\xa1\x69Namespace\x64None"
        kind, body = self.signed(f"/service/{target}/operation/ListMetrics",
                                 {"Content-Type": "application/cbor",
                                  "Smithy-Protocol": "rpc-v2-cbor", "Accept": "application/cbor"},
                                 question)
        self.assertEqual(kind, "application/cbor")
        self.assertIn(b"\x67Metrics", body)

    def test_top(self):
        once = self.weir.run("top")  # a pipe: one look
        self.assertIn("LOAD BALANCER", once.stdout)
        self.assertNotIn("\x1b", once.stdout)
        looked = json.loads(self.weir.run("top", "--once", "--interval", "0.2", "--output",
                                          "json").stdout)
        self.assertEqual([balancer["name"] for balancer in looked["load_balancers"]], ["site"])
        self.assertEqual({target["health"] for target in looked["targets"]}, {"healthy"})


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST])
