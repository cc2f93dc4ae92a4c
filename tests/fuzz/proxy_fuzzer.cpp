// A whole worker between a hostile client and a hostile target, in memory.
//
// The input: a byte of flags, a byte that seeds the cutting, what the client sends, and behind
// lines
// "=== target" what the target answers, one answer a request. Held, whatever comes:
// - each connection to the target carries complete requests that a strict parser reads without
//   doubt, with each of the load balancer's own headers once, and the next only after the answer to
//   the one before (so that no part of one request is ever another one);
// - as many requests as the worker says that it sent;
// - a second client, who comes when nothing more happens, gets the answer to its own request;
// - all ends: no endless work, no connection that outlives its timeouts, no buffer that is kept.
#include <array>
#include <cstdint>
#include <memory>

#include "base/log.hpp"
#include "fuzz_support.hpp"
#include "proxy/worker.hpp"
#include "sim_loop.hpp"
#include "telemetry/totals.hpp"

namespace weir::proxy::test {
namespace {

using http::HeaderId;
using http::ParseState;
using net::test::Peer;
using net::test::SimLoop;
using net::test::SimStream;

constexpr std::size_t input_bytes_max = 4000;  // encoded, still within the limits of a head
constexpr std::size_t steps_max = 400'000;

struct Flags {
  explicit Flags(std::uint8_t byte)
      : mode(byte & 3U),
        preserves_host((byte & 4U) != 0),
        drops_invalid((byte & 8U) != 0),
        client_ends_at_once((byte & 16U) != 0),
        answers_early((byte & 32U) != 0),
        target_ends((byte & 64U) != 0),
        small_pieces((byte & 128U) != 0) {}

  unsigned mode;
  bool preserves_host, drops_invalid;
  bool client_ends_at_once;
  bool answers_early;  // before the request's body is whole
  bool target_ends;    // its connection after each answer
  bool small_pieces;
};

struct Script {
  std::string client;
  std::vector<std::string> answers;
};

Script split(std::string_view text) {
  constexpr std::string_view separator = "\n=== target\n";
  Script script;
  auto end = std::min(text.find(separator), text.size());
  script.client = text.substr(0, end);
  while (end < text.size()) {
    text.remove_prefix(end + separator.size());
    end = std::min(text.find(separator), text.size());
    script.answers.emplace_back(text.substr(0, end));
  }
  return script;
}

// What all connections to the target share.
struct TargetFacts {
  const Flags& flags;
  const Script& script;
  std::size_t answers = 0;
  std::uint64_t requests = 0;  // complete ones

  std::string next_answer() {
    if (script.answers.empty()) return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    return script.answers[answers++ % script.answers.size()];
  }
};

const std::string second_request = "GET /second HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n";
const std::string second_answer = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsecond!";

void check_reason(http::DesyncReason reason, std::string_view about) {
  using enum http::DesyncReason;
  switch (reason) {
    case none:
    case bad_method:
    case get_head_zero_content_length:
    case non_compliant_header:
    case undefined_content_length_semantics:
    case undefined_transfer_encoding_semantics:
      return;
    default:
      FUZZ_CHECK(false, std::string(to_string(reason)) + "\n" + std::string(about));
  }
}

void check_head(const http::RequestHead& head, std::string_view about) {
  std::array<int, static_cast<std::size_t>(HeaderId::count_)> count{};
  for (const http::Header& header : head.headers) ++count[static_cast<std::size_t>(header.id)];
  const auto of = [&](HeaderId id) { return count[static_cast<std::size_t>(id)]; };
  check_reason(head.desync_reason, about);
  FUZZ_CHECK(head.version == http::Version::http_1_1, about);
  FUZZ_CHECK(of(HeaderId::host) == 1, about);
  FUZZ_CHECK(of(HeaderId::x_forwarded_proto) == 1, about);
  FUZZ_CHECK(of(HeaderId::x_forwarded_port) == 1, about);
  FUZZ_CHECK(of(HeaderId::x_forwarded_for) == 1, about);
  FUZZ_CHECK(of(HeaderId::x_amzn_trace_id) == 1, about);
  FUZZ_CHECK(of(HeaderId::transfer_encoding) + of(HeaderId::content_length) <= 1, about);
  FUZZ_CHECK(of(HeaderId::expect) + of(HeaderId::keep_alive) + of(HeaderId::te) == 0, about);
  const int upgrades = head.is_websocket_upgrade ? 1 : 0;
  FUZZ_CHECK(of(HeaderId::connection) == upgrades && of(HeaderId::upgrade) == upgrades, about);
  FUZZ_CHECK(!head.target_needs_encoding, about);
}

// The target's end of one connection.
class TargetPeer final : public Peer {
 public:
  explicit TargetPeer(TargetFacts& facts) : facts_(facts) {}

  void on_bytes(SimStream& stream, std::string_view bytes) override {
    if (is_tunnel_) return;
    FUZZ_CHECK(!has_ended_, bytes);
    if (held_.empty()) {
      FUZZ_CHECK(stream.bytes_delivered() > delivered_before_ || is_first_, bytes);
      is_first_ = is_answered_ = false;
    }
    held_ += bytes;
    read(stream);
  }
  void on_end(SimStream& stream) override {
    has_ended_ = true;
    stream.arrive_end();
  }

 private:
  void read(SimStream& stream) {
    http::RequestParser parser;
    http::RequestHead head;
    const ParseState state = parser.parse(held_, head);
    FUZZ_CHECK(state != ParseState::refused, std::string(parser.detail()) + "\n" + held_);
    if (state != ParseState::done) return;
    check_head(head, held_);
    const bool is_whole = is_body_whole(head);
    if (is_whole || facts_.flags.answers_early) answer(stream, head);
    if (!is_whole) return;
    ++facts_.requests;
    held_.clear();
  }

  // Nothing may follow the body: the request has not been answered yet.
  [[nodiscard]] bool is_body_whole(const http::RequestHead& head) const {
    const std::string_view body = std::string_view(held_).substr(head.head_bytes);
    if (head.framing != http::Framing::chunked) {
      FUZZ_CHECK(body.size() <= head.content_length, held_);
      return body.size() == head.content_length;
    }
    http::ChunkedDecoder decoder;
    std::size_t at = 0;
    auto state = ParseState::need_more;
    while (at < body.size() && state == ParseState::need_more) {
      const auto step = decoder.step(body.substr(at));
      at += step.consumed;
      state = step.state;
    }
    FUZZ_CHECK(state != ParseState::refused, std::string(decoder.detail()) + "\n" + held_);
    FUZZ_CHECK(state != ParseState::done || at == body.size(), held_);
    return state == ParseState::done;
  }

  void answer(SimStream& stream, const http::RequestHead& head) {
    if (std::exchange(is_answered_, true)) return;
    delivered_before_ = stream.bytes_delivered();
    if (held_.starts_with("GET /second HTTP/1.1\r\n")) return stream.arrive(second_answer);
    const std::string bytes = facts_.next_answer();
    is_tunnel_ = head.is_websocket_upgrade && bytes.find("101") != std::string::npos;
    stream.arrive(bytes);
    if (facts_.flags.target_ends) stream.arrive_end();
  }

  TargetFacts& facts_;
  std::string held_;  // of the request under way
  std::uint64_t delivered_before_ = 0;
  bool is_first_ = true;
  bool is_answered_ = false;
  bool is_tunnel_ = false;
  bool has_ended_ = false;
};

class ClientPeer final : public Peer {
 public:
  void on_bytes(SimStream&, std::string_view bytes) override { got_ += bytes; }
  void on_end(SimStream& stream) override {
    has_ended_ = true;
    stream.arrive_end();
  }
  [[nodiscard]] const std::string& got() const { return got_; }
  [[nodiscard]] bool has_ended() const { return has_ended_; }

 private:
  std::string got_;
  bool has_ended_ = false;
};

routing::SnapshotPtr make_snapshot(unsigned mode, bool preserves_host, bool drops_invalid) {
  const auto boolean = [](bool value) { return std::string(value ? "true" : "false"); };
  constexpr std::array modes = {"monitor", "defensive", "strictest", "defensive"};
  std::map<std::string, model::LoadBalancer> load_balancers;
  model::LoadBalancer& balancer = load_balancers["lb"];
  balancer.arn = "lb";
  balancer.name = "web";
  balancer.dns_name = "web.elb.localhost";
  balancer.attributes["routing.http.desync_mitigation_mode"] = modes[mode];
  balancer.attributes["routing.http.preserve_host_header.enabled"] = boolean(preserves_host);
  balancer.attributes["routing.http.drop_invalid_header_fields.enabled"] = boolean(drops_invalid);
  std::map<std::string, model::Listener> listeners;
  model::Listener& listener = listeners["listener"];
  listener.arn = "listener";
  listener.load_balancer_arn = "lb";
  listener.port = listener.bound_port = 80;
  listener.default_actions = {{1, model::ForwardAction{{{"group", 1}}, false, 0}}};
  std::map<std::string, model::TargetGroup> groups;
  groups["group"].arn = "group";
  groups["group"].target_type = "ip";
  std::map<std::tuple<std::string, std::string, std::uint16_t>, model::Target> targets;
  targets[{"group", "127.0.0.1", 9}] = {"group", "127.0.0.1", 9, "all", 0, 0};
  const std::map<std::string, model::Rule> rules;
  const std::map<std::string, model::Instance> instances;
  const std::map<std::string, model::StickinessKey> keys;
  return routing::compile(
      {load_balancers, listeners, rules, groups, targets, instances, "10.0.0.0/16", &keys}, nullptr,
      1);
}

routing::SnapshotPtr snapshot_of(const Flags& flags) {
  static std::array<routing::SnapshotPtr, 16> made;
  routing::SnapshotPtr& snapshot =
      made[flags.mode + (flags.preserves_host ? 4U : 0U) + (flags.drops_invalid ? 8U : 0U)];
  if (!snapshot) snapshot = make_snapshot(flags.mode, flags.preserves_host, flags.drops_invalid);
  return snapshot;
}

class Run {
 public:
  Run(const Flags& flags, std::uint8_t seed, std::string_view text)
      : flags_(flags), script_(split(text)), target_{flags_, script_} {
    auto loop = std::make_unique<SimLoop>(seed, flags.small_pieces ? 3 : 700, [this]() -> Peer& {
      peers_.push_back(std::make_unique<TargetPeer>(target_));
      return *peers_.back();
    });
    loop_ = loop.get();
    worker_ =
        std::make_unique<Worker>(std::move(loop), VpcSockets(), ledger_.add_worker(), nullptr);
    worker_->apply(snapshot_of(flags));
    worker_->listen(Fd(), 80);
  }

  void check() {
    SimStream& stream = loop_->accept(first_);
    stream.arrive(script_.client);
    if (flags_.client_ends_at_once) stream.arrive_end();
    settle();
    check_second();
    if (!first_.has_ended() && !flags_.client_ends_at_once) stream.arrive_end();
    check_end();
  }

 private:
  void settle() { FUZZ_CHECK(loop_->settle(steps_max), script_.client); }

  void check_second() {
    loop_->accept(second_).arrive(second_request);
    settle();
    FUZZ_CHECK(second_.has_ended(), second_.got());
    FUZZ_CHECK(second_.got().starts_with("HTTP/1.1 200 OK\r\n"), second_.got());
    FUZZ_CHECK(second_.got().ends_with("\r\n\r\nsecond!"), second_.got());
  }

  void check_end() {
    settle();
    for (int i = 0; i < 60; ++i) {
      loop_->pass(5'000);
      settle();
    }
    FUZZ_CHECK(loop_->streams() == 0, script_.client);
    FUZZ_CHECK(loop_->buffered_bytes() == 0, script_.client);
    const auto counts = ledger_.totals().balancer("lb").counts;
    using enum telemetry::OfBalancer;
    FUZZ_CHECK(target_.requests <= counts[dispatched] + counts[retries], script_.client);
    FUZZ_CHECK(counts[active_connections] == 0, script_.client);
    FUZZ_CHECK(counts[active_target_connections] == 0, script_.client);
  }

  const Flags flags_;
  const Script script_;
  TargetFacts target_;
  ClientPeer first_, second_;
  std::vector<std::unique_ptr<TargetPeer>> peers_;
  telemetry::Ledger ledger_;
  SimLoop* loop_ = nullptr;
  std::unique_ptr<Worker> worker_;
};

}  // namespace
}  // namespace weir::proxy::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > weir::proxy::test::input_bytes_max) return 0;
  static const bool is_quiet = [] {
    weir::log::start(weir::log::Level::error);
    return true;
  }();
  static_cast<void>(is_quiet);
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  weir::proxy::test::Run(weir::proxy::test::Flags(data[0]), data[1], text).check();
  return 0;
}
