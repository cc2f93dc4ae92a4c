#include "aws/description/description.hpp"

#include <gtest/gtest.h>

#include "sample_service.hpp"

namespace weir::aws {
namespace {

TEST(Description, HoldsWhatTheTextSays) {
  const auto sample = described(sample_api);
  EXPECT_EQ(sample->name, "Sample");
  EXPECT_EQ(sample->version, "2020-01-01");
  EXPECT_TRUE(sample->speaks(Protocol::cbor));
  EXPECT_FALSE(sample->speaks(Protocol::ec2));
  EXPECT_EQ(sample->errors.at("ThingNotFound").status, 404);
  EXPECT_EQ(sample->errors.at("ThingNotFound").shape, "ThingNotFoundException");
  EXPECT_EQ(sample->errors.at("Broken").shape, "Broken");
  const auto& echo = sample->operations.at("Echo");
  ASSERT_NE(echo.input, nullptr);
  EXPECT_EQ(sample->operations.at("Nothing").input, nullptr);
  const auto* name = echo.input->member("Name");
  ASSERT_NE(name, nullptr);
  EXPECT_TRUE(name->is_required);
  EXPECT_EQ(name->shape->low, 1);
  EXPECT_EQ(name->shape->pattern->pattern(), "[a-z]+");
  EXPECT_EQ(echo.input->member("Color")->shape->enum_values,
            (std::vector<std::string>{"red", "light blue"}));
  EXPECT_FALSE(echo.input->member("Names")->shape->low.has_value());
  EXPECT_TRUE(echo.input->member("Flat")->shape->is_flattened);
}

TEST(Description, NamesEc2sParametersAsEc2Does) {
  const auto sample = described(sample_ec2_api);
  const auto& input = *sample->operations.at("RunThings").input;
  EXPECT_EQ(input.member("ImageId")->wire, "imageId");
  EXPECT_EQ(input.member("ImageId")->parameter, "ImageId");
  EXPECT_EQ(input.member("Ids")->parameter, "InstanceId");
  EXPECT_EQ(input.member("Tags")->parameter, "TagSpec");
  EXPECT_EQ(input.member("Tags")->shape->item_name, "item");
}

TEST(Description, SaysWhatIsWrongAndWhere) {
  const auto wrong = [](std::string_view text) {
    const auto parsed = parse_description(text);
    return parsed ? std::string("nothing") : parsed.error().message;
  };
  EXPECT_EQ(wrong("service A 1\nfoo bar\n"), "line 2: 'foo' is no word of this format");
  EXPECT_EQ(wrong("service A 1\nprotocol query\nsigning a\nstructure S\n  X : Y\n"),
            "there is no shape Y (S.X)");
  EXPECT_EQ(wrong("structure S\n  X : string\n  X : string\n"),
            "line 3: this member is there already");
  EXPECT_EQ(wrong("  X : string\n"), "line 1: a member outside of a structure");
  EXPECT_EQ(wrong("string S pattern [\n").substr(0, 7), "line 1:");
  EXPECT_EQ(wrong("service A 1\nprotocol query\nsigning a\noperation X - -> - errors E\n"),
            "there is no error E (X)");
}

// Every description in the program is whole; what handlers it has is checked by its own tests.
TEST(Description, ThoseOfTheProgramCanBeRead) {
  EXPECT_FALSE(embedded_names().empty());
  for (const auto name : embedded_names()) {
    const auto parsed = parse_description(embedded_description(name));
    ASSERT_TRUE(parsed) << name << ": " << parsed.error().message;
    EXPECT_FALSE((*parsed)->operations.empty()) << name;
  }
  EXPECT_TRUE(embedded_description("no-such-service").empty());
}

}  // namespace
}  // namespace weir::aws
