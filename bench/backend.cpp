// The target of every benchmark: answers as fast as one thread can.
//
// The last segment of the path says what is answered: a size (`/1m`, `/cluster1/64k`, `/300b`) is a
// body of that many bytes of the pattern, everything else the small fixed text. A request with a
// body is answered, once that has been read, by the number of bytes received, twenty digits; 400
// where they were not the pattern. Keep-alive and pipelining as HTTP/1.1 has them. It trusts its
// callers: it is no server for anything but this folder.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support.hpp"

namespace weir::bench {
namespace {

constexpr std::size_t receive_bytes = 256 * 1024;
constexpr std::size_t head_bytes_max = 64 * 1024;

enum class Phase { head, sized_body, chunk_size, chunk_data, chunk_end, trailers };

struct Connection {
  Fd fd;
  std::string in;   // received, not yet understood
  std::string out;  // answers not yet sent; the pattern body follows it
  std::uint64_t pattern_left = 0;
  std::uint64_t pattern_sent = 0;
  Phase phase = Phase::head;
  std::string path;
  std::uint64_t body_left = 0;      // of the body, or of the chunk
  std::uint64_t body_received = 0;  // of the whole body
  bool body_is_pattern = true;
  bool wants_close = false;  // the request said so
  bool close_after = false;  // its answer has been queued
  bool is_broken = false;
};

std::string head_of(std::string_view status, std::uint64_t body_bytes) {
  return "HTTP/1.1 " + std::string(status) +
         "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body_bytes) +
         "\r\n\r\n";
}

// "1m" → 1048576; false where the segment is no size.
bool parse_size(std::string_view path, std::uint64_t& bytes) {
  path = path.substr(0, path.find('?'));
  std::string_view segment = path.substr(path.rfind('/') + 1);
  if (segment.size() < 2) return false;
  const char unit = segment.back();
  segment.remove_suffix(1);
  if (!parse_decimal(segment, bytes)) return false;
  if (unit == 'b') return true;
  if (unit != 'k' && unit != 'm') return false;
  bytes <<= unit == 'k' ? 10 : 20;
  return true;
}

class Backend {
 public:
  Backend(std::uint16_t port, const std::string& text)
      : small_answer_(head_of("200 OK", text.size()) + text),
        listener_(listen_on_loopback(port, true)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        buffer_(receive_bytes) {
    watch(listener_.get(), EPOLLIN);
    announce(port_of(listener_.get()));
  }

  void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_.get()) {
          accept_all();
        } else {
          serve(*connections_[static_cast<std::size_t>(fd)]);
        }
      }
    }
  }

 private:
  void watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
  }

  void accept_all() {
    for (;;) {
      Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd) return;
      const auto index = static_cast<std::size_t>(fd.get());
      if (connections_.size() <= index) connections_.resize(index + 1);
      watch(fd.get(), EPOLLIN | EPOLLOUT | EPOLLET);
      connections_[index] = std::make_unique<Connection>();
      connections_[index]->fd = std::move(fd);
    }
  }

  // Edge-triggered: goes on until the socket has nothing more to give or takes nothing more.
  void serve(Connection& connection) {
    bool open = flush(connection);
    while (open && is_flushed(connection) && !connection.close_after) {
      const ssize_t got = recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
      if (got < 0 && errno == EAGAIN) break;
      if (got <= 0) {
        open = false;
        break;
      }
      open = take(connection, {buffer_.data(), static_cast<std::size_t>(got)});
      if (open && static_cast<std::size_t>(got) < buffer_.size()) break;
    }
    if (open && is_flushed(connection) && connection.close_after) open = false;
    if (!open) connections_[static_cast<std::size_t>(connection.fd.get())].reset();
  }

  static bool is_flushed(const Connection& connection) {
    return connection.out.empty() && connection.pattern_left == 0;
  }

  bool take(Connection& connection, std::string_view data) {
    std::string joined;
    if (!connection.in.empty()) {
      joined = std::exchange(connection.in, {});
      joined += data;
      data = joined;
    }
    data = understand(connection, data);
    connection.in = data;
    if (connection.is_broken || connection.in.size() > head_bytes_max + receive_bytes) return false;
    return flush(connection);
  }

  // Reads requests and queues their answers; returns what it could not yet use. Stops behind a
  // pattern body: nothing can be queued after it.
  std::string_view understand(Connection& connection, std::string_view data) {
    while (!data.empty() && connection.pattern_left == 0 && !connection.close_after &&
           !connection.is_broken) {
      const std::size_t used = step(connection, data);
      if (used == 0) break;
      data.remove_prefix(used);
    }
    return data;
  }

  std::size_t step(Connection& connection, std::string_view data) {
    switch (connection.phase) {
      case Phase::head:
        return take_head(connection, data);
      case Phase::sized_body:
      case Phase::chunk_data:
        return take_body(connection, data);
      case Phase::chunk_size:
      case Phase::chunk_end:
      case Phase::trailers:
        return take_chunk_line(connection, data);
    }
    return 0;
  }

  std::size_t take_head(Connection& connection, std::string_view data) {
    const std::size_t end = data.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    const std::string_view head = data.substr(0, end + 2);
    const std::size_t path_begin = head.find(' ') + 1;
    const std::size_t path_end = head.find(' ', path_begin);
    if (path_begin == 0 || path_end == std::string_view::npos) {
      connection.is_broken = true;
      return 0;
    }
    connection.path = head.substr(path_begin, path_end - path_begin);
    connection.wants_close = header_value(head, "connection:") == "close";
    connection.body_received = 0;
    connection.body_is_pattern = true;
    const std::string_view length = header_value(head, "content-length:");
    if (header_value(head, "transfer-encoding:") == "chunked") {
      connection.phase = Phase::chunk_size;
    } else if (!length.empty() && parse_decimal(length, connection.body_left) &&
               connection.body_left > 0) {
      connection.phase = Phase::sized_body;
    } else {
      answer_get(connection);
    }
    return end + 4;
  }

  std::size_t take_body(Connection& connection, std::string_view data) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), connection.body_left));
    connection.body_is_pattern =
        connection.body_is_pattern && is_pattern(data.substr(0, size), connection.body_received);
    connection.body_received += size;
    connection.body_left -= size;
    if (connection.body_left > 0) return size;
    if (connection.phase == Phase::chunk_data) {
      connection.phase = Phase::chunk_end;
    } else {
      answer_upload(connection);
    }
    return size;
  }

  std::size_t take_chunk_line(Connection& connection, std::string_view data) {
    const std::size_t end = data.find("\r\n");
    if (end == std::string_view::npos) return 0;
    if (connection.phase == Phase::chunk_end) {
      connection.phase = Phase::chunk_size;
    } else if (connection.phase == Phase::trailers) {
      if (end == 0) answer_upload(connection);
    } else {
      connection.body_left = std::stoull(std::string(data.substr(0, end)), nullptr, 16);
      connection.phase = connection.body_left > 0 ? Phase::chunk_data : Phase::trailers;
    }
    return end + 2;
  }

  void answer_get(Connection& connection) {
    std::uint64_t bytes = 0;
    if (parse_size(connection.path, bytes)) {
      connection.out += head_of("200 OK", bytes);
      connection.pattern_left = bytes;
      connection.pattern_sent = 0;
    } else {
      connection.out += small_answer_;
    }
    connection.close_after = connection.wants_close;
  }

  void answer_upload(Connection& connection) {
    std::array<char, 32> digits;
    std::snprintf(digits.data(), digits.size(), "%020llu",
                  static_cast<unsigned long long>(connection.body_received));
    connection.out += head_of(connection.body_is_pattern ? "200 OK" : "400 Bad Request", 20);
    connection.out += digits.data();
    connection.phase = Phase::head;
    connection.close_after = connection.wants_close;
  }

  // Sends what is queued, and understands what had to wait behind it. False: the connection is
  // over.
  bool flush(Connection& connection) {
    for (;;) {
      while (!is_flushed(connection)) {
        if (!send_some(connection)) return errno == EAGAIN;
      }
      if (connection.in.empty() || connection.close_after) return true;
      const std::string waiting = std::exchange(connection.in, {});
      connection.in = understand(connection, waiting);
      if (connection.is_broken) return false;
      if (is_flushed(connection)) return true;
    }
  }

  static bool send_some(Connection& connection) {
    const auto piece = static_cast<std::size_t>(
        std::min<std::uint64_t>(connection.pattern_left, pattern_bytes_max));
    std::array<iovec, 2> pieces{
        iovec{connection.out.data(), connection.out.size()},
        iovec{const_cast<char*>(pattern_from(connection.pattern_sent)), piece}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = piece > 0 ? 2 : 1;
    const ssize_t sent = sendmsg(connection.fd.get(), &message, MSG_NOSIGNAL);
    if (sent < 0) return false;
    const std::size_t of_out = std::min(static_cast<std::size_t>(sent), connection.out.size());
    connection.out.erase(0, of_out);
    connection.pattern_left -= static_cast<std::size_t>(sent) - of_out;
    connection.pattern_sent += static_cast<std::size_t>(sent) - of_out;
    return true;
  }

  std::string small_answer_;
  Fd listener_;
  Fd epoll_;
  std::vector<char> buffer_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  const weir::bench::Options options(argc, argv, {"port", "text"});
  weir::bench::raise_descriptor_limit();
  weir::bench::Backend(static_cast<std::uint16_t>(options.number("port", 0)),
                       options.text("text", "Instance i-0123456789abcdef0 is responding now!"))
      .run();
}
