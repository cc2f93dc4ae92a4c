#include "aws/server/answer.hpp"

#include <fmt/format.h>

#include "aws/protocol/cbor.hpp"
#include "aws/protocol/error_status.hpp"
#include "aws/protocol/json.hpp"
#include "aws/protocol/xml.hpp"

namespace weir::aws {
namespace {

HttpResponse respond(const AnswerForm& form, int status, std::string body,
                     std::string_view request_id) {
  HttpResponse response{status, {{"x-amzn-RequestId", std::string(request_id)}}, std::move(body)};
  auto& headers = response.headers;
  switch (form.protocol) {
    case Protocol::ec2:
      headers.emplace_back("Content-Type", "text/xml;charset=UTF-8");
      break;
    case Protocol::query:
      headers.emplace_back("Content-Type", "text/xml");
      break;
    case Protocol::json:
      headers.emplace_back("Content-Type", form.json_type);
      break;
    case Protocol::cbor:
      headers.emplace_back("Content-Type", "application/cbor");
      headers.emplace_back("smithy-protocol", "rpc-v2-cbor");
      break;
  }
  return response;
}

// The error's name in the SDKs, which JSON and CBOR carry instead of the code.
std::string_view shape_name(const AnswerForm& form, const Error& error) {
  if (form.description == nullptr) return error.code;
  const auto found = form.description->errors.find(error.code);
  return found == form.description->errors.end() ? std::string_view(error.code)
                                                 : std::string_view(found->second.shape);
}

}  // namespace

HttpResponse success(const AnswerForm& form, std::string body, std::string_view request_id) {
  return respond(form, 200, std::move(body), request_id);
}

HttpResponse failure(const AnswerForm& form, const Error& error, std::string_view request_id) {
  const int status = error_status(form.description, error.code);
  const bool is_receiver = status >= 500;
  if (form.protocol == Protocol::query || form.protocol == Protocol::ec2) {
    return respond(
        form, status,
        encode_xml_error(form.description, form.protocol, error, is_receiver, request_id),
        request_id);
  }
  const auto shape = shape_name(form, error);
  auto body = form.protocol == Protocol::json ? encode_json_error(shape, error.message)
                                              : encode_cbor_error(shape, error.message);
  auto response = respond(form, status, std::move(body), request_id);
  // What clients of the Query protocol got, for those that still look for it.
  if (form.description != nullptr && form.description->speaks(Protocol::query)) {
    response.headers.emplace_back(
        "x-amzn-query-error",
        fmt::format("{};{}", error.code, is_receiver ? "Receiver" : "Sender"));
  }
  return response;
}

}  // namespace weir::aws
