#include "aws/server/web_pages.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace weir::aws {
namespace {

constexpr std::size_t shown_length_max = 128;

std::unexpected<Error> refuse(std::string_view what, std::string_view value) {
  return fail("AccessDenied",
              fmt::format("In development mode the endpoint takes no requests {} '{}'; "
                          "--verify-signatures makes it take those that are signed",
                          what, value.substr(0, shown_length_max)));
}

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_own_host(std::string_view host) {
  const auto name = without_port(host);
  if (name.empty()) return false;
  const bool is_address = name.starts_with('[') || std::ranges::all_of(name, [](char c) {
                            return (c >= '0' && c <= '9') || c == '.';
                          });
  return is_address || name == "localhost" || name.ends_with(".localhost");
}

}  // namespace

Status refuse_web_pages(const HttpRequest& request) {
  const auto* host = request.header("host");
  if (host == nullptr || !is_own_host(*host))
    return refuse("for the host", host == nullptr ? "" : std::string_view(*host));
  if (const auto* origin = request.header("origin");
      origin != nullptr && *origin != "http://" + *host) {
    return refuse("of pages from", *origin);
  }
  if (const auto* site = request.header("sec-fetch-site");
      site != nullptr && *site != "same-origin" && *site != "none") {
    return refuse("of pages, Sec-Fetch-Site", *site);
  }
  return {};
}

}  // namespace weir::aws
