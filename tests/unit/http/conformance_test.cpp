// Runs tests/conformance/messages/*.txt: every message whole, in two pieces at every split point
// and byte by byte gives the same answer, and that answer is the one written down.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "message_cases.hpp"
#include "outcome.hpp"

namespace weir::http::test {
namespace {

const std::vector<MessageCase>& all_cases() {
  static const std::vector<MessageCase> cases =
      load_message_cases(WEIR_SOURCE_DIR "/tests/conformance/messages");
  return cases;
}

Facts facts_of(const MessageCase& message, const Feed& feed) {
  switch (message.kind) {
    case CaseKind::request:
      return request_facts(message.bytes, feed);
    case CaseKind::response:
      return response_facts(message.bytes, message.method == "HEAD" ? Method::head : Method::get,
                            feed);
    case CaseKind::chunked:
      return chunked_facts(message.bytes, feed);
  }
  return {};
}

// Whether a stated fact is among those found. Reasons of an outcome must be stated to be wanted
// only for refusals: "refused 400" may have any.
bool is_stated(const std::string& fact, const Facts& found) {
  for (const std::string& candidate : found) {
    if (candidate == fact) return true;
    if (fact.starts_with("refused ") && fact.size() == 11 && candidate.starts_with(fact)) {
      return true;
    }
  }
  return false;
}

TEST(Conformance, FactsHold) {
  for (const MessageCase& message : all_cases()) {
    const Facts found = facts_of(message, feed_whole(message.bytes.size()));
    ASSERT_FALSE(message.facts.empty()) << message.where;
    for (const std::string& fact : message.facts) {
      EXPECT_TRUE(is_stated(fact, found)) << message.where << " " << message.name
                                          << "\n  wanted: " << escape(fact) << "\n  found:\n"
                                          << escape(joined(found)) << "\n";
    }
  }
}

// Long messages: at some 300 points, each limit's surroundings included by the last step.
TEST(Conformance, SplitAnywhereGivesTheSameAnswer) {
  for (const MessageCase& message : all_cases()) {
    const std::size_t size = message.bytes.size();
    const std::string whole = joined(facts_of(message, feed_whole(size)));
    const std::size_t step = size < 2000 ? 1 : size / 300;
    for (std::size_t at = 0; at < size; at += step) {
      ASSERT_EQ(whole, joined(facts_of(message, feed_split(size, at))))
          << message.where << " " << message.name << " split at " << at;
    }
  }
}

TEST(Conformance, ByteByByteGivesTheSameAnswer) {
  for (const MessageCase& message : all_cases()) {
    const std::size_t size = message.bytes.size();
    if (size > 2000) continue;  // memory of exact size for each prefix: quadratic
    ASSERT_EQ(joined(facts_of(message, feed_whole(size))),
              joined(facts_of(message, feed_bytes(size))))
        << message.where << " " << message.name;
  }
}

TEST(Conformance, NamesAreUnique) {
  std::set<std::string> names;
  for (const MessageCase& message : all_cases()) {
    const std::string file = message.where.substr(0, message.where.find(':'));
    EXPECT_TRUE(names.insert(file + " " + message.name).second) << message.where;
  }
  EXPECT_GT(names.size(), 300U);
}

}  // namespace
}  // namespace weir::http::test
