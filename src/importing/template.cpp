#include "importing/template.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "importing/actions.hpp"
#include "importing/logical_ids.hpp"
#include "importing/node.hpp"
#include "importing/schema_conversion.hpp"
#include "model/cidr.hpp"
#include "stacks/limits.hpp"

namespace weir::importing {
namespace {

using aws::Value;

constexpr std::string_view default_vpc_range = "172.31.0.0/16";  // of Weir, and of AWS
constexpr std::size_t instances_shown_max = 5;

std::span<const stacks::Property> properties_of(std::string_view type) {
  const auto* found = stacks::find_type(fmt::format("AWS::ElasticLoadBalancingV2::{}", type));
  return found == nullptr ? std::span<const stacks::Property>() : found->properties;
}

std::span<const stacks::Property> fields_of(std::string_view type, std::string_view property) {
  const auto* found = find_property(properties_of(type), property);
  return found == nullptr ? std::span<const stacks::Property>() : found->fields;
}

Value renamed(const Value& value, std::string_view from, std::string_view to,
              const std::set<std::string_view>& dropped) {
  Value::Structure kept;
  for (const auto& [name, member] : value.members()) {
    if (!dropped.contains(name)) kept.emplace_back(name == from ? std::string(to) : name, member);
  }
  return Value::structure(std::move(kept));
}

class Maker {
 public:
  Maker(const Inventory& inventory, std::string_view source)
      : inventory_(inventory), source_(source), convert_(references_, notices_) {}

  ImportedTemplate make() {
    for (const auto& words : inventory_.passed_over) notices_.add(words);
    add_place();
    for (const auto& found : inventory_.target_groups) name_group(found);
    for (const auto& found : inventory_.target_groups) add_group(found);
    for (const auto& found : inventory_.load_balancers) add_load_balancer(found);
    if (lost_tags_ > 0) {
      notices_.add(
          fmt::format("the tags of {} listeners and rules are left out: Weir's templates "
                      "have none there",
                      lost_tags_));
    }
    if (resource_count_ > stacks::limits::resources_max) {
      notices_.add(fmt::format("the template has {} resources; a stack has at most {}",
                               resource_count_, stacks::limits::resources_max));
    }
    return finish();
  }

 private:
  // ---------------------------------------------------------------- the frame
  void add_parameter(const std::string& id, std::string_view type, std::string_view description) {
    parameters_.set(
        id, Node::map({{"Type", Node::text(type)}, {"Description", Node::text(description)}}));
  }

  void add_place() {
    add_parameter(ids_.take("VpcId"), "AWS::EC2::VPC::Id",
                  "Where everything lives (Weir takes the default VPC)");
    add_parameter(ids_.take("SubnetIds"), "List<AWS::EC2::Subnet::Id>",
                  "Subnets of it in two zones (Weir takes the default subnets of the first two)");
  }

  void add_resource(const std::string& id, std::string_view type, Node properties) {
    ++resource_count_;
    resources_.set(id, Node::map({{"Type", Node::text(fmt::format("AWS::{}", type))},
                                  {"Properties", std::move(properties)}}));
  }

  [[nodiscard]] ImportedTemplate finish() {
    Node root = Node::map();
    root.set("AWSTemplateFormatVersion", Node::text("2010-09-09"));
    root.set("Description", Node::text(printable(fmt::format("{} imported from {}",
                                                             counted_load_balancers(), source_))));
    root.set("Parameters", std::move(parameters_));
    root.set("Resources", std::move(resources_));
    if (!outputs_.is_empty()) root.set("Outputs", std::move(outputs_));
    std::string text = fmt::format("# Imported from {} by `weir import`.\n", printable(source_));
    for (const auto& notice : notices_.all()) text += fmt::format("# - {}\n", notice);
    return {text + root.yaml(), notices_.all()};
  }

  [[nodiscard]] std::string counted_load_balancers() const {
    const auto count = inventory_.load_balancers.size();
    if (count != 1) return fmt::format("{} load balancers", count);
    return fmt::format(
        "The load balancer {}",
        inventory_.load_balancers.front().load_balancer.text("LoadBalancerName").substr(0, 64));
  }

  void set_unless_empty(Node& node, std::string_view name, Node value) {
    if (!value.is_empty()) node.set(name, std::move(value));
  }

  // Where the type has no Tags, they are counted as lost.
  void set_tags(Node& properties, std::string_view type, const std::string& arn) {
    const auto found = inventory_.tags.find(arn);
    if (found == inventory_.tags.end()) return;
    if (find_property(properties_of(type), "Tags") == nullptr) {
      ++lost_tags_;
    } else {
      properties.set("Tags", pairs_node(found->second));
    }
  }

  // ---------------------------------------------------------------- target groups
  void name_group(const TargetGroupFound& found) {
    const auto& group = found.target_group;
    const auto name = group.text("TargetGroupName");
    const auto type = group.text("TargetType", "instance");
    const auto* types = find_property(properties_of("TargetGroup"), "TargetType");
    if (types != nullptr && !allows(*types, type)) {
      notices_.add(fmt::format("target group {} is left out: its targets are of type {}: {}", name,
                               type, types->note));
      return;
    }
    references_[group.text("TargetGroupArn")] = ids_.take(camel_case(name) + "TargetGroup");
  }

  void add_group(const TargetGroupFound& found) {
    const auto& group = found.target_group;
    const auto arn = group.text("TargetGroupArn");
    const auto reference = references_.find(arn);
    if (reference == references_.end()) return;
    const auto where = fmt::format("target group {}", group.text("TargetGroupName"));
    Node properties = convert_.structure(
        properties_of("TargetGroup"),
        renamed(group, "TargetGroupName", "Name", {"TargetGroupArn", "LoadBalancerArns", "VpcId"}),
        where);
    properties.set("VpcId", Node::ref("VpcId"));
    set_unless_empty(
        properties, "TargetGroupAttributes",
        convert_.attributes(model::target_group_attributes(), found.attributes, where));
    set_unless_empty(properties, "Targets", targets(found, where));
    set_tags(properties, "TargetGroup", arn);
    add_resource(reference->second, "ElasticLoadBalancingV2::TargetGroup", std::move(properties));
  }

  // Addresses are the same everywhere; instances are not.
  Node targets(const TargetGroupFound& found, std::string_view where) {
    Node list = Node::list();
    std::vector<std::string> instances;
    for (const auto& each : found.health) {
      const Value* target = each.find("Target");
      const Value* health = each.find("TargetHealth");
      if (target == nullptr || (health != nullptr && health->text("State").ends_with("draining")))
        continue;
      if (found.target_group.text("TargetType") == "ip") {
        add_address(list, *target, where);
      } else {
        instances.push_back(target->text("Id"));
      }
    }
    if (!instances.empty()) {
      const auto shown = std::min(instances.size(), instances_shown_max);
      notices_.add(fmt::format(
          "{}: its {} instances ({}{}) are not imported; name instances of yours as its Targets, "
          "or "
          "register them: aws --endpoint-url http://127.0.0.1:4566 elbv2 register-targets",
          where, instances.size(),
          fmt::join(instances.begin(), instances.begin() + static_cast<std::ptrdiff_t>(shown),
                    ", "),
          shown < instances.size() ? ", …" : ""));
    }
    return list;
  }

  void add_address(Node& list, const Value& target, std::string_view where) {
    const auto id = target.text("Id");
    const auto address = model::Ipv4::parse(id);
    if (!address) {
      notices_.add(fmt::format("{}: the target {} is left out: it is no IPv4 address", where, id));
      return;
    }
    Node node = Node::map({{"Id", Node::text(id)}});
    if (const auto port = target.integer("Port"))
      node.set("Port", Node::plain(std::to_string(*port)));
    // What is not in Weir's VPC must say so; what is has the zone of its subnet.
    if (!model::Cidr::parse(default_vpc_range)->contains(*address))
      node.set("AvailabilityZone", Node::text("all"));
    list.add(std::move(node));
  }

  // ---------------------------------------------------------------- load balancers
  void add_load_balancer(const LoadBalancerFound& found) {
    const auto& source = found.load_balancer;
    const auto name = source.text("LoadBalancerName");
    const auto base = camel_case(name);
    const auto id = ids_.take(base + "LoadBalancer");
    const auto group_id = ids_.take(base + "SecurityGroup");
    const auto where = fmt::format("load balancer {}", name);
    add_security_group(group_id, name, found);
    Value plain{{"Name", name}, {"Scheme", source.text("Scheme", "internet-facing")}};
    if (source.text("IpAddressType", "ipv4") != "ipv4")
      plain.set("IpAddressType", source.text("IpAddressType"));
    Node properties = convert_.structure(properties_of("LoadBalancer"), plain, where);
    properties.set("Subnets", Node::ref("SubnetIds"));
    properties.set("SecurityGroups", Node::list({Node::ref(group_id)}));
    set_unless_empty(
        properties, "LoadBalancerAttributes",
        convert_.attributes(model::load_balancer_attributes(), found.attributes, where));
    set_tags(properties, "LoadBalancer", source.text("LoadBalancerArn"));
    add_resource(id, "ElasticLoadBalancingV2::LoadBalancer", std::move(properties));
    for (const auto& listener : found.listeners) add_listener(listener, id, base, name);
    outputs_.set(ids_.take(base + "DNSName"),
                 Node::map({{"Value", Node::attribute_of(id + ".DNSName")}}));
  }

  // In the place of those that the load balancer has, which live in its VPC.
  void add_security_group(const std::string& id, const std::string& name,
                          const LoadBalancerFound& found) {
    Node rules = Node::list();
    std::set<std::int64_t> ports;
    for (const auto& each : found.listeners) {
      const auto port = each.listener.integer("Port").value_or(80);
      if (!ports.insert(port).second) continue;
      const auto text = std::to_string(port);
      rules.add(Node::map({{"IpProtocol", Node::text("tcp")},
                           {"FromPort", Node::plain(text)},
                           {"ToPort", Node::plain(text)},
                           {"CidrIp", Node::text("0.0.0.0/0")}}));
    }
    Node properties =
        Node::map({{"GroupDescription", Node::text(fmt::format("Listeners of {}", name))},
                   {"VpcId", Node::ref("VpcId")}});
    set_unless_empty(properties, "SecurityGroupIngress", std::move(rules));
    add_resource(id, "EC2::SecurityGroup", std::move(properties));
    if (const auto groups = found.load_balancer.texts("SecurityGroups"); !groups.empty()) {
      notices_.add(
          fmt::format("load balancer {}: a security group that lets everybody come to its "
                      "listeners is in the place of {}",
                      name, fmt::join(groups, ", ")));
    }
  }

  // ---------------------------------------------------------------- listeners
  void add_listener(const ListenerFound& found, const std::string& load_balancer_id,
                    std::string_view base, std::string_view name) {
    const auto& source = found.listener;
    const auto port = source.integer("Port").value_or(80);
    const auto id = ids_.take(fmt::format("{}Listener{}", base, port));
    const auto where = fmt::format("listener {} of {}", port, name);
    Node properties = Node::map({{"LoadBalancerArn", Node::ref(load_balancer_id)},
                                 {"Protocol", Node::text(source.text("Protocol", "HTTP"))},
                                 {"Port", Node::plain(std::to_string(port))}});
    if (source.text("Protocol") == "HTTPS") add_tls(properties, source, where);
    properties.set("DefaultActions",
                   actions(source.list("DefaultActions"), "Listener", "DefaultActions", where, id));
    set_unless_empty(properties, "ListenerAttributes",
                     convert_.attributes(model::listener_attributes(), found.attributes, where));
    set_tags(properties, "Listener", source.text("ListenerArn"));
    add_resource(id, "ElasticLoadBalancingV2::Listener", std::move(properties));
    add_more_certificates(found, id, where);
    for (const auto& rule : found.rules) {
      if (!rule.flag("IsDefault").value_or(false)) add_rule(rule, id, name, port);
    }
  }

  // A parameter whose default is the ARN at the source, one for each ARN.
  Node external(const std::string& arn, const std::string& wanted_id,
                std::string_view description) {
    auto& id = external_[arn];
    if (id.empty()) {
      id = ids_.take(wanted_id);
      parameters_.set(id, Node::map({{"Type", Node::text("String")},
                                     {"Default", Node::text(arn)},
                                     {"Description", Node::text(description)}}));
    }
    return Node::ref(id);
  }

  Node certificate(const std::string& arn, std::string_view where) {
    Node reference = external(arn, "CertificateArn", "A certificate that Weir has");
    notices_.add(
        fmt::format("{}: bring the certificate {} into Weir with `weir certificate import` "
                    "and give its ARN: -p {}=ARN",
                    where, arn, external_[arn]));
    return reference;
  }

  static Node certificate_list(Node reference) {
    return Node::list({Node::map({{"CertificateArn", std::move(reference)}})});
  }

  void add_tls(Node& properties, const Value& source, std::string_view where) {
    if (const auto policy = source.text("SslPolicy"); !policy.empty())
      properties.set("SslPolicy", Node::text(policy));
    if (const auto& list = source.list("Certificates"); !list.empty()) {
      properties.set("Certificates",
                     certificate_list(certificate(list.front().text("CertificateArn"), where)));
    }
    const Value* mutual = source.find("MutualAuthentication");
    if (mutual == nullptr || mutual->text("Mode", "off") == "off") return;
    Node node = Node::map({{"Mode", Node::text(mutual->text("Mode"))}});
    if (const auto store = mutual->text("TrustStoreArn"); !store.empty()) {
      node.set("TrustStoreArn", external(store, "TrustStoreArn", "A trust store that Weir has"));
      notices_.add(fmt::format("{}: make the trust store {} in Weir and give its ARN: -p {}=ARN",
                               where, store, external_[store]));
    }
    if (const auto expiry = mutual->flag("IgnoreClientCertificateExpiry"))
      node.set("IgnoreClientCertificateExpiry", Node::plain(*expiry ? "true" : "false"));
    if (const auto names = mutual->text("AdvertiseTrustStoreCaNames"); !names.empty())
      node.set("AdvertiseTrustStoreCaNames", Node::text(names));
    properties.set("MutualAuthentication", std::move(node));
  }

  void add_more_certificates(const ListenerFound& found, const std::string& listener_id,
                             std::string_view where) {
    for (const auto& each : found.certificates) {
      if (each.flag("IsDefault").value_or(false)) continue;
      const auto arn = each.text("CertificateArn");
      if (properties_of("ListenerCertificate").empty()) {
        notices_.add(
            fmt::format("{}: the certificate {} for other host names is left out", where, arn));
        continue;
      }
      add_resource(ids_.take(listener_id + "Certificate"),
                   "ElasticLoadBalancingV2::ListenerCertificate",
                   Node::map({{"ListenerArn", Node::ref(listener_id)},
                              {"Certificates", certificate_list(certificate(arn, where))}}));
    }
  }

  // ---------------------------------------------------------------- rules
  Node actions(const Value::List& source, std::string_view type, std::string_view property,
               std::string_view where, const std::string& id) {
    const auto fields = fields_of(type, property);
    Node list = Node::list();
    for (const auto& action : kept_actions(source, fields, references_, where, notices_)) {
      Node node = convert_.structure(fields, action, where);
      if (Node* oidc = node.find("AuthenticateOidcConfig"); oidc != nullptr)
        add_client_secret(*oidc, where, id);
      list.add(std::move(node));
    }
    return list;
  }

  // AWS never tells it.
  void add_client_secret(Node& oidc, std::string_view where, const std::string& id) {
    const auto parameter = ids_.take(id + "ClientSecret");
    parameters_.set(parameter,
                    Node::map({{"Type", Node::text("String")},
                               {"NoEcho", Node::plain("true")},
                               {"Description", Node::text("The OIDC client's secret")}}));
    oidc.set("ClientSecret", Node::ref(parameter));
    notices_.add(fmt::format(
        "{}: AWS does not tell the OIDC client's secret; give it: -p {}=SECRET", where, parameter));
  }

  void add_rule(const Value& source, const std::string& listener_id, std::string_view name,
                std::int64_t port) {
    const auto priority = source.text("Priority");
    const auto where = fmt::format("rule {} of {}:{}", priority, name, port);
    const auto id = ids_.take(fmt::format("{}Rule{}", listener_id, camel_case(priority)));
    auto conditions = kept_conditions(source.list("Conditions"),
                                      fields_of("ListenerRule", "Conditions"), where, notices_);
    if (!conditions) return;
    Value plain;
    plain.set("Priority", priority);
    plain.set("Conditions", Value(std::move(*conditions)));
    if (const auto& transforms = source.list("Transforms"); !transforms.empty())
      plain.set("Transforms", Value(transforms));
    Node properties = Node::map({{"ListenerArn", Node::ref(listener_id)}});
    Node converted = convert_.structure(properties_of("ListenerRule"), plain, where);
    for (const std::string_view property : {"Priority", "Conditions", "Transforms"}) {
      if (Node* node = converted.find(property)) properties.set(property, std::move(*node));
    }
    properties.set("Actions",
                   actions(source.list("Actions"), "ListenerRule", "Actions", where, id));
    set_tags(properties, "ListenerRule", source.text("RuleArn"));
    add_resource(id, "ElasticLoadBalancingV2::ListenerRule", std::move(properties));
  }

  const Inventory& inventory_;
  std::string_view source_;
  Notices notices_;
  References references_;
  SchemaConversion convert_;
  LogicalIds ids_;
  std::map<std::string, std::string> external_;  // parameters by the ARN at the source
  Node parameters_ = Node::map();
  Node resources_ = Node::map();
  Node outputs_ = Node::map();
  std::size_t resource_count_ = 0;
  std::size_t lost_tags_ = 0;
};

}  // namespace

ImportedTemplate make_template(const Inventory& inventory, std::string_view source) {
  return Maker(inventory, source).make();
}

}  // namespace weir::importing
