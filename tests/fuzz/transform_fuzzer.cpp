// A hostile expression, replacement and request: the expression is refused with a reason or runs
// within bounds, what a rewrite makes can be sent as it is, and the literals by which a rule is
// filed are in every text that its expression matches.
//
// Input: the expression, a line feed, the replacement, a line feed, the request's target.
#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/target.hpp"
#include "model/validate.hpp"
#include "routing/required_literals.hpp"
#include "routing/transform.hpp"

namespace {

using namespace weir;

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

void check_literals(const std::string& expression, std::string_view text) {
  const routing::TextPatterns patterns({}, {expression}, routing::Case::exact);
  if (patterns.regexes.empty()) return;
  const std::string subject = routing::matchable(text, routing::Case::exact);
  const auto literals = routing::required_literals(patterns);
  if (literals.empty() || !patterns.any_matches(subject)) return;
  const std::string folded = routing::matchable(subject, routing::Case::folded);
  check(std::ranges::any_of(
            literals,
            [&](const std::string& literal) { return folded.find(literal) != std::string::npos; }),
        "a text matches without any of the literals");
}

void check_transform(const model::Transform& transform, const http::RequestHead& head) {
  const auto compiled = routing::Transforms::compile({transform});
  if (!compiled) return check(!compiled.error().message.empty(), "refused without a reason");
  routing::Transformed out;
  compiled->apply(head, out);
  if (out.has_failed()) return check(out.host.empty() && out.uri.empty(), "a failure left a text");
  check(out.uri.size() <= http::request_line_bytes_max, "the URL is too long");
  check(out.uri.empty() || out.uri.front() == '/', "the URL has no slash");
  check(std::ranges::none_of(out.uri,
                             [](char c) {
                               const auto byte = static_cast<unsigned char>(c);
                               return byte <= 0x20 || byte == 0x7f || byte == '#';
                             }),
        "the URL would end the request line's target");
  check(out.host.empty() || http::is_authority_valid(out.host), "the host is none");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string expression(take_line(rest));
  const std::string replacement(take_line(rest));
  check_literals(expression, rest);
  const std::vector<model::Action> forward = {{1, model::ForwardAction{{{"group", 1}}, false, 0}}};
  for (const auto type :
       {model::TransformType::url_rewrite, model::TransformType::host_header_rewrite}) {
    const model::Transform transform{type, expression, replacement};
    if (!model::validate_transforms({transform}, forward)) continue;
    http::RequestHead head;
    head.method_text = "GET";
    head.target = rest;
    head.target_needs_encoding = true;
    if (!http::split_target(head)) continue;
    if (head.authority.empty()) head.authority = "Www.Example.com:8080";
    check_transform(transform, head);
  }
  return 0;
}
