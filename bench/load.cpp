// The load generator: one thread, N connections, every answer checked (the modes: load_plan.hpp).
//
// CPU time of the proxy is read here, by the clocks of the processes named in --watch, at the very
// moments between which the answers are counted. The result is one line of JSON.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "answer_reader.hpp"
#include "histogram.hpp"
#include "load_plan.hpp"
#include "support.hpp"

namespace weir::bench {
namespace {

constexpr std::size_t receive_bytes = 256 * 1024;
constexpr std::int64_t stall_ns = 10 * second_ns;  // no answer for so long is an error
// An open loop that is not done so long after its end could not keep its rate: its latencies would
// tell how long it ran, no more.
constexpr std::int64_t grace_ns = 2 * second_ns;
constexpr std::uint64_t errors_max = 100;  // then there is nothing to be measured
// Source addresses 127.0.0.2 and up are used in turn: a connection per request would run out of
// ports on one.
constexpr std::uint32_t source_addresses = 16;

struct Errors {
  std::uint64_t connect = 0, status = 0, length = 0, content = 0, malformed = 0, closed = 0,
                stalled = 0, overdue = 0;
  [[nodiscard]] std::uint64_t sum() const {
    return connect + status + length + content + malformed + closed + stalled + overdue;
  }
};

struct Connection {
  Fd fd;
  AnswerReader reader;
  bool is_waiting = false;  // for an answer
  std::uint64_t upload_left = 0;
  std::int64_t due_ns = 0;
};

class Load {
 public:
  explicit Load(Plan plan)
      : plan_(std::move(plan)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        buffer_(receive_bytes),
        connections_(plan_.connections) {}

  int run() {
    prctl(PR_SET_TIMERSLACK, 1UL);
    for (std::size_t i = 0; i < connections_.size(); ++i) open_connection(i);
    if (plan_.mode == Mode::idle) return run_idle();
    const std::int64_t start = monotonic_ns();
    last_answer_ns_ = start;
    measure_from_ns_ = start + plan_.warmup_ns;
    measure_to_ns_ = measure_from_ns_ + plan_.duration_ns;
    next_due_ns_ = static_cast<double>(start);
    begin(start);
    while (!is_over_) turn();
    report();
    return errors_.sum() == 0 ? 0 : 1;
  }

 private:
  // ------------------------------------------------------------ connections
  void open_connection(std::size_t index) {
    Connection& connection = connections_[index];
    connection.reader.reset();
    connection.is_waiting = false;
    connection.upload_left = 0;
    connection.fd = Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!connection.fd) die("socket");
    const int fd = connection.fd.get();
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + next_source_++ % source_addresses);
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port = htons(plan_.port);
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // Blocking: over loopback the handshake is done when connect returns.
    if (bind(fd, reinterpret_cast<sockaddr*>(&source), sizeof source) != 0 ||
        ::connect(fd, reinterpret_cast<sockaddr*>(&target), sizeof target) != 0) {
      std::perror("connect");
      count(errors_.connect);
      connection.fd.reset();
      return;
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = index;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    ++opened_;
  }

  void count(std::uint64_t& error) {
    ++error;
    if (errors_.sum() >= errors_max) is_over_ = true;
  }

  void send_request(std::size_t index, std::int64_t due_ns) {
    Connection& connection = connections_[index];
    if (!connection.fd) return;
    connection.is_waiting = true;
    connection.due_ns = due_ns;
    connection.upload_left = plan_.upload_bytes;
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (plan_.upload_bytes > 0 ? MSG_MORE : 0);
    const ssize_t sent =
        send(connection.fd.get(), plan_.request.data(), plan_.request.size(), flags);
    if (sent == static_cast<ssize_t>(plan_.request.size())) {
      if (connection.upload_left > 0) send_upload(connection);
    } else {
      lose(index, errors_.closed);
    }
  }

  static void send_upload(Connection& connection, std::uint64_t of_bytes) {
    while (connection.upload_left > 0) {
      const auto size = static_cast<std::size_t>(
          std::min<std::uint64_t>(connection.upload_left, pattern_bytes_max));
      const ssize_t sent =
          send(connection.fd.get(), pattern_from(of_bytes - connection.upload_left), size,
               MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) return;  // EAGAIN; a broken connection shows when it is read
      connection.upload_left -= static_cast<std::uint64_t>(sent);
    }
  }
  void send_upload(Connection& connection) { send_upload(connection, plan_.upload_bytes); }

  void lose(std::size_t index, std::uint64_t& error) {
    count(error);
    if (!is_over_) open_connection(index);
    if (!is_over_) becomes_free(index);
  }

  // ------------------------------------------------------------ the loop
  void begin(std::int64_t now) {
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      if (plan_.mode == Mode::open) {
        free_.push_back(i);
      } else {
        send_request(i, now);
      }
    }
  }

  void turn() {
    std::array<epoll_event, 512> events;
    const timespec wait = time_to_wait();
    const int got = epoll_pwait2(epoll_.get(), events.data(), events.size(), &wait, nullptr);
    const std::int64_t now = monotonic_ns();
    check_time(now);
    for (int i = 0; i < got && !is_over_; ++i) {
      receive(static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64));
    }
    if (plan_.mode == Mode::open && !is_over_) send_what_is_due(monotonic_ns());
  }

  [[nodiscard]] timespec time_to_wait() const {
    std::int64_t wait = second_ns / 10;
    if (plan_.mode == Mode::open && !free_.empty()) {
      const std::int64_t left = static_cast<std::int64_t>(next_due_ns_) - monotonic_ns();
      wait = std::clamp<std::int64_t>(left, 0, wait);
    }
    return {wait / second_ns, wait % second_ns};
  }

  // The counts and clocks of the measured span are taken at the first turn after its two ends.
  void check_time(std::int64_t now) {
    if (!is_measuring_ && now >= measure_from_ns_ && measured_from_ns_ == 0) {
      is_measuring_ = true;
      measured_from_ns_ = now;
      cpu_ns_ = -cpu_clock();
      answered_before_ = answered_;
      opened_before_ = opened_;
    }
    if (is_measuring_ && now >= measure_to_ns_) {
      is_measuring_ = false;
      measured_to_ns_ = now;
      cpu_ns_ += cpu_clock();
      answered_measured_ = answered_ - answered_before_;
      opened_measured_ = opened_ - opened_before_;
    }
    if (measured_to_ns_ != 0 && (plan_.mode != Mode::open || everything_answered()))
      is_over_ = true;
    if (!is_over_ && now > measure_to_ns_ + grace_ns) {
      complain("the rate could not be kept");
      ++errors_.overdue;
      is_over_ = true;
    }
    if (now - last_answer_ns_ > stall_ns) {
      std::fprintf(stderr, "no answer for %lld s\n", static_cast<long long>(stall_ns / second_ns));
      ++errors_.stalled;
      is_over_ = true;
    }
  }

  [[nodiscard]] std::int64_t cpu_clock() const {
    std::int64_t sum = 0;
    for (const clockid_t clock : plan_.watched) {
      timespec value{};
      if (clock_gettime(clock, &value) != 0) die("the clock of a watched process");
      sum += std::int64_t{value.tv_sec} * second_ns + value.tv_nsec;
    }
    return sum;
  }

  // ------------------------------------------------------------ open loop
  [[nodiscard]] bool everything_answered() const {
    return next_due_ns_ > static_cast<double>(measure_to_ns_ - 1) &&
           free_.size() == connections_.size();
  }

  // With no connection free the requests stay due: their latency goes on counting.
  void send_what_is_due(std::int64_t now) {
    const auto until = static_cast<double>(std::min(now, measure_to_ns_ - 1));
    while (next_due_ns_ <= until && !free_.empty() && !is_over_) {
      const std::size_t index = free_.front();
      free_.pop_front();
      const auto due = static_cast<std::int64_t>(next_due_ns_);
      next_due_ns_ += static_cast<double>(second_ns) / plan_.rate;
      send_request(index, due);
    }
  }

  // ------------------------------------------------------------ answers
  void receive(std::size_t index) {
    Connection& connection = connections_[index];
    if (!connection.fd) return;
    if (connection.upload_left > 0) send_upload(connection);
    for (;;) {
      const ssize_t got = recv(connection.fd.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        complain(got < 0 ? std::strerror(errno) : "closed before its answer was whole");
        ended(index);
        return;
      }
      if (!take(index, {buffer_.data(), static_cast<std::size_t>(got)})) return;
      if (static_cast<std::size_t>(got) < buffer_.size()) return;
    }
  }

  // The first fault is told in words; all are counted.
  void complain(std::string_view what) const {
    if (errors_.sum() > 0) return;
    std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
  }

  void ended(std::size_t index) {
    Connection& connection = connections_[index];
    if (connection.is_waiting || plan_.mode != Mode::closed) {
      lose(index, errors_.closed);
    } else {
      open_connection(index);
      becomes_free(index);
    }
  }

  // False: the connection has been replaced.
  bool take(std::size_t index, std::string_view data) {
    using Outcome = AnswerReader::Outcome;
    Connection& connection = connections_[index];
    if (!connection.is_waiting) {
      lose(index, errors_.malformed);
      return false;
    }
    const Outcome outcome = connection.reader.take(data, plan_.expected);
    if (outcome == Outcome::incomplete) return true;
    if (outcome == Outcome::complete) return answered(index);
    complain("wrong answer: " + std::string(data.substr(0, 400)));
    lose(index, outcome == Outcome::wrong_status    ? errors_.status
                : outcome == Outcome::wrong_length  ? errors_.length
                : outcome == Outcome::wrong_content ? errors_.content
                                                    : errors_.malformed);
    return false;
  }

  bool answered(std::size_t index) {
    Connection& connection = connections_[index];
    const std::int64_t now = monotonic_ns();
    connection.is_waiting = false;
    last_answer_ns_ = now;
    ++answered_;
    const bool counts =
        plan_.mode == Mode::open ? connection.due_ns >= measure_from_ns_ : is_measuring_;
    if (counts) latencies_.add(now - connection.due_ns);
    const bool replace = plan_.mode == Mode::close || connection.reader.announced_close();
    if (replace) open_connection(index);
    becomes_free(index);
    return !replace;
  }

  void becomes_free(std::size_t index) {
    if (plan_.mode == Mode::open) {
      free_.push_back(index);
    } else if (plan_.mode != Mode::idle) {
      send_request(index, monotonic_ns());
    }
  }

  // ------------------------------------------------------------ idle connections
  int run_idle() {
    ask_each();
    std::printf("idle\n");
    std::fflush(stdout);
    char ignored = 0;
    while (read(STDIN_FILENO, &ignored, 1) > 0) {
    }
    ask_each();
    report();
    return errors_.sum() == 0 ? 0 : 1;
  }

  // One request on each connection, some of them at a time.
  void ask_each() {
    constexpr std::size_t at_once = 64;
    for (std::size_t begin = 0; begin < connections_.size() && !is_over_; begin += at_once) {
      const std::size_t end = std::min(begin + at_once, connections_.size());
      for (std::size_t i = begin; i < end; ++i) send_request(i, monotonic_ns());
      for (std::size_t i = begin; i < end; ++i) await_answer(i);
    }
  }

  void await_answer(std::size_t index) {
    while (connections_[index].is_waiting && !is_over_) {
      pollfd one{connections_[index].fd.get(), POLLIN, 0};
      if (poll(&one, 1, static_cast<int>(stall_ns / 1'000'000)) == 0) lose(index, errors_.stalled);
      receive(index);
    }
  }

  // ------------------------------------------------------------ the result
  void report() const {
    const auto us = [this](double share) {
      return static_cast<double>(latencies_.percentile(share)) / 1000;
    };
    std::printf(
        "{\"requests\": %llu, \"connections_opened\": %llu, \"elapsed_ns\": %lld, \"cpu_ns\": "
        "%lld, "
        "\"p50_us\": %.1f, \"p99_us\": %.1f, \"p99_9_us\": %.1f, \"max_us\": %.1f, \"errors\": "
        "{\"connect\": %llu, \"status\": %llu, \"length\": %llu, \"content\": %llu, "
        "\"malformed\": %llu, \"closed\": %llu, \"stalled\": %llu, \"overdue\": %llu}}\n",
        ull(plan_.mode == Mode::idle ? answered_ : answered_measured_), ull(opened_measured_),
        static_cast<long long>(measured_to_ns_ - measured_from_ns_),
        static_cast<long long>(cpu_ns_), us(0.5), us(0.99), us(0.999),
        static_cast<double>(latencies_.largest()) / 1000, ull(errors_.connect), ull(errors_.status),
        ull(errors_.length), ull(errors_.content), ull(errors_.malformed), ull(errors_.closed),
        ull(errors_.stalled), ull(errors_.overdue));
  }
  static unsigned long long ull(std::uint64_t value) { return value; }

  Plan plan_;
  Fd epoll_;
  std::vector<char> buffer_;
  std::vector<Connection> connections_;
  std::deque<std::size_t> free_;  // open loop: connections that wait for no answer, longest first
  std::uint32_t next_source_ = 0;
  double next_due_ns_ = 0;
  Histogram latencies_;
  Errors errors_;
  bool is_over_ = false;
  bool is_measuring_ = false;
  std::uint64_t answered_ = 0, answered_before_ = 0, answered_measured_ = 0;
  std::uint64_t opened_ = 0, opened_before_ = 0, opened_measured_ = 0;
  std::int64_t last_answer_ns_ = 0;
  std::int64_t measure_from_ns_ = 0, measure_to_ns_ = 0;    // as planned
  std::int64_t measured_from_ns_ = 0, measured_to_ns_ = 0;  // as it was
  std::int64_t cpu_ns_ = 0;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  weir::bench::Plan plan = weir::bench::plan_of(argc, argv);
  weir::bench::raise_descriptor_limit();
  return weir::bench::Load(std::move(plan)).run();
}
