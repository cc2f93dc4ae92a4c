// Which logs a load balancer keeps and where they go (reference §7.1–7.3): a file on this machine,
// objects in a bucket, or both.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace weir::routing {

enum class LogKind : std::uint8_t { access, connection, health_check, count_ };

struct LogPolicy {
  struct File {  // weir.access_log.*, weir.connection_log.enabled, weir.health_check_log.enabled
    bool is_json = false;
    std::uint64_t bytes_max = 0;  // at which the file is set aside
    int keep = 0;                 // files set aside
    bool operator==(const File&) const = default;
  };
  struct Bucket {  // access_logs.s3.*, connection_logs.s3.*, health_check_logs.s3.*
    std::string name;
    std::string prefix;  // may be empty
    bool operator==(const Bucket&) const = default;
  };

  std::optional<File> file;
  std::optional<Bucket> bucket;

  [[nodiscard]] bool is_on() const { return file.has_value() || bucket.has_value(); }
};

class LogPolicies {
 public:
  [[nodiscard]] LogPolicy& operator[](LogKind kind) {
    return policies_[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] const LogPolicy& operator[](LogKind kind) const {
    return policies_[static_cast<std::size_t>(kind)];
  }

 private:
  std::array<LogPolicy, static_cast<std::size_t>(LogKind::count_)> policies_;
};

}  // namespace weir::routing
