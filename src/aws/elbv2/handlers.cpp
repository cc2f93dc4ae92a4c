#include "aws/elbv2/handlers.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "control/arn.hpp"

namespace weir::aws::elbv2 {
namespace {

constexpr std::size_t page_size_max = 400;

using control::ArnKind;

struct ArnMember {
  std::string_view member;
  std::string_view list;  // the member that holds several
  ArnKind kind;
  std::string_view name;
};

constexpr auto arn_members = std::to_array<ArnMember>({
    {"LoadBalancerArn", "LoadBalancerArns", ArnKind::load_balancer, "load balancer"},
    {"TargetGroupArn", "TargetGroupArns", ArnKind::target_group, "target group"},
    {"ListenerArn", "ListenerArns", ArnKind::listener, "listener"},
    {"RuleArn", "RuleArns", ArnKind::rule, "listener rule"},
    {"TrustStoreArn", "TrustStoreArns", ArnKind::trust_store, "trust store"},
});

}  // namespace

Status check_arns(const Value& input) {
  for (const ArnMember& each : arn_members) {
    std::vector<std::string> arns = input.texts(each.list);
    if (auto arn = input.optional_text(each.member)) arns.push_back(std::move(*arn));
    for (const std::string& arn : arns) {
      if (control::kind_of_arn(arn) == each.kind) continue;
      return refuse(fmt::format("'{}' is not a valid {} ARN", arn, each.name));
    }
  }
  return {};
}

std::unexpected<Error> refuse(std::string message) {
  return fail("ValidationError", std::move(message));
}

std::unexpected<Error> not_supported(std::string message) {
  return fail("InvalidConfigurationRequest", std::move(message));
}

Result<model::Tags> tags_of(const Value& input) {
  model::Tags tags;
  for (const Value& tag : input.list("Tags")) {
    const std::string key = tag.text("Key");
    if (key.starts_with("aws:")) {
      return refuse(fmt::format("The tag key '{}' begins with 'aws:', which is reserved", key));
    }
    if (!tags.emplace(key, tag.text("Value")).second) {
      return fail("DuplicateTagKeys", fmt::format("The tag key '{}' is given more than once", key));
    }
  }
  return tags;
}

Result<model::Attributes> attributes_of(const Value& input) {
  model::Attributes attributes;
  for (const Value& attribute : input.list("Attributes")) {
    const std::string key = attribute.text("Key");
    if (!attributes.emplace(key, attribute.text("Value")).second) {
      return refuse(fmt::format("The attribute '{}' is given more than once", key));
    }
  }
  return attributes;
}

std::optional<int> int_of(const Value& input, std::string_view name) {
  const auto number = input.integer(name);
  if (!number) return std::nullopt;
  return static_cast<int>(*number);  // of 32 bits, by the description
}

Status check_count(std::string_view what, std::size_t count, std::size_t limit) {
  if (count <= limit) return {};
  return refuse(
      fmt::format("Up to '{}' {} can be specified, but '{}' were specified", limit, what, count));
}

Value tag_list(const model::Tags& tags) {
  Value::List items;
  for (const auto& [key, value] : tags) items.push_back({{"Key", key}, {"Value", value}});
  return Value(std::move(items));
}

Value attribute_list(const model::Attributes& attributes,
                     std::span<const model::AttributeSpec> specs, std::string_view left_out) {
  Value::List items;
  for (const model::AttributeSpec& spec : specs) {
    const bool is_set = attributes.contains(std::string(spec.key));
    if (!is_set && !left_out.empty() && spec.key.starts_with(left_out)) continue;
    items.push_back({{"Key", spec.key}, {"Value", model::value_of(attributes, specs, spec.key)}});
  }
  return Value(std::move(items));
}

Value list_of_one(std::string_view name, Value item) {
  Value out;
  out.set(name, Value(Value::List{std::move(item)}));
  return out;
}

Result<Page> page_of(const Value& input, bool has_names) {
  const auto marker = input.optional_text("Marker");
  const auto size = input.integer("PageSize");
  if (has_names && (marker || size)) {
    return refuse("'Marker' and 'PageSize' cannot be specified with names or ARNs");
  }
  Page page{{}, size ? static_cast<std::size_t>(*size) : page_size_max};
  if (marker) {
    auto after = read_marker(*marker);
    if (!after) return refuse("The marker is not one that a call has given");
    page.after = std::move(*after);
  }
  return page;
}

Result<std::size_t> number_of(const Page& page) {
  if (page.after.empty()) return 0;
  std::size_t number = 0;
  const char* end = page.after.data() + page.after.size();
  const auto [at, error] = std::from_chars(page.after.data(), end, number);
  if (error != std::errc{} || at != end) {
    return refuse("The marker is not one that this operation has given");
  }
  return number;
}

}  // namespace weir::aws::elbv2
