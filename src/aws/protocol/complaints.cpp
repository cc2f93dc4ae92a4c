#include "aws/protocol/complaints.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace weir::aws {
namespace {

constexpr std::size_t violations_shown_max = 10;
constexpr std::size_t name_length_max = 128;

std::string_view kind_text(Kind kind) {
  switch (kind) {
    case Kind::integer:
      return "Integer";
    case Kind::long_integer:
      return "Long";
    case Kind::number:
      return "Double";
    case Kind::boolean:
      return "Boolean";
    case Kind::timestamp:
      return "Timestamp";
    case Kind::blob:
      return "Blob";
    case Kind::structure:
      return "Structure";
    case Kind::list:
      return "List";
    case Kind::map:
      return "Map";
    case Kind::string:
    case Kind::enumeration:
      return "String";
  }
  return "String";
}

// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string nearest_text(const Description& description, std::string_view name) {
  std::size_t least = name.size() / 3 + 1;
  std::string nearest;
  for (const auto& [known, operation] : description.operations) {
    const auto far = distance(name, known);
    if (far >= least) continue;
    least = far;
    nearest = known;
  }
  return nearest.empty() ? "" : fmt::format(" Did you mean {}?", nearest);
}

}  // namespace

Error unknown_parameter(Protocol protocol, std::string_view path) {
  if (protocol == Protocol::ec2)
    return {"UnknownParameter", fmt::format("The parameter {} is not recognized", path), {}};
  return {"InvalidQueryParameter", fmt::format("The parameter {} is not recognized", path), {}};
}

Error wrong_kind(Protocol protocol, std::string_view path, const Shape& shape,
                 std::string_view text) {
  const auto kind = kind_text(shape.kind);
  if (protocol == Protocol::ec2) {
    return {"InvalidParameterValue",
            fmt::format("Value ({}) for parameter {} is invalid. Expecting a value of type {}.",
                        text, path, kind),
            {}};
  }
  const bool is_query = protocol == Protocol::query;
  return {is_query ? "MalformedInput" : "SerializationException",
          fmt::format("The value '{}' of {} is not of type {}", text, path, kind),
          {}};
}

Error missing_parameter(std::string_view path) {
  return {"MissingParameter", fmt::format("The request must contain the parameter {}", path), {}};
}

Error validation_failed(Protocol protocol, const std::vector<std::string>& violations) {
  const auto shown = std::min(violations.size(), violations_shown_max);
  const auto end = violations.begin() + static_cast<std::ptrdiff_t>(shown);
  const bool is_query = protocol == Protocol::query;
  return {is_query ? "ValidationError" : "ValidationException",
          fmt::format("{} validation error{} detected: {}", violations.size(),
                      violations.size() == 1 ? "" : "s", fmt::join(violations.begin(), end, "; ")),
          {}};
}

Error access_refused(Protocol protocol, Error error) {
  auto& code = error.code;
  if (protocol == Protocol::ec2) {
    if (code == "InvalidClientTokenId" || code == "SignatureDoesNotMatch") {
      return {"AuthFailure", "AWS was not able to validate the provided access credentials", {}};
    }
    if (code == "RequestExpired" || code == "ExpiredToken")
      return {"RequestExpired", "Request has expired.", {}};
    return error;
  }
  if (code == "RequestExpired") code = "SignatureDoesNotMatch";
  if (protocol == Protocol::query) return error;
  if (code == "SignatureDoesNotMatch") {
    code = "InvalidSignatureException";
  } else if (code == "InvalidClientTokenId") {
    code = "UnrecognizedClientException";
  } else {
    code += "Exception";
  }
  return error;
}

Error unknown_operation(const Description& description, Protocol protocol, std::string_view name) {
  name = name.substr(0, name_length_max);
  const auto nearest = nearest_text(description, name);
  if (protocol == Protocol::ec2) {
    return {"InvalidAction",
            fmt::format("The action {} is not valid for this web service.{}", name, nearest),
            {}};
  }
  return {protocol == Protocol::query ? "InvalidAction" : "UnknownOperationException",
          fmt::format("Could not find operation {} for version {}.{}", name, description.version,
                      nearest),
          {}};
}

}  // namespace weir::aws
