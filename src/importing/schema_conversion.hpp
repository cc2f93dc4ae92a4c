// From descriptions of the API to properties of CloudFormation's resource types, by Weir's table of
// these (stacks/schema.hpp): what the table honours is converted, what it does not is left out with
// a notice that says why. Members and properties have the same names, but for a few that callers
// rename.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/value.hpp"
#include "importing/node.hpp"
#include "importing/reader.hpp"
#include "model/attributes.hpp"
#include "stacks/schema.hpp"

namespace weir::importing {

// What a reader of the template must know. Each once, on one line, at most notices_max.
class Notices {
 public:
  void add(std::string_view text);
  [[nodiscard]] const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_;
};

inline constexpr std::size_t notices_max = 1'000;

// Logical ids by the ARNs of what they stand for.
using References = std::map<std::string, std::string, std::less<>>;

// nullptr: the type has no such property.
[[nodiscard]] const stacks::Property* find_property(std::span<const stacks::Property> properties,
                                                    std::string_view name);
[[nodiscard]] bool allows(const stacks::Property& property, std::string_view text);

class SchemaConversion {
 public:
  // Both must outlive it.
  SchemaConversion(const References& references, Notices& notices)
      : references_(references), notices_(notices) {}

  // The members of `value` that `properties` honours. `where` is for notices: "rule 10 of web".
  [[nodiscard]] Node structure(std::span<const stacks::Property> properties,
                               const aws::Value& value, std::string_view where) const;

  // What differs from the defaults and is in force in Weir, as Key and Value.
  [[nodiscard]] Node attributes(std::span<const model::AttributeSpec> specs, const Pairs& pairs,
                                std::string_view where) const;

 private:
  [[nodiscard]] Node converted(const stacks::Property& property, const aws::Value& value,
                               std::string_view where) const;
  [[nodiscard]] Node text(const stacks::Property& property, const std::string& text,
                          std::string_view where) const;

  const References& references_;
  Notices& notices_;
};

[[nodiscard]] Node pairs_node(const Pairs& pairs);

}  // namespace weir::importing
