// One health check at a time: a connection of its own, one GET, the head of the answer.
//
// The verdict is told once, to the owner, and never for a probe that was aborted. Everything that a
// target sends is parsed by the strict parser and bounded by it and by the deadline.
#pragma once

#include <string>
#include <string_view>

#include "health/checker.hpp"
#include "http/parser.hpp"
#include "net/loop.hpp"

namespace weir::health {

class ProbeEvents {
 public:
  // The probe is idle again; it may be begun anew from here. `code`: where the target answered.
  virtual void on_verdict(CheckResult result, int code) = 0;

 protected:
  ~ProbeEvents() = default;
};

class Probe final : net::StreamEvents {
 public:
  Probe(net::Loop& loop, ProbeEvents& events);
  ~Probe();
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  // `codes` outlives the check.
  void begin(Fd socket, const net::Address& to, std::string request, const CodeMatcher& codes,
             std::int64_t timeout_ms);
  void abort();
  [[nodiscard]] bool is_under_way() const { return stream_ != nullptr; }
  [[nodiscard]] bool is_connected() const { return is_connected_; }

 private:
  void on_connected() override;
  void on_received(net::Buffer data) override;
  void on_end() override { finish(CheckResult::connection_failed, 0, net::Close::now); }
  void on_error(int) override { finish(CheckResult::connection_failed, 0, net::Close::now); }
  void judge(int code);
  void finish(CheckResult result, int code, net::Close how);
  void end(net::Close how);

  net::Loop& loop_;
  ProbeEvents& events_;
  net::Timer deadline_;
  net::Stream* stream_ = nullptr;  // set while a check is under way
  const CodeMatcher* codes_ = nullptr;
  bool is_connected_ = false;
  std::string request_;
  std::string received_;
  http::ResponseParser parser_;
};

// The bytes of a check (reference §4.5). What does not belong in a request line is percent-encoded.
[[nodiscard]] std::string check_request(std::string_view path, std::string_view address,
                                        std::uint16_t port);

}  // namespace weir::health
