// A service made for the tests, which answers with what it was given: one of Query, JSON and CBOR,
// and one of EC2's protocol.
#pragma once

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

#include "aws/description/description.hpp"
#include "aws/service.hpp"

namespace weir::aws {

inline constexpr std::string_view sample_api = R"(# For the tests.
service Sample 2020-01-01
protocol query
protocol json 1.0 SampleV1
protocol cbor SampleV1
namespace http://sample.amazonaws.com/doc/2020-01-01/
signing sample
host sample
error ThingNotFound 404 ThingNotFoundException
error Broken 500
operation Echo Thing -> Thing errors ThingNotFound Broken
operation Nothing - -> -

structure Thing
  Name* : ThingName
  Count : Count
  Size : long
  Ratio : double
  IsOn : boolean
  When : timestamp
  Bytes : blob
  Color : Color
  Names : NameList
  Parts : PartList
  Flat : FlatList
  Labels : Labels
structure Part
  Id* : string
  Port : Count
string ThingName length 1..8 pattern [a-z]+
integer Count 1..10
enum Color red "light blue"
list NameList of ThingName length ..3
list PartList of Part
list FlatList of string flattened
map Labels of string string
)";

inline constexpr std::string_view sample_ec2_api = R"(service SampleEc2 2016-11-15
protocol ec2
namespace http://ec2.amazonaws.com/doc/2016-11-15/
signing ec2
host ec2
operation RunThings RunThings -> RunThings

structure RunThings
  ImageId* : string @imageId
  Serial : integer
  ClientToken : string token
  DryRun : boolean @dryRun
  Ids : IdList @InstanceId
  Filters : FilterList @Filter
  MaxResults : Page @maxResults
  Color : Color
  Tags : TagList @tagSet query=TagSpec
structure Filter
  Name : string
  Values : IdList @Value
structure Tag
  Key* : string @key
list IdList of string @InstanceId
list FilterList of Filter @Filter
list TagList of Tag
integer Page 5..1000
enum Color red blue
)";

inline std::unique_ptr<Description> described(std::string_view text) {
  auto description = parse_description(text);
  if (!description) throw std::runtime_error(description.error().message);
  return std::move(*description);
}

inline std::unique_ptr<Service> make_sample_service() {
  return std::make_unique<Service>(
      sample_api,
      Handlers{{"Echo",
                [](const Caller&, const Value& input) -> Result<Value> {
                  const auto name = input.text("Name");
                  if (name == "missing") return fail("ThingNotFound", "There is no <thing>");
                  if (name == "broken") return fail("Broken", "It is broken");
                  if (name == "wrong") return Value{{"NoSuchMember", 1}};
                  if (name == "throws") throw std::runtime_error("of a library");
                  return input;
                }},
               {"Nothing", [](const Caller&, const Value&) -> Result<Value> { return Value(); }}});
}

inline std::unique_ptr<Service> make_sample_ec2_service() {
  return std::make_unique<Service>(sample_ec2_api,
                                   Handlers{{"RunThings",
                                             [serial = std::make_shared<std::atomic<int>>()](
                                                 const Caller&, Value input) -> Result<Value> {
                                               if (input.text("ImageId") == "none")
                                                 return fail("InvalidAMIID.NotFound", "None");
                                               return input.set("Serial", ++*serial);
                                             }}});
}

}  // namespace weir::aws
