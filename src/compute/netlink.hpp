// rtnetlink, as far as the VPC needs it: building messages, sending a batch, reading the answers.
//
// A socket belongs to the network namespace in which it was made and may then be used from any
// thread; so a namespace can be configured from outside through a socket kept from its birth
// (reference platform §1).
#pragma once

#include <linux/rtnetlink.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::compute {

// One or several requests, one after another, in one buffer.
class NetlinkBatch {
 public:
  // Starts a message; `header` is the family's own (ifinfomsg, ifaddrmsg, rtmsg, tcmsg).
  template <typename Header>
  void begin(std::uint16_t type, std::uint16_t flags, const Header& header) {
    begin_bytes(type, flags, std::as_bytes(std::span(&header, 1)));
  }
  template <typename Value>
  void put(std::uint16_t attribute, const Value& value) {
    put_bytes(attribute, std::as_bytes(std::span(&value, 1)));
  }
  void put_string(std::uint16_t attribute, std::string_view text);  // with its final zero
  // A nested attribute; end_nest closes the innermost open one.
  void begin_nest(std::uint16_t attribute);
  void end_nest();
  // Bytes inside of a nest before its attributes (the ifinfomsg of a veth's peer).
  template <typename Header>
  void put_header(const Header& header) {
    append(std::as_bytes(std::span(&header, 1)));
    update_lengths();
  }

 private:
  friend class NetlinkSocket;

  void begin_bytes(std::uint16_t type, std::uint16_t flags, std::span<const std::byte> header);
  void put_bytes(std::uint16_t attribute, std::span<const std::byte> value);
  void append(std::span<const std::byte> bytes);
  void update_lengths();

  std::vector<std::byte> buffer_;
  std::vector<std::size_t> messages_;  // where each begins
  std::vector<std::size_t> nests_;     // where each open nest begins
};

// One message of a dump: its family's header and its attributes.
struct NetlinkEntry {
  std::span<const std::byte> payload;

  template <typename Header>
  [[nodiscard]] const Header* header() const {
    return payload.size() < sizeof(Header) ? nullptr
                                           : reinterpret_cast<const Header*>(payload.data());
  }
  // The value of a 32-bit attribute behind a header of `header_bytes`; 0 where it is missing.
  [[nodiscard]] std::uint32_t u32(std::size_t header_bytes, std::uint16_t attribute) const;
};

class NetlinkSocket {
 public:
  // In the calling thread's network namespace.
  [[nodiscard]] static Result<NetlinkSocket> open();

  // Sends all messages at once and waits for every acknowledgement; returns the first error as an
  // errno, 0 for none. `index` (optional) tells which message it was.
  [[nodiscard]] int run(const NetlinkBatch& batch, std::size_t* index = nullptr);
  // Sends the batch's one dump request; calls `each` for every entry.
  [[nodiscard]] int dump(const NetlinkBatch& batch,
                         const std::function<void(const NetlinkEntry&)>& each);

 private:
  explicit NetlinkSocket(Fd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] int send(const NetlinkBatch& batch) const;

  Fd fd_;
};

}  // namespace weir::compute
