// The heads that the load balancer sends on: a request's to the target, a response's to the client.
// Functions of their arguments; what is added, changed and dropped is reference §5.2–§5.5, §5.8.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "http/writer.hpp"
#include "proxy/byte_window.hpp"
#include "routing/snapshot.hpp"
#include "tls/stream.hpp"

namespace weir::proxy {

// "1-<seconds>-<id>" (reference §5.5).
using TraceId = std::array<char, 35>;

// Ids for X-Amzn-Trace-Id: unique, not secret. One a worker.
class TraceIds {
 public:
  // The text of a new one, for `last` to tell again.
  [[nodiscard]] std::string_view make(std::int64_t unix_seconds);
  [[nodiscard]] const TraceId& last() const { return last_; }
  explicit TraceIds(std::uint64_t seed) : state_(seed | 1U) {}
  [[nodiscard]] std::uint64_t next() {  // splitmix64
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_;
  TraceId last_{};
};

struct ForwardingFacts {
  const routing::LoadBalancer& load_balancer;
  std::uint16_t listener_port = 80;
  std::string_view client_ip;
  std::uint16_t client_port = 0;
  std::int64_t unix_seconds = 0;
  const routing::Transformed* transformed = nullptr;
  const tls::TlsStream* tls = nullptr;  // nullptr: the client speaks HTTP
  // Where the client is told of how the load balancer and it talk; nullptr: nowhere.
  const routing::ListenerTls* tls_headers = nullptr;
};

// `out` must be empty and started. Returns how many header fields with invalid names came, which
// went on or were dropped as the load balancer says.
std::uint32_t write_request_head(ByteWindow& out, const http::RequestHead& head,
                                 const ForwardingFacts& facts, TraceIds& trace_ids);

// How the client gets the body.
enum class ResponseFraming : std::uint8_t { none, content_length, chunked, until_close };

[[nodiscard]] ResponseFraming response_framing(const http::ResponseHead& head,
                                               http::Version client_version);

// `close`: this is the connection's last response. An HTTP/1.0 client that keeps its connection is
// told so. `changes` are the listener's; `more` are whole lines (cookies).
void write_response_head(ByteWindow& out, const http::ResponseHead& head, ResponseFraming framing,
                         http::Version client_version, bool close,
                         const routing::ResponseHeaders& changes, std::string_view more = {});

// An interim response (1xx but 100 and 101).
void write_interim_head(ByteWindow& out, const http::ResponseHead& head);

// Location of a redirect (reference §3.3), or nothing where it is longer than 8 K (507).
[[nodiscard]] std::string redirect_location(const model::RedirectAction& action,
                                            const http::RequestHead& head, std::string_view host,
                                            const routing::Listener& listener);

}  // namespace weir::proxy
