// The two clusters with the AWS SDK for JavaScript v3.
//
//   npm install
//   AWS_ENDPOINT_URL=http://127.0.0.1:4566 node two-clusters.mjs deploy
//   AWS_ENDPOINT_URL=http://127.0.0.1:4566 node two-clusters.mjs delete
//
// Without AWS_ENDPOINT_URL it deploys on AWS. CLUSTER1_SIZE and CLUSTER2_SIZE (5 and 4) say how many
// instances there are. What it made it finds again by name and tag.
import {readFileSync} from 'node:fs';
import * as ec2 from '@aws-sdk/client-ec2';
import * as elbv2 from '@aws-sdk/client-elastic-load-balancing-v2';

const tag = 'two-clusters-js';
const image = 'ami-08c40ec9ead489470';
const script = readFileSync(new URL('../../apps/user-data/cpp.sh', import.meta.url), 'utf8');
const clusters = [
  {number: 1, type: 'm4.large', size: Number(process.env.CLUSTER1_SIZE ?? 5)},
  {number: 2, type: 't2.large', size: Number(process.env.CLUSTER2_SIZE ?? 4)},
];

const settings = {region: process.env.AWS_REGION ?? 'us-east-1', endpoint: process.env.AWS_ENDPOINT_URL};
const compute = new ec2.EC2Client(settings);
const balancing = new elbv2.ElasticLoadBalancingV2Client(settings);
const wait = client => ({client, maxWaitTime: 300, minDelay: 1, maxDelay: 5});

async function network() {
  const {Vpcs: [vpc]} = await compute.send(new ec2.DescribeVpcsCommand(
    {Filters: [{Name: 'is-default', Values: ['true']}]}));
  const {Subnets} = await compute.send(new ec2.DescribeSubnetsCommand({Filters: [
    {Name: 'vpc-id', Values: [vpc.VpcId]},
    {Name: 'availability-zone', Values: ['us-east-1a', 'us-east-1b']},
  ]}));
  return {vpcId: vpc.VpcId, subnetIds: Subnets.map(subnet => subnet.SubnetId)};
}

async function createSecurityGroup(vpcId, name, description, ports) {
  const {GroupId} = await compute.send(new ec2.CreateSecurityGroupCommand(
    {GroupName: `${tag}-${name}`, Description: description, VpcId: vpcId}));
  await compute.send(new ec2.AuthorizeSecurityGroupIngressCommand({
    GroupId,
    IpPermissions: ports.map(([FromPort, ToPort]) =>
      ({IpProtocol: 'tcp', FromPort, ToPort, IpRanges: [{CidrIp: '0.0.0.0/0'}]})),
  }));
  return GroupId;
}

async function runCluster({number, type, size}, subnetId, groupId) {
  const {Instances} = await compute.send(new ec2.RunInstancesCommand({
    ImageId: image, InstanceType: type, MinCount: size, MaxCount: size,
    SubnetId: subnetId, SecurityGroupIds: [groupId],
    UserData: Buffer.from(`#!/bin/bash\nCLUSTER=${number}\n${script}`).toString('base64'),
    TagSpecifications: [{ResourceType: 'instance', Tags: [
      {Key: 'stack', Value: tag}, {Key: 'Name', Value: `cluster${number}`}]}],
  }));
  return Instances.map(instance => instance.InstanceId);
}

async function createTargetGroup(number, vpcId, instanceIds) {
  const {TargetGroups: [{TargetGroupArn}]} = await balancing.send(new elbv2.CreateTargetGroupCommand({
    Name: `${tag}-${number}`, Protocol: 'HTTP', Port: 80, VpcId: vpcId, HealthCheckPath: '/',
    HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 2, HealthyThresholdCount: 2,
  }));
  await balancing.send(new elbv2.RegisterTargetsCommand(
    {TargetGroupArn, Targets: instanceIds.map(Id => ({Id}))}));
  return TargetGroupArn;
}

async function createLoadBalancer(subnetIds, groupId, targetGroupArns) {
  const {LoadBalancers: [balancer]} = await balancing.send(new elbv2.CreateLoadBalancerCommand(
    {Name: tag, Subnets: subnetIds, SecurityGroups: [groupId]}));
  const {Listeners: [{ListenerArn}]} = await balancing.send(new elbv2.CreateListenerCommand({
    LoadBalancerArn: balancer.LoadBalancerArn, Protocol: 'HTTP', Port: 80,
    DefaultActions: [{Type: 'forward', ForwardConfig: {
      TargetGroups: targetGroupArns.map(TargetGroupArn => ({TargetGroupArn, Weight: 1}))}}],
  }));
  for (const [index, {number}] of clusters.entries()) {
    await balancing.send(new elbv2.CreateRuleCommand({
      ListenerArn, Priority: number,
      Conditions: [{Field: 'path-pattern', PathPatternConfig: {Values: [`/cluster${number}`]}}],
      Actions: [{Type: 'forward', TargetGroupArn: targetGroupArns[index]}],
    }));
  }
  return balancer;
}

async function deploy() {
  const {vpcId, subnetIds} = await network();
  const instanceGroup = await createSecurityGroup(
    vpcId, 'instances', 'SSH, HTTP and HTTPS from everywhere', [[22, 22], [80, 80], [443, 443]]);
  const balancerGroup = await createSecurityGroup(
    vpcId, 'balancer', 'TCP from everywhere', [[0, 65535]]);
  const ids = await Promise.all(clusters.map((cluster, index) =>
    runCluster(cluster, subnetIds[index], instanceGroup)));
  await ec2.waitUntilInstanceRunning(wait(compute), {InstanceIds: ids.flat()});
  const groups = await Promise.all(clusters.map(({number}, index) =>
    createTargetGroup(number, vpcId, ids[index])));
  const balancer = await createLoadBalancer(subnetIds, balancerGroup, groups);
  await elbv2.waitUntilLoadBalancerAvailable(
    wait(balancing), {LoadBalancerArns: [balancer.LoadBalancerArn]});
  for (const TargetGroupArn of groups) {
    await elbv2.waitUntilTargetInService(wait(balancing), {TargetGroupArn});
  }
  console.log(`http://${balancer.DNSName}/`);
}

async function remove() {
  const {LoadBalancers: [{LoadBalancerArn}]} = await balancing.send(
    new elbv2.DescribeLoadBalancersCommand({Names: [tag]}));
  await balancing.send(new elbv2.DeleteLoadBalancerCommand({LoadBalancerArn}));
  await elbv2.waitUntilLoadBalancersDeleted(wait(balancing), {LoadBalancerArns: [LoadBalancerArn]});
  const {TargetGroups} = await balancing.send(new elbv2.DescribeTargetGroupsCommand(
    {Names: clusters.map(({number}) => `${tag}-${number}`)}));
  for (const {TargetGroupArn} of TargetGroups) {
    await balancing.send(new elbv2.DeleteTargetGroupCommand({TargetGroupArn}));
  }
  const {Reservations} = await compute.send(new ec2.DescribeInstancesCommand(
    {Filters: [{Name: 'tag:stack', Values: [tag]}]}));
  const InstanceIds = Reservations.flatMap(({Instances}) => Instances.map(({InstanceId}) => InstanceId));
  await compute.send(new ec2.TerminateInstancesCommand({InstanceIds}));
  await ec2.waitUntilInstanceTerminated(wait(compute), {InstanceIds});
  const {SecurityGroups} = await compute.send(new ec2.DescribeSecurityGroupsCommand(
    {Filters: [{Name: 'group-name', Values: [`${tag}-instances`, `${tag}-balancer`]}]}));
  for (const {GroupId} of SecurityGroups) {
    await compute.send(new ec2.DeleteSecurityGroupCommand({GroupId}));
  }
}

const commands = {deploy, delete: remove};
const command = commands[process.argv[2]];
if (!command) {
  console.error('usage: node two-clusters.mjs deploy | delete');
  process.exit(2);
}
await command();
