// Tags of load balancers, target groups, listeners, rules and trust stores: reference §8.4.
#include "aws/elbv2/handlers.hpp"
#include "control/elb_checks.hpp"

namespace weir::aws::elbv2 {
namespace {

constexpr std::size_t resources_max = 20;

Result<Value> add(const Elbv2Parts& parts, const Value& input) {
  const auto tags = tags_of(input);
  if (!tags) return std::unexpected(tags.error());
  auto done = parts.elb.add_tags(input.texts("ResourceArns"), *tags);
  if (!done) return std::unexpected(done.error());
  return Value();
}

Result<Value> remove(const Elbv2Parts& parts, const Value& input) {
  const auto keys = input.texts("TagKeys");
  for (const std::string& key : keys) {
    if (key.starts_with("aws:")) {
      return refuse("The tag key '" + key + "' begins with 'aws:', which is reserved");
    }
  }
  auto done = parts.elb.remove_tags(input.texts("ResourceArns"), keys);
  if (!done) return std::unexpected(done.error());
  return Value();
}

Result<Value> describe(const control::State& state, const Value& input) {
  const auto arns = input.texts("ResourceArns");
  if (auto valid = check_count("resource ARNs", arns.size(), resources_max); !valid) {
    return std::unexpected(valid.error());
  }
  Value::List items;
  for (const std::string& arn : arns) {
    const auto tags = control::tags_of(state, arn);
    if (!tags) return std::unexpected(tags.error());
    Value item{{"ResourceArn", arn}};
    item.set("Tags", tag_list(*tags));
    items.push_back(std::move(item));
  }
  Value out;
  out.set("TagDescriptions", Value(std::move(items)));
  return out;
}

}  // namespace

void add_tags(Handlers& handlers, const Elbv2Parts& parts) {
  handlers["AddTags"] = changing(parts, add);
  handlers["RemoveTags"] = changing(parts, remove);
  handlers["DescribeTags"] = reading(parts, describe);
}

}  // namespace weir::aws::elbv2
