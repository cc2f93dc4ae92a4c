// Templates that are made to hurt: each is refused, soon and in little memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stacks/limits.hpp"
#include "stacks/plan.hpp"
#include "unit_environment.hpp"

namespace weir::stacks {
namespace {

using testing::HasSubstr;

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

std::string fault_of(std::string body) {
  CreateInput input;
  input.name = "stack";
  input.file_name = "bomb";
  input.template_body = std::move(body);
  const auto prepared = prepare(input, unit_environment());
  return prepared ? "none" : prepared.error().message;
}

constexpr std::string_view one_group =
    "Resources:\n  A:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      "
    "GroupDescription: ";

TEST(Bounds, size) {
  EXPECT_THAT(fault_of(std::string(limits::template_bytes_max + 1, ' ')),
              HasSubstr("1048577 bytes; a template may have 1048576"));
}

TEST(Bounds, depth) {
  EXPECT_THAT(fault_of("{\"a\":" + repeated("[", 200'000)), HasSubstr("nested deeper than 100"));
  EXPECT_THAT(fault_of("a: " + repeated("[", 150) + repeated("]", 150)),
              HasSubstr("nested deeper than 100"));
  EXPECT_THAT(fault_of("a:\n  " + repeated("- ", 150) + "x"), HasSubstr("nested deeper than 100"));
  EXPECT_THAT(fault_of("a: " + repeated("[", 200'000)), HasSubstr("bomb:"));
  EXPECT_THAT(fault_of("a: " + repeated("{a: ", 200'000)), HasSubstr("bomb:"));
  EXPECT_THAT(fault_of("a:\n  " + repeated("- ", 200'000)), HasSubstr("bomb:"));
  EXPECT_THAT(fault_of(repeated("? ", 200'000)), HasSubstr("bomb:"));
}

TEST(Bounds, number_of_values) {
  EXPECT_THAT(fault_of("{\"a\":[" + repeated("1,", 200'000) + "1]}"),
              HasSubstr("more than 100000 values"));
  EXPECT_THAT(fault_of("a: [" + repeated("1,", 200'000) + "1]"),
              HasSubstr("more than 100000 values"));
}

TEST(Bounds, aliases) {
  std::string body = "a: &a [x, x]\n";
  EXPECT_THAT(fault_of(body + "b: [*a, *a]\n"), HasSubstr("anchors"));
}

// A text of 600 kB, asked for a thousand times.
TEST(Bounds, text_that_functions_multiply) {
  const std::string body = "Mappings: {M: {a: {b: '" + std::string(600'000, 'x') + "'}}}\n" +
                           std::string(one_group) + "!Join ['', [" +
                           repeated("!FindInMap [M, a, b],", 1000) + "]]\n";
  EXPECT_THAT(fault_of(body), HasSubstr("functions produce more than 16 MiB"));
}

TEST(Bounds, parameters_that_a_text_multiplies) {
  const std::string body = "Parameters: {P: {Type: String, Default: '" + std::string(4000, 'x') +
                           "'}}\n" + std::string(one_group) + "!Sub '" + repeated("${P}", 100'000) +
                           "'\n";
  EXPECT_THAT(fault_of(body), HasSubstr("functions produce more than 16 MiB"));
}

TEST(Bounds, faults) {
  const std::string body =
      std::string(one_group) + "!Join ['', [" + repeated("!Ref Nobody,\n ", 20'000) + "]]\n";
  EXPECT_THAT(fault_of(body), HasSubstr("… and 900 more"));
}

TEST(Bounds, resources) {
  std::string body = "Resources:\n";
  for (int i = 0; i < 501; ++i) body += "  A" + std::to_string(i) + ": {Type: a}\n";
  EXPECT_THAT(fault_of(body), HasSubstr("501 entries; at most 500 are possible"));
}

TEST(Bounds, patterns) {
  const std::string body =
      "Parameters: {P: {Type: String, Default: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab, "
      "AllowedPattern: '(a+)+'}}\n" +
      std::string(one_group) + "a\n";
  EXPECT_THAT(fault_of(body), HasSubstr("does not match the pattern"));
}

}  // namespace
}  // namespace weir::stacks
