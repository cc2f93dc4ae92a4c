// Request targets and authorities (RFC 9112 §3.2, RFC 3986 §3.2).
#pragma once

#include <string_view>

#include "http/message.hpp"

namespace weir::http {

// uri-host [ ":" port ]: a name, an IPv4 address or a bracketed IPv6 address; the port, which may
// be empty, at most 65535. No user information (RFC 9110 §4.2.4: treat as an error). May be empty.
[[nodiscard]] bool is_authority_valid(std::string_view authority);

// Splits head.target into its parts, by its form. False: it has none of the forms, or one that the
// method does not allow. Sets authority for the absolute-form alone.
[[nodiscard]] bool split_target(RequestHead& head);

}  // namespace weir::http
