#include "compute/host_forwarding.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "base/log.hpp"
#include "compute/firewall.hpp"

namespace weir::compute {
namespace {

constexpr const char* chain = "ip filter FORWARD";

std::string mark(const std::string& bridge) { return fmt::format("comment \"{}\"", bridge); }

}  // namespace

void enable_forwarding() {
  const char* path = "/proc/sys/net/ipv4/ip_forward";
  int value = 0;
  if (std::ifstream(path) >> value && value == 1) return;
  if (std::ofstream(path) << "1" << std::flush) {
    log::info("switched on net.ipv4.ip_forward, so that instances reach the outside");
  } else {
    log::warn("cannot switch on net.ipv4.ip_forward: instances do not reach the outside");
  }
}

Status accept_forwarding(const std::string& bridge) {
  const auto rules = list_nft_chain(chain);
  if (!rules) return {};  // no such chain
  if (rules->find("policy drop") == std::string::npos) return {};
  if (rules->find(mark(bridge)) != std::string::npos) return {};
  const auto added =
      run_nft(fmt::format("insert rule {0} iifname \"{1}\" accept {2};\n"
                          "insert rule {0} oifname \"{1}\" accept {2};\n",
                          chain, bridge, mark(bridge)));
  if (!added) return std::unexpected(added.error());
  log::info("this machine's firewall drops forwarded traffic: made an exception for {}", bridge);
  return {};
}

Status withdraw_forwarding(const std::string& bridge) {
  const auto rules = list_nft_chain(chain);
  if (!rules) return {};
  std::string commands;
  std::istringstream lines(*rules);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t handle = line.rfind("# handle ");
    if (line.find(mark(bridge)) == std::string::npos || handle == std::string::npos) continue;
    commands += fmt::format("delete rule {} {};\n", chain, line.substr(handle + 2));
  }
  if (commands.empty()) return {};
  const auto removed = run_nft(commands);
  if (!removed) return std::unexpected(removed.error());
  return {};
}

}  // namespace weir::compute
