// What a client connection has only while something of it is waiting or under way. Most connections
// are idle most of the time, and an idle one has none of this: the worker lends it.
#pragma once

#include <cstdint>

#include "http/parser.hpp"
#include "proxy/byte_window.hpp"

namespace weir::proxy {

struct Inbox {
  ByteWindow window;  // received and not yet dealt with
  http::RequestParser parser;
  std::uint64_t received_bytes = 0;
  std::uint64_t body_begins = 0;  // in received_bytes
  std::uint64_t sent_before = 0;  // what the stream had sent when the request's head was complete
  std::int64_t head_begun_us = 0;

  void restart() {
    window.clear();
    parser.restart();
    received_bytes = body_begins = sent_before = 0;
    head_begun_us = 0;
  }
};

}  // namespace weir::proxy
