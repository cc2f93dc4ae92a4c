// What the HTTP fuzzers share: a check that stops the program, and ways to cut an input.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "outcome.hpp"

#define FUZZ_CHECK(condition, about)                                          \
  do {                                                                        \
    if (!(condition)) {                                                       \
      std::fprintf(stderr, "%s:%d: %s\n%s\n", __FILE__, __LINE__, #condition, \
                   std::string(about).c_str());                               \
      std::abort();                                                           \
    }                                                                         \
  } while (false)

namespace weir::http::test {

// Pieces whose sizes follow from the input, so that a finding can be repeated.
inline Feed feed_pieces(std::string_view bytes) {
  std::uint64_t state = bytes.size() + 1;
  for (const char c : bytes) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  Feed feed;
  std::size_t at = 0;
  while (at < bytes.size()) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    at += 1 + (state >> 33) % (bytes.size() / 8 + 3);
    feed.push_back(at < bytes.size() ? at : bytes.size());
  }
  if (feed.empty()) feed.push_back(0);
  return feed;
}

}  // namespace weir::http::test
