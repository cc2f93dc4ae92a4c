// Security groups and their rules: reference §9.4.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/cidr.hpp"
#include "model/limits.hpp"
#include "model/validate.hpp"

namespace weir::model {
namespace {

bool is_group_text(std::string_view text) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/()#,@[]+=&;{}!$*";
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

std::unexpected<Error> refuse(std::string message) {
  return fail("InvalidParameterValue", std::move(message));
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return text;
}

// The API takes IANA numbers as well.
std::string protocol_name(const std::string& protocol) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> numbers = {
      {{"6", "tcp"}, {"17", "udp"}, {"1", "icmp"}, {"58", "icmpv6"}, {"all", "-1"}}};
  const std::string name = lower(protocol);
  for (const auto& [number, known] : numbers) {
    if (name == number) return std::string(known);
  }
  return name;
}

Status normalise_ports(SecurityGroupRule& rule) {
  if (rule.protocol == "-1") {
    rule.from_port = rule.to_port = -1;
    return {};
  }
  if (rule.protocol == "icmp" || rule.protocol == "icmpv6") {
    if (rule.from_port < -1 || rule.from_port > 255 || rule.to_port < -1 || rule.to_port > 255) {
      return refuse(
          fmt::format("ICMP code ({}) out of range", std::max(rule.from_port, rule.to_port)));
    }
    return {};
  }
  if (rule.protocol != "tcp" && rule.protocol != "udp") {
    return refuse(
        fmt::format("Invalid value '{}' for IP protocol. Unknown protocol.", rule.protocol));
  }
  if (rule.from_port < 0 || rule.from_port > 65'535 || rule.to_port < 0 || rule.to_port > 65'535 ||
      rule.from_port > rule.to_port) {
    return refuse(
        fmt::format("Invalid value '{}-{}' for port range", rule.from_port, rule.to_port));
  }
  return {};
}

}  // namespace

Status validate_security_group_name(std::string_view name) {
  if (name.empty())
    return fail("MissingParameter", "The request must contain the parameter GroupName");
  if (name.size() > limits::group_text_chars_max || !is_group_text(name)) {
    return refuse(
        fmt::format("Value ({}) for parameter GroupName is invalid. Character sets beyond "
                    "ASCII are not supported, and a name has at most 255 characters.",
                    is_valid_utf8(name) ? name : "?"));
  }
  if (name.starts_with("sg-")) {
    return refuse(
        fmt::format("Value ({}) for parameter GroupName is invalid. Group names may not "
                    "be in the format sg-*.",
                    name));
  }
  return {};
}

Status validate_security_group_description(std::string_view description) {
  if (description.empty()) {
    return fail("MissingParameter", "The request must contain the parameter GroupDescription");
  }
  if (description.size() > limits::group_text_chars_max || !is_group_text(description)) {
    return refuse(
        "Value for parameter GroupDescription is invalid. Character sets beyond ASCII are "
        "not supported, and a description has at most 255 characters.");
  }
  return {};
}

Result<SecurityGroupRule> canonical_rule(const SecurityGroupRule& rule) {
  SecurityGroupRule out = rule;
  out.protocol = protocol_name(rule.protocol);
  if (auto valid = normalise_ports(out); !valid) return std::unexpected(valid.error());
  const int peers = (rule.cidr.empty() ? 0 : 1) + (rule.cidr_v6.empty() ? 0 : 1) +
                    (rule.group_id.empty() ? 0 : 1);
  if (peers != 1) {
    return fail("InvalidParameterCombination",
                "A security group rule must have exactly one of CidrIp, CidrIpv6 and a group");
  }
  if (!rule.cidr.empty()) {
    const auto cidr = Cidr::parse(rule.cidr);
    if (!cidr) return std::unexpected(cidr.error());
    out.cidr = cidr->to_string();
  }
  if (!rule.cidr_v6.empty()) {
    auto cidr = canonical_cidr_v6(rule.cidr_v6);
    if (!cidr) return std::unexpected(cidr.error());
    out.cidr_v6 = std::move(*cidr);
  }
  if (rule.description.size() > limits::group_text_chars_max || !is_group_text(rule.description)) {
    return refuse(
        "Invalid rule description. It has at most 255 characters, of a-zA-Z0-9 and "
        "._-:/()#,@[]+=&;{}!$*");
  }
  return out;
}

std::string describe(const SecurityGroupRule& rule) {
  const std::string& peer = !rule.cidr.empty()      ? rule.cidr
                            : !rule.cidr_v6.empty() ? rule.cidr_v6
                                                    : rule.group_id;
  std::string protocol = rule.protocol == "-1" ? "ALL" : rule.protocol;
  std::ranges::transform(protocol, protocol.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
  });
  if (rule.protocol == "-1") return fmt::format("peer: {}, ALL, ALLOW", peer);
  return fmt::format("peer: {}, {}, from port: {}, to port: {}, ALLOW", peer, protocol,
                     rule.from_port, rule.to_port);
}

}  // namespace weir::model
