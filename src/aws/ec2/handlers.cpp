#include "aws/ec2/handlers.hpp"

#include <limits>

#include "model/validate.hpp"

namespace weir::aws::ec2 {

Value tag_list(const model::Tags& tags) {
  Value::List items;
  for (const auto& [key, value] : tags) items.push_back({{"Key", key}, {"Value", value}});
  return Value(std::move(items));
}

Result<model::Tags> tags_of(const Value::List& list) {
  model::Tags tags;
  for (const Value& tag : list) {
    const std::string key = tag.text("Key");
    if (key.starts_with("aws:")) {
      return fail("InvalidParameterValue",
                  fmt::format("Tag keys starting with 'aws:' are reserved for internal use: '{}'",
                              key.substr(0, 128)));
    }
    if (!tags.emplace(key, tag.text("Value")).second) {
      return fail("InvalidParameterValue",
                  fmt::format("Duplicate tag key '{}' specified.", key.substr(0, 128)));
    }
  }
  if (auto valid = model::validate_tags(tags); !valid) return std::unexpected(valid.error());
  return tags;
}

Result<model::Tags> specified_tags(const Value& input, std::string_view resource_type,
                                   std::span<const std::string_view> others) {
  model::Tags tags;
  bool is_given = false;
  for (const Value& specification : input.list("TagSpecifications")) {
    const std::string type = specification.text("ResourceType");
    if (type != resource_type) {
      if (std::ranges::find(others, type) != others.end()) continue;
      return fail("InvalidParameterValue",
                  fmt::format("'{}' is not a valid taggable resource type for this operation.",
                              type.substr(0, 100)));
    }
    if (is_given) {
      return fail("InvalidParameterValue",
                  fmt::format("Duplicate resource type '{}' in the tag specifications.", type));
    }
    is_given = true;
    auto given = tags_of(specification.list("Tags"));
    if (!given) return given;
    tags = std::move(*given);
  }
  return tags;
}

std::string part_id(std::string_view prefix, const std::string& id) {
  return std::string(prefix) + id.substr(id.find('-') + 1);
}

Value done() { return {{"Return", true}}; }

Result<Page> page_of(const Value& input, bool has_ids) {
  const auto size = input.integer("MaxResults");
  const auto token = input.optional_text("NextToken");
  if (has_ids && (size || token)) {
    return fail("InvalidParameterCombination",
                "The parameters MaxResults and NextToken cannot be used with a list of ids");
  }
  Page page{{}, size ? static_cast<std::size_t>(*size) : std::numeric_limits<std::size_t>::max()};
  if (token && !token->empty()) {
    auto after = read_marker(*token);
    if (!after) {
      return fail("InvalidNextToken", "The token is not one that a call has given");
    }
    page.after = std::move(*after);
  }
  return page;
}

Status check_ids(const std::vector<std::string>& ids, std::string_view prefix,
                 std::string_view malformed, std::string_view not_found, std::string_view what,
                 const std::function<bool(const std::string&)>& is_there) {
  std::vector<std::string> missing;
  for (const std::string& id : ids) {
    if (!model::is_ec2_id(id, prefix)) {
      return fail(std::string(malformed), fmt::format("Invalid id: \"{}\" (expecting \"{}...\")",
                                                      id.substr(0, 100), prefix));
    }
    if (!is_there(id)) missing.push_back(id);
  }
  if (missing.empty()) return {};
  const bool is_one = missing.size() == 1;
  return fail(std::string(not_found),
              fmt::format("The {}{} '{}' {} not exist", what, is_one ? "" : "s",
                          fmt::join(missing, ", "), is_one ? "does" : "do"));
}

}  // namespace weir::aws::ec2
