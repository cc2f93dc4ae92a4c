#!/usr/bin/env bash
# The two clusters by shell and aws CLI, call by call: what the console would have one click for.
#
#   ./two-clusters.sh deploy [--endpoint-url http://127.0.0.1:4566]
#   ./two-clusters.sh delete [--endpoint-url http://127.0.0.1:4566]
#
# Without --endpoint-url it deploys on AWS. CLUSTER1_SIZE and CLUSTER2_SIZE (5 and 4) say how many
# instances there are. What it made it finds again by name and tag, so `delete` needs no notes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
script=$here/../../apps/user-data/cpp.sh
image=ami-08c40ec9ead489470
tag=two-clusters-cli

command=${1:-}
shift || true
endpoint=("$@")
export AWS_PAGER=""
aws() { command aws "${endpoint[@]}" "$@"; }
ec2() { aws ec2 --output text "$@"; }
elbv2() { aws elbv2 --output text "$@"; }
say() { printf '%s\n' "$*" >&2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

create_security_group() { # NAME DESCRIPTION
  ec2 create-security-group --group-name "$1" --description "$2" --vpc-id "$vpc" --query GroupId
}

# Prints the ids of the new instances.
run_cluster() { # NUMBER TYPE SIZE SECURITY-GROUP
  printf '#!/bin/bash\nCLUSTER=%s\n' "$1" | cat - "$script" >"$work/user-data"
  ec2 run-instances --image-id "$image" --instance-type "$2" --count "$3" \
    --security-group-ids "$4" --subnet-id "${subnets[$1 - 1]}" --user-data "file://$work/user-data" \
    --tag-specifications "ResourceType=instance,Tags=[{Key=stack,Value=$tag},{Key=Name,Value=cluster$1}]" \
    --query 'Instances[].InstanceId'
}

# Prints the ARN of the target group.
create_target_group() { # NUMBER INSTANCE-ID…
  local number=$1 group id
  shift
  group=$(elbv2 create-target-group --name "$tag-$number" --protocol HTTP --port 80 --vpc-id "$vpc" \
    --health-check-path / --health-check-interval-seconds 5 --health-check-timeout-seconds 2 \
    --healthy-threshold-count 2 --query 'TargetGroups[0].TargetGroupArn')
  elbv2 register-targets --target-group-arn "$group" --targets "${@/#/Id=}" >&2
  printf '%s\n' "$group"
}

create_rule() { # NUMBER LISTENER TARGET-GROUP
  elbv2 create-rule --listener-arn "$2" --priority "$1" \
    --conditions "Field=path-pattern,PathPatternConfig={Values=[/cluster$1]}" \
    --actions "Type=forward,TargetGroupArn=$3" >/dev/null
}

deploy() {
  local instance_group balancer_group balancer listener name
  vpc=$(ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[0].VpcId')
  for zone in us-east-1a us-east-1b; do
    subnets+=("$(ec2 describe-subnets --query 'Subnets[0].SubnetId' \
      --filters "Name=vpc-id,Values=$vpc" "Name=availability-zone,Values=$zone" Name=default-for-az,Values=true)")
  done

  say "security groups"
  instance_group=$(create_security_group "$tag-instances" "SSH, HTTP and HTTPS from everywhere")
  for port in 22 80 443; do
    ec2 authorize-security-group-ingress --group-id "$instance_group" --protocol tcp --port "$port" \
      --cidr 0.0.0.0/0 >/dev/null
  done
  balancer_group=$(create_security_group "$tag-balancer" "TCP from everywhere")
  ec2 authorize-security-group-ingress --group-id "$balancer_group" --protocol tcp --port 0-65535 \
    --cidr 0.0.0.0/0 >/dev/null

  say "instances"
  read -ra first < <(run_cluster 1 m4.large "${CLUSTER1_SIZE:-5}" "$instance_group")
  read -ra second < <(run_cluster 2 t2.large "${CLUSTER2_SIZE:-4}" "$instance_group")
  ec2 wait instance-running --instance-ids "${first[@]}" "${second[@]}"

  say "target groups"
  groups=("$(create_target_group 1 "${first[@]}")" "$(create_target_group 2 "${second[@]}")")

  say "load balancer"
  balancer=$(elbv2 create-load-balancer --name "$tag" --subnets "${subnets[@]}" \
    --security-groups "$balancer_group" --query 'LoadBalancers[0].LoadBalancerArn')
  listener=$(elbv2 create-listener --load-balancer-arn "$balancer" --protocol HTTP --port 80 \
    --default-actions "Type=forward,ForwardConfig={TargetGroups=[{TargetGroupArn=${groups[0]},Weight=1},{TargetGroupArn=${groups[1]},Weight=1}]}" \
    --query 'Listeners[0].ListenerArn')
  create_rule 1 "$listener" "${groups[0]}"
  create_rule 2 "$listener" "${groups[1]}"
  elbv2 wait load-balancer-available --load-balancer-arns "$balancer"
  for group in "${groups[@]}"; do elbv2 wait target-in-service --target-group-arn "$group"; done
  name=$(elbv2 describe-load-balancers --load-balancer-arns "$balancer" --query 'LoadBalancers[0].DNSName')
  printf 'http://%s/\n' "$name"
}

delete() {
  local balancer group id
  balancer=$(elbv2 describe-load-balancers --names "$tag" --query 'LoadBalancers[0].LoadBalancerArn')
  elbv2 delete-load-balancer --load-balancer-arn "$balancer"
  elbv2 wait load-balancers-deleted --load-balancer-arns "$balancer"
  for group in $(elbv2 describe-target-groups --names "$tag-1" "$tag-2" --query 'TargetGroups[].TargetGroupArn'); do
    elbv2 delete-target-group --target-group-arn "$group"
  done
  mapfile -t ids < <(ec2 describe-instances --filters "Name=tag:stack,Values=$tag" \
    Name=instance-state-name,Values=pending,running,stopping,stopped \
    --query 'Reservations[].Instances[].InstanceId' | tr '\t' '\n')
  ec2 terminate-instances --instance-ids "${ids[@]}" >/dev/null
  ec2 wait instance-terminated --instance-ids "${ids[@]}"
  for id in $(ec2 describe-security-groups --query 'SecurityGroups[].GroupId' \
    --filters "Name=group-name,Values=$tag-instances,$tag-balancer"); do
    ec2 delete-security-group --group-id "$id" >/dev/null
  done
}

subnets=()
case $command in
  deploy | delete) "$command" ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
