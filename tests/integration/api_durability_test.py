"""An answered call outlives the daemon, killed at any moment; calls at once have an order.

Clients create, change and delete rules at once; the daemon is killed in the midst of it, again and
again. Afterwards every change that was answered is there, and what was not is either done or not.

Usage: api_durability_test.py
"""
import concurrent.futures
import http.client
import os
import random
import signal
import sys
import threading
import unittest

import botocore.exceptions

import aws_client
from weir_harness import WeirTest, is_alive, wait_until

PORT = 18330
KILLS = 6
CLIENTS = 6
TEMPLATE = f"""\
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


def fixed(status):
    return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": str(status)}}]


def path(priority):
    return [{"Field": "path-pattern", "Values": [f"/{priority}"]}]


def connect(endpoint):
    """A client that takes no answer for an answer, rather than to ask again."""
    return aws_client.client("elbv2", endpoint, retries={"max_attempts": 0},
                             max_pool_connections=CLIENTS + 2)


class Client:
    """Has priorities of its own, and knows what each must be: a status, None where there is no rule,
    or the set of what it may be after a call that got no answer."""

    def __init__(self, elb, listener, number):
        self.elb = elb
        self.listener = listener
        self.priorities = [1 + number * 50 + i for i in range(50)]
        self.random = random.Random(number)
        self.known = {priority: {None} for priority in self.priorities}
        self.arns = {}
        self.answered = 0

    def work(self):
        """Until the daemon is gone."""
        try:
            while True:
                self.step(self.random.choice(self.priorities), self.random.randrange(400, 500))
                self.answered += 1
        except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError):
            pass

    def step(self, priority, status):
        before = self.known[priority]
        if before == {None}:
            self.known[priority] = {None, status}
            made = self.elb.create_rule(ListenerArn=self.listener, Priority=priority,
                                        Conditions=path(priority), Actions=fixed(status))
            self.arns[priority] = made["Rules"][0]["RuleArn"]
            self.known[priority] = {status}
        elif self.random.random() < 0.5:
            self.known[priority] = before | {status}
            self.elb.modify_rule(RuleArn=self.arns[priority], Actions=fixed(status))
            self.known[priority] = {status}
        else:
            self.known[priority] = before | {None}
            self.elb.delete_rule(RuleArn=self.arns[priority])
            self.known[priority] = {None}

    def settle(self, test, rules):
        """Compares with what is there, and goes on from that."""
        for priority in self.priorities:
            rule = rules.get(priority)
            found = rule and int(rule["Actions"][0]["FixedResponseConfig"]["StatusCode"])
            test.assertIn(found, self.known[priority], priority)
            if rule:
                test.assertEqual(rule["Conditions"][0]["Values"], [f"/{priority}"])
                self.arns[priority] = rule["RuleArn"]
            self.known[priority] = {found}


class Durability(WeirTest):
    elb = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.weir.home / "site.yaml"
        cls.template.write_text(TEMPLATE)
        cls.start()
        cls.site = cls.elb.describe_load_balancers(Names=["site"])["LoadBalancers"][0]
        cls.listener = cls.elb.describe_listeners(
            LoadBalancerArn=cls.site["LoadBalancerArn"])["Listeners"][0]["ListenerArn"]

    @classmethod
    def start(cls):
        if cls.elb:
            cls.elb.close()
        cls.elb = connect(cls.weir.up(cls.template)["daemon"]["api"]["url"])

    @classmethod
    def tearDownClass(cls):
        cls.elb.close()

    def rules(self):
        found = {}
        for page in self.elb.get_paginator("describe_rules").paginate(ListenerArn=self.listener):
            for rule in page["Rules"]:
                if not rule["IsDefault"]:
                    self.assertNotIn(int(rule["Priority"]), found)
                    found[int(rule["Priority"])] = rule
        return found

    def status_of(self, url_path):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
        connection.request("GET", url_path, headers={"Host": self.site["DNSName"]})
        status = connection.getresponse().status
        connection.close()
        return status

    def test_answered_changes_outlive_a_killed_daemon(self):
        chance = random.Random(7)
        clients = [Client(self.elb, self.listener, number) for number in range(CLIENTS)]
        for kill in range(KILLS):
            pid = self.weir.daemon_pid()
            before = sum(client.answered for client in clients)
            more = chance.randrange(30, 150)
            with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
                working = [pool.submit(client.work) for client in clients]
                wait_until(lambda: sum(client.answered for client in clients) >= before + more or
                           any(each.done() for each in working), "calls are answered")
                os.kill(pid, signal.SIGKILL)
                for each in working:
                    each.result()
            wait_until(lambda: not is_alive(pid), "the killed daemon is gone")
            self.start()
            for client in clients:
                client.elb = self.elb
                client.settle(self, self.rules())
            self.assertGreaterEqual(sum(client.answered for client in clients), before + more, kill)
        rules = self.rules()
        for priority in chance.sample(sorted(rules), 10):
            status = int(rules[priority]["Actions"][0]["FixedResponseConfig"]["StatusCode"])
            self.assertEqual(self.status_of(f"/{priority}"), status)

    def test_of_many_calls_for_one_priority_one_succeeds(self):
        gate = threading.Barrier(8)

        def race(priority):
            gate.wait()
            try:
                self.elb.create_rule(ListenerArn=self.listener, Priority=priority,
                                     Conditions=path(priority), Actions=fixed(404))
                return True
            except self.elb.exceptions.PriorityInUseException:
                return False

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for priority in range(20_000, 20_020):
                winners = list(pool.map(race, [priority] * 8))
                self.assertEqual(winners.count(True), 1, priority)
        for priority, rule in self.rules().items():
            if priority >= 20_000:
                self.elb.delete_rule(RuleArn=rule["RuleArn"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
