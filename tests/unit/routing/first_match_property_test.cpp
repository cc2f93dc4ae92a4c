// The compiled matcher against a slow, obvious twin: random rules and requests over a small
// alphabet, so that many of them meet. The seed is printed with a failure and can be given back in
// WEIR_TEST_SEED.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <regex>

#include "draw.hpp"
#include "requests.hpp"
#include "routing/rule_matcher.hpp"

namespace weir::routing {
namespace {

using model::ConditionField;
using test::Draw;
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

using Conditions = std::vector<model::Condition> (Draw::*)();

void expect_same_as_twin(Conditions conditions) {
  const std::uint64_t seed = test::seed();
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
