// Values for functions: what a template's properties, conditions and outputs come to.
//
// What is not known yet (an attribute of a resource that does not exist) makes an unknown value,
// and what depends on it is unknown too; so the same code tells a plan before anything exists and
// the exact properties when a resource's turn has come. Faults that depend on values (an index out
// of range, a key that a map lacks) are noted; malformed functions are functions.hpp's and give
// unknown here. Output is bounded: functions can multiply text.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "stacks/diagnostics.hpp"
#include "stacks/environment.hpp"
#include "stacks/functions.hpp"
#include "stacks/parameters.hpp"
#include "stacks/template.hpp"
#include "stacks/value.hpp"

namespace weir::stacks {

// A resource that exists.
struct Made {
  std::string physical_id;
  std::map<std::string, std::string> attributes;  // lists: joined with ','
};

class Resolver {
 public:
  // All outlive the Resolver.
  Resolver(const Template& tmpl, const BoundParameters& parameters, const Environment& environment,
           const std::map<std::string, Made>& made, Diagnostics& diagnostics);

  // The value without functions; AWS::NoValue and the members that came to it are left out.
  // Nothing: the value itself is AWS::NoValue.
  [[nodiscard]] std::optional<Value> resolve(const Value& value, const std::string& path);

  // Nothing: it cannot be known (faulty parameter or condition).
  [[nodiscard]] std::optional<bool> condition(const std::string& name);
  [[nodiscard]] std::optional<bool> is_true(const Value& value, const std::string& path);

  // Whether the resource is in the stack: its condition is not false.
  [[nodiscard]] bool is_active(const ResourceDeclaration& resource);

  // The resources that were asked for since the last call.
  [[nodiscard]] std::set<std::string> take_references();

 private:
  using Answer = std::optional<Value>;

  Answer resolve_map(const Value& map, const std::string& path);
  Answer resolve_list(const Value& list, const std::string& path);
  Answer call(const Call& call, const std::string& path);
  Answer ref(const Call& call, const std::string& path);
  Answer get_att(const Call& call, const std::string& path);
  Answer attribute(const std::string& resource, const std::string& name, Mark mark,
                   const std::string& path);
  Answer sub(const Call& call, const std::string& path);
  Answer sub_name(const std::string& name, const Value& locals, Mark mark, const std::string& path);
  Answer join(const Call& call, const std::string& path);
  Answer select(const Call& call, const std::string& path);
  Answer split(const Call& call, const std::string& path);
  Answer choose(const Call& call, const std::string& path);
  Answer find_in_map(const Call& call, const std::string& path);
  Answer base64(const Call& call, const std::string& path);
  Answer get_azs(const Call& call, const std::string& path);
  Answer cidr(const Call& call, const std::string& path);
  [[nodiscard]] Answer pseudo(std::string_view name, Mark mark) const;

  std::optional<bool> logical_call(const Call& call, const std::string& path);
  std::optional<bool> member_test(const Call& call, const std::string& path);

  // A resolved argument as text; nothing where it is unknown or no text (noted).
  std::optional<std::string> text_of(const Value& value, const std::string& path);
  void note_reference(const std::string& resource, Mark mark, const std::string& path);
  void fault(Mark mark, const std::string& path, std::string message);
  // False once functions have produced too much.
  bool spend(std::size_t bytes, Mark mark, const std::string& path);

  const Template& template_;
  const BoundParameters& parameters_;
  const Environment& environment_;
  const std::map<std::string, Made>& made_;
  Diagnostics& diagnostics_;
  std::map<std::string, std::optional<bool>> conditions_;
  std::set<std::string> conditions_under_way_;
  std::set<std::string> references_;
  std::size_t spent_bytes_ = 0;
};

}  // namespace weir::stacks
