// application/x-www-form-urlencoded, as the Query protocols carry a call: names with dots, and the
// tree that the dots make ("Filter.1.Name").
//
// What it costs is bounded by the bytes given, whatever they say: an index is a word like another
// until a list sorts its own, so ".999999999." allocates one node.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace weir::aws {

inline constexpr std::size_t parameters_max = 50'000;
inline constexpr std::size_t parameter_depth_max = 32;  // AWS's shapes are at most 12 deep

using Parameters = std::vector<std::pair<std::string, std::string>>;  // decoded, in order

// "a=b&c=%20". A percent sign without two digits, a NUL or a text that is not UTF-8 is
// "MalformedQueryString".
[[nodiscard]] Result<Parameters> parse_form(std::string_view text);

// '%41' → 'A', '+' → ' ' where asked for. False: a percent sign without two digits.
[[nodiscard]] bool percent_decode(std::string_view text, bool plus_is_space, std::string& to);

[[nodiscard]] bool is_utf8(std::string_view text);

struct ParameterNode {
  const std::string* value = nullptr;  // of the Parameters given; nullptr: only its children have
  std::map<std::string_view, ParameterNode> children;
};

// The Parameters must outlive the tree. A name that comes twice or is too deep is an error.
[[nodiscard]] Result<ParameterNode> parameter_tree(const Parameters& parameters);

}  // namespace weir::aws
