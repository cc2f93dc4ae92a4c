// Random identifiers as AWS forms them: a prefix and lower-case hexadecimal digits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// `digits` random lower-case hexadecimal digits from the kernel's generator. Any thread.
[[nodiscard]] std::string random_hex(std::size_t digits);

// An EC2 resource id: "i-" + 17 digits (reference §9.1). `prefix` includes the hyphen.
[[nodiscard]] std::string make_ec2_id(std::string_view prefix);

// A number with `digits` decimal digits, the first not 0: the id in a load balancer's DNS name.
[[nodiscard]] std::string random_decimal(std::size_t digits);

// 64 random bits from the kernel's generator.
[[nodiscard]] std::uint64_t random_u64();

}  // namespace weir
