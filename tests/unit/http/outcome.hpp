// What a parser made of some bytes, as text lines: to compare ways of feeding, and to search for
// the facts that a conformance case states.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/parser.hpp"

namespace weir::http::test {

using Facts = std::vector<std::string>;

// Gives the sizes of the prefixes to feed, in order; the last must be the whole.
using Feed = std::vector<std::size_t>;

[[nodiscard]] Facts request_facts(std::string_view bytes, const Feed& feed);
[[nodiscard]] Facts response_facts(std::string_view bytes, Method method, const Feed& feed);
[[nodiscard]] Facts chunked_facts(std::string_view bytes, const Feed& feed);

// One fact a line.
[[nodiscard]] std::string joined(const Facts& facts);

// Each prefix is copied to memory of exactly its size, so that a sanitizer sees a read beyond it.
[[nodiscard]] Feed feed_whole(std::size_t size);
[[nodiscard]] Feed feed_split(std::size_t size, std::size_t at);
[[nodiscard]] Feed feed_bytes(std::size_t size);

}  // namespace weir::http::test
