// Numbers, truths, times and bytes as texts, the same in the Query protocols and in XML.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aws/value.hpp"

namespace weir::aws {

[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);
[[nodiscard]] std::optional<double> parse_number(std::string_view text);  // finite
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);   // in any case

// "2026-11-24T20:05:12Z", with a fraction, with an offset, without seconds, a date alone; or
// seconds since 1970.
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text);

[[nodiscard]] std::string number_text(double value);  // "5.0", "0.25", "1.0E21"
[[nodiscard]] std::string timestamp_text(Timestamp time);

}  // namespace weir::aws
