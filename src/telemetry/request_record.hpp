// What is known of one request when it ends: the source of its access log line and of every counter
// that it moves.
//
// A plain struct inside the exchange. Each phase writes what it knows where it knows it; nothing is
// looked up or allocated. Text that outlives the request (the configuration's) is a pointer or a
// view; text that came with the request is copied into `texts`, and only where the load balancer
// logs (`wants_text`), so that a request which nobody logs pays a few stores.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "http/message.hpp"
#include "routing/snapshot.hpp"

namespace weir::telemetry {

// Bytes that came with the request, and where the limit comes from (reference §7.1, §5.1).
enum class Text : std::uint8_t {
  method,
  target,            // as received, raw
  authority,         // Host or that of absolute-form
  user_agent,        // cut at 8 KiB
  trace_id,          // X-Amzn-Trace-Id, as sent to the target
  redirect_url,      // Location
  transformed_host,  // only where a transform changed it
  transformed_uri,
  count_,
};

// Copies of the texts of one record, one after another in one string that keeps its capacity.
class Texts {
 public:
  static constexpr std::size_t bytes_max_each = 16 * 1024;

  void set(Text which, std::string_view value) {
    value = value.substr(0, which == Text::user_agent ? 8 * 1024 : bytes_max_each);
    spans_[static_cast<std::size_t>(which)] = {static_cast<std::uint32_t>(bytes_.size()),
                                               static_cast<std::uint32_t>(value.size())};
    bytes_.append(value);
  }
  [[nodiscard]] std::string_view get(Text which) const {
    const auto [start, size] = spans_[static_cast<std::size_t>(which)];
    return std::string_view(bytes_).substr(start, size);
  }
  void clear() {
    bytes_.clear();
    spans_ = {};
  }

 private:
  std::string bytes_;
  std::array<std::pair<std::uint32_t, std::uint32_t>, static_cast<std::size_t>(Text::count_)>
      spans_{};
};

// actions_executed (field 23), in the order in which the log writes them.
enum class Executed : std::uint8_t {
  waf = 1,
  waf_failed = 2,
  authenticate = 4,
  rewrite = 8,
  redirect = 16,
  fixed_response = 32,
  forward = 64,
};

// request_transform_status (field 33); `none` is "-".
using routing::TransformStatus;

// When a phase ended, in microseconds of the loop's clock (net::Loop::now_us); 0: not reached.
struct Moments {
  std::int64_t accepted = 0;    // the connection; only of its first request
  std::int64_t received = 0;    // the first byte of the head
  std::int64_t parsed = 0;      // the head is whole
  std::int64_t dispatched = 0;  // a target connection was asked for, after any queueing
  std::int64_t connected = 0;   // the target connection can be written to
  std::int64_t first_byte = 0;  // of the target's response
  std::int64_t ended = 0;       // the response has been handed to the client's stream
};

struct RequestRecord {
  static constexpr int rule_none = -2;   // "-": no rule was looked for
  static constexpr int rule_error = -1;  // evaluation failed
  static constexpr int rule_default = 0;

  // Set at the begin: the load balancer logs, so the texts are wanted.
  bool wants_text = false;

  // ---- where; valid as long as the exchange holds its Serving
  const routing::LoadBalancer* load_balancer = nullptr;
  const routing::Listener* listener = nullptr;
  const routing::TargetGroup* target_group = nullptr;  // chosen by the action
  const routing::Target* target = nullptr;             // set once a target was chosen
  std::uint32_t target_index = 0;                      // in target_group->targets
  std::uint32_t zone = 0;                              // node of the client's connection

  Moments at;
  std::int64_t route_ns = -1;  // exact; timed for one request in sixteen, else -1

  // ---- request
  http::Version version = http::Version::http_1_1;
  http::DesyncClass desync_class = http::DesyncClass::compliant;
  http::DesyncReason desync_reason = http::DesyncReason::none;
  int rule_priority = rule_none;
  std::uint32_t rules_evaluated = 0;  // the default rule not counted
  std::uint8_t executed = 0;          // bits of Executed
  TransformStatus transform_status = TransformStatus::none;
  std::string_view error_reason;  // of reference §7.1's list, a literal; empty: "-"
  bool is_ipv6 = false;
  bool is_websocket = false;  // became a tunnel
  bool is_grpc = false;

  // ---- answer
  int elb_status = 0;           // sent to the client, or the code of the log alone (460); 0: none
  int target_status = 0;        // 0: the target gave none
  bool is_from_target = false;  // the response is the target's, else the load balancer's own
  std::uint64_t received_bytes = 0;         // from the client, head included
  std::uint64_t sent_bytes = 0;             // to the client, head included
  std::uint64_t target_sent_bytes = 0;      // to the target
  std::uint64_t target_received_bytes = 0;  // from the target

  // ---- what happened on the way
  std::uint16_t connect_errors = 0;             // TargetConnectionErrorCount
  std::uint16_t retries = 0;                    // sent to a target again
  std::uint32_t invalid_headers_dropped = 0;    // DroppedInvalidHeaderRequestCount counts requests
  std::uint32_t invalid_headers_forwarded = 0;  // likewise
  bool is_fail_open = false;                    // routed while no target was healthy
  bool is_newly_sticky = false;                 // NonStickyRequestCount
  bool is_app_cookie_missing = false;           // AppCookieNonStickinessCount
  bool is_location_too_long = false;            // HTTP_Redirect_Url_Limit_Exceeded_Count
  bool is_rate_limited = false;                 // weir.rate_limit.*
  bool is_circuit_open = false;                 // weir.circuit_breaker.*
  bool is_mirrored = false;                     // weir.mirror.*
  bool is_jwt_refused = false;                  // JWTValidationFailureCount

  Texts texts;

  void did(Executed what) {
    executed = static_cast<std::uint8_t>(executed | static_cast<std::uint8_t>(what));
  }
  [[nodiscard]] bool has_done(Executed what) const {
    return (executed & static_cast<std::uint8_t>(what)) != 0;
  }
  // Copies the text where somebody will read it.
  void note(Text which, std::string_view value) {
    if (wants_text) texts.set(which, value);
  }
  // As new; the texts keep their memory.
  void restart() {
    Texts kept = std::move(texts);
    kept.clear();
    *this = RequestRecord{};
    texts = std::move(kept);
  }
};

}  // namespace weir::telemetry
