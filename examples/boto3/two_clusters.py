#!/usr/bin/env python3
"""The two clusters with Python and boto3: Flask on nine instances, by the user data that
apps/flask/app_cluster1.py and app_cluster2.py hold.

    ./two_clusters.py deploy [--endpoint-url http://127.0.0.1:4566]
    ./two_clusters.py delete [--endpoint-url http://127.0.0.1:4566]

Without --endpoint-url it deploys on AWS. CLUSTER1_SIZE and CLUSTER2_SIZE (5 and 4) say how many
instances there are. What it made it finds again by name and tag.
"""
import argparse
import os
import pathlib
import sys

import boto3

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "apps" / "flask"))
import app_cluster1  # noqa: E402
import app_cluster2  # noqa: E402

TAG = "two-clusters-py"
IMAGE = "ami-08c40ec9ead489470"
ZONES = ["us-east-1a", "us-east-1b"]
CLUSTERS = [
    (1, "m4.large", int(os.environ.get("CLUSTER1_SIZE", 5)), app_cluster1.USER_DATA),
    (2, "t2.large", int(os.environ.get("CLUSTER2_SIZE", 4)), app_cluster2.USER_DATA),
]


class Deployment:
    def __init__(self, endpoint_url):
        options = {"region_name": "us-east-1", "endpoint_url": endpoint_url}
        self.ec2 = boto3.client("ec2", **options)
        self.elbv2 = boto3.client("elbv2", **options)

    # ------------------------------------------------------------ what there is
    def default_network(self):
        vpc = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
        subnets = self.ec2.describe_subnets(Filters=[
            {"Name": "vpc-id", "Values": [vpc["VpcId"]]},
            {"Name": "availability-zone", "Values": ZONES}])["Subnets"]
        return vpc["VpcId"], [subnet["SubnetId"] for subnet in subnets]

    def instance_ids(self):
        pages = self.ec2.get_paginator("describe_instances").paginate(Filters=[
            {"Name": "tag:stack", "Values": [TAG]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}])
        return [instance["InstanceId"] for page in pages for reservation in page["Reservations"]
                for instance in reservation["Instances"]]

    # ------------------------------------------------------------ what is made
    def create_security_group(self, vpc_id, name, description, ports):
        group = self.ec2.create_security_group(GroupName=f"{TAG}-{name}", Description=description,
                                               VpcId=vpc_id)["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": first, "ToPort": last,
             "IpRanges": [{"CidrIp": "0.0.0.0/0"}]} for first, last in ports])
        return group

    def run_cluster(self, number, type_, size, user_data, subnet_id, group_id):
        instances = self.ec2.run_instances(
            ImageId=IMAGE, InstanceType=type_, MinCount=size, MaxCount=size, SubnetId=subnet_id,
            SecurityGroupIds=[group_id], UserData=user_data,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [
                {"Key": "stack", "Value": TAG}, {"Key": "Name", "Value": f"cluster{number}"}]}])
        return [instance["InstanceId"] for instance in instances["Instances"]]

    def create_target_group(self, number, vpc_id, instance_ids):
        group = self.elbv2.create_target_group(
            Name=f"{TAG}-{number}", Protocol="HTTP", Port=80, VpcId=vpc_id, HealthCheckPath="/",
            HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2)
        arn = group["TargetGroups"][0]["TargetGroupArn"]
        self.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": id_} for id_ in instance_ids])
        return arn

    def create_load_balancer(self, subnet_ids, group_id, target_groups):
        balancer = self.elbv2.create_load_balancer(
            Name=TAG, Subnets=subnet_ids, SecurityGroups=[group_id])["LoadBalancers"][0]
        listener = self.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80,
            DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": [
                {"TargetGroupArn": arn, "Weight": 1} for arn in target_groups]}}])
        for (number, *_), arn in zip(CLUSTERS, target_groups):
            self.elbv2.create_rule(
                ListenerArn=listener["Listeners"][0]["ListenerArn"], Priority=number,
                Conditions=[{"Field": "path-pattern",
                             "PathPatternConfig": {"Values": [f"/cluster{number}"]}}],
                Actions=[{"Type": "forward", "TargetGroupArn": arn}])
        return balancer

    def deploy(self):
        vpc_id, subnet_ids = self.default_network()
        instance_group = self.create_security_group(
            vpc_id, "instances", "SSH, HTTP and HTTPS from everywhere", [(22, 22), (80, 80), (443, 443)])
        balancer_group = self.create_security_group(
            vpc_id, "balancer", "TCP from everywhere", [(0, 65535)])
        clusters = [self.run_cluster(*cluster, subnet_ids[i], instance_group)
                    for i, cluster in enumerate(CLUSTERS)]
        self.ec2.get_waiter("instance_running").wait(InstanceIds=sum(clusters, []))
        groups = [self.create_target_group(number, vpc_id, ids)
                  for (number, *_), ids in zip(CLUSTERS, clusters)]
        balancer = self.create_load_balancer(subnet_ids, balancer_group, groups)
        self.elbv2.get_waiter("load_balancer_available").wait(
            LoadBalancerArns=[balancer["LoadBalancerArn"]])
        for arn in groups:
            self.elbv2.get_waiter("target_in_service").wait(TargetGroupArn=arn)
        print(f"http://{balancer['DNSName']}/")

    # ------------------------------------------------------------ and removed
    def delete(self):
        balancer = self.elbv2.describe_load_balancers(Names=[TAG])["LoadBalancers"][0]
        self.elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        self.elbv2.get_waiter("load_balancers_deleted").wait(
            LoadBalancerArns=[balancer["LoadBalancerArn"]])
        names = [f"{TAG}-{number}" for number, *_ in CLUSTERS]
        for group in self.elbv2.describe_target_groups(Names=names)["TargetGroups"]:
            self.elbv2.delete_target_group(TargetGroupArn=group["TargetGroupArn"])
        ids = self.instance_ids()
        self.ec2.terminate_instances(InstanceIds=ids)
        self.ec2.get_waiter("instance_terminated").wait(InstanceIds=ids)
        groups = self.ec2.describe_security_groups(Filters=[
            {"Name": "group-name", "Values": [f"{TAG}-instances", f"{TAG}-balancer"]}])
        for group in groups["SecurityGroups"]:
            self.ec2.delete_security_group(GroupId=group["GroupId"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["deploy", "delete"])
    parser.add_argument("--endpoint-url")
    arguments = parser.parse_args()
    getattr(Deployment(arguments.endpoint_url), arguments.command)()
