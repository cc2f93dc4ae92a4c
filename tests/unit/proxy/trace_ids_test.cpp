// The text of X-Amzn-Trace-Id (reference §5.5).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "proxy/forwarding.hpp"

namespace weir::proxy {
namespace {

TEST(TraceIds, HoldTheTimeAndTwentyFourDigits) {
  TraceIds ids(1);
  EXPECT_THAT(std::string(ids.make(0x0123abcf)),
              testing::ContainsRegex("^1-0123abcf-[0-9a-f]{24}$"));
  EXPECT_THAT(std::string(ids.make(0x69fe8d74)), testing::StartsWith("1-69fe8d74-"));
  EXPECT_EQ(std::string_view(ids.last().data(), ids.last().size()).substr(0, 11), "1-69fe8d74-");
}

TEST(TraceIds, DifferWithinASecondAndUseAllDigits) {
  TraceIds ids(1);
  std::set<std::string> seen;
  std::set<char> digits;
  for (int i = 0; i < 1000; ++i) {
    const std::string id(ids.make(0));
    digits.insert(id.begin() + 11, id.end());
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_EQ(std::string(digits.begin(), digits.end()), "0123456789abcdef");
}

}  // namespace
}  // namespace weir::proxy
