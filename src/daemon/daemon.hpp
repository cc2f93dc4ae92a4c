// `weir serve`: the parts, put together.
//
// Order of a start: state folder and its lock, holder, privileges dropped, store and registry, VPC,
// instances adopted, workers and health checks, stored listeners, AWS APIs, control socket. The end
// goes the other way round; instances stay with the holder for the next daemon.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "net/loop.hpp"

namespace weir::daemon {

struct ServeOptions {
  std::string state_dir;  // absolute
  int workers = 0;        // 0: one per core
  std::optional<net::Backend> event_loop;
  std::string
      identity_ca_file;  // PEM: trusted for identity providers besides the system's; may be empty
  std::vector<std::string> bind_addresses;  // empty: loopback, IPv4 and IPv6
  std::string runtime = "runc";
  bool rootless = false;         // even when root
  std::string admin;             // "127.0.0.1:9901", "[::1]:9901"; empty: no admin endpoint
  std::string admin_token_file;  // empty: no token is asked for, so loopback only
  std::string api;               // "127.0.0.1:4566"; empty: that or the next free port; "off": none
  bool verify_signatures = false;  // of the AWS APIs on loopback too; elsewhere they always are
  std::string vpc_cidr;            // empty: 172.31.0.0/16, or the next range that is free
  std::string limits = "raised";   // or "aws": AWS's numbers of rules, targets, …
  // Logs to <state>/weir.log instead of standard error.
  bool is_background = false;
  // Gets one line of JSON when the daemon serves or has failed to start; -1: nobody waits.
  int ready_fd = -1;
};

// Serves until SIGTERM, SIGINT or `weir stop`. The error is why it could not start.
Status serve(const ServeOptions& options);

}  // namespace weir::daemon
