// The two clusters as a CDK app: `node two-clusters.mjs` writes cdk.out/TwoClusters.template.json,
// which deploys like any template:
//
//   weir up cdk.out/TwoClusters.template.json
//   aws cloudformation deploy --stack-name TwoClusters --template-file cdk.out/TwoClusters.template.json
import {readFileSync} from 'node:fs';
import {App, CfnMapping, CfnOutput, CfnParameter, Duration, Fn, Stack} from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import {InstanceTarget} from 'aws-cdk-lib/aws-elasticloadbalancingv2-targets';

const script = readFileSync(new URL('../../apps/user-data/cpp.sh', import.meta.url), 'utf8');
const image = ec2.MachineImage.genericLinux({'us-east-1': 'ami-08c40ec9ead489470'});
const clusters = [
  {number: 1, type: 'm4.large', size: Number(process.env.CLUSTER1_SIZE ?? 5)},
  {number: 2, type: 't2.large', size: Number(process.env.CLUSTER2_SIZE ?? 4)},
];

class TwoClusters extends Stack {
  constructor(scope, id) {
    super(scope, id, {env: {region: 'us-east-1'}});
    const vpc = this.existingVpc();
    // Once in the template, not once an instance: a template may have 51 200 bytes.
    this.script = new CfnMapping(this, 'App', {mapping: {Script: {Cpp: script}}}).findInMap('Script', 'Cpp');
    const instanceGroup = new ec2.SecurityGroup(this, 'InstanceSecurityGroup', {vpc});
    for (const port of [22, 80, 443]) instanceGroup.addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(port));

    const balancer = new elbv2.ApplicationLoadBalancer(this, 'LoadBalancer', {vpc, internetFacing: true});
    balancer.connections.allowTo(instanceGroup, ec2.Port.tcp(80));
    const groups = clusters.map(cluster => this.cluster(vpc, instanceGroup, cluster));
    const listener = balancer.addListener('Listener', {
      port: 80,
      defaultAction: elbv2.ListenerAction.weightedForward(
        groups.map(targetGroup => ({targetGroup, weight: 1}))),
    });
    clusters.forEach(({number}, index) => listener.addAction(`Cluster${number}`, {
      priority: number,
      conditions: [elbv2.ListenerCondition.pathPatterns([`/cluster${number}`])],
      action: elbv2.ListenerAction.forward([groups[index]]),
    }));
    new CfnOutput(this, 'Url', {value: `http://${balancer.loadBalancerDnsName}/`});
  }

  // A VPC that is there already; which one is said when the stack is deployed.
  existingVpc() {
    const vpcId = new CfnParameter(this, 'VpcId', {type: 'AWS::EC2::VPC::Id'}).valueAsString;
    const subnetIds = new CfnParameter(this, 'SubnetIds', {type: 'List<AWS::EC2::Subnet::Id>'}).valueAsList;
    return ec2.Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId,
      availabilityZones: ['us-east-1a', 'us-east-1b'],
      publicSubnetIds: [Fn.select(0, subnetIds), Fn.select(1, subnetIds)],
    });
  }

  cluster(vpc, securityGroup, {number, type, size}) {
    const userData = ec2.UserData.custom(`#!/bin/bash\nCLUSTER=${number}\n${this.script}`);
    const instances = Array.from({length: size}, (_, index) =>
      new ec2.Instance(this, `Cluster${number}Instance${index + 1}`, {
        vpc, securityGroup, userData,
        vpcSubnets: {subnets: [vpc.publicSubnets[index % 2]]},
        machineImage: image,
        instanceType: new ec2.InstanceType(type),
      }));
    return new elbv2.ApplicationTargetGroup(this, `Cluster${number}TargetGroup`, {
      vpc, port: 80, protocol: elbv2.ApplicationProtocol.HTTP,
      targets: instances.map(instance => new InstanceTarget(instance)),
      healthCheck: {path: '/', interval: Duration.seconds(5), timeout: Duration.seconds(2),
        healthyThresholdCount: 2, unhealthyThresholdCount: 2},
    });
  }
}

const app = new App({outdir: process.env.CDK_OUTDIR ?? 'cdk.out'});
new TwoClusters(app, 'TwoClusters');
app.synth();
