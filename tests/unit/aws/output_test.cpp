// Outputs and errors in XML, JSON and CBOR, and inputs from JSON and CBOR.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "aws/protocol/cbor.hpp"
#include "aws/protocol/json.hpp"
#include "aws/protocol/xml.hpp"
#include "sample_service.hpp"

namespace weir::aws {
namespace {

Value full_thing() {
  return {{"Name", "a<b>&\"\r\x01"},
          {"Count", 7},
          {"Size", std::int64_t{5'000'000'000}},
          {"Ratio", 5.0},
          {"IsOn", true},
          {"When", Timestamp{1'795'550'712'500}},
          {"Bytes", "hi"},
          {"Names", Value::List{}},
          {"Parts", Value::List{Value{{"Id", "x"}, {"Port", 1}}}},
          {"Flat", Value::List{Value("1"), Value("2")}},
          {"Labels", Value{{"k", "v"}}}};
}

class OutputTest : public testing::Test {
 protected:
  std::unique_ptr<Description> sample_ = described(sample_api);
  std::unique_ptr<Description> ec2_ = described(sample_ec2_api);
  const Operation& echo_ = sample_->operations.at("Echo");
  const Operation& nothing_ = sample_->operations.at("Nothing");
  const Operation& run_ = ec2_->operations.at("RunThings");
};

TEST_F(OutputTest, QuerysXml) {
  EXPECT_EQ(
      encode_xml(*sample_, Protocol::query, echo_, full_thing(), "id"),
      "<EchoResponse xmlns=\"http://sample.amazonaws.com/doc/2020-01-01/\"><EchoResult>"
      "<Name>a&lt;b&gt;&amp;&quot;&#xD;?</Name><Count>7</Count><Size>5000000000</Size>"
      "<Ratio>5.0</Ratio><IsOn>true</IsOn><When>2026-11-24T20:05:12.500Z</When>"
      "<Bytes>aGk=</Bytes><Names/><Parts><member><Id>x</Id><Port>1</Port></member></Parts>"
      "<Flat>1</Flat><Flat>2</Flat>"
      "<Labels><entry><key>k</key><value>v</value></entry></Labels>"
      "</EchoResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></EchoResponse>");
  EXPECT_EQ(encode_xml(*sample_, Protocol::query, nothing_, {}, "id"),
            "<NothingResponse xmlns=\"http://sample.amazonaws.com/doc/2020-01-01/\">"
            "<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></NothingResponse>");
}

TEST_F(OutputTest, Ec2sXml) {
  const Value output{{"ImageId", "ami"}, {"Tags", Value::List{Value{{"Key", "k"}}}}};
  EXPECT_EQ(encode_xml(*ec2_, Protocol::ec2, run_, output, "id"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<RunThingsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
            "<requestId>id</requestId><imageId>ami</imageId>"
            "<tagSet><item><key>k</key></item></tagSet></RunThingsResponse>");
}

TEST_F(OutputTest, ErrorsInBothFormsOfXml) {
  const Error error{"ThingNotFound", "no <thing>", {}};
  EXPECT_EQ(encode_xml_error(sample_.get(), Protocol::query, error, false, "id"),
            "<ErrorResponse xmlns=\"http://sample.amazonaws.com/doc/2020-01-01/\"><Error>"
            "<Type>Sender</Type><Code>ThingNotFound</Code><Message>no &lt;thing&gt;</Message>"
            "</Error><RequestId>id</RequestId></ErrorResponse>");
  EXPECT_EQ(encode_xml_error(ec2_.get(), Protocol::ec2, error, false, "id"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>"
            "<Code>ThingNotFound</Code><Message>no &lt;thing&gt;</Message></Error></Errors>"
            "<RequestID>id</RequestID></Response>");
}

TEST_F(OutputTest, AnOutputThatIsNotDescribedIsRefused) {
  for (const auto& output : {Value{{"Nmae", "x"}}, Value{{"Count", "seven"}},
                             Value{{"Parts", Value::List{Value("x")}}}}) {
    const auto encoded = encode_xml(*sample_, Protocol::query, echo_, output, "id");
    ASSERT_FALSE(encoded);
    EXPECT_EQ(encoded.error().code, "BadOutput");
  }
  EXPECT_FALSE(encode_json(echo_, Value{{"Nmae", "x"}}));
  EXPECT_FALSE(encode_cbor(echo_, Value{{"Nmae", "x"}}));
}

// What is written can be read, and is the same then.
TEST_F(OutputTest, JsonAndCborComeBack) {
  const auto thing = full_thing();
  const auto json = encode_json(echo_, thing);
  ASSERT_TRUE(json);
  EXPECT_NE(json->find("\"When\":1795550712.5"), std::string::npos) << *json;
  EXPECT_NE(json->find("\"Bytes\":\"aGk=\""), std::string::npos) << *json;
  const auto cbor = encode_cbor(echo_, thing);
  ASSERT_TRUE(cbor);
  for (const auto& tree : {*parse_json(*json), *parse_cbor(*cbor)}) {
    const auto back = decode_tree(echo_.input, tree);
    ASSERT_TRUE(back) << back.error().message;
    for (const auto& [name, held] : thing.members()) {
      ASSERT_TRUE(back->has(name)) << name;
      EXPECT_EQ(back->find(name)->held().index(), held.held().index()) << name;
    }
    EXPECT_EQ(back->text("Name"), thing.text("Name"));
    EXPECT_EQ(back->text("Bytes"), "hi");
    EXPECT_EQ(back->time("When")->ms, 1'795'550'712'500);
    EXPECT_EQ(back->number("Ratio"), 5.0);
    EXPECT_EQ(back->find("Labels")->text("k"), "v");
  }
}

TEST_F(OutputTest, CborIsReadInAllItsForms) {
  const std::string indefinite(
      "\xBF\x64Name\x7F\x61"
      "a\x61"
      "b\xFF\x65"
      "Count\x18\x07\xFF");
  const auto tree = parse_cbor(indefinite);
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->dump(), R"({"Count":7,"Name":"ab"})");
  EXPECT_EQ(parse_cbor(std::string("\xF9\x3E\x00", 3))->get<double>(), 1.5);
  EXPECT_EQ(parse_cbor(std::string("\xC1\x1A\x00\x00\x00\x05", 6))->get<int>(), 5);
  EXPECT_EQ(parse_cbor("\x38\x63")->get<int>(), -100);
  EXPECT_TRUE(parse_cbor("")->is_object());
}

TEST_F(OutputTest, HostileTreesAreRefused) {
  EXPECT_FALSE(parse_cbor(std::string(100'000, '\x81')));            // arrays in arrays
  EXPECT_FALSE(parse_cbor(std::string(100'000, '\xC1')));            // tags of tags
  EXPECT_FALSE(parse_cbor("\x9B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));  // 2^64 items
  EXPECT_FALSE(parse_cbor("\x7B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));  // 2^64 characters
  EXPECT_FALSE(parse_cbor("\xBF\x61"));
  EXPECT_FALSE(parse_cbor("\x01\x01"));
  EXPECT_FALSE(parse_json("{"));
  const auto deep = parse_json(std::string(50'000, '[') + std::string(50'000, ']'));
  ASSERT_TRUE(deep);
  EXPECT_FALSE(decode_tree(echo_.input, *deep));
}

TEST_F(OutputTest, WrongKindsInTreesAreRefused) {
  for (const auto* body :
       {R"({"Name":1})", R"({"Count":1.5})", R"({"Count":3000000000})", R"({"IsOn":"true"})",
        R"({"Names":{}})", R"({"Parts":["x"]})", "[]", R"({"When":"noon"})", R"({"Bytes":"%"})"}) {
    const auto decoded = decode_tree(echo_.input, *parse_json(body));
    ASSERT_FALSE(decoded) << body;
    EXPECT_EQ(decoded.error().code, "SerializationException") << body;
  }
  EXPECT_TRUE(decode_tree(echo_.input, *parse_json(R"({"Name":"a","Unknown":1,"Size":null})")));
}

}  // namespace
}  // namespace weir::aws
