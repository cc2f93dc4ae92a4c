#include "stacks/provider.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <ranges>
#include <utility>

#include "base/ids.hpp"
#include "stacks/convert.hpp"

namespace weir::stacks {

namespace {

using std::chrono::seconds;

// A launch that takes longer has failed: images are local and nothing is copied.
constexpr seconds launch_timeout{120};
constexpr std::chrono::milliseconds wait_slice{200};  // how soon a failure elsewhere is seen
constexpr seconds termination_timeout{60};
constexpr std::size_t short_name_bytes_max = 32;   // load balancers, target groups
constexpr std::size_t group_name_bytes_max = 255;  // security groups
constexpr std::size_t random_letters = 12;

constexpr std::string_view tag_stack_name = "aws:cloudformation:stack-name";
constexpr std::string_view tag_stack_id = "aws:cloudformation:stack-id";
constexpr std::string_view tag_logical_id = "aws:cloudformation:logical-id";

// Converts, and makes one error of the faults. At this point there are none but those of values
// that became known only now.
template <typename Convert>
auto converted(const Wanted& wanted, Convert convert)
    -> Result<decltype(convert(wanted.properties, std::declval<const Site&>()))> {
  Diagnostics diagnostics(wanted.file_name);
  const Site site{fmt::format("Resources.{}.Properties", wanted.logical_id), diagnostics};
  auto inputs = convert(wanted.properties, site);
  if (!diagnostics.empty()) return std::unexpected(diagnostics.error());
  return inputs;
}

// The template's own tags win over the stack's.
void add_tags(const Wanted& wanted, model::Tags& tags) {
  tags.insert(wanted.stack_tags.begin(), wanted.stack_tags.end());
  tags[std::string(tag_stack_name)] = wanted.stack_name;
  tags[std::string(tag_stack_id)] = wanted.stack_id;
  tags[std::string(tag_logical_id)] = wanted.logical_id;
}

std::string random_name_part() {
  static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::string out;
  for (std::size_t i = 0; i < random_letters; ++i) out += letters[random_u64() % letters.size()];
  return out;
}

std::string after_last(const std::string& text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  return at == std::string::npos ? text : text.substr(at + mark.size());
}

// Removing what is gone already is no fault.
Status unless_gone(Status status) {
  if (status || !status.error().code.ends_with("NotFound")) return status;
  return {};
}

bool is_tagged(const model::Tags& tags, const std::string& stack_id,
               const std::string& logical_id) {
  const auto has = [&](std::string_view key, const std::string& value) {
    const auto found = tags.find(std::string(key));
    return found != tags.end() && found->second == value;
  };
  return has(tag_stack_id, stack_id) && has(tag_logical_id, logical_id);
}

// An instance keeps its record, and its tags, for a while.
bool is_gone(const auto&) { return false; }
bool is_gone(const model::Instance& instance) {
  return instance.state == model::InstanceState::terminated;
}

bool is_instance(const std::string& type) { return type == "AWS::EC2::Instance"; }

bool is_group_rule(const std::string& type) {
  return type == "AWS::EC2::SecurityGroupIngress" || type == "AWS::EC2::SecurityGroupEgress";
}

// A rule in attributes: what a removal compares with.
void store_rule(const SecurityGroupRuleInputs& inputs, std::map<std::string, std::string>& out) {
  out["GroupId"] = inputs.group_id;
  out["Direction"] = inputs.is_ingress ? "ingress" : "egress";
  out["IpProtocol"] = inputs.rule.protocol;
  out["FromPort"] = std::to_string(inputs.rule.from_port);
  out["ToPort"] = std::to_string(inputs.rule.to_port);
  out["CidrIp"] = inputs.rule.cidr;
  out["CidrIpv6"] = inputs.rule.cidr_v6;
  out["PeerGroupId"] = inputs.rule.group_id;
  out["Description"] = inputs.rule.description;
}

model::SecurityGroupRule load_rule(const std::map<std::string, std::string>& attributes) {
  const auto text = [&](const char* key) {
    const auto found = attributes.find(key);
    return found == attributes.end() ? std::string{} : found->second;
  };
  const auto number = [&](const char* key) {
    const std::string value = text(key);
    return value.empty() ? -1 : std::atoi(value.c_str());
  };
  return {text("IpProtocol"),
          number("FromPort"),
          number("ToPort"),
          text("CidrIp"),
          text("CidrIpv6"),
          text("PeerGroupId"),
          text("Description"),
          {},
          {}};
}

}  // namespace

std::string make_name(const std::string& stack_name, const std::string& logical_id,
                      std::size_t bytes_max) {
  const std::size_t room = bytes_max - random_letters - 2;
  const std::size_t half = room / 2;
  const std::size_t for_stack =
      std::min(stack_name.size(), logical_id.size() >= half ? half : room - logical_id.size());
  std::string stack;
  for (const char c : stack_name.substr(0, for_stack)) {
    if (c != '-' || !stack.ends_with('-')) stack += c;
  }
  while (stack.ends_with('-')) stack.pop_back();
  return fmt::format("{}-{}-{}", stack, logical_id.substr(0, room - stack.size()),
                     random_name_part());
}

Result<Made> Provider::announce(const Wanted& wanted) const {
  Made made;
  if (!is_group_rule(wanted.type)) return made;
  const bool is_ingress = wanted.type == "AWS::EC2::SecurityGroupIngress";
  auto inputs = converted(wanted, [&](const Value& properties, const Site& site) {
    return to_security_group_rule(properties, is_ingress, site);
  });
  if (!inputs) return std::unexpected(inputs.error());
  if (inputs->group_id.empty()) {
    const Result<std::string> id = group_id_of(inputs->group_name);
    if (!id) return std::unexpected(id.error());
    inputs->group_id = *id;
  }
  if (!inputs->source_group_name.empty()) {
    const Result<std::string> id = group_id_of(inputs->source_group_name);
    if (!id) return std::unexpected(id.error());
    inputs->rule.group_id = *id;
  }
  store_rule(*inputs, made.attributes);
  made.physical_id = make_ec2_id("sgr-");
  made.attributes["Id"] = made.physical_id;
  return made;
}

Status Provider::start(const Wanted& wanted, Made& made) {
  if (wanted.type == "AWS::EC2::SecurityGroup") return start_security_group(wanted, made);
  if (is_group_rule(wanted.type)) return start_security_group_rule(made);
  if (is_instance(wanted.type)) return start_instance(wanted, made);
  if (wanted.type == "AWS::ElasticLoadBalancingV2::TargetGroup") {
    return start_target_group(wanted, made);
  }
  if (wanted.type == "AWS::ElasticLoadBalancingV2::LoadBalancer") {
    return start_load_balancer(wanted, made);
  }
  if (wanted.type == "AWS::ElasticLoadBalancingV2::Listener") return start_listener(wanted, made);
  if (wanted.type == "AWS::ElasticLoadBalancingV2::ListenerCertificate") {
    return start_listener_certificate(wanted, made);
  }
  if (wanted.type == "AWS::ElasticLoadBalancingV2::ListenerRule") return start_rule(wanted, made);
  if (wanted.type.starts_with("AWS::IAM::")) {
    note_identity(wanted, made);
  } else {
    made.physical_id = random_hex(32);  // AWS::CDK::Metadata: a resource that is a note only
  }
  return {};
}

// What others in the template may refer to; nothing is made.
void Provider::note_identity(const Wanted& wanted, Made& made) const {
  constexpr std::size_t name_bytes_max = 64;
  const bool is_role = wanted.type == "AWS::IAM::Role";
  made.physical_id = make_name(wanted.stack_name, wanted.logical_id, name_bytes_max);
  made.attributes["Arn"] = fmt::format("arn:aws:iam::{}:{}/{}", registry_.account(),
                                       is_role ? "role" : "instance-profile", made.physical_id);
  if (is_role) made.attributes["RoleId"] = "AROA" + random_name_part();
}

Status Provider::finish(const std::string& type, const Made& made,
                        const std::atomic<bool>& is_stopped) {
  if (!is_instance(type)) return {};
  const auto deadline = std::chrono::steady_clock::now() + launch_timeout;
  while (!is_stopped) {
    Status status = ec2_.wait_for(made.physical_id, model::InstanceState::running, wait_slice);
    const bool goes_on = !status && status.error().code == "Timeout";
    if (!goes_on || std::chrono::steady_clock::now() > deadline) return status;
  }
  return fail("Cancelled", "another resource failed");
}

Result<std::string> Provider::group_id_of(const std::string& name) const {
  std::string id;
  registry_.read([&](const control::State& state) {
    for (const auto& [group_id, group] : state.security_groups) {
      const auto vpc = state.vpcs.find(group.vpc_id);
      const bool is_in_default = vpc != state.vpcs.end() && vpc->second.is_default;
      if (group_id == name || (is_in_default && group.name == name)) id = group_id;
    }
  });
  if (id.empty()) {
    return fail("InvalidGroup.NotFound",
                fmt::format("there is no security group {} in the default VPC", name));
  }
  return id;
}

Status Provider::start_security_group(const Wanted& wanted, Made& made) {
  auto input = converted(wanted, to_security_group);
  if (!input) return std::unexpected(input.error());
  if (input->name.empty()) {
    input->name = make_name(wanted.stack_name, wanted.logical_id, group_name_bytes_max);
  }
  add_tags(wanted, input->tags);
  for (model::SecurityGroupRule& rule : input->ingress) {
    if (rule.group_id.empty() || rule.group_id.starts_with("sg-")) continue;
    Result<std::string> id = group_id_of(rule.group_id);
    if (!id) return std::unexpected(id.error());
    rule.group_id = std::move(*id);
  }
  const Result<model::SecurityGroup> group = ec2_.create_security_group(*input);
  if (!group) return std::unexpected(group.error());
  made.physical_id = group->id;
  made.attributes = {{"GroupId", group->id}, {"Id", group->id}, {"VpcId", group->vpc_id}};
  return {};
}

Status Provider::start_security_group_rule(Made& made) {
  model::SecurityGroupRule rule = load_rule(made.attributes);
  rule.id = made.physical_id;
  const std::string& group_id = made.attributes["GroupId"];
  Status done = made.attributes["Direction"] == "ingress" ? ec2_.authorize_ingress(group_id, rule)
                                                          : ec2_.authorize_egress(group_id, rule);
  if (!done) made.physical_id.clear();  // a roll back must not remove the same rule of another
  return done;
}

Status Provider::start_instance(const Wanted& wanted, Made& made) {
  auto inputs = converted(wanted, to_instance);
  if (!inputs) return std::unexpected(inputs.error());
  for (const std::string& name : inputs->security_group_names) {
    Result<std::string> id = group_id_of(name);
    if (!id) return std::unexpected(id.error());
    inputs->run.security_group_ids.push_back(std::move(*id));
  }
  if (!inputs->zone.empty()) {
    std::string subnet_zone;
    registry_.read([&](const control::State& state) {
      for (const auto& [id, subnet] : state.subnets) {
        const bool is_chosen = inputs->run.subnet_id.empty()
                                   ? subnet.is_default_for_zone && subnet.zone == inputs->zone
                                   : id == inputs->run.subnet_id;
        if (!is_chosen) continue;
        inputs->run.subnet_id = id;
        subnet_zone = subnet.zone;
        return;
      }
    });
    if (subnet_zone != inputs->zone) {
      return fail(
          "InvalidParameterValue",
          inputs->run.subnet_id.empty()
              ? fmt::format("there is no default subnet in {}", inputs->zone)
              : fmt::format("the subnet {} is not in {}", inputs->run.subnet_id, inputs->zone));
    }
  }
  add_tags(wanted, inputs->run.tags);
  const Result<std::vector<model::Instance>> instances = ec2_.run_instances(inputs->run);
  if (!instances) return std::unexpected(instances.error());
  const model::Instance& instance = instances->front();
  made.physical_id = instance.id;
  // Weir's instances have no public address: the private one is the one that can be reached.
  made.attributes = {{"AvailabilityZone", instance.zone},
                     {"InstanceId", instance.id},
                     {"PrivateDnsName", instance.private_dns_name},
                     {"PrivateIp", instance.private_ip},
                     {"PublicDnsName", instance.private_dns_name},
                     {"PublicIp", instance.private_ip},
                     {"State.Code", "16"},
                     {"State.Name", "running"},
                     {"VpcId", instance.vpc_id}};
  return {};
}

Status Provider::start_target_group(const Wanted& wanted, Made& made) {
  auto inputs = converted(wanted, to_target_group);
  if (!inputs) return std::unexpected(inputs.error());
  if (inputs->create.name.empty()) {
    inputs->create.name = make_name(wanted.stack_name, wanted.logical_id, short_name_bytes_max);
  }
  add_tags(wanted, inputs->create.tags);
  const Result<model::TargetGroup> group = elb_.create_target_group(inputs->create);
  if (!group) return std::unexpected(group.error());
  made.physical_id = group->arn;
  made.attributes = {
      {"LoadBalancerArns", ""},
      {"TargetGroupArn", group->arn},
      {"TargetGroupFullName", "targetgroup/" + after_last(group->arn, ":targetgroup/")},
      {"TargetGroupName", group->name}};
  if (inputs->targets.empty()) return {};
  return elb_.register_targets(group->arn, inputs->targets);
}

Status Provider::start_load_balancer(const Wanted& wanted, Made& made) {
  auto input = converted(wanted, to_load_balancer);
  if (!input) return std::unexpected(input.error());
  if (input->name.empty()) {
    // A name must not begin with internal-, which marks the scheme in DNS names.
    const std::string& stack = wanted.stack_name;
    input->name = make_name(stack.starts_with("internal-") ? "i" + stack.substr(8) : stack,
                            wanted.logical_id, short_name_bytes_max);
  }
  add_tags(wanted, input->tags);
  const Result<model::LoadBalancer> balancer = elb_.create_load_balancer(*input);
  if (!balancer) return std::unexpected(balancer.error());
  made.physical_id = balancer->arn;
  made.attributes = {
      {"CanonicalHostedZoneID", "Z35SXDOTRQ7X7K"},  // AWS's for us-east-1
      {"DNSName", balancer->dns_name},
      {"LoadBalancerArn", balancer->arn},
      {"LoadBalancerFullName", after_last(balancer->arn, ":loadbalancer/")},
      {"LoadBalancerName", balancer->name},
      {"SecurityGroups", fmt::format("{}", fmt::join(balancer->security_group_ids, ","))}};
  return {};
}

Status Provider::start_listener(const Wanted& wanted, Made& made) {
  auto input = converted(wanted, to_listener);
  if (!input) return std::unexpected(input.error());
  add_tags(wanted, input->tags);
  const Result<model::Listener> listener = elb_.create_listener(*input);
  if (!listener) return std::unexpected(listener.error());
  made.physical_id = listener->arn;
  made.attributes = {{"ListenerArn", listener->arn}};
  return {};
}

// The certificates are in the attributes: what a removal takes away.
Status Provider::start_listener_certificate(const Wanted& wanted, Made& made) {
  const auto input = converted(wanted, to_listener_certificate);
  if (!input) return std::unexpected(input.error());
  made.physical_id = fmt::format("{}/certificates/{}", input->listener_arn, random_hex(16));
  made.attributes = {{"Id", made.physical_id},
                     {"ListenerArn", input->listener_arn},
                     {"Certificates", fmt::format("{}", fmt::join(input->certificate_arns, ","))}};
  return elb_.add_listener_certificates(input->listener_arn, input->certificate_arns);
}

Status Provider::remove_listener_certificate(const Made& made) {
  const auto listener = made.attributes.find("ListenerArn");
  const auto certificates = made.attributes.find("Certificates");
  if (listener == made.attributes.end() || certificates == made.attributes.end()) return {};
  std::vector<std::string> arns;
  for (const auto part : std::views::split(certificates->second, ','))
    arns.emplace_back(part.begin(), part.end());
  return unless_gone(elb_.remove_listener_certificates(listener->second, arns));
}

Status Provider::start_rule(const Wanted& wanted, Made& made) {
  auto input = converted(wanted, to_rule);
  if (!input) return std::unexpected(input.error());
  add_tags(wanted, input->tags);
  const Result<model::Rule> rule = elb_.create_rule(*input);
  if (!rule) return std::unexpected(rule.error());
  made.physical_id = rule->arn;
  made.attributes = {{"IsDefault", "false"}, {"RuleArn", rule->arn}};
  return {};
}

// A target group takes its registrations along: nobody waits for a deregistration delay when the
// whole stack goes.
Status Provider::start_removal(const std::string& type, const Made& made) {
  if (made.physical_id.empty()) return {};
  if (type == "AWS::EC2::SecurityGroup") {
    return unless_gone(ec2_.delete_security_group(made.physical_id));
  }
  if (is_group_rule(type)) return remove_security_group_rule(made);
  if (is_instance(type)) return unless_gone(ec2_.terminate_instances({made.physical_id}));
  if (type == "AWS::ElasticLoadBalancingV2::TargetGroup") {
    return unless_gone(elb_.delete_target_group(made.physical_id));
  }
  if (type == "AWS::ElasticLoadBalancingV2::LoadBalancer") {
    return unless_gone(elb_.delete_load_balancer(made.physical_id));
  }
  if (type == "AWS::ElasticLoadBalancingV2::Listener") {
    return unless_gone(elb_.delete_listener(made.physical_id));
  }
  if (type == "AWS::ElasticLoadBalancingV2::ListenerCertificate") {
    return remove_listener_certificate(made);
  }
  if (type == "AWS::ElasticLoadBalancingV2::ListenerRule") {
    return unless_gone(elb_.delete_rule(made.physical_id));
  }
  return {};
}

Status Provider::finish_removal(const std::string& type, const Made& made) {
  if (!is_instance(type) || made.physical_id.empty()) return {};
  return unless_gone(
      ec2_.wait_for(made.physical_id, model::InstanceState::terminated, termination_timeout));
}

Status Provider::remove_security_group_rule(const Made& made) {
  const model::SecurityGroupRule rule = load_rule(made.attributes);
  const auto attribute = [&](const char* name) {
    const auto found = made.attributes.find(name);
    return found == made.attributes.end() ? std::string{} : found->second;
  };
  return registry_.update([&](control::Draft& draft) -> Status {
    const auto found = draft.state().security_groups.find(attribute("GroupId"));
    if (found == draft.state().security_groups.end()) return {};
    model::SecurityGroup group = found->second;
    auto& rules = attribute("Direction") == "ingress" ? group.ingress : group.egress;
    std::erase(rules, rule);
    draft.put(std::move(group));
    return {};
  });
}

std::optional<std::string> Provider::find(const std::string& type, const std::string& stack_id,
                                          const std::string& logical_id,
                                          const std::set<std::string>& known) const {
  std::optional<std::string> id;
  const auto search = [&](const auto& resources) {
    for (const auto& [key, resource] : resources) {
      if (is_gone(resource) || known.contains(key)) continue;
      if (is_tagged(resource.tags, stack_id, logical_id)) id = key;
    }
  };
  registry_.read([&](const control::State& state) {
    if (type == "AWS::EC2::SecurityGroup") search(state.security_groups);
    if (is_instance(type)) search(state.instances);
    if (type == "AWS::ElasticLoadBalancingV2::TargetGroup") search(state.target_groups);
    if (type == "AWS::ElasticLoadBalancingV2::LoadBalancer") search(state.load_balancers);
    if (type == "AWS::ElasticLoadBalancingV2::Listener") search(state.listeners);
    if (type == "AWS::ElasticLoadBalancingV2::ListenerRule") search(state.rules);
  });
  return id;
}

}  // namespace weir::stacks
