#include "aws/server/target.hpp"

#include <string_view>

namespace weir::aws {
namespace {

constexpr std::string_view service_word = "/service/";
constexpr std::string_view operation_word = "/operation/";

}  // namespace

CallTarget read_target(const HttpRequest& request) {
  CallTarget target;
  if (const auto* smithy = request.header("smithy-protocol");
      smithy != nullptr && *smithy == "rpc-v2-cbor") {
    target.protocol = Protocol::cbor;
    const std::string_view path = request.path;
    const auto at = path.find(operation_word);
    if (path.starts_with(service_word) && at != std::string_view::npos) {
      target.prefix = path.substr(service_word.size(), at - service_word.size());
      target.operation = path.substr(at + operation_word.size());
    }
  } else if (const auto* header = request.header("x-amz-target")) {
    target.protocol = Protocol::json;
    const auto dot = header->rfind('.');
    if (dot != std::string::npos) {
      target.prefix = header->substr(0, dot);
      target.operation = header->substr(dot + 1);
    }
  }
  return target;
}

}  // namespace weir::aws
