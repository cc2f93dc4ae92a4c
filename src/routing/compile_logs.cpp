#include "routing/compile_logs.hpp"

#include <string>
#include <string_view>

#include "model/attributes.hpp"

namespace weir::routing {
namespace {

class LogAttributes {
 public:
  explicit LogAttributes(const model::LoadBalancer& source) : attributes_(source.attributes) {}

  [[nodiscard]] std::string text(const std::string& key) const {
    return model::value_of(attributes_, specs_, key);
  }
  [[nodiscard]] bool flag(const std::string& key) const {
    return model::flag_of(attributes_, specs_, key);
  }
  // All files of a load balancer are set aside at the same size.
  [[nodiscard]] LogPolicy::File file(bool is_json) const {
    return {is_json,
            static_cast<std::uint64_t>(number("weir.access_log.rotate_megabytes")) * 1'000'000,
            static_cast<int>(number("weir.access_log.keep"))};
  }
  [[nodiscard]] std::optional<LogPolicy::Bucket> bucket(const std::string& log) const {
    if (!flag(log + ".s3.enabled")) return std::nullopt;
    return LogPolicy::Bucket{text(log + ".s3.bucket"), text(log + ".s3.prefix")};
  }

 private:
  [[nodiscard]] long number(std::string_view key) const {
    return model::number_of(attributes_, specs_, key);
  }

  const model::Attributes& attributes_;
  std::span<const model::AttributeSpec> specs_ = model::load_balancer_attributes();
};

}  // namespace

LogPolicies compile_logs(const model::LoadBalancer& source) {
  const LogAttributes attributes(source);
  LogPolicies out;
  if (const std::string format = attributes.text("weir.access_log.format"); format != "off")
    out[LogKind::access].file = attributes.file(format == "json");
  if (attributes.flag("weir.connection_log.enabled"))
    out[LogKind::connection].file = attributes.file(false);
  if (attributes.flag("weir.health_check_log.enabled"))
    out[LogKind::health_check].file = attributes.file(false);
  out[LogKind::access].bucket = attributes.bucket("access_logs");
  out[LogKind::connection].bucket = attributes.bucket("connection_logs");
  out[LogKind::health_check].bucket = attributes.bucket("health_check_logs");
  return out;
}

}  // namespace weir::routing
