// The files in which AWS's tools keep profiles: ~/.aws/credentials and ~/.aws/config.
//
// Sections in brackets, "key = value" lines, comments that begin with # or ;. Indented lines below
// a key without a value are keys of that key: "elastic_load_balancing_v2.endpoint_url".
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::importing {

inline constexpr std::size_t profile_file_bytes_max = 1'048'576;  // ours

using Section = std::map<std::string, std::string, std::less<>>;
using Sections = std::map<std::string, Section, std::less<>>;

// Names as written, without quotes and with single spaces: "default", "profile web", "services x".
// Lines that are neither are passed over, as AWS's tools do.
[[nodiscard]] Sections parse_profiles(std::string_view text);

// A file that is not there has no sections; one that cannot be read or is too large is an error.
[[nodiscard]] Result<Sections> read_profiles(const std::string& path);

}  // namespace weir::importing
