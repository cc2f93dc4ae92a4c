#include "compute/network.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/ids.hpp"
#include "base/log.hpp"
#include "compute/firewall.hpp"
#include "compute/ipv4.hpp"
#include "compute/netlink.hpp"

namespace weir::compute {
namespace {

constexpr std::uint16_t create = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
constexpr std::uint16_t ensure = NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
constexpr int metadata_backlog = 128;

using Mac = std::array<std::uint8_t, 6>;

std::unexpected<Error> network_error(const std::string& what, int error) {
  std::string hint;
  if (error == EPERM) hint = "run as root, or rootless with user namespaces allowed";
  if (error == EOPNOTSUPP) hint = "the kernel needs the modules bridge and veth";
  return fail("NetworkFailed", what + ": " + std::generic_category().message(error), hint);
}

// `text` has been validated.
Mac parse_mac(const std::string& text) {
  Mac mac{};
  for (std::size_t i = 0; i < mac.size(); ++i) {
    mac[i] = static_cast<std::uint8_t>(std::strtoul(text.substr(i * 3, 2).c_str(), nullptr, 16));
  }
  return mac;
}

// Fixed, else a bridge takes the lowest of its ports' and changes it as instances come and go. Made
// from the bridge's name, so that a holder that finds the bridge agrees with the one that made it.
Mac bridge_mac(const std::string& bridge) {
  Mac mac{0x02};
  for (std::size_t i = 0; i < bridge.size(); ++i) {
    std::uint8_t& byte = mac[1 + i % 5];
    byte = static_cast<std::uint8_t>(byte * 31 + static_cast<unsigned char>(bridge[i]));
  }
  return mac;
}

ifinfomsg link_header(int index = 0, bool up = false) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = index;
  if (up) header.ifi_flags = header.ifi_change = IFF_UP;
  return header;
}

void add_link_up(NetlinkBatch& batch, int index) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, link_header(index, true));
}

void add_address(NetlinkBatch& batch, std::uint16_t type, std::uint16_t flags, int index,
                 std::uint32_t address, int prefix) {
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = static_cast<std::uint8_t>(prefix);
  header.ifa_index = static_cast<unsigned>(index);
  batch.begin(type, flags, header);
  batch.put(IFA_LOCAL, htonl(address));
  batch.put(IFA_ADDRESS, htonl(address));
}

void add_route(NetlinkBatch& batch, int index, Ipv4Cidr destination,
               std::optional<std::uint32_t> gateway) {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = static_cast<std::uint8_t>(destination.prefix);
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  header.rtm_type = RTN_UNICAST;
  batch.begin(RTM_NEWROUTE, ensure, header);
  if (destination.prefix > 0) batch.put(RTA_DST, htonl(destination.range().first));
  if (gateway) batch.put(RTA_GATEWAY, htonl(*gateway));
  batch.put(RTA_OIF, index);
}

// The far end is born inside the instance's namespace, with its name, index and MAC: nothing has to
// be renamed or moved.
void add_veth(NetlinkBatch& batch, const std::string& name, int bridge_index, int peer_namespace,
              const Mac& peer_mac) {
  batch.begin(RTM_NEWLINK, create, link_header(0, true));
  batch.put_string(IFLA_IFNAME, name);
  batch.put(IFLA_MASTER, bridge_index);
  batch.begin_nest(IFLA_LINKINFO);
  batch.put_string(IFLA_INFO_KIND, "veth");
  batch.begin_nest(IFLA_INFO_DATA);
  batch.begin_nest(VETH_INFO_PEER);
  batch.put_header(link_header(2));
  batch.put_string(IFLA_IFNAME, "eth0");
  batch.put(IFLA_ADDRESS, peer_mac);
  batch.put(IFLA_NET_NS_FD, peer_namespace);
  batch.end_nest();
  batch.end_nest();
  batch.end_nest();
}

// A token bucket; rate in bits a second, as the type has it (reference platform §5).
void add_shaper(NetlinkBatch& batch, int index, std::uint64_t bits_per_second) {
  const std::uint64_t bytes_per_second = std::max<std::uint64_t>(bits_per_second / 8, 1);
  tcmsg header{};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = index;
  header.tcm_parent = TC_H_ROOT;
  batch.begin(RTM_NEWQDISC, ensure, header);
  batch.put_string(TCA_KIND, "tbf");
  batch.begin_nest(TCA_OPTIONS);
  tc_tbf_qopt options{};
  // With a link layer named, the kernel computes its rate table itself.
  options.rate.linklayer = 1;  // TC_LINKLAYER_ETHERNET
  options.rate.rate = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(bytes_per_second, std::uint32_t{0xffffffff}));
  // A quarter of a second may wait; longer queues only add delay.
  options.limit = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(bytes_per_second / 4, 256 * 1024, 64 * 1024 * 1024));
  batch.put(TCA_TBF_PARMS, options);
  batch.put(TCA_TBF_RATE64, bytes_per_second);
  // At least rate / HZ (100 at the lowest), and never below 128 KiB: one large segment must pass.
  batch.put(TCA_TBF_BURST, static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
                               bytes_per_second / 100, 128 * 1024, 16 * 1024 * 1024)));
  batch.end_nest();
}

Result<int> index_of(const std::string& link) {
  const unsigned index = if_nametoindex(link.c_str());
  if (index == 0) return network_error("the VPC's bridge " + link + " is not there", errno);
  return static_cast<int>(index);
}

struct BridgeAddress {
  std::uint32_t address = 0;
  int prefix = 32;
};

Result<std::vector<BridgeAddress>> addresses_of(NetlinkSocket& socket, int index) {
  NetlinkBatch batch;
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  batch.begin(RTM_GETADDR, NLM_F_DUMP, header);
  std::vector<BridgeAddress> addresses;
  const int error = socket.dump(batch, [&](const NetlinkEntry& entry) {
    const auto* found = entry.header<ifaddrmsg>();
    if (found == nullptr || found->ifa_index != static_cast<unsigned>(index)) return;
    addresses.push_back(
        {ntohl(entry.u32(sizeof(ifaddrmsg), IFA_LOCAL)), int{found->ifa_prefixlen}});
  });
  if (error != 0) return network_error("cannot list the addresses of the VPC's bridge", error);
  return addresses;
}

}  // namespace

Result<NamespaceVisit> NamespaceVisit::enter(int network_namespace, int home) {
  if (setns(network_namespace, CLONE_NEWNET) != 0) {
    return fail_errno("cannot enter an instance's network namespace", errno);
  }
  return NamespaceVisit(home);
}

NamespaceVisit::~NamespaceVisit() {
  if (home_ < 0) return;
  // A thread that stayed in an instance's namespace would start the next instance there.
  if (setns(home_, CLONE_NEWNET) != 0) std::abort();
}

Result<Network> Network::open(std::string bridge) {
  Fd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!home) return fail_errno("cannot open this process's network namespace", errno);
  return Network(std::move(bridge), std::move(home));
}

Status Network::bring_up_loopback() const {
  auto socket = NetlinkSocket::open();
  if (!socket) return std::unexpected(socket.error());
  NetlinkBatch batch;
  add_link_up(batch, 1);
  if (const int error = socket->run(batch); error != 0) {
    return network_error("cannot bring up the loopback device", error);
  }
  return {};
}

Status Network::ensure_bridge(const VpcSpec& spec) const {
  auto socket = NetlinkSocket::open();
  if (!socket) return std::unexpected(socket.error());
  if (if_nametoindex(bridge_.c_str()) == 0) {
    NetlinkBatch batch;
    batch.begin(RTM_NEWLINK, create, link_header(0, true));
    batch.put_string(IFLA_IFNAME, bridge_);
    batch.put(IFLA_ADDRESS, bridge_mac(bridge_));
    batch.begin_nest(IFLA_LINKINFO);
    batch.put_string(IFLA_INFO_KIND, "bridge");
    batch.end_nest();
    if (const int error = socket->run(batch); error != 0 && error != EEXIST) {
      return network_error("cannot make the VPC's bridge " + bridge_, error);
    }
  }
  const auto index = index_of(bridge_);
  if (!index) return std::unexpected(index.error());
  const auto present = addresses_of(*socket, *index);
  if (!present) return std::unexpected(present.error());

  const std::uint32_t gateway = *parse_ipv4(spec.gateway);
  const int prefix = parse_ipv4_cidr(spec.cidr)->prefix;
  bool has_gateway = false;
  NetlinkBatch batch;
  add_link_up(batch, *index);
  for (const BridgeAddress& address : *present) {
    if (address.address == gateway && address.prefix == prefix) {
      has_gateway = true;
    } else if (address.prefix != 32) {  // the gateway of another range; nodes have /32
      add_address(batch, RTM_DELADDR, NLM_F_ACK, *index, address.address, address.prefix);
    }
  }
  if (!has_gateway) add_address(batch, RTM_NEWADDR, ensure, *index, gateway, prefix);
  if (const int error = socket->run(batch); error != 0) {
    return network_error("cannot give the VPC's bridge the address " + spec.gateway, error);
  }
  return {};
}

Status Network::set_node_addresses(const std::vector<std::string>& addresses,
                                   const VpcSpec& vpc) const {
  auto socket = NetlinkSocket::open();
  if (!socket) return std::unexpected(socket.error());
  const auto index = index_of(bridge_);
  if (!index) return std::unexpected(index.error());
  const auto present = addresses_of(*socket, *index);
  if (!present) return std::unexpected(present.error());

  const std::uint32_t gateway = *parse_ipv4(vpc.gateway);
  std::vector<std::uint32_t> wanted;
  for (const std::string& text : addresses) {
    const std::uint32_t address = *parse_ipv4(text);
    if (address != gateway) wanted.push_back(address);
  }
  NetlinkBatch batch;
  add_link_up(batch, *index);
  for (const BridgeAddress& address : *present) {
    if (address.prefix == 32 && std::erase(wanted, address.address) == 0) {
      add_address(batch, RTM_DELADDR, NLM_F_ACK, *index, address.address, 32);
    }
  }
  for (const std::uint32_t address : wanted) {
    add_address(batch, RTM_NEWADDR, ensure, *index, address, 32);
  }
  if (const int error = socket->run(batch); error != 0) {
    return network_error("cannot set the load balancers' addresses on " + bridge_, error);
  }
  return {};
}

Status Network::remove_bridge() const {
  const unsigned index = if_nametoindex(bridge_.c_str());
  if (index == 0) return {};
  auto socket = NetlinkSocket::open();
  if (!socket) return std::unexpected(socket.error());
  std::vector<int> links;
  NetlinkBatch list;
  list.begin(RTM_GETLINK, NLM_F_DUMP, link_header());
  const int list_error = socket->dump(list, [&](const NetlinkEntry& entry) {
    const auto* link = entry.header<ifinfomsg>();
    if (link != nullptr && entry.u32(sizeof(ifinfomsg), IFLA_MASTER) == index)
      links.push_back(link->ifi_index);
  });
  if (list_error != 0) log::warn("cannot list the ports of {}: errno {}", bridge_, list_error);
  links.push_back(static_cast<int>(index));
  for (const int link : links) {
    NetlinkBatch batch;
    batch.begin(RTM_DELLINK, NLM_F_ACK, link_header(link));
    if (const int error = socket->run(batch); error != 0 && error != ENODEV) {
      return network_error("cannot remove the VPC's bridge " + bridge_ + " and its ports", error);
    }
  }
  return {};
}

Result<bool> Network::clashes(const std::string& cidr) const {
  auto socket = NetlinkSocket::open();
  if (!socket) return std::unexpected(socket.error());
  const Ipv4Range range = parse_ipv4_cidr(cidr)->range();
  const unsigned own = if_nametoindex(bridge_.c_str());
  bool found = false;

  NetlinkBatch routes;
  rtmsg route_header{};
  route_header.rtm_family = AF_INET;
  routes.begin(RTM_GETROUTE, NLM_F_DUMP, route_header);
  int error = socket->dump(routes, [&](const NetlinkEntry& entry) {
    const auto* route = entry.header<rtmsg>();
    if (route == nullptr || route->rtm_dst_len < 8 || route->rtm_table == RT_TABLE_LOCAL) return;
    if (own != 0 && entry.u32(sizeof(rtmsg), RTA_OIF) == own) return;
    const Ipv4Cidr destination{ntohl(entry.u32(sizeof(rtmsg), RTA_DST)), int{route->rtm_dst_len}};
    found = found || destination.range().overlaps(range);
  });
  if (error != 0) return network_error("cannot list this machine's routes", error);

  NetlinkBatch addresses;
  ifaddrmsg address_header{};
  address_header.ifa_family = AF_INET;
  addresses.begin(RTM_GETADDR, NLM_F_DUMP, address_header);
  error = socket->dump(addresses, [&](const NetlinkEntry& entry) {
    const auto* address = entry.header<ifaddrmsg>();
    if (address == nullptr || (own != 0 && address->ifa_index == own)) return;
    found = found || range.contains(ntohl(entry.u32(sizeof(ifaddrmsg), IFA_LOCAL)));
  });
  if (error != 0) return network_error("cannot list this machine's addresses", error);
  return found;
}

namespace {

struct NewNamespace {
  Fd fd;
  NetlinkSocket socket;  // made inside
};

Result<NewNamespace> new_namespace(int home) {
  if (unshare(CLONE_NEWNET) != 0) {
    return fail_errno("cannot make a network namespace", errno);
  }
  Fd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  const int open_error = errno;
  auto socket = NetlinkSocket::open();
  if (setns(home, CLONE_NEWNET) != 0) std::abort();  // as in ~NamespaceVisit
  if (!fd) return fail_errno("cannot open a new network namespace", open_error);
  if (!socket) return std::unexpected(socket.error());
  return NewNamespace{std::move(fd), std::move(*socket)};
}

}  // namespace

Result<Fd> Network::make_instance_namespace(const InstanceSpec& spec) const {
  const auto bridge_index = index_of(bridge_);
  if (!bridge_index) return std::unexpected(bridge_index.error());
  auto inside = new_namespace(home_.get());
  if (!inside) return std::unexpected(inside.error());

  auto outside = NetlinkSocket::open();
  if (!outside) return std::unexpected(outside.error());
  // A random name: the pair of an earlier start of the same instance may still be on its way out.
  const std::string veth = "wv" + random_hex(12);
  NetlinkBatch pair;
  add_veth(pair, veth, *bridge_index, inside->fd.get(), parse_mac(spec.mac));
  if (const int error = outside->run(pair); error != 0) {
    return network_error("cannot make the network device of " + spec.id, error);
  }

  NetlinkBatch batch;
  add_link_up(batch, 1);
  add_address(batch, RTM_NEWADDR, ensure, 1, *parse_ipv4(metadata_address), 32);
  add_address(batch, RTM_NEWADDR, ensure, 2, *parse_ipv4(spec.private_ip), spec.subnet_prefix);
  add_link_up(batch, 2);
  const Ipv4Cidr vpc = *parse_ipv4_cidr(spec.vpc_cidr);
  if (vpc.prefix != spec.subnet_prefix) add_route(batch, 2, vpc, std::nullopt);
  add_route(batch, 2, Ipv4Cidr{0, 0}, parse_ipv4(spec.gateway));
  if (spec.network_bits_per_second > 0) add_shaper(batch, 2, spec.network_bits_per_second);
  if (const int error = inside->socket.run(batch); error != 0) {
    return network_error("cannot configure the network of " + spec.id, error);
  }
  if (spec.network_bits_per_second > 0) {
    NetlinkBatch shaper;
    add_shaper(shaper, static_cast<int>(if_nametoindex(veth.c_str())),
               spec.network_bits_per_second);
    if (const int error = outside->run(shaper); error != 0) {
      return network_error("cannot limit the bandwidth of " + spec.id, error);
    }
  }
  return std::move(inside->fd);
}

Result<Fd> Network::listen_for_metadata(int network_namespace) const {
  auto visit = NamespaceVisit::enter(network_namespace, home_.get());
  if (!visit) return std::unexpected(visit.error());
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("cannot make a socket in an instance", errno);
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // A daemon that lost its holder may still have the socket that the old holder made.
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  setsockopt(fd.get(), IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(*parse_ipv4(metadata_address));
  address.sin_port = htons(metadata_port);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd.get(), metadata_backlog) != 0) {
    return fail_errno("cannot listen for the metadata service in an instance", errno);
  }
  return fd;
}

Status Network::apply_ruleset(int network_namespace, const std::string& ruleset) const {
  auto visit = NamespaceVisit::enter(network_namespace, home_.get());
  if (!visit) return std::unexpected(visit.error());
  if (auto output = run_nft(ruleset); !output) return std::unexpected(output.error());
  return {};
}

}  // namespace weir::compute
