// The compiled matcher against a slow, obvious twin: random rules and requests over a small
// alphabet, so that many of them meet. The seed is printed with a failure and can be given back in
// WEIR_TEST_SEED.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <regex>

#include "requests.hpp"
#include "routing/rule_matcher.hpp"

namespace weir::routing {
namespace {

using model::ConditionField;
using test::Request;

// ---- the twin: rules in order, conditions in order, patterns by the definition of * and ?
std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool like(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*')
    return like(pattern.substr(1), text) || (!text.empty() && like(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         like(pattern.substr(1), text.substr(1));
}

bool any_like(const std::vector<std::string>& patterns, std::string_view text, bool folded) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return folded ? like(lower(pattern), lower(text)) : like(pattern, text);
  });
}

// The drawn expressions mean the same to ECMAScript's engine, which tries everything.
bool any_regex(const std::vector<std::string>& texts, const std::string& subject, bool folded) {
  static std::map<std::pair<std::string, bool>, std::regex> compiled;
  const auto options = folded ? std::regex::ECMAScript | std::regex::icase : std::regex::ECMAScript;
  return std::ranges::any_of(texts, [&](const std::string& text) {
    const auto [regex, is_new] = compiled.try_emplace({text, folded});
    if (is_new) regex->second.assign(text, options);
    return std::regex_search(subject, regex->second);
  });
}

bool any_of(const model::Condition& condition, const std::string& text, bool folded) {
  return any_like(condition.values, text, folded) ||
         any_regex(condition.regex_values, text, folded);
}

bool any_pair(const model::Condition& condition, const Request& request) {
  std::string_view rest = request.query;
  while (request.has_query || !request.query.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    const std::string_view key = pair.substr(0, pair.find('='));
    const std::string_view value = key.size() == pair.size() ? "" : pair.substr(key.size() + 1);
    const bool holds = std::ranges::any_of(condition.query, [&](const auto& wanted) {
      return (!wanted.key || like(lower(*wanted.key), lower(key))) &&
             like(lower(wanted.value), lower(value));
    });
    if (holds) return true;
    if (pair.size() == rest.size()) break;
    rest.remove_prefix(pair.size() + 1);
  }
  return false;
}

std::uint32_t v4_bits(std::string_view text) {
  std::uint32_t out = 0;
  for (int octet = 0; octet < 4; ++octet) {
    out = out << 8U | static_cast<std::uint32_t>(std::stoul(std::string(text)));
    text.remove_prefix(std::min(text.size(), text.find('.') + 1));
  }
  return out;
}

bool in_range(const std::string& range, const std::string& address) {
  const std::size_t slash = range.find('/');
  const auto bits = static_cast<unsigned>(std::stoul(range.substr(slash + 1)));
  const std::uint32_t differs = v4_bits(range.substr(0, slash)) ^ v4_bits(address);
  return bits == 0 || differs >> (32 - bits) == 0;
}

bool twin_holds(const model::Condition& condition, const Request& request) {
  switch (condition.field) {
    case ConditionField::path_pattern:
      return any_of(condition, request.path, false);
    case ConditionField::host_header:
      return any_of(condition, request.authority.substr(0, request.authority.find(':')), true);
    case ConditionField::http_header:
      return std::ranges::any_of(request.headers, [&](const auto& header) {
        return lower(header.first) == lower(condition.http_header_name) &&
               any_of(condition, header.second, true);
      });
    case ConditionField::query_string:
      return any_pair(condition, request);
    case ConditionField::source_ip:
      return std::ranges::any_of(condition.values, [&](const std::string& range) {
        return in_range(range, request.client_ip);
      });
    case ConditionField::http_request_method:
      return std::ranges::count(condition.values, request.method) > 0;
  }
  return false;
}

using Rules = std::vector<std::vector<model::Condition>>;

std::optional<std::uint32_t> twin_first_match(const Rules& rules, const Request& request) {
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    const bool all = std::ranges::all_of(
        rules[i], [&](const auto& condition) { return twin_holds(condition, request); });
    if (all) return i;
  }
  return std::nullopt;
}

// ---- what is drawn
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
    if (below(2) == 0) out.push_back(test::path({below(2) == 0 ? "/a*" : "/"}));
    if (below(6) == 0) out.push_back(test::host({below(2) == 0 ? "a*" : "*.b"}));
    if (below(2) == 0) out.push_back(test::query({pair(), pair()}));
    if (below(3) == 0) out.push_back(test::source_ip({range(), range()}));
    if (below(3) == 0)
      out.push_back(below(3) == 0 ? test::method({"GET", "PUT"}) : test::method({"POST"}));
    if (below(4) == 0) out.push_back(test::header(below(2) == 0 ? "X-t" : "x-U", texts("", "aB*")));
    if (below(9) == 0) out.push_back(test::query({pair()}));
    return out;
  }
  std::vector<model::Condition> conditions() {
    std::vector<model::Condition> out;
    if (below(6) == 0) out.push_back(regexes(ConditionField::path_pattern));
    if (below(8) == 0) out.push_back(regexes(ConditionField::host_header));
    if (below(8) == 0) out.push_back(regexes(ConditionField::http_header, "x-T"));
    if (below(8) == 0) out.push_back(test::query({pair(), pair()}));
    if (below(8) == 0)
      out.push_back(test::source_ip({below(2) == 0 ? "10.0.0.0/8" : "10.1.0.0/16"}));
    if (!out.empty() && below(2) == 0) return out;
    if (below(4) != 0) out.push_back(test::path(texts(below(5) == 0 ? "" : "/", "ab/*?")));
    if (below(2) == 0) out.push_back(test::host(texts("", "aB.*?")));
    if (below(6) == 0) out.push_back(test::header("X-t", texts("", "aB*")));
    if (below(6) == 0) out.push_back(test::method({below(2) == 0 ? "GET" : "POST"}));
    if (below(12) == 0) out.push_back(test::path(texts("/", "ab*")));
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

using Conditions = std::vector<model::Condition> (Draw::*)();

void expect_same_as_twin(Conditions conditions) {
  const char* given = std::getenv("WEIR_TEST_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  SCOPED_TRACE("WEIR_TEST_SEED=" + std::to_string(seed));
  Draw draw(seed);
  std::size_t matched = 0;
  for (int round = 0; round < 300; ++round) {
    Rules rules(draw.below(40));
    RuleMatcher matcher;
    for (auto& rule : rules) {
      rule = (draw.*conditions)();
      if (rule.empty()) rule.push_back(test::path({"/aa*"}));
      matcher.add(rule);
    }
    for (int i = 0; i < 100; ++i) {
      const Request request = draw.request();
      const http::RequestHead head = request.head();
      const auto expected = twin_first_match(rules, request);
      matched += expected.has_value() ? 1 : 0;
      ASSERT_EQ(matcher.first_match({head, request.client_ip}), expected)
          << request.method << ' ' << request.authority << ' ' << request.path;
    }
  }
  EXPECT_GT(matched, 1000U) << "the drawn rules hardly ever hold: the test proves nothing";
}

TEST(RuleMatcherProperty, ChoosesWhatTheFirstMatchByPriorityIs) {
  expect_same_as_twin(&Draw::conditions);
}

TEST(RuleMatcherProperty, ChoosesItAmongRulesThatPathsDoNotTellApart) {
  expect_same_as_twin(&Draw::crowded);
}

}  // namespace
}  // namespace weir::routing
