// The handlers of ELBv2 by subject, each file's added by a function of its own, and what they
// share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/elbv2/elbv2_service.hpp"
#include "aws/service.hpp"
#include "model/attributes.hpp"

namespace weir::aws::elbv2 {

void add_load_balancers(Handlers& handlers, const Elbv2Parts& parts);
void add_listeners(Handlers& handlers, const Elbv2Parts& parts);
void add_rules(Handlers& handlers, const Elbv2Parts& parts);
void add_target_groups(Handlers& handlers, const Elbv2Parts& parts);
void add_targets(Handlers& handlers, const Elbv2Parts& parts);
void add_tags(Handlers& handlers, const Elbv2Parts& parts);
void add_trust_stores(Handlers& handlers, const Elbv2Parts& parts);
void add_limits(Handlers& handlers, const Elbv2Parts& parts);

// Every ARN that a call names at its top is of the kind that the member says: "ValidationError".
Status check_arns(const Value& input);

// ---------------------------------------------------------------- kinds of handlers
// `answer` reads the state under its lock and makes the output.
template <typename Answer>
Handler reading(const Elbv2Parts& parts, Answer answer) {
  return [parts, answer](const Caller&, const Value& input) -> Result<Value> {
    if (auto valid = check_arns(input); !valid) return std::unexpected(valid.error());
    Result<Value> out;
    parts.registry.read([&](const control::State& state) { out = answer(state, input); });
    return out;
  };
}

// `change` calls verbs of control/; what it changed is in force when the answer is given.
template <typename Change>
Handler changing(const Elbv2Parts& parts, Change change) {
  return [parts, change](const Caller&, const Value& input) -> Result<Value> {
    if (auto valid = check_arns(input); !valid) return std::unexpected(valid.error());
    Result<Value> out = change(parts, input);
    if (out) parts.flush();
    return out;
  };
}

// ---------------------------------------------------------------- input
[[nodiscard]] std::unexpected<Error> refuse(std::string message);
// What network and gateway load balancers have, or a later Weir.
[[nodiscard]] std::unexpected<Error> not_supported(std::string message);

// "DuplicateTagKeys"; tags that begin with aws: are not a client's to set.
[[nodiscard]] Result<model::Tags> tags_of(const Value& input);
[[nodiscard]] Result<model::Attributes> attributes_of(const Value& input);
[[nodiscard]] std::optional<int> int_of(const Value& input, std::string_view name);

// How many names one call may ask for. "ValidationError".
Status check_count(std::string_view what, std::size_t count, std::size_t limit);

// ---------------------------------------------------------------- output
[[nodiscard]] Value tag_list(const model::Tags& tags);
// `specs` in their order, with the value in force, then nothing else: all that a resource has.
[[nodiscard]] Value attribute_list(const model::Attributes& attributes,
                                   std::span<const model::AttributeSpec> specs,
                                   std::string_view left_out = {});
// A structure of one member that is a list of one.
[[nodiscard]] Value list_of_one(std::string_view name, Value item);

// ---------------------------------------------------------------- pages
struct Page {
  std::string after;  // the last key of the page before; empty: from the beginning
  std::size_t size;
};

// Of "Marker" and "PageSize"; neither goes with asking for `names` of things.
[[nodiscard]] Result<Page> page_of(const Value& input, bool has_names);

// Writes the items of `from`…`end` until the page is full, as the list `name` of `out`, with the
// marker of the next page where there is one. `key` gives an item's key, `write` its output.
template <typename Iterator, typename Key, typename Write>
void write_page(Iterator from, Iterator end, const Page& page, Value& out, std::string_view name,
                Key key, Write write) {
  Value::List items;
  std::string last;
  for (; from != end && items.size() < page.size; ++from) {
    items.push_back(write(*from));
    last = key(*from);
  }
  out.set(name, Value(std::move(items)));
  if (from != end) out.set("NextMarker", make_marker(last));
}

// The records of a map by ARN.
template <typename Map, typename Write>
void write_records(const Map& map, const Page& page, Value& out, std::string_view name,
                   Write write) {
  write_page(
      map.upper_bound(page.after), map.end(), page, out, name,
      [](const auto& entry) { return entry.first; },
      [&](const auto& entry) { return write(entry.second); });
}

// What is numbered from 0, for markers.
[[nodiscard]] Result<std::size_t> number_of(const Page& page);

// A page of a table: the key is the number of the last item, from 1.
template <typename Table, typename Write>
Result<Value> page_of_table(const Table& table, const Page& page, std::string_view name,
                            Write write) {
  const auto after = number_of(page);
  if (!after) return std::unexpected(after.error());
  Value out;
  const auto from = table.begin() + static_cast<std::ptrdiff_t>(std::min(*after, table.size()));
  write_page(
      from, table.end(), page, out, name,
      [&](const auto& item) { return std::to_string(&item - table.data() + 1); }, write);
  return out;
}

}  // namespace weir::aws::elbv2
