// What the files of a delivered log are called, from the line's arrival to the object in the bucket
// (reference §7.1):
//
//   part     <bucket>/[<prefix>/]AWSLogs/<account>/elasticloadbalancing/<region>/<log>_<node
//   ip>.part sealed   …/<log>_<end>_<node ip>_<random>.log object
//   …/<yyyy>/<mm>/<dd>/<log>_<end>_<node ip>_<random>.log.gz
//
// Each follows from the one before it, so what a daemon leaves behind says where it belongs, and
// delivering a sealed file twice makes one object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "routing/log_policy.hpp"

namespace weir::telemetry {

// The length of an interval, whole ones of which are counted from midnight (UTC).
inline constexpr std::int64_t delivery_interval_us = 300'000'000;
[[nodiscard]] constexpr std::int64_t interval_end_us(std::int64_t wall_us) {
  return (wall_us / delivery_interval_us + 1) * delivery_interval_us;
}

// "connection.log": a log's file on this machine.
[[nodiscard]] std::string_view file_name_of(routing::LogKind kind);

class ObjectNames {
 public:
  // None where `load_balancer_arn` is not a load balancer's.
  [[nodiscard]] static std::optional<ObjectNames> of(std::string_view load_balancer_arn,
                                                     routing::LogKind kind,
                                                     const routing::LogPolicy::Bucket& bucket);

  // Written when the log is switched on, to show that objects can be.
  [[nodiscard]] const std::string& test_object() const { return test_object_; }
  [[nodiscard]] std::string part(std::string_view node_ip) const;

 private:
  ObjectNames() = default;

  std::string test_object_;
  std::string stem_;  // of parts: folder and log
};

// `part` as above, whose last line came in the interval that ends at `end_us`; `random`: eight
// digits. None where it is not the name of a part.
[[nodiscard]] std::optional<std::string> sealed_name(std::string_view part, std::int64_t end_us,
                                                     std::string_view random);
[[nodiscard]] std::optional<std::string> object_name(std::string_view sealed);

}  // namespace weir::telemetry
