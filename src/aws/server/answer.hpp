// Answers in the form of the protocol that the request came in.
#pragma once

#include <string>
#include <string_view>

#include "aws/description/description.hpp"
#include "aws/server/http.hpp"
#include "base/result.hpp"

namespace weir::aws {

struct AnswerForm {
  Protocol protocol = Protocol::query;
  const Description* description = nullptr;  // nullptr: no service is known
  std::string json_type;                     // application/x-amz-json-1.0
};

[[nodiscard]] HttpResponse success(const AnswerForm& form, std::string body,
                                   std::string_view request_id);
[[nodiscard]] HttpResponse failure(const AnswerForm& form, const Error& error,
                                   std::string_view request_id);

}  // namespace weir::aws
