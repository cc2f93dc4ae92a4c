// Reads the answers on one connection and checks each: status, length and content.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "support.hpp"

namespace weir::bench {

struct Expected {
  std::uint64_t body_bytes = 0;
  std::string text;  // the body; where empty, `body_bytes` of the pattern
};

class AnswerReader {
 public:
  enum class Outcome { incomplete, complete, wrong_status, wrong_length, wrong_content, malformed };

  // Takes bytes of one answer. `complete`: exactly to its end.
  Outcome take(std::string_view data, const Expected& expected) {
    if (in_body_) return take_body(data, expected);
    if (!head_.empty()) {
      head_ += data;
      const std::string joined = std::exchange(head_, {});
      return take_head(joined, expected);
    }
    return take_head(data, expected);
  }

  [[nodiscard]] bool is_idle() const { return !in_body_ && head_.empty(); }
  // The last answer said that the connection ends with it.
  [[nodiscard]] bool announced_close() const { return announced_close_; }
  void reset() { *this = {}; }

 private:
  static constexpr std::size_t head_bytes_max = 16 * 1024;

  Outcome take_head(std::string_view data, const Expected& expected) {
    const std::size_t end = data.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      head_ = data;
      return head_.size() > head_bytes_max ? Outcome::malformed : Outcome::incomplete;
    }
    const std::string_view head = data.substr(0, end + 2);
    if (!head.starts_with("HTTP/1.1 200")) return Outcome::wrong_status;
    std::uint64_t length = 0;
    if (!parse_decimal(header_value(head, "content-length:"), length)) return Outcome::malformed;
    if (length != expected.body_bytes) return Outcome::wrong_length;
    announced_close_ = header_value(head, "connection:") == "close";
    in_body_ = true;
    received_ = 0;
    return take_body(data.substr(end + 4), expected);
  }

  Outcome take_body(std::string_view data, const Expected& expected) {
    if (data.size() > expected.body_bytes - received_) return Outcome::wrong_length;
    const bool is_right = expected.text.empty()
                              ? is_pattern(data, received_)
                              : expected.text.compare(received_, data.size(), data) == 0;
    if (!is_right) return Outcome::wrong_content;
    received_ += data.size();
    if (received_ < expected.body_bytes) return Outcome::incomplete;
    in_body_ = false;
    return Outcome::complete;
  }

  std::string head_;  // of an answer whose head has come in part
  bool in_body_ = false;
  bool announced_close_ = false;
  std::uint64_t received_ = 0;
};

}  // namespace weir::bench
