"""EC2 as boto3 uses it, with real instances: waiters, console output, attributes, tags, key pairs,
dry runs, filters, pages, and what is refused.

Usage: ec2_test.py [--rootless]
"""
import argparse
import base64
import sys
import unittest

import boto3
from botocore.exceptions import ClientError

import templates
from weir_harness import SOURCE, WeirTest, wait_until

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()
QUICK = {"Delay": 1, "MaxAttempts": 60}


class Ec2(WeirTest):
    rootless = OPTIONS.rootless

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        template = cls.weir.home / "site.yaml"
        template.write_text(templates.site(templates.ECHO, port=18420))
        url = cls.weir.up(template)["daemon"]["api"]["url"]
        cls.ec2 = boto3.client("ec2", endpoint_url=url, region_name="us-east-1",
                               aws_access_key_id="any", aws_secret_access_key="any")
        cls.addClassCleanup(cls.ec2.close)
        cls.launch = {"ImageId": templates.IMAGE, "InstanceType": "t2.micro", "MinCount": 1,
                      "MaxCount": 1}
        answer = cls.ec2.run_instances(
            **{**cls.launch, "MinCount": 2, "MaxCount": 2}, UserData="#!/bin/sh\necho hello-console\n",
            TagSpecifications=[{"ResourceType": "instance",
                                "Tags": [{"Key": "role", "Value": "tested"}]}])
        cls.ids = [instance["InstanceId"] for instance in answer["Instances"]]
        cls.wait("instance_running")
        cls.weir.note_instances()

    @classmethod
    def wait(cls, waiter, ids=None):
        cls.ec2.get_waiter(waiter).wait(InstanceIds=ids or cls.ids, WaiterConfig=QUICK)

    def refused(self, code, call, **parameters):
        with self.assertRaises(ClientError) as refused:
            call(**parameters)
        self.assertEqual(refused.exception.response["Error"]["Code"], code)
        return refused.exception.response["Error"]["Message"]

    def test_the_console_has_the_user_datas_output(self):
        def console():
            answer = self.ec2.get_console_output(InstanceId=self.ids[0])
            return "hello-console" in answer.get("Output", "")
        wait_until(console, "the console has it")

    def test_the_status_becomes_ok(self):
        self.wait("instance_status_ok")

    def test_filters_and_tags(self):
        def found(name, *values):
            pages = self.ec2.get_paginator("describe_instances").paginate(
                Filters=[{"Name": name, "Values": list(values)}], PaginationConfig={"PageSize": 5})
            return sorted(i["InstanceId"] for page in pages for r in page["Reservations"]
                          for i in r["Instances"])
        self.assertEqual(found("tag:role", "test*"), sorted(self.ids))
        self.assertEqual(found("tag:role", "other"), [])
        self.ec2.create_tags(Resources=[self.ids[1]], Tags=[{"Key": "only", "Value": "one"}])
        self.assertEqual(found("tag-key", "only"), [self.ids[1]])
        self.ec2.delete_tags(Resources=[self.ids[1]], Tags=[{"Key": "only"}])
        self.assertEqual(found("tag-key", "only"), [])
        self.assertEqual(self.ec2.describe_tags(Filters=[
            {"Name": "resource-id", "Values": [self.ids[0]]}])["Tags"][0]["Key"], "role")

    def test_attributes(self):
        id_ = self.ids[0]
        told = self.ec2.describe_instance_attribute(InstanceId=id_, Attribute="userData")
        self.assertIn(b"hello-console", base64.b64decode(told["UserData"]["Value"]))
        self.ec2.modify_instance_attribute(InstanceId=id_, DisableApiTermination={"Value": True})
        self.refused("OperationNotPermitted", self.ec2.terminate_instances, InstanceIds=[id_])
        self.ec2.modify_instance_attribute(InstanceId=id_, DisableApiTermination={"Value": False})

    def test_a_life(self):
        id_ = self.ec2.run_instances(**self.launch)["Instances"][0]["InstanceId"]
        self.wait("instance_running", [id_])
        self.weir.note_instances()
        self.ec2.stop_instances(InstanceIds=[id_])
        self.wait("instance_stopped", [id_])
        self.ec2.start_instances(InstanceIds=[id_])
        self.wait("instance_running", [id_])
        self.ec2.terminate_instances(InstanceIds=[id_])
        self.wait("instance_terminated", [id_])

    def test_key_pairs(self):
        made = self.ec2.create_key_pair(KeyName="one")
        self.assertIn("PRIVATE KEY", made["KeyMaterial"])
        self.refused("InvalidKeyPair.Duplicate", self.ec2.create_key_pair, KeyName="one")
        self.assertIn("puttygen", self.refused("InvalidParameterValue", self.ec2.create_key_pair,
                                               KeyName="two", KeyFormat="ppk"))
        self.refused("InvalidKey.Format", self.ec2.import_key_pair, KeyName="three",
                     PublicKeyMaterial=b"nothing")
        folder = SOURCE / "tests" / "fuzz" / "corpus" / "ssh_key"
        fingerprints = {self.ec2.import_key_pair(
            KeyName=form, PublicKeyMaterial=(folder / form).read_bytes())["KeyFingerprint"]
            for form in ("rsa-2048", "rfc4716")}
        self.assertEqual(len(fingerprints), 1, "one key in two forms")
        self.ec2.delete_key_pair(KeyName="one")
        self.refused("InvalidKeyPair.NotFound", self.ec2.describe_key_pairs, KeyNames=["one"])
        self.refused("InvalidKeyPair.NotFound", self.ec2.run_instances, **self.launch, KeyName="one")

    def test_a_dry_run_changes_nothing(self):
        self.refused("DryRunOperation", self.ec2.run_instances, **self.launch, DryRun=True)
        self.refused("DryRunOperation", self.ec2.stop_instances, InstanceIds=self.ids, DryRun=True)

    def test_the_default_vpc_and_its_parts(self):
        vpc = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
        table = self.ec2.describe_route_tables()["RouteTables"][0]
        gateway = self.ec2.describe_internet_gateways()["InternetGateways"][0]
        self.assertEqual(table["Routes"][0]["DestinationCidrBlock"], vpc["CidrBlock"])
        self.assertEqual(table["Routes"][1]["GatewayId"], gateway["InternetGatewayId"])
        self.assertTrue(self.ec2.describe_network_acls()["NetworkAcls"][0]["IsDefault"])
        self.assertEqual(self.ec2.describe_dhcp_options()["DhcpOptions"][0]["DhcpOptionsId"],
                         vpc["DhcpOptionsId"])
        self.assertTrue(self.ec2.describe_vpc_attribute(
            VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"])
        self.assertEqual(len(self.ec2.describe_account_attributes()["AccountAttributes"]), 2)

    def test_what_cannot_be_is_refused_with_what_to_do(self):
        self.assertIn("DescribeVpcs", self.refused("UnsupportedOperation", self.ec2.create_vpc,
                                                   CidrBlock="10.0.0.0/16"))
        self.assertIn("weir ssh", self.refused("UnsupportedOperation", self.ec2.allocate_address))
        self.assertIn("weir image import", self.refused("UnsupportedOperation",
                                                        self.ec2.register_image, Name="x"))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
