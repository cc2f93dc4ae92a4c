#include "stacks/secrets.hpp"

#include <gtest/gtest.h>

namespace weir::stacks {
namespace {

TEST(Secrets, TellTheSameFromAnother) {
  const auto sealed = seal("correct horse");
  ASSERT_TRUE(sealed) << sealed.error().message;
  EXPECT_TRUE(is_sealed_from(*sealed, "correct horse"));
  EXPECT_FALSE(is_sealed_from(*sealed, "correct horsf"));
  EXPECT_FALSE(is_sealed_from(*sealed, ""));
  EXPECT_EQ(sealed->find("horse"), std::string::npos);
}

TEST(Secrets, EqualOnesDoNotLookEqual) {
  EXPECT_NE(*seal("x"), *seal("x"));
  EXPECT_TRUE(is_sealed_from(*seal(""), ""));
}

TEST(Secrets, WhatHasAnotherFormMatchesNothing) {
  for (const char* text : {"", "scrypt:", "****", "scrypt:00:00"})
    EXPECT_FALSE(is_sealed_from(text, text)) << text;
}

}  // namespace
}  // namespace weir::stacks
