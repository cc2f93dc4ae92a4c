// Instances on this machine: the daemon's side.
//
// All work in namespaces is done by one small process, the holder (`weir hold`), which outlives the
// daemon: it owns the VPC's network (root: a bridge on the host; otherwise inside a user namespace
// of its own), starts instances with the OCI runtime, is their subreaper, and hands out sockets
// made inside the VPC. The daemon talks to it over a Unix socket in the state folder, with
// descriptors passed by SCM_RIGHTS. So the daemon itself needs no privilege, root and rootless are
// one code path, and a daemon that restarts finds its instances running. All calls are thread-safe
// and block until the holder has answered.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::compute {

struct Options {
  std::string state_dir;         // absolute
  std::string runtime = "runc";  // any OCI runtime in PATH, or a path
  bool rootless = false;         // forced even when root; else decided by geteuid()
};

struct VpcSpec {
  std::string cidr;     // 172.31.0.0/16
  std::string gateway;  // the host's address in the VPC, on the bridge: 172.31.0.1
};

// A range of ports that a security group opens, with the peers that may use it.
struct FirewallRule {
  std::string protocol;  // tcp, udp, icmp, "-1"
  int from_port = -1;
  int to_port = -1;
  std::vector<std::string> peers;  // CIDRs and addresses; groups are already resolved to members
};

struct Firewall {
  std::vector<FirewallRule> ingress;
  std::vector<FirewallRule> egress;
};

struct InstanceSpec {
  std::string id;
  std::string image_id;
  std::string hostname;  // ip-172-31-0-10.ec2.internal
  std::string private_ip;
  int subnet_prefix = 20;
  std::string vpc_cidr;
  std::string gateway;
  std::string mac;
  int vcpus = 0;
  std::uint64_t memory_mib = 0;
  std::uint64_t ebs_bytes_per_second = 0;     // 0: unlimited
  std::uint64_t network_bits_per_second = 0;  // 0: not shaped (the default; reference platform §5)
  std::string user_data;      // run once as root at first boot; empty: nothing to run
  bool is_first_boot = true;  // false: start after stop, user data is not run again
  std::string public_key;     // OpenSSH format, for ubuntu and root; may be empty
  Firewall firewall;
};

enum class UserDataState { none, running, succeeded, failed };

struct UserDataStatus {
  UserDataState state = UserDataState::none;
  int exit_status = 0;           // of a failed one
  std::int64_t finished_ms = 0;  // wall clock
};

struct RunningInstance {
  std::string id;
  int pid = 0;                // of its first process, as this machine sees it
  std::string runtime_state;  // "running"
};

// What this machine can enforce and what it cannot, for people.
struct Capabilities {
  bool rootless = false;
  bool limits_enforced = false;
  std::string limits_reason;  // why not
  bool has_uid_range = true;  // rootless with /etc/subuid
  std::string runtime_version;
};

struct ExecRequest {
  std::string id;
  std::vector<std::string> argv;
  std::array<int, 3> stdio = {-1, -1, -1};  // borrowed for the call
  bool terminal = false;
  // Who asked for it, as long as they are there: each byte is the number of a signal for the
  // command (exec_control.hpp), its end is their end. -1: nobody. Borrowed as well.
  int control = -1;
};

class Compute {
 public:
  // Connects to the living holder of this state folder or starts one (re-executes this program as
  // `weir hold`). Errors name what is missing and how to get it: "NoRuntime", "NoNamespaces" (with
  // the kernel setting), "NoUidmap", "HolderFailed".
  [[nodiscard]] static Result<std::unique_ptr<Compute>> start(const Options& options);
  virtual ~Compute() = default;

  [[nodiscard]] virtual const Capabilities& capabilities() const = 0;

  // True if `cidr` overlaps a route or address of this machine (root) that is not Weir's own.
  [[nodiscard]] virtual Result<bool> clashes(const std::string& cidr) = 0;
  virtual Status ensure_vpc(const VpcSpec& spec) = 0;
  // Addresses of load balancer nodes, added to the bridge so that targets see them as source.
  virtual Status set_node_addresses(const std::vector<std::string>& addresses) = 0;

  // Returns the listening socket of the instance's metadata service (connections to
  // 169.254.169.254:80 made inside the instance arrive there). On failure nothing is left behind.
  [[nodiscard]] virtual Result<Fd> launch(const InstanceSpec& spec) = 0;
  // For an adopted instance: the metadata socket again.
  [[nodiscard]] virtual Result<Fd> metadata_socket(const std::string& id) = 0;
  // SIGTERM to its first process, SIGKILL after `grace_ms`; its file system stays.
  virtual Status stop(const std::string& id, int grace_ms) = 0;
  // Stops it at once and removes its file system and network.
  virtual Status terminate(const std::string& id) = 0;
  virtual Status set_firewall(const std::string& id, const Firewall& firewall) = 0;

  [[nodiscard]] virtual Result<std::vector<RunningInstance>> running() = 0;
  [[nodiscard]] virtual Result<UserDataStatus> user_data_status(const std::string& id) = 0;
  // The last `bytes_max` bytes of the console: boot messages and the user data's output.
  [[nodiscard]] virtual Result<std::string> console_output(const std::string& id,
                                                           std::size_t bytes_max) = 0;
  // Runs a command in the instance and returns its exit status (128 + signal when killed).
  [[nodiscard]] virtual Result<int> exec(const ExecRequest& request) = 0;

  // `count` (at most 64) unconnected TCP sockets, non-blocking, made where the VPC can be reached.
  [[nodiscard]] virtual Result<std::vector<Fd>> sockets(int count) = 0;
  // True: targets in the VPC need such sockets (rootless); false: any socket does (root).
  [[nodiscard]] virtual bool needs_vpc_sockets() const = 0;

  // Called on a thread of Compute's when an instance ends without having been asked to, and when
  // the holder itself was lost (id empty). By then a new holder is at work, if that was possible:
  // as root it has taken over the instances, rootless they have ended; running() tells.
  // `exit_status` -1: unknown. Set once, before launches.
  using ExitHandler = std::function<void(const std::string& id, int exit_status)>;
  virtual void on_exit(ExitHandler handler) = 0;

  // Ends the holder if no instance is left; otherwise it stays for the next daemon.
  virtual void release_holder() = 0;
};

// The entry point of `weir hold`; never returns normally before the holder's end. `control_fd` is
// the socket that Compute::start passed to it.
int holder_main(const Options& options, int control_fd);

}  // namespace weir::compute
