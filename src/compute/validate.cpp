#include "compute/validate.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "compute/ipv4.hpp"
#include "model/limits.hpp"

namespace weir::compute {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool consists_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

// Not the text itself: it comes from outside and may be long or unprintable.
std::unexpected<Error> invalid(const std::string& what) {
  return fail("InvalidParameterValue", "not a valid " + what);
}

bool is_ipv6_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  in6_addr address{};
  if (text.size() > 49 ||
      inet_pton(AF_INET6, std::string(text.substr(0, slash)).c_str(), &address) != 1) {
    return false;
  }
  if (slash == std::string_view::npos) return true;
  const std::string_view digits = text.substr(slash + 1);
  int prefix = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  return error == std::errc{} && end == digits.data() + digits.size() && prefix >= 0 &&
         prefix <= 128;
}

bool is_protocol(std::string_view text) {
  static constexpr std::array names{"tcp", "udp", "icmp", "icmpv6", "-1", "6", "17", "1", "58"};
  return std::ranges::find(names, text) != names.end();
}

Status validate(const FirewallRule& rule) {
  if (!is_protocol(rule.protocol)) {
    return fail("InvalidParameterValue",
                "a firewall rule's protocol must be tcp, udp, icmp, icmpv6 or -1");
  }
  if (rule.from_port < -1 || rule.from_port > 65'535 || rule.to_port < -1 ||
      rule.to_port > 65'535) {
    return invalid("port range of a firewall rule");
  }
  if (rule.peers.size() > firewall_peers_max) return invalid("number of peers of a rule");
  for (const std::string& peer : rule.peers) {
    if (!parse_ipv4_cidr(peer) && !is_ipv6_cidr(peer)) {
      return invalid("address or CIDR of a firewall rule");
    }
  }
  return {};
}

bool is_hostname(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' &&
         consists_of(text, "abcdefghijklmnopqrstuvwxyz0123456789.-");
}

bool is_image_id(std::string_view text) {
  return text.starts_with("ami-") && text.size() <= 64 &&
         consists_of(text.substr(4), "abcdefghijklmnopqrstuvwxyz0123456789-");
}

bool is_one_line(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

bool is_instance_id(std::string_view text) {
  return text.starts_with("i-") && text.size() >= 10 && text.size() <= 19 &&
         consists_of(text.substr(2), hex_digits);
}

bool is_mac(std::string_view text) {
  if (text.size() != 17) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool ok = i % 3 == 2 ? text[i] == ':' : hex_digits.contains(text[i]);
    if (!ok) return false;
  }
  return hex_digits.find(text[1]) % 2 == 0;  // the multicast bit
}

Status validate_instance_id(const std::string& id) {
  if (!is_instance_id(id)) return fail("InvalidInstanceID.Malformed", "not a valid instance id");
  return {};
}

Status validate(const VpcSpec& spec) {
  const auto cidr = parse_ipv4_cidr(spec.cidr);
  if (!cidr || cidr->prefix < 8 || cidr->prefix > 28) return invalid("CIDR of a VPC");
  const auto gateway = parse_ipv4(spec.gateway);
  if (!gateway || !cidr->range().contains(*gateway)) return invalid("gateway of a VPC");
  return {};
}

Status validate(const Firewall& firewall) {
  if (firewall.ingress.size() > firewall_rules_max || firewall.egress.size() > firewall_rules_max) {
    return invalid("number of firewall rules");
  }
  for (const auto* rules : {&firewall.ingress, &firewall.egress}) {
    for (const FirewallRule& rule : *rules) {
      if (Status status = validate(rule); !status) return status;
    }
  }
  return {};
}

Status validate(const InstanceSpec& spec) {
  if (Status status = validate_instance_id(spec.id); !status) return status;
  if (!is_image_id(spec.image_id)) return fail("InvalidAMIID.Malformed", "not a valid image id");
  if (!is_hostname(spec.hostname)) return invalid("host name");
  if (Status status = validate(VpcSpec{spec.vpc_cidr, spec.gateway}); !status) return status;
  const auto address = parse_ipv4(spec.private_ip);
  if (!address || !parse_ipv4_cidr(spec.vpc_cidr)->range().contains(*address)) {
    return invalid("private address: it must lie in the VPC's range");
  }
  if (spec.subnet_prefix < 8 || spec.subnet_prefix > 30) return invalid("subnet prefix");
  if (!is_mac(spec.mac)) return invalid("MAC address");
  if (spec.vcpus < 1 || spec.vcpus > 1'024) return invalid("number of vCPUs");
  if (spec.memory_mib < 6 || spec.memory_mib > (std::uint64_t{1} << 30U)) {
    return invalid("memory size");
  }
  if (spec.user_data.size() > model::limits::user_data_bytes_max) {
    return fail(
        "InvalidParameterValue",
        "user data is limited to " + std::to_string(model::limits::user_data_bytes_max) + " bytes");
  }
  if (spec.public_key.size() > public_key_bytes_max || !is_one_line(spec.public_key)) {
    return invalid("public key");
  }
  return validate(spec.firewall);
}

}  // namespace weir::compute
