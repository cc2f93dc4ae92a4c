// Transforms of a rule: the host and the URL of a request rewritten before it is forwarded
// (reference §3.4).
//
// A rewrite replaces the leftmost match of its regular expression; what lies around the match
// stays. The host is looked at in lower case and without its port, the URL as path and query in one
// text, encoded as it would be sent on. The result is checked, since what a target reads as request
// line and Host must be one of each: what is invalid is an error (500), never sent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/message.hpp"
#include "model/resources.hpp"
#include "routing/regex.hpp"

namespace weir::routing {

class Rewrite {
 public:
  // "ValidationError": the expression does not compile, or the replacement refers to a group that
  // the expression does not have.
  [[nodiscard]] static Result<Rewrite> compile(const std::string& regex, std::string_view replace,
                                               Case letter_case);
  Rewrite(Rewrite&&) noexcept;
  Rewrite& operator=(Rewrite&&) noexcept;
  ~Rewrite();

  enum class Outcome : std::uint8_t { no_match, done, too_long };
  // `out` is the subject with its first match replaced where the outcome is `done`, and of no
  // meaning otherwise.
  [[nodiscard]] Outcome apply(std::string_view subject, std::size_t bytes_max,
                              std::string& out) const;

 private:
  // The replacement: texts, each but the last followed by what a group caught.
  struct Piece {
    std::string text;
    std::optional<std::size_t> group;
  };
  Rewrite() = default;
  Status read_replacement(std::string_view replace);

  std::unique_ptr<re2::RE2> regex_;
  std::vector<Piece> pieces_;
  std::size_t groups_used_ = 1;  // the whole match is group 0
};

// The access log's field 33. Those of expressions that are no good are for rules that the control
// plane would have refused.
enum class TransformStatus : std::uint8_t {
  none,  // no transform, or none that matched
  success,
  buffer_too_small,
  compile_error,
  compile_too_big,
  invalid_host,
  invalid_path,
  regex_syntax_error,
  replace_error,
};
[[nodiscard]] std::string_view to_string(TransformStatus status);  // "TransformSuccess"; none: "-"

// What transforms made of a request. Kept from request to request: the texts keep their room.
struct Transformed {
  TransformStatus status = TransformStatus::none;
  std::string host;  // without port; empty: as it was
  std::string uri;   // path and query; empty: as it was

  [[nodiscard]] bool has_failed() const { return status > TransformStatus::success; }
  void clear() {
    status = TransformStatus::none;
    host.clear();
    uri.clear();
  }
};

class Transforms {
 public:
  // The Result is for the control plane, which refuses what does not compile.
  [[nodiscard]] static Result<Transforms> compile(const std::vector<model::Transform>& transforms);

  // `out` is clear. Any thread.
  void apply(const http::RequestHead& head, Transformed& out) const;

 private:
  [[nodiscard]] TransformStatus rewrite_host(const http::RequestHead& head, std::string& out) const;
  [[nodiscard]] TransformStatus rewrite_uri(const http::RequestHead& head, std::string& out) const;

  std::optional<Rewrite> host_, uri_;
};

}  // namespace weir::routing
