// The handlers of EC2 by subject, each file's added by a function of its own, and what they share.
#pragma once

#include <fmt/format.h>

#include <array>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/ec2/ec2_service.hpp"
#include "aws/ec2/filters.hpp"
#include "aws/service.hpp"
#include "model/resources.hpp"

namespace weir::aws::ec2 {

void add_zones(Handlers& handlers, const Ec2Parts& parts);
void add_vpcs(Handlers& handlers, const Ec2Parts& parts);
void add_vpc_parts(Handlers& handlers, const Ec2Parts& parts);
void add_security_groups(Handlers& handlers, const Ec2Parts& parts);
void add_instances(Handlers& handlers, const Ec2Parts& parts);
void add_run_instances(Handlers& handlers, const Ec2Parts& parts);
void add_instance_attributes(Handlers& handlers, const Ec2Parts& parts);
void add_instance_types(Handlers& handlers, const Ec2Parts& parts);
void add_images(Handlers& handlers, const Ec2Parts& parts);
void add_volumes(Handlers& handlers, const Ec2Parts& parts);
void add_security_group_changes(Handlers& handlers, const Ec2Parts& parts);
void add_security_group_rules(Handlers& handlers, const Ec2Parts& parts);
void add_key_pairs(Handlers& handlers, const Ec2Parts& parts);
void add_tags(Handlers& handlers, const Ec2Parts& parts);

// ---------------------------------------------------------------- kinds of handlers
// What a handler that reads gets: the state under its lock, and the names that ARNs are made with.
struct Site {
  const control::State& state;
  const std::string& region;
  const std::string& account;
};

// `answer`: Result<Value>(const Site&, const Value& input).
template <typename Answer>
Handler reading(const Ec2Parts& parts, Answer answer) {
  return [parts, answer](const Caller&, const Value& input) -> Result<Value> {
    Result<Value> out;
    parts.registry.read([&](const control::State& state) {
      out = answer(Site{state, parts.registry.region(), parts.registry.account()}, input);
    });
    return out;
  };
}

// `change`: Result<Value>(const Ec2Parts&, const Value& input), by verbs of control/.
template <typename Change>
Handler changing(const Ec2Parts& parts, Change change) {
  return [parts, change](const Caller&, const Value& input) -> Result<Value> {
    return change(parts, input);
  };
}

// ---------------------------------------------------------------- input and output
[[nodiscard]] Value tag_list(const model::Tags& tags);
// A list of {Key, Value}. "InvalidParameterValue": twice the same key, or one of aws:.
[[nodiscard]] Result<model::Tags> tags_of(const Value::List& list);
// Those of "TagSpecifications" for `resource_type`; others are refused unless `others` names them.
[[nodiscard]] Result<model::Tags> specified_tags(const Value& input, std::string_view resource_type,
                                                 std::span<const std::string_view> others = {});
// What there is one of for each `id` (a VPC's route table, …) is called after it.
[[nodiscard]] std::string part_id(std::string_view prefix, const std::string& id);
// {"Return": true}
[[nodiscard]] Value done();

// ---------------------------------------------------------------- pages
struct Page {
  std::string after;  // the last key of the page before; empty: from the beginning
  std::size_t size;
};
// Of "MaxResults" and "NextToken", which do not go with asking for ids.
[[nodiscard]] Result<Page> page_of(const Value& input, bool has_ids);

// How a kind of record is asked for, found and told.
template <typename Record>
struct Listing {
  std::string_view output;     // "Vpcs"
  std::string_view ids;        // "VpcIds"; empty: they cannot be asked for
  std::string_view prefix;     // "vpc-"
  std::string_view malformed;  // "InvalidVpcID.Malformed"
  std::string_view not_found;  // "InvalidVpcID.NotFound"
  std::string_view what;       // "vpc ID"
  std::span<const Field<Record>> fields;
  Value (*write)(const Site& site, const Record& record);
};

// Each id has its form and is a key of `is_there`.
Status check_ids(const std::vector<std::string>& ids, std::string_view prefix,
                 std::string_view malformed, std::string_view not_found, std::string_view what,
                 const std::function<bool(const std::string&)>& is_there);

// Answers a Describe call from a map of records by id.
template <typename Record>
Result<Value> list_records(const Site& site, const std::map<std::string, Record>& records,
                           const Value& input, const Listing<Record>& listing) {
  const auto filters = filters_of(input);
  if (!filters) return std::unexpected(filters.error());
  if (auto valid = check_filters(*filters, listing.fields); !valid) {
    return std::unexpected(valid.error());
  }
  const auto ids = listing.ids.empty() ? Texts() : input.texts(listing.ids);
  const auto there = [&](const std::string& id) { return records.contains(id); };
  if (auto valid =
          check_ids(ids, listing.prefix, listing.malformed, listing.not_found, listing.what, there);
      !valid) {
    return std::unexpected(valid.error());
  }
  const auto page = page_of(input, !ids.empty());
  if (!page) return std::unexpected(page.error());
  const std::set<std::string> wanted(ids.begin(), ids.end());

  Value::List items;
  std::string last;
  Value out;
  for (auto at = records.upper_bound(page->after); at != records.end(); ++at) {
    if (!wanted.empty() && !wanted.contains(at->first)) continue;
    if (!passes(site.state, *filters, listing.fields, at->second)) continue;
    if (items.size() == page->size) {
      out.set("NextToken", make_marker(last));
      break;
    }
    items.push_back(listing.write(site, at->second));
    last = at->first;
  }
  out.set(listing.output, Value(std::move(items)));
  return out;
}

}  // namespace weir::aws::ec2
