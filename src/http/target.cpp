// Targets are split and checked, never normalised: what a rule matches is what the target gets.
#include "http/target.hpp"

#include <cstring>

#include "http/header_names.hpp"
#include "http/scan.hpp"

namespace weir::http {
namespace {

// ":" and digits up to 65535, or ":" alone, or nothing.
bool is_port_suffix_valid(std::string_view text) {
  if (text.empty()) return true;
  if (text.front() != ':' || text.size() > 6) return false;
  unsigned port = 0;
  for (const char c : text.substr(1)) {
    if (!is_digit(c)) return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  return port <= 65535;
}

bool is_ipv6_literal(std::string_view text) {
  if (text.size() < 2 || text.size() > 45) return false;
  for (const char c : text) {
    if (hex_digit(c) < 0 && c != ':' && c != '.') return false;
  }
  return text.find(':') != std::string_view::npos;
}

void split_path(std::string_view path_and_query, RequestHead& head) {
  const std::size_t mark = path_and_query.find('?');
  head.path = path_and_query.substr(0, mark);
  head.has_query = mark != std::string_view::npos;
  if (head.has_query) head.query = path_and_query.substr(mark + 1);
}

// "http://authority[/path][?query]". An empty path is "/", or "*" for OPTIONS (RFC 9112 §3.2.4).
bool split_absolute(RequestHead& head) {
  std::string_view rest = head.target;
  if (rest.size() > 7 && is_word<"http">(rest.substr(0, 4)) && rest.substr(4, 3) == "://") {
    rest.remove_prefix(7);
  } else if (rest.size() > 8 && is_word<"https">(rest.substr(0, 5)) && rest.substr(5, 3) == "://") {
    rest.remove_prefix(8);
  } else {
    return false;
  }
  const std::size_t authority_bytes = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, authority_bytes);
  if (authority.empty() || !is_authority_valid(authority)) return false;
  head.is_absolute_form = true;
  head.authority = authority;
  rest.remove_prefix(authority.size());
  split_path(rest, head);
  if (head.path.empty()) {
    head.path = head.method == Method::options && !head.has_query ? "*" : "/";
  }
  return head.path.front() == '/' || head.path == "*";
}

}  // namespace

bool is_authority_valid(std::string_view authority) {
  std::size_t host_bytes = 0;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return false;
    if (!is_ipv6_literal(authority.substr(1, bracket - 1))) return false;
    host_bytes = bracket + 1;
  } else {
    while (host_bytes < authority.size()) {
      if (is_in(authority[host_bytes], in_reg_name)) {
        ++host_bytes;
      } else if (authority.size() - host_bytes >= 3 && authority[host_bytes] == '%' &&
                 hex_digit(authority[host_bytes + 1]) >= 0 &&
                 hex_digit(authority[host_bytes + 2]) >= 0) {
        host_bytes += 3;
      } else {
        break;
      }
    }
    if (host_bytes == 0 && !authority.empty()) return false;
  }
  return is_port_suffix_valid(authority.substr(host_bytes));
}

bool split_target(RequestHead& head) {
  if (head.target.empty()) return false;
  if (head.target.front() == '/') {
    split_path(head.target, head);
    return true;
  }
  if (head.target == "*") {
    head.path = head.target;
    return head.method == Method::options;
  }
  return split_absolute(head);
}

}  // namespace weir::http
