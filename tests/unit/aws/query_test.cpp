// Query strings into inputs and what is said of wrong ones.
#include <gtest/gtest.h>

#include "aws/protocol/form.hpp"
#include "aws/protocol/query_decoder.hpp"
#include "aws/protocol/validate.hpp"
#include "sample_service.hpp"

namespace weir::aws {
namespace {

class QueryTest : public testing::Test {
 protected:
  // "code: message", or "valid".
  std::string verdict(Protocol protocol, std::string_view form) {
    const auto& description = protocol == Protocol::ec2 ? *ec2_ : *sample_;
    const auto& input = *description.operations.begin()->second.input;
    const auto parameters = parse_form(form);
    if (!parameters) return parameters.error().code;
    auto decoded = decode_query(protocol, &input, *parameters);
    if (!decoded) return decoded.error().code + ": " + decoded.error().message;
    value_ = *decoded;
    const auto valid = validate(protocol, input, *decoded);
    return valid ? "valid" : valid.error().code + ": " + valid.error().message;
  }
  std::string query(std::string_view form) { return verdict(Protocol::query, form); }
  std::string ec2(std::string_view form) { return verdict(Protocol::ec2, form); }

  std::unique_ptr<Description> sample_ = described(sample_api);
  std::unique_ptr<Description> ec2_ = described(sample_ec2_api);
  Value value_;
};

TEST_F(QueryTest, EveryKindOfValueIsRead) {
  ASSERT_EQ(query("Action=Echo&Version=2020-01-01&Name=abc&Count=7&Size=-5000000000&Ratio=0.5&"
                  "IsOn=True&When=2026-11-24T20%3A05%3A12.5Z&Bytes=aGk%3D&Color=light+blue&"
                  "Names.member.2=b&Names.member.1=a&Parts.member.1.Id=x&Parts.member.1.Port=2&"
                  "Flat.1=one&Labels.entry.1.key=k&Labels.entry.1.value=v"),
            "valid");
  EXPECT_EQ(value_.text("Name"), "abc");
  EXPECT_EQ(value_.integer("Count"), 7);
  EXPECT_EQ(value_.integer("Size"), -5'000'000'000);
  EXPECT_EQ(value_.number("Ratio"), 0.5);
  EXPECT_EQ(value_.flag("IsOn"), true);
  EXPECT_EQ(value_.time("When")->ms, 1'795'550'712'500);
  EXPECT_EQ(value_.text("Bytes"), "hi");
  EXPECT_EQ(value_.text("Color"), "light blue");
  EXPECT_EQ(value_.texts("Names"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(value_.list("Parts").at(0).text("Id"), "x");
  EXPECT_EQ(value_.texts("Flat"), std::vector<std::string>{"one"});
  EXPECT_EQ(value_.find("Labels")->text("k"), "v");
}

TEST_F(QueryTest, AnEmptyListIsSet) {
  ASSERT_EQ(query("Name=a&Names="), "valid");
  EXPECT_TRUE(value_.has("Names"));
  EXPECT_TRUE(value_.list("Names").empty());
}

TEST_F(QueryTest, AnIndexMayBeHugeAndCostsNothing) {
  ASSERT_EQ(query("Name=a&Parts.member.999999999.Id=z&Parts.member.3.Id=y"), "valid");
  EXPECT_EQ(value_.list("Parts").size(), 2U);
  EXPECT_EQ(value_.list("Parts").at(0).text("Id"), "y");
  EXPECT_EQ(query("Name=a&Parts.member.9999999999.Id=z"),
            "InvalidQueryParameter: The parameter Parts.member.9999999999 is not recognized");
  EXPECT_EQ(query("Name=a&Parts.member.0.Id=z"),
            "InvalidQueryParameter: The parameter Parts.member.0 is not recognized");
}

TEST_F(QueryTest, UnknownParametersAreRefused) {
  EXPECT_EQ(query("Name=a&Nmae=b"), "InvalidQueryParameter: The parameter Nmae is not recognized");
  EXPECT_EQ(query("Name=a&Parts.member.1.Idd=b"),
            "InvalidQueryParameter: The parameter Parts.member.1.Idd is not recognized");
  EXPECT_EQ(query("Name=a&Names.1=b"),
            "InvalidQueryParameter: The parameter Names.1 is not recognized");
  EXPECT_EQ(query("Name.x=a"), "InvalidQueryParameter: The parameter Name.x is not recognized");
  EXPECT_EQ(ec2("ImageId=a&Foo=1"), "UnknownParameter: The parameter Foo is not recognized");
}

TEST_F(QueryTest, WrongKindsAreNamed) {
  EXPECT_EQ(query("Name=a&Count=x"),
            "MalformedInput: The value 'x' of Count is not of type Integer");
  EXPECT_EQ(query("Name=a&Count=3000000000"),
            "MalformedInput: The value '3000000000' of Count is not of type Integer");
  EXPECT_EQ(query("Name=a&IsOn=yes"),
            "MalformedInput: The value 'yes' of IsOn is not of type Boolean");
  EXPECT_EQ(query("Name=a&When=noon"),
            "MalformedInput: The value 'noon' of When is not of type Timestamp");
  EXPECT_EQ(query("Name=a&Ratio=nan"),
            "MalformedInput: The value 'nan' of Ratio is not of type Double");
  EXPECT_EQ(query("Name=a&Names=b"), "MalformedInput: The value 'b' of Names is not of type List");
}

TEST_F(QueryTest, ConstraintsAreToldInAwssWords) {
  EXPECT_EQ(query(""),
            "ValidationError: 1 validation error detected: Value null at 'name' failed to satisfy "
            "constraint: Member must not be null");
  EXPECT_EQ(query("Name=abcdefghi"),
            "ValidationError: 1 validation error detected: Value 'abcdefghi' at 'name' failed to "
            "satisfy constraint: Member must have length less than or equal to 8");
  EXPECT_EQ(query("Name=A"),
            "ValidationError: 1 validation error detected: Value 'A' at 'name' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-z]+");
  EXPECT_EQ(query("Name=a&Color=green"),
            "ValidationError: 1 validation error detected: Value 'green' at 'color' failed to "
            "satisfy constraint: Member must satisfy enum value set: [red, light blue]");
  EXPECT_EQ(
      query("Name=a&Count=11&Parts.member.1.Port=0"),
      "ValidationError: 3 validation errors detected: Value '11' at 'count' failed to satisfy "
      "constraint: Member must have value less than or equal to 10; Value null at "
      "'parts.1.member.id' failed to satisfy constraint: Member must not be null; Value '0' "
      "at 'parts.1.member.port' failed to satisfy constraint: Member must have value greater "
      "than or equal to 1");
  EXPECT_EQ(
      query("Name=a&Names.member.1=A"),
      "ValidationError: 1 validation error detected: Value '[A]' at 'names' failed to satisfy "
      "constraint: Member must satisfy constraint: [Member must have length less than or "
      "equal to 8, Member must have length greater than or equal to 1, Member must satisfy "
      "regular expression pattern: [a-z]+]");
}

TEST_F(QueryTest, LengthCountsCharacters) {
  EXPECT_EQ(query("Name=%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4").find("length"), std::string::npos);
}

TEST_F(QueryTest, Ec2HasWordsOfItsOwn) {
  ASSERT_EQ(ec2("ImageId=ami-1&InstanceId.1=i-1&InstanceId.2=i-2&Filter.1.Name=n&"
                "Filter.1.Value.1=v&TagSpec.1.Key=k"),
            "valid");
  EXPECT_EQ(value_.texts("Ids"), (std::vector<std::string>{"i-1", "i-2"}));
  EXPECT_EQ(value_.list("Filters").at(0).texts("Values"), std::vector<std::string>{"v"});
  EXPECT_EQ(value_.list("Tags").at(0).text("Key"), "k");
  EXPECT_EQ(ec2(""), "MissingParameter: The request must contain the parameter ImageId");
  EXPECT_EQ(ec2("ImageId=a&TagSpec.1="),
            "MissingParameter: The request must contain the parameter TagSpec.1.Key");
  EXPECT_EQ(ec2("ImageId=a&MaxResults=1"),
            "InvalidParameterValue: Value ( 1 ) for parameter maxResults is invalid. Expecting a "
            "value greater than 5.");
  EXPECT_EQ(ec2("ImageId=a&MaxResults=x"),
            "InvalidParameterValue: Value (x) for parameter MaxResults is invalid. Expecting a "
            "value of type Integer.");
}

TEST(Form, RefusesWhatIsNone) {
  for (const auto* text : {"a=%", "a=%4", "a=%GG", "a=%00", "a=%FF", "a=%C0%80", "a=%ED%A0%80"}) {
    const auto parsed = parse_form(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, "MalformedQueryString") << text;
  }
  EXPECT_EQ(parse_form("a=b&&c&=d")->size(), 3U);
}

TEST(Form, IsBounded) {
  std::string many;
  for (std::size_t i = 0; i <= parameters_max; ++i) many += "a&";
  EXPECT_FALSE(parse_form(many));
  std::string deep = "a";
  for (std::size_t i = 0; i < parameter_depth_max; ++i) deep += ".a";
  EXPECT_FALSE(parameter_tree({{deep, "x"}}));
  EXPECT_FALSE(parameter_tree({{"a.b", "x"}, {"a.b", "y"}}));
}

}  // namespace
}  // namespace weir::aws
