#!/usr/bin/env python3
"""Writes two-clusters.yaml: CloudFormation has no loops, so the ten instances that a cluster can
have are written out here, each with the condition that it is wanted; and the two scripts of
apps/user-data/ go in word for word. With --check nothing is written; the exit status tells whether
the file is in step."""
import pathlib
import sys
import textwrap

EXAMPLES = pathlib.Path(__file__).resolve().parent
SCRIPTS = EXAMPLES.parent / "apps" / "user-data"
TEMPLATE = EXAMPLES / "two-clusters.yaml"
INSTANCES_MAX = 10
# CloudFormation's limit for a template that is given with the call instead of lying in S3.
TEMPLATE_BYTES_MAX = 51_200
CLUSTERS = {1: ("m4.large", 5), 2: ("t2.large", 4)}

HEAD = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: >-
  Two clusters of web instances behind one application load balancer. / goes to both, /cluster1 and
  /cluster2 to one each. Deploys on Weir and on AWS as it is. Made by make_two_clusters.py.

Parameters:
{sizes}
  App:
    Type: String
    Default: Cpp
    AllowedValues: [Cpp, Flask]
    Description: What answers on the instances, the app in C++ or the one in Python
  ImageId:
    Type: AWS::EC2::Image::Id
    Default: ami-08c40ec9ead489470
    Description: Ubuntu 22.04 in us-east-1
  VpcId:
    Type: AWS::EC2::VPC::Id
    Description: Where everything lives (Weir takes the default VPC)
  SubnetIds:
    Type: List<AWS::EC2::Subnet::Id>
    Description: Two subnets of it in two zones (Weir takes the default subnets of the first two)

Mappings:
  Cluster:
{types}
  App:
    Cpp:
      Script: |
{cpp}
    Flask:
      Script: |
{flask}

Conditions:
{conditions}

Resources:
  InstanceSecurityGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: SSH, HTTP and HTTPS from everywhere
      VpcId: !Ref VpcId
      SecurityGroupIngress:
        - {{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}}
        - {{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0}}
        - {{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}}

  LoadBalancerSecurityGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: TCP from and to everywhere
      VpcId: !Ref VpcId
      SecurityGroupIngress:
        - {{IpProtocol: tcp, FromPort: 0, ToPort: 65535, CidrIp: 0.0.0.0/0}}
      SecurityGroupEgress:
        - {{IpProtocol: tcp, FromPort: 0, ToPort: 65535, CidrIp: 0.0.0.0/0}}
"""

SIZE = """\
  Cluster{n}Size:
    Type: Number
    Default: {size}
    AllowedValues: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    Description: How many instances ({type}) cluster {n} has"""

INSTANCE = """
  Cluster{n}Instance{i}:
    Type: AWS::EC2::Instance
{condition}\
    Properties:
      ImageId: !Ref ImageId
      InstanceType: !FindInMap [Cluster, "{n}", InstanceType]
      SubnetId: !Select [{subnet}, !Ref SubnetIds]
      SecurityGroupIds: [!Ref InstanceSecurityGroup]
      UserData:
        Fn::Base64: !Join
          - ""
          - ["#!/bin/bash\\nCLUSTER={n}\\n", !FindInMap [App, !Ref App, Script]]
      Tags:
        - {{Key: Name, Value: cluster{n}-{i}}}
"""

TARGET_GROUP = """
  Cluster{n}TargetGroup:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      TargetType: instance
      Protocol: HTTP
      Port: 80
      IpAddressType: ipv4
      VpcId: !Ref VpcId
      HealthCheckProtocol: HTTP
      HealthCheckPath: /
      HealthCheckIntervalSeconds: 10
      HealthCheckTimeoutSeconds: 5
      HealthyThresholdCount: 2
      UnhealthyThresholdCount: 2
      Targets:
{targets}
"""

TAIL = """
  LoadBalancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Type: application
      Scheme: internet-facing
      IpAddressType: ipv4
      Subnets: !Ref SubnetIds
      SecurityGroups: [!Ref LoadBalancerSecurityGroup]

  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref LoadBalancer
      Protocol: HTTP
      Port: 80
      DefaultActions:
        - Type: forward
          ForwardConfig:
            TargetGroups:
              - {TargetGroupArn: !Ref Cluster1TargetGroup, Weight: 1}
              - {TargetGroupArn: !Ref Cluster2TargetGroup, Weight: 1}
"""

RULE = """
  Cluster{n}Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Listener
      Priority: {n}
      Conditions:
        - Field: path-pattern
          PathPatternConfig:
            Values: [/cluster{n}]
      Actions:
        - Type: forward
          TargetGroupArn: !Ref Cluster{n}TargetGroup
"""

OUTPUTS = """
Outputs:
  LoadBalancerDNSName:
    Description: The load balancer's name
    Value: !GetAtt LoadBalancer.DNSName
  Url:
    Description: Answers from both clusters; /cluster1 and /cluster2 from one each
    Value: !Sub http://${LoadBalancer.DNSName}/
  LoadBalancerArn:
    Value: !Ref LoadBalancer
  Cluster1TargetGroupArn:
    Value: !Ref Cluster1TargetGroup
  Cluster2TargetGroupArn:
    Value: !Ref Cluster2TargetGroup
"""


def condition(n: int, i: int) -> str:
    """Cluster n has an instance i where it has one before and is not of the size before."""
    more = f"!Not [!Equals [!Ref Cluster{n}Size, {i - 1}]]"
    if i == 2:
        return f"  Cluster{n}Has2: {more}"
    return f"  Cluster{n}Has{i}: !And [Condition: Cluster{n}Has{i - 1}, {more}]"


def instance(n: int, i: int) -> str:
    wanted = f"    Condition: Cluster{n}Has{i}\n" if i > 1 else ""
    return INSTANCE.format(n=n, i=i, condition=wanted, subnet=(i - 1) % 2)


def target(n: int, i: int) -> str:
    if i == 1:
        return f"        - {{Id: !Ref Cluster{n}Instance1}}"
    return (f"        - !If [Cluster{n}Has{i}, {{Id: !Ref Cluster{n}Instance{i}}}, "
            "!Ref AWS::NoValue]")


def script(name: str) -> str:
    return textwrap.indent((SCRIPTS / name).read_text(), " " * 8).rstrip("\n")


def template() -> str:
    each = range(1, INSTANCES_MAX + 1)
    parts = [HEAD.format(
        sizes="\n".join(SIZE.format(n=n, type=type_, size=size)
                        for n, (type_, size) in CLUSTERS.items()),
        types="\n".join(f'    "{n}": {{InstanceType: {type_}}}'
                        for n, (type_, size) in CLUSTERS.items()),
        cpp=script("cpp.sh"), flask=script("flask.sh"),
        conditions="\n".join(condition(n, i) for n in CLUSTERS for i in each if i > 1))]
    for n in CLUSTERS:
        parts += [instance(n, i) for i in each]
        parts.append(TARGET_GROUP.format(
            n=n, targets="\n".join(target(n, i) for i in each)))
    parts.append(TAIL)
    parts += [RULE.format(n=n) for n in CLUSTERS]
    parts.append(OUTPUTS)
    return "".join(parts)


def main() -> int:
    text = template()
    if len(text.encode()) > TEMPLATE_BYTES_MAX:
        sys.exit(f"{len(text.encode())} bytes: CloudFormation takes {TEMPLATE_BYTES_MAX}")
    if "--check" not in sys.argv:
        TEMPLATE.write_text(text)
        print(f"wrote {TEMPLATE.name}: {len(text.encode())} bytes")
        return 0
    if TEMPLATE.exists() and TEMPLATE.read_text() == text:
        return 0
    print("examples/two-clusters.yaml is not in step: run examples/make_two_clusters.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
