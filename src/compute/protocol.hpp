// What daemon and holder say to each other: requests with an id, answers with the same id, and
// events without one. A message is a JSON object; what need not be text (user data) follows it
// after a zero byte. Descriptors travel beside it (wire.hpp).
//
// Decoding believes nothing but the types: values are validated by the holder (validate.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "compute/compute.hpp"

namespace weir::compute {

enum class Operation : std::uint8_t {
  ensure_vpc,
  set_node_addresses,
  clashes,
  launch,
  metadata_socket,
  stop,
  terminate,
  set_firewall,
  running,
  exec,
  sockets,
  release,
};

struct Request {
  std::uint64_t id = 0;
  Operation operation = Operation::running;
  std::string instance;            // metadata_socket, stop, terminate, set_firewall, exec
  VpcSpec vpc;                     // ensure_vpc
  std::string cidr;                // clashes
  std::vector<std::string> words;  // set_node_addresses: addresses; exec: argv
  InstanceSpec spec;               // launch
  Firewall firewall;               // set_firewall
  int number = 0;                  // stop: grace in ms; sockets: count
  bool terminal = false;           // exec
};

struct Response {
  std::uint64_t id = 0;  // 0: an event, or the greeting
  std::optional<Error> error;
  bool flag = false;  // clashes; release: the holder ends now
  int number = 0;     // exec: exit status
  std::vector<RunningInstance> running;
  std::optional<Capabilities> greeting;  // the first message on a connection
  std::string exited;                    // event: this instance ended by itself…
  int exit_status = -1;                  // …with this status
};

[[nodiscard]] std::string encode(const Request& request);
[[nodiscard]] std::string encode(const Response& response);
// Error "MalformedMessage".
[[nodiscard]] Result<Request> decode_request(std::string_view bytes);
[[nodiscard]] Result<Response> decode_response(std::string_view bytes);

}  // namespace weir::compute
