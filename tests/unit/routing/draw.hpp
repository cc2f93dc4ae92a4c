// Random rules and requests over a small alphabet, so that many of them meet.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "requests.hpp"

namespace weir::routing::test {

using model::ConditionField;

// Another one each time, or that of WEIR_TEST_SEED.
inline std::uint64_t seed() {
  const char* given = std::getenv("WEIR_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t end) { return random_() % end; }
  std::string text(std::string_view alphabet, std::size_t bytes_max) {
    std::string out;
    for (std::size_t left = below(bytes_max + 1); left > 0; --left)
      out += alphabet[below(alphabet.size())];
    return out;
  }
  std::vector<std::string> texts(std::string_view prefix, std::string_view alphabet) {
    std::vector<std::string> out;
    for (std::size_t left = 1 + below(3); left > 0; --left)
      out.push_back(std::string(prefix) + text(alphabet, 5));
    return out;
  }
  std::string regex() {
    static const std::vector<std::string> pieces = {"aba",     "bab", "aabb", "[ab]+", "(aab|bba)",
                                                    "(?:ab)?", "A",   "\\.",  "a*",    "(a|bbb)"};
    std::string out = below(3) == 0 ? "^/?" : "";
    for (std::size_t left = 1 + below(3); left > 0; --left) out += pieces[below(pieces.size())];
    return below(3) == 0 ? out + "$" : out;
  }
  model::Condition regexes(ConditionField field, std::string header = {}) {
    std::vector<std::string> out;
    for (std::size_t left = 1 + below(2); left > 0; --left) out.push_back(regex());
    return test::regex(field, std::move(out), std::move(header));
  }
  model::QueryStringPair pair() {
    model::QueryStringPair out;
    if (below(2) == 0) out.key = text("aB*=", 2);
    out.value = text("Ab*=", 2);
    return out;
  }
  std::string address() {
    return "10." + std::to_string(below(3)) + '.' + std::to_string(below(3)) + '.' +
           std::to_string(below(200));
  }
  std::string range() {
    static const std::vector<std::string> bits = {"0", "7", "8", "15", "16", "23", "24", "32"};
    return address() + '/' + bits[below(bits.size())];
  }
  // Of a rule that is told from the others by neither path nor host: several alternatives each,
  // with and without wildcards, so that the same rule lies in several lists.
  std::vector<model::Condition> crowded() {
    std::vector<model::Condition> out;
    if (below(2) == 0) out.push_back(path({below(2) == 0 ? "/a*" : "/"}));
    if (below(6) == 0) out.push_back(host({below(2) == 0 ? "a*" : "*.b"}));
    if (below(2) == 0) out.push_back(query({pair(), pair()}));
    if (below(3) == 0) out.push_back(source_ip({range(), range()}));
    if (below(3) == 0) out.push_back(below(3) == 0 ? method({"GET", "PUT"}) : method({"POST"}));
    if (below(4) == 0) out.push_back(header(below(2) == 0 ? "X-t" : "x-U", texts("", "aB*")));
    if (below(9) == 0) out.push_back(query({pair()}));
    return out;
  }
  std::vector<model::Condition> conditions() {
    std::vector<model::Condition> out;
    if (below(6) == 0) out.push_back(regexes(ConditionField::path_pattern));
    if (below(8) == 0) out.push_back(regexes(ConditionField::host_header));
    if (below(8) == 0) out.push_back(regexes(ConditionField::http_header, "x-T"));
    if (below(8) == 0) out.push_back(query({pair(), pair()}));
    if (below(8) == 0) out.push_back(source_ip({below(2) == 0 ? "10.0.0.0/8" : "10.1.0.0/16"}));
    if (!out.empty() && below(2) == 0) return out;
    if (below(4) != 0) out.push_back(path(texts(below(5) == 0 ? "" : "/", "ab/*?")));
    if (below(2) == 0) out.push_back(host(texts("", "aB.*?")));
    if (below(6) == 0) out.push_back(header("X-t", texts("", "aB*")));
    if (below(6) == 0) out.push_back(method({below(2) == 0 ? "GET" : "POST"}));
    if (below(12) == 0) out.push_back(path(texts("/", "ab*")));
    return out;
  }
  Request request() {
    Request out;
    out.path = "/" + text("abA/", 9);
    out.query = below(2) == 0 ? text("ab=&A", 7) : "";
    out.client_ip = below(3) == 0 ? "192.0.2.1" : address();
    out.authority = text("Ab.", 8) + (below(2) == 0 ? ":80" : "");
    out.method = below(2) == 0 ? "GET" : "POST";
    for (std::size_t left = below(3); left > 0; --left)
      out.headers.emplace_back(below(2) == 0 ? "x-T" : "x-u", text("ab", 6));
    return out;
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace weir::routing::test
