// The instance metadata service (reference §9.6): IMDSv1 and v2 on 169.254.169.254.
//
// What an instance may ask is a pure function of a Document; the server is one thread that accepts
// on one listening socket per instance. The socket says which instance asks, so nothing can be
// spoofed. Requests are hostile: parsed by http/, bounded in size, rate and time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace weir::compute {

// Everything that the service tells about one instance.
struct MetadataDocument {
  std::string instance_id, ami_id, instance_type, reservation_id, region, zone, zone_id;
  std::string local_ipv4, local_hostname, mac, subnet_id, subnet_cidr, vpc_id, vpc_cidr, owner_id;
  int ami_launch_index = 0;
  std::int64_t launch_time_ms = 0;
  std::vector<std::string> security_groups;  // names
  std::vector<std::string> security_group_ids;
  std::string key_name, public_key;  // empty: no public-keys/
  std::string user_data;             // empty: 404
  std::map<std::string, std::string> tags;
  bool tokens_required = false;  // HttpTokens=required: v1 answers 401
};

// An answer: HTTP status and body.
struct MetadataAnswer {
  int status = 404;
  std::string body;
  std::string content_type = "text/plain";
};

// GET `path` (starting with '/', no query), token already checked.
[[nodiscard]] MetadataAnswer answer_metadata(const MetadataDocument& document,
                                             std::string_view path);

class MetadataServer {
 public:
  MetadataServer();
  ~MetadataServer();  // closes every socket, ends the thread
  MetadataServer(const MetadataServer&) = delete;
  MetadataServer& operator=(const MetadataServer&) = delete;

  // Any thread. A second call for the same instance replaces socket and document.
  void add(const std::string& instance_id, Fd listener, MetadataDocument document);
  void update(const std::string& instance_id, MetadataDocument document);
  void remove(const std::string& instance_id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::compute
