// The resource types that Weir makes, as data: their properties as CloudFormation's reference lists
// them, what each takes, and what Weir does with it.
//
// Three answers to a property that exists on AWS: it is honoured; it has no effect off AWS and does
// no harm, so it is accepted knowingly with a notice; or it is refused with the reason. A property
// that AWS does not have either is an error with the closest name. SUPPORT.md is this table in
// words, held in step by a test.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "stacks/diagnostics.hpp"
#include "stacks/value.hpp"

namespace weir::stacks {

enum class Shape : std::uint8_t {
  string,
  integer,
  boolean,
  string_list,
  structure,       // a map with `fields`
  structure_list,  // a list of such maps
  anything,
};

enum class Support : std::uint8_t { honoured, no_effect, refused };

struct Property {
  std::string_view name;
  Shape shape = Shape::string;
  bool is_required = false;
  bool is_create_only = false;  // a change makes a new resource
  std::span<const Property> fields = {};
  std::string_view allowed = {};  // "HTTP|HTTPS": the texts that are taken; empty: any
  std::int64_t min = std::numeric_limits<std::int64_t>::min();  // of an integer
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  // Of a string: what is wrong with it, empty for nothing.
  std::string (*check)(std::string_view text) = nullptr;
  Support support = Support::honoured;
  std::string_view note = {};  // why not: for the notice or the error, and for wrong values
};

struct Attribute {
  std::string_view name;
  bool is_list = false;
};

struct ResourceType {
  std::string_view name;
  std::span<const Property> properties;
  std::span<const Attribute> attributes;  // of Fn::GetAtt
};

[[nodiscard]] std::span<const ResourceType> ec2_types();
[[nodiscard]] std::span<const ResourceType> elbv2_types();
[[nodiscard]] std::span<const ResourceType> iam_types();

// nullptr where Weir has no such type.
[[nodiscard]] const ResourceType* find_type(std::string_view name);
[[nodiscard]] std::vector<std::string_view> type_names();
[[nodiscard]] const Attribute* find_attribute(const ResourceType& type, std::string_view name);

// Properties without effect that a template uses: "AWS::EC2::Instance.Monitoring" → who and why.
struct Notices {
  struct Use {
    std::set<std::string> logical_ids;
    std::string_view note;
  };
  std::map<std::string, Use> uses;
};

// Checks names and kinds. `properties` may hold functions: both branches of an Fn::If are checked,
// what other functions give is not. `path` is for messages: Resources.Web.Properties.
void check_properties(const ResourceType& type, const std::string& logical_id,
                      const Value& properties, Diagnostics& diagnostics, Notices& notices);

}  // namespace weir::stacks
