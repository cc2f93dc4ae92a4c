"""CloudFormation as its users call it: boto3 and `aws cloudformation deploy` against a real daemon.

Usage: cloudformation_test.py [--rootless]
"""
import argparse
import http.client
import os
import subprocess
import sys
import unittest

from botocore.exceptions import ClientError

import aws_client
import templates
from aws_client import KEYS, REGION
from weir_harness import WeirTest, wait_until

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()

PORT = 18410
FAST = {"Delay": 1, "MaxAttempts": 120}


def answering(body, port=PORT, group=""):
    """A load balancer that answers `body` by itself; `group`: more of the template."""
    return f"""\
Description: A load balancer without targets
Parameters:
  Subnets: {{Type: 'List<AWS::EC2::Subnet::Id>'}}
  Status: {{Type: Number, Default: 200}}
Resources:
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {{Subnets: !Ref Subnets}}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: {port}
      Protocol: HTTP
      DefaultActions:
        - {{Type: fixed-response, FixedResponseConfig: {{StatusCode: !Ref Status, MessageBody: {body}}}}}
{group}Outputs:
  Name: {{Value: !GetAtt Balancer.DNSName, Description: where it answers}}
"""


TARGET_GROUP = """\
  Group:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Name: %s, Port: 80, Protocol: HTTP}
"""


class CloudFormation(WeirTest):
    rootless = OPTIONS.rootless
    serve_flags = ("--api", "127.0.0.1:0")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = cls.weir.serve()
        cls.cfn = aws_client.client("cloudformation", cls.url)

    @classmethod
    def tearDownClass(cls):
        cls.cfn.close()

    def tearDown(self):
        for stack in self.cfn.describe_stacks()["Stacks"]:
            self.delete(stack["StackName"])

    def delete(self, name):
        self.cfn.delete_stack(StackName=name)
        self.wait("stack_delete_complete", name)

    def wait(self, waiter, name):
        self.cfn.get_waiter(waiter).wait(StackName=name, WaiterConfig=FAST)

    def create(self, name, body, **parameters):
        id_ = self.cfn.create_stack(StackName=name, TemplateBody=body, **parameters)["StackId"]
        self.wait("stack_create_complete", name)
        return id_

    def describe(self, name):
        return self.cfn.describe_stacks(StackName=name)["Stacks"][0]

    def statuses(self, name):
        events = self.cfn.describe_stack_events(StackName=name)["StackEvents"]
        return [(e["LogicalResourceId"], e["ResourceStatus"]) for e in events]

    def get(self, port=PORT):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/")
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    def refused(self, code, words, call, **parameters):
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], code)
        self.assertIn(words, error["Message"])

    def test_a_stack_from_creation_to_removal(self):
        id_ = self.create("shop", answering("one"), Tags=[{"Key": "team", "Value": "web"}])
        stack = self.describe("shop")
        self.assertEqual((stack["StackId"], stack["StackStatus"]), (id_, "CREATE_COMPLETE"))
        self.assertEqual(stack["Description"], "A load balancer without targets")
        self.assertEqual(stack["Tags"], [{"Key": "team", "Value": "web"}])
        self.assertIn({"ParameterKey": "Status", "ParameterValue": "200"}, stack["Parameters"])
        self.assertEqual(stack["Outputs"][0]["OutputKey"], "Name")
        self.assertEqual(self.get(), (200, "one"))
        resources = self.cfn.describe_stack_resources(StackName="shop")["StackResources"]
        self.assertEqual({r["LogicalResourceId"]: r["ResourceStatus"] for r in resources},
                         {"Balancer": "CREATE_COMPLETE", "Listener": "CREATE_COMPLETE"})
        listener = self.cfn.describe_stack_resource(StackName=id_, LogicalResourceId="Listener")
        arn = listener["StackResourceDetail"]["PhysicalResourceId"]
        self.assertIn(":listener/app/", arn)
        owner = self.cfn.describe_stack_resources(PhysicalResourceId=arn)["StackResources"]
        self.assertEqual(owner[0]["StackName"], "shop")
        self.assertEqual(len(self.cfn.list_stack_resources(StackName="shop")
                             ["StackResourceSummaries"]), 2)
        self.assertEqual(self.statuses("shop")[0], ("shop", "CREATE_COMPLETE"))
        self.assertEqual(self.statuses("shop")[-1], ("shop", "CREATE_IN_PROGRESS"))
        self.assertEqual(self.cfn.get_template(StackName="shop")["TemplateBody"], answering("one"))

        self.delete("shop")
        with self.assertRaises(ConnectionRefusedError):
            self.get()
        self.assertEqual(self.describe(id_)["StackStatus"], "DELETE_COMPLETE")
        self.refused("ValidationError", "Stack with id shop does not exist",
                     self.cfn.describe_stacks, StackName="shop")
        gone = self.cfn.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
        self.assertIn(id_, [s["StackId"] for s in gone])

    def test_updates(self):
        self.create("shop", answering("one"))
        self.cfn.update_stack(StackName="shop", TemplateBody=answering("two"))
        self.wait("stack_update_complete", "shop")
        self.assertEqual(self.get(), (200, "two"))
        self.cfn.update_stack(StackName="shop", UsePreviousTemplate=True, Parameters=[
            {"ParameterKey": "Status", "ParameterValue": "503"},
            {"ParameterKey": "Subnets", "UsePreviousValue": True}])
        self.wait("stack_update_complete", "shop")
        self.assertEqual(self.get(), (503, "two"))
        self.refused("ValidationError", "No updates are to be performed.", self.cfn.update_stack,
                     StackName="shop", UsePreviousTemplate=True, Parameters=[
                         {"ParameterKey": "Status", "UsePreviousValue": True},
                         {"ParameterKey": "Subnets", "UsePreviousValue": True}])

    def test_an_update_that_fails_leaves_the_stack_as_it_was(self):
        self.create("other", answering("other", port=PORT + 1, group=TARGET_GROUP % "taken"))
        self.create("shop", answering("one"))
        self.cfn.update_stack(StackName="shop",
                              TemplateBody=answering("two", group=TARGET_GROUP % "taken"))
        self.wait("stack_rollback_complete", "shop")
        self.assertEqual(self.describe("shop")["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        self.assertEqual(self.get(), (200, "one"))
        self.assertIn(("Group", "CREATE_FAILED"), self.statuses("shop"))

    def test_a_creation_that_fails_is_rolled_back(self):
        self.create("other", answering("other", port=PORT + 1, group=TARGET_GROUP % "taken"))
        body = answering("two", group=TARGET_GROUP % "taken")
        self.cfn.create_stack(StackName="shop", TemplateBody=body)
        wait_until(lambda: self.describe("shop")["StackStatus"] == "ROLLBACK_COMPLETE", "rolled back")
        with self.assertRaises(ConnectionRefusedError):
            self.get()
        id_ = self.cfn.create_stack(StackName="brief", TemplateBody=body,
                                    OnFailure="DELETE")["StackId"]
        wait_until(lambda: "brief" not in [s["StackName"] for s in
                                           self.cfn.describe_stacks()["Stacks"]], "removed")
        self.assertIn("/brief/", id_)

    def test_what_is_wrong_is_said_before_anything_is_made(self):
        self.create("shop", answering("one"))
        create = self.cfn.create_stack
        self.refused("AlreadyExistsException", "Stack [shop] already exists", create,
                     StackName="shop", TemplateBody=answering("one"))
        self.refused("ValidationError", "AWS::S3::Bucket", create, StackName="bad",
                     TemplateBody="Resources: {B: {Type: 'AWS::S3::Bucket'}}")
        self.refused("ValidationError", "TemplateURL", create, StackName="bad",
                     TemplateURL="https://bucket.s3.amazonaws.com/key")
        self.refused("ValidationError", "does not exist", self.cfn.update_stack,
                     StackName="nowhere", TemplateBody=answering("one"))
        self.refused("ValidationError", "template", self.cfn.validate_template,
                     TemplateBody="Resources: [")
        self.cfn.delete_stack(StackName="nowhere")
        summary = self.cfn.get_template_summary(TemplateBody=answering("one"))
        self.assertEqual({p["ParameterKey"]: p["ParameterType"] for p in summary["Parameters"]},
                         {"Subnets": "List<AWS::EC2::Subnet::Id>", "Status": "Number"})

    def aws(self, *words, status=0):
        done = subprocess.run(["/usr/bin/aws", "--endpoint-url", self.url, "--output", "json",
                               "cloudformation", *words], capture_output=True, text=True,
                              timeout=120, check=False,
                              env={"PATH": os.environ["PATH"], "HOME": "/nonexistent",
                                   "AWS_DEFAULT_REGION": REGION, **KEYS})
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout + done.stderr

    def test_deploy_by_change_sets(self):
        template = self.weir.home / "shop.yaml"
        deploy = ("deploy", "--stack-name", "shop", "--template-file", str(template))
        template.write_text(answering("one"))
        self.aws(*deploy, "--no-execute-changeset")
        self.assertEqual(self.describe("shop")["StackStatus"], "REVIEW_IN_PROGRESS")
        review = self.describe("shop")
        changes = self.cfn.describe_change_set(ChangeSetName=review["ChangeSetId"])["Changes"]
        self.assertEqual({c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]["Action"]
                          for c in changes}, {"Balancer": "Add", "Listener": "Add"})
        self.cfn.execute_change_set(ChangeSetName=review["ChangeSetId"])
        self.wait("stack_create_complete", "shop")
        self.assertEqual(self.describe("shop")["StackId"], review["StackId"])

        template.write_text(answering("two"))
        said = self.aws(*deploy, "--parameter-overrides", "Status=404")
        self.assertIn("Successfully created/updated stack - shop", said)
        self.assertEqual(self.get(), (404, "two"))
        said = self.aws(*deploy, "--no-fail-on-empty-changeset")
        self.assertIn("No changes to deploy", said)
        sets = self.cfn.list_change_sets(StackName="shop")["Summaries"]
        self.assertEqual([s["ExecutionStatus"] for s in sets],
                         ["EXECUTE_COMPLETE", "EXECUTE_COMPLETE", "UNAVAILABLE"])
        self.refused("InvalidChangeSetStatus", "cannot be executed", self.cfn.execute_change_set,
                     ChangeSetName=sets[0]["ChangeSetId"])
        self.refused("ChangeSetNotFound", "does not exist", self.cfn.describe_change_set,
                     ChangeSetName="nothing", StackName="shop")

    def test_instances_behind_a_load_balancer(self):
        self.cfn.create_stack(StackName="site", TemplateBody=templates.site(templates.ECHO, port=PORT))
        self.wait("stack_create_complete", "site")
        self.weir.note_instances()
        wait_until(lambda: self.get()[0] == 200, "the instance answers")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
