// Answers in XML: an output or an error, in the form of Query or of EC2.
#pragma once

#include <string>
#include <string_view>

#include "aws/description/description.hpp"
#include "aws/value.hpp"
#include "base/result.hpp"

namespace weir::aws {

// The error is the handler's fault: an output that its shape does not describe.
[[nodiscard]] Result<std::string> encode_xml(const Description& description, Protocol protocol,
                                             const Operation& operation, const Value& output,
                                             std::string_view request_id);

// `is_receiver`: the service's fault (5xx), not the caller's.
[[nodiscard]] std::string encode_xml_error(const Description* description, Protocol protocol,
                                           const Error& error, bool is_receiver,
                                           std::string_view request_id);

}  // namespace weir::aws
