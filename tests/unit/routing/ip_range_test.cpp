#include "routing/ip_range.hpp"

#include <gtest/gtest.h>

namespace weir::routing {
namespace {

bool contains(std::string_view range, std::string_view address) {
  const auto parsed_range = IpRange::parse(range);
  const auto parsed_address = IpAddress::parse(address);
  return parsed_range && parsed_address && parsed_range->contains(*parsed_address);
}

TEST(IpRange, Contains) {
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
  EXPECT_TRUE(contains("192.0.2.1/32", "::ffff:192.0.2.1"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("::/0", "2001:db8::1"));
}

TEST(IpRange, Refuses) {
  for (const std::string_view text :
       {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "x", "10.0.0.0/8x", "1.2.3",
        "1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9"})
    EXPECT_FALSE(IpRange::parse(text)) << text;
}

}  // namespace
}  // namespace weir::routing
