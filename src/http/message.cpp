// Names of what the parsers find: header ids, desync reasons and classes.
#include "http/message.hpp"

#include <algorithm>

#include "http/header_names.hpp"

namespace weir::http {
namespace {

const Header* find_in(const std::vector<Header>& headers, HeaderId id) {
  const auto found =
      std::ranges::find_if(headers, [id](const Header& header) { return header.id == id; });
  return found == headers.end() ? nullptr : &*found;
}

}  // namespace

HeaderId header_id(std::string_view name) { return id_of_name(name.data(), name.size()); }

const Header* RequestHead::find(HeaderId id) const { return find_in(headers, id); }
const Header* ResponseHead::find(HeaderId id) const { return find_in(headers, id); }

std::string_view to_string(DesyncReason reason) {
  switch (reason) {
    case DesyncReason::none:
      return "-";
    case DesyncReason::ambiguous_uri:
      return "AmbiguousUri";
    case DesyncReason::bad_content_length:
      return "BadContentLength";
    case DesyncReason::bad_header:
      return "BadHeader";
    case DesyncReason::bad_method:
      return "BadMethod";
    case DesyncReason::bad_transfer_encoding:
      return "BadTransferEncoding";
    case DesyncReason::bad_uri:
      return "BadUri";
    case DesyncReason::bad_version:
      return "BadVersion";
    case DesyncReason::both_te_cl_present:
      return "BothTeClPresent";
    case DesyncReason::duplicate_content_length:
      return "DuplicateContentLength";
    case DesyncReason::empty_header:
      return "EmptyHeader";
    case DesyncReason::get_head_zero_content_length:
      return "GetHeadZeroContentLength";
    case DesyncReason::multiple_content_length:
      return "MultipleContentLength";
    case DesyncReason::multiple_transfer_encoding_chunked:
      return "MultipleTransferEncodingChunked";
    case DesyncReason::non_compliant_header:
      return "NonCompliantHeader";
    case DesyncReason::non_compliant_version:
      return "NonCompliantVersion";
    case DesyncReason::space_in_uri:
      return "SpaceInUri";
    case DesyncReason::suspicious_header:
      return "SuspiciousHeader";
    case DesyncReason::suspicious_te_cl_present:
      return "SuspiciousTeClPresent";
    case DesyncReason::undefined_content_length_semantics:
      return "UndefinedContentLengthSemantics";
    case DesyncReason::undefined_transfer_encoding_semantics:
      return "UndefinedTransferEncodingSemantics";
    case DesyncReason::non_crlf_line_termination:
      return "NonCrLfLineTermination";
    case DesyncReason::multiline_header:
      return "MultilineHeader";
    case DesyncReason::partial_header_line:
      return "PartialHeaderLine";
    case DesyncReason::missing_last_empty_line:
      return "MissingLastEmptyLine";
    case DesyncReason::missing_header_colon:
      return "MissingHeaderColon";
    case DesyncReason::missing_uri:
      return "MissingUri";
  }
  return "-";
}

std::string_view to_string(DesyncClass desync_class) {
  switch (desync_class) {
    case DesyncClass::compliant:
      return "Compliant";
    case DesyncClass::acceptable:
      return "Acceptable";
    case DesyncClass::ambiguous:
      return "Ambiguous";
    case DesyncClass::severe:
      return "Severe";
  }
  return "-";
}

DesyncClass desync_class_of(DesyncReason reason) {
  switch (reason) {
    case DesyncReason::none:
      return DesyncClass::compliant;

    case DesyncReason::get_head_zero_content_length:
    case DesyncReason::non_compliant_header:
    case DesyncReason::non_compliant_version:
    case DesyncReason::space_in_uri:
    case DesyncReason::non_crlf_line_termination:
      return DesyncClass::acceptable;

    case DesyncReason::ambiguous_uri:
    case DesyncReason::both_te_cl_present:
    case DesyncReason::duplicate_content_length:
    case DesyncReason::empty_header:
    case DesyncReason::suspicious_header:
    case DesyncReason::undefined_content_length_semantics:
    case DesyncReason::undefined_transfer_encoding_semantics:
    case DesyncReason::multiline_header:
    case DesyncReason::partial_header_line:
    case DesyncReason::missing_last_empty_line:
    case DesyncReason::missing_header_colon:
    case DesyncReason::missing_uri:
      return DesyncClass::ambiguous;

    case DesyncReason::bad_content_length:
    case DesyncReason::bad_header:
    case DesyncReason::bad_method:
    case DesyncReason::bad_transfer_encoding:
    case DesyncReason::bad_uri:
    case DesyncReason::bad_version:
    case DesyncReason::multiple_content_length:
    case DesyncReason::multiple_transfer_encoding_chunked:
    case DesyncReason::suspicious_te_cl_present:
      return DesyncClass::severe;
  }
  return DesyncClass::severe;
}

}  // namespace weir::http
