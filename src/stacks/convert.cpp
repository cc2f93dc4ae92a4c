#include "stacks/convert.hpp"

#include <fmt/format.h>

#include <charconv>

#include "stacks/functions.hpp"

namespace weir::stacks {

namespace {

std::string text_of(const Value& value) {
  if (!value.is_unknown()) return value.text;
  return fmt::format("(known-later-{}-{})", value.mark.line, value.mark.column);
}

}  // namespace

std::string Members::text(std::string_view name, std::string_view fallback) const {
  const Value* value = map_.find(name);
  return value == nullptr ? std::string(fallback) : text_of(*value);
}

int Members::integer(std::string_view name, int fallback) const {
  const Value* value = map_.find(name);
  if (value == nullptr) return fallback;
  int number = fallback;
  std::from_chars(value->text.data(), value->text.data() + value->text.size(), number);
  return number;
}

bool Members::boolean(std::string_view name, bool fallback) const {
  const Value* value = map_.find(name);
  return value == nullptr ? fallback : to_boolean(value->text).value_or(fallback);
}

std::vector<std::string> Members::texts(std::string_view name) const {
  std::vector<std::string> out;
  for (const Value& item : items(name)) out.push_back(text_of(item));
  return out;
}

const std::vector<Value>& Members::items(std::string_view name) const {
  static const std::vector<Value> none;
  const Value* value = map_.find(name);
  return value != nullptr && value->is_list() ? value->items : none;
}

model::Tags to_tags(const Value& properties, const Site& site) {
  model::Tags tags;
  for (const Value& item : Members(properties).items("Tags")) {
    const Members tag(item);
    const std::string key = tag.text("Key");
    if (key.starts_with("aws:")) {
      site.diagnostics.add(item.mark, site.path + ".Tags",
                           fmt::format("{}: keys that begin with aws: are reserved", key));
    } else if (!tags.emplace(key, tag.text("Value")).second) {
      site.diagnostics.add(item.mark, site.path + ".Tags",
                           fmt::format("the tag {} is given twice", key));
    }
  }
  return tags;
}

void check_convertible(const std::string& type, const Value& properties, const Site& site) {
  if (type == "AWS::EC2::SecurityGroup") {
    static_cast<void>(to_security_group(properties, site));
  } else if (type == "AWS::EC2::SecurityGroupIngress") {
    static_cast<void>(to_security_group_rule(properties, true, site));
  } else if (type == "AWS::EC2::SecurityGroupEgress") {
    static_cast<void>(to_security_group_rule(properties, false, site));
  } else if (type == "AWS::EC2::Instance") {
    static_cast<void>(to_instance(properties, site));
  } else if (type == "AWS::ElasticLoadBalancingV2::TargetGroup") {
    static_cast<void>(to_target_group(properties, site));
  } else if (type == "AWS::ElasticLoadBalancingV2::LoadBalancer") {
    static_cast<void>(to_load_balancer(properties, site));
  } else if (type == "AWS::ElasticLoadBalancingV2::Listener") {
    static_cast<void>(to_listener(properties, site));
  } else if (type == "AWS::ElasticLoadBalancingV2::ListenerCertificate") {
    static_cast<void>(to_listener_certificate(properties, site));
  } else if (type == "AWS::ElasticLoadBalancingV2::ListenerRule") {
    static_cast<void>(to_rule(properties, site));
  }
}

}  // namespace weir::stacks
