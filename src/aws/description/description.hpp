// A service's description, read from the text of its .api file: operations, shapes, constraints.
//
// The format (src/aws/README.md) is a line a fact. What is read is a graph of Shapes that decoders,
// validation and encoders walk; nothing of an AWS API is written down anywhere else.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::aws {

enum class Kind : std::uint8_t {
  structure,
  list,
  map,
  string,
  enumeration,
  integer,  // 32 bits
  long_integer,
  number,  // float and double
  boolean,
  timestamp,
  blob,
};

struct Shape;

struct Member {
  std::string name;       // as the SDKs call it
  std::string wire;       // the element in XML
  std::string parameter;  // the word in a query string
  const Shape* shape = nullptr;
  bool is_required = false;
  bool is_token = false;  // an idempotency token
};

struct Shape {
  std::string name;
  Kind kind = Kind::string;
  std::vector<Member> members;           // structure
  const Shape* key = nullptr;            // map
  const Shape* item = nullptr;           // list, map
  std::string item_name;                 // list: the element of an item
  bool is_flattened = false;             // list, map
  std::optional<double> low, high;       // of the length, the number of items, or the value
  std::unique_ptr<const RE2> pattern;    // string
  std::vector<std::string> enum_values;  // enumeration

  [[nodiscard]] const Member* member(std::string_view name) const;
};

struct ErrorShape {
  int status = 400;
  std::string shape;  // its name in the SDKs, "LoadBalancerNotFoundException"
};

struct Operation {
  std::string name;
  const Shape* input = nullptr;   // nullptr: none
  const Shape* output = nullptr;  // nullptr: none
  std::vector<std::string> errors;
};

enum class Protocol : std::uint8_t { query, ec2, json, cbor };

struct Description {
  std::string name;                 // CloudWatch
  std::string version;              // 2015-12-01
  std::vector<Protocol> protocols;  // the first that is query or ec2 is the native one
  std::string json_version;         // 1.0
  std::string target_prefix;        // of X-Amz-Target, and the service's name in CBOR's path
  std::string xml_namespace;        // with the slash at its end
  std::string signing_name;         // in credential scopes
  std::string host;                 // the first label of the endpoint's host name
  std::map<std::string, ErrorShape, std::less<>> errors;  // by the code on the wire
  std::map<std::string, Operation, std::less<>> operations;
  std::map<std::string, std::string, std::less<>> refused;  // operations that there are not: why
  std::map<std::string, std::unique_ptr<Shape>, std::less<>> shapes;

  [[nodiscard]] bool speaks(Protocol protocol) const;
};

// The error says the line. Descriptions are part of the program: where one is wrong at run time, a
// unit test is missing.
[[nodiscard]] Result<std::unique_ptr<Description>> parse_description(std::string_view text);

// The text of src/aws/*/<name>.api, which is in the program; empty where there is none.
[[nodiscard]] std::string_view embedded_description(std::string_view name);
[[nodiscard]] std::vector<std::string_view> embedded_names();

}  // namespace weir::aws
