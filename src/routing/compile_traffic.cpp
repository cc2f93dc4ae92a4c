#include "routing/compile_traffic.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "model/attributes.hpp"
#include "routing/text.hpp"

namespace weir::routing {
namespace {

const RateLimit* previous_rate_limit(const Snapshot* previous, std::string_view arn) {
  if (previous == nullptr) return nullptr;
  const auto found = std::ranges::find(previous->load_balancers, arn, &LoadBalancer::arn);
  return found == previous->load_balancers.end() ? nullptr : found->rate_limit.get();
}

}  // namespace

std::shared_ptr<const RateLimit> compile_rate_limit(const model::LoadBalancer& source,
                                                    const Snapshot* previous) {
  const auto specs = model::load_balancer_attributes();
  const auto number = [&](std::string_view key) {
    return static_cast<std::uint32_t>(model::number_of(source.attributes, specs, key));
  };
  const std::uint32_t per_second = number("weir.rate_limit.requests_per_second");
  if (per_second == 0) return nullptr;
  const std::uint32_t burst = number("weir.rate_limit.burst");
  const traffic::RateLimiter::Limit limit{per_second, burst == 0 ? per_second : burst};
  auto out = std::make_shared<RateLimit>();
  const std::string key = model::value_of(source.attributes, specs, "weir.rate_limit.key");
  if (key.starts_with("header:")) out->header_name = key.substr(key.find(':') + 1);
  const RateLimit* before = previous_rate_limit(previous, source.arn);
  const bool is_same = before != nullptr && before->limiter->limit() == limit &&
                       before->header_name == out->header_name;
  out->limiter = is_same ? before->limiter : std::make_shared<traffic::RateLimiter>(limit);
  return out;
}

std::shared_ptr<const traffic::CompressionPolicy> compile_compression(
    const model::LoadBalancer& source) {
  using traffic::Encoding;
  const auto specs = model::load_balancer_attributes();
  const auto text = [&](std::string_view key) {
    return model::value_of(source.attributes, specs, key);
  };
  auto out = std::make_shared<traffic::CompressionPolicy>();
  const std::string algorithms = text("weir.compression.algorithms");
  for (const std::string_view item : model::items_of(algorithms)) {
    for (const Encoding encoding : {Encoding::br, Encoding::gzip, Encoding::zstd}) {
      if (item == traffic::name_of(encoding)) out->algorithms.push_back(encoding);
    }
  }
  if (out->algorithms.empty()) return nullptr;
  const std::string types = matchable(text("weir.compression.content_types"), Case::folded);
  for (const std::string_view item : model::items_of(types)) out->content_types.emplace_back(item);
  out->bytes_min = static_cast<std::uint64_t>(
      model::number_of(source.attributes, specs, "weir.compression.min_bytes"));
  return out;
}

std::string mirror_arn(const model::TargetGroup& source) {
  return model::value_of(source.attributes, model::target_group_attributes(),
                         "weir.mirror.target_group_arn");
}

std::uint32_t mirror_percent(const model::TargetGroup& source) {
  return static_cast<std::uint32_t>(
      model::number_of(source.attributes, model::target_group_attributes(), "weir.mirror.percent"));
}

traffic::RetryPolicy compile_retry(const model::TargetGroup& source) {
  using traffic::RetryPolicy;
  const auto specs = model::target_group_attributes();
  const auto number = [&](std::string_view key) {
    return model::number_of(source.attributes, specs, key);
  };
  RetryPolicy out;
  out.on_connect_failure = out.on_stale = false;
  const std::string on = model::value_of(source.attributes, specs, "weir.retry.on");
  for (const std::string_view item : model::items_of(on)) {
    if (item == "connect-failure") out.on_connect_failure = true;
    if (item == "stale") out.on_stale = true;
    if (item == "reset") out.on_reset = true;
    for (int status = RetryPolicy::status_min; status <= RetryPolicy::status_max; ++status) {
      const bool is_meant = item == "5xx" ? status / 100 == 5 : item == std::to_string(status);
      if (is_meant) out.add_status(status);
    }
  }
  out.attempts = static_cast<int>(number("weir.retry.attempts"));
  out.budget_percent = static_cast<std::uint32_t>(number("weir.retry.budget_percent"));
  out.per_try_timeout_ms = number("weir.retry.per_try_timeout_ms");
  return out;
}

}  // namespace weir::routing
