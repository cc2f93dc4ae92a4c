#include "health/probe.hpp"

#include <fmt/core.h>

#include <utility>

namespace weir::health {
namespace {

constexpr int switching_protocols = 101;

bool is_interim(int code) { return code < 200 && code != switching_protocols; }

}  // namespace

Probe::Probe(net::Loop& loop, ProbeEvents& events)
    : loop_(loop),
      events_(events),
      deadline_(
          [](void* self) {
            static_cast<Probe*>(self)->finish(CheckResult::timeout, 0, net::Close::now);
          },
          this) {}

Probe::~Probe() { abort(); }

void Probe::begin(Fd socket, const net::Address& to, std::string request, const CodeMatcher& codes,
                  std::int64_t timeout_ms) {
  request_ = std::move(request);
  codes_ = &codes;
  is_connected_ = false;
  parser_.restart();
  loop_.schedule(deadline_, timeout_ms);
  stream_ = loop_.connect(std::move(socket), to, this);
}

void Probe::abort() {
  if (is_under_way()) end(net::Close::now);
}

void Probe::on_connected() {
  is_connected_ = true;
  stream_->send_copy(request_);
  stream_->set_receiving(true);
}

void Probe::on_received(net::Buffer data) {
  received_ += data.view();
  http::ResponseHead head;
  while (true) {
    const http::ParseState state = parser_.parse(received_, http::Method::get, head);
    if (state == http::ParseState::need_more) return;
    if (state == http::ParseState::refused)
      return finish(CheckResult::connection_failed, 0, net::Close::now);
    if (!is_interim(head.status)) return judge(head.status);
    received_.erase(0, head.head_bytes);
    parser_.restart();
  }
}

// The body is not part of the check, but the target may send it in peace.
void Probe::judge(int code) {
  const auto result = codes_->matches(code) ? CheckResult::success : CheckResult::code_mismatch;
  finish(result, code, net::Close::linger);
}

void Probe::finish(CheckResult result, int code, net::Close how) {
  end(how);
  events_.on_verdict(result, code);
}

void Probe::end(net::Close how) {
  loop_.cancel(deadline_);
  std::exchange(stream_, nullptr)->close(how);
  is_connected_ = false;
  received_ = {};  // most of the time a target is not being checked
  request_ = {};
}

std::string check_request(std::string_view path, std::string_view address, std::uint16_t port) {
  std::string target;
  for (const char c : path) {
    const bool is_safe = c > ' ' && c < '\x7f';
    target += is_safe ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  const bool is_v6 = address.find(':') != std::string_view::npos;
  const std::string host = is_v6 ? fmt::format("[{}]", address) : std::string(address);
  const std::string port_suffix = port == 80 ? std::string() : fmt::format(":{}", port);
  return fmt::format(
      "GET {} HTTP/1.1\r\n"
      "Host: {}{}\r\n"
      "Connection: close\r\n"
      "User-Agent: ELB-HealthChecker/2.0\r\n"
      "Accept-Encoding: gzip, compressed\r\n"
      "\r\n",
      target, host, port_suffix);
}

}  // namespace weir::health
