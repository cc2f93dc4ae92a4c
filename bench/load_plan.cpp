#include "load_plan.hpp"

#include <sys/types.h>

#include <algorithm>
#include <string_view>

#include "support.hpp"

namespace weir::bench {
namespace {

Mode mode_of(const std::string& word) {
  if (word == "closed") return Mode::closed;
  if (word == "close") return Mode::close;
  if (word == "open") return Mode::open;
  if (word == "idle") return Mode::idle;
  usage_error("--mode is closed, close, open or idle");
}

std::vector<clockid_t> clocks_of(std::string_view pids) {
  std::vector<clockid_t> clocks;
  while (!pids.empty()) {
    const std::size_t comma = std::min(pids.find(','), pids.size());
    std::uint64_t pid = 0;
    clockid_t clock{};
    if (!parse_decimal(pids.substr(0, comma), pid) ||
        clock_getcpuclockid(static_cast<pid_t>(pid), &clock) != 0) {
      usage_error("--watch wants ids of processes, with commas between them");
    }
    clocks.push_back(clock);
    pids.remove_prefix(std::min(comma + 1, pids.size()));
  }
  return clocks;
}

std::string request_of(const Options& options, const Plan& plan) {
  std::string request = plan.upload_bytes > 0 ? "POST " : "GET ";
  request += options.text("path", "/");
  request += " HTTP/1.1\r\nHost: " + options.text("host", "bench.localhost");
  request += "\r\nUser-Agent: weir-bench\r\nAccept: */*\r\n";
  if (plan.mode == Mode::close) request += "Connection: close\r\n";
  if (plan.upload_bytes > 0) {
    request += "Content-Length: " + std::to_string(plan.upload_bytes) + "\r\n";
  }
  return request + "\r\n";
}

// The back end answers an upload with the number of bytes that it received, in twenty digits.
std::string twenty_digits(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(20 - digits.size(), '0') + digits;
}

}  // namespace

Plan plan_of(int argc, char** argv) {
  const Options options(argc, argv,
                        {"mode", "port", "connections", "path", "host", "upload", "expect-text",
                         "expect-bytes", "warmup-ms", "duration-ms", "rate", "watch"});
  Plan plan;
  plan.mode = mode_of(options.text("mode", "closed"));
  plan.port = static_cast<std::uint16_t>(options.number("port", 0));
  plan.connections = options.number("connections", 1);
  plan.upload_bytes = options.number("upload", 0);
  plan.expected.text =
      plan.upload_bytes > 0 ? twenty_digits(plan.upload_bytes) : options.text("expect-text", "");
  plan.expected.body_bytes = options.number("expect-bytes", plan.expected.text.size());
  plan.warmup_ns = static_cast<std::int64_t>(options.number("warmup-ms", 300)) * 1'000'000;
  plan.duration_ns = static_cast<std::int64_t>(options.number("duration-ms", 1000)) * 1'000'000;
  plan.rate = static_cast<double>(options.number("rate", 0));
  if (plan.mode == Mode::open && plan.rate <= 0) usage_error("--mode open wants --rate");
  plan.watched = clocks_of(options.text("watch", ""));
  plan.request = request_of(options, plan);
  return plan;
}

}  // namespace weir::bench
