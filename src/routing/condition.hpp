// One compiled condition of a rule (reference §3.2): asked for each request, never allocating.
//
// Regular expressions are RE2's, whose time is linear in the subject. The automaton of each has a
// reader's lock inside. A request pays it only for expressions that are asked: those whose literals
// its own text contains (required_literals.hpp), and those that have none.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/resources.hpp"
#include "routing/glob.hpp"
#include "routing/ip_range.hpp"
#include "routing/snapshot.hpp"

namespace re2 {
class RE2;
}

namespace weir::routing {

// A request as conditions look at it: each part is cleaned once, when first asked for. One at a
// time a thread, since the cleaned copies share the thread's scratch space.
class Subject {
 public:
  explicit Subject(const RequestFacts& facts);

  [[nodiscard]] const http::RequestHead& head() const { return facts_.head; }
  [[nodiscard]] std::string_view path() const { return path_; }
  [[nodiscard]] std::string_view folded_path();
  [[nodiscard]] std::string_view host();   // lower case, without port
  [[nodiscard]] std::string_view query();  // lower case, raw (not percent-decoded)
  [[nodiscard]] const std::optional<IpAddress>& client();

 private:
  const RequestFacts& facts_;
  std::string_view path_;
  std::optional<std::string_view> folded_path_;
  std::optional<std::string_view> host_;
  std::optional<std::string_view> query_;
  std::optional<std::optional<IpAddress>> client_;
};

// Alternatives for one text: any glob or any regular expression.
struct TextPatterns {
  TextPatterns(const std::vector<std::string>& values, const std::vector<std::string>& regex_values,
               Case letter_case);
  TextPatterns(TextPatterns&&) noexcept;
  TextPatterns& operator=(TextPatterns&&) noexcept;
  ~TextPatterns();

  [[nodiscard]] bool any_matches(std::string_view subject) const;

  std::vector<Glob> globs;
  std::vector<std::unique_ptr<re2::RE2>> regexes;
};

struct PathCondition {
  TextPatterns patterns;
};
struct HostCondition {
  TextPatterns patterns;
};
struct HeaderCondition {
  std::string name;
  http::HeaderId id;
  TextPatterns patterns;
};
struct MethodCondition {
  std::vector<std::string> methods;
};
struct QueryCondition {
  struct Pair {
    std::optional<Glob> key;
    Glob value;
  };
  std::vector<Pair> pairs;
};
struct SourceIpCondition {
  std::vector<IpRange> ranges;
};

using Condition = std::variant<PathCondition, HostCondition, HeaderCondition, MethodCondition,
                               QueryCondition, SourceIpCondition>;

// Whether `holds(pair, key, value)` is true of any pair of the query, in order; a pair without '='
// has an empty value.
template <typename Holds>
bool any_pair_of(std::string_view query, Holds holds) {
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    if (holds(pair, pair.substr(0, equals), value)) return true;
    if (end == std::string_view::npos) return false;
    query.remove_prefix(end + 1);
  }
}

[[nodiscard]] Condition compile_condition(const model::Condition& condition);
[[nodiscard]] bool holds(const Condition& condition, Subject& subject);

}  // namespace weir::routing
