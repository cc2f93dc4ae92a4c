#include "routing/transform.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "http/target.hpp"
#include "http/writer.hpp"

namespace weir::routing {
namespace {

constexpr std::size_t groups_max = 100;  // $0 to $99
constexpr std::size_t host_bytes_max = 255;
// Reference §5.1: the request line, without method and version.
constexpr std::size_t uri_bytes_max = http::request_line_bytes_max - 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_host_valid(std::string_view host) {
  return !host.empty() && without_port(host).size() == host.size() &&
         http::is_authority_valid(host);
}

bool is_uri_valid(std::string_view uri) {
  return uri.starts_with('/') && std::ranges::all_of(uri, [](char c) {
           return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '#';
         });
}

// Path and query as they would be sent on.
std::string_view uri_of(const http::RequestHead& head, std::string& scratch) {
  if (!head.is_absolute_form && !head.target_needs_encoding && !head.target.empty())
    return head.target;
  scratch.clear();
  http::append_target(scratch, head.path.empty() ? std::string_view("/") : head.path);
  if (head.has_query) {
    scratch += '?';
    http::append_target(scratch, head.query);
  }
  return scratch;
}

}  // namespace

// ---------------------------------------------------------------- one rewrite
Rewrite::Rewrite(Rewrite&&) noexcept = default;
Rewrite& Rewrite::operator=(Rewrite&&) noexcept = default;
Rewrite::~Rewrite() = default;

Result<Rewrite> Rewrite::compile(const std::string& regex, std::string_view replace,
                                 Case letter_case) {
  auto compiled = compile_regex(regex, letter_case);
  if (!compiled) return std::unexpected(compiled.error());
  Rewrite out;
  out.regex_ = std::move(*compiled);
  if (auto valid = out.read_replacement(replace); !valid) return std::unexpected(valid.error());
  return out;
}

// A '$' and the longest number that is one of the expression's groups; any other '$' is itself.
Status Rewrite::read_replacement(std::string_view replace) {
  const auto groups = static_cast<std::size_t>(regex_->NumberOfCapturingGroups()) + 1;
  pieces_.emplace_back();
  for (std::size_t i = 0; i < replace.size(); ++i) {
    if (replace[i] != '$' || i + 1 == replace.size() || !is_digit(replace[i + 1])) {
      pieces_.back().text += replace[i];
      continue;
    }
    std::size_t group = static_cast<std::size_t>(replace[++i] - '0');
    while (i + 1 < replace.size() && is_digit(replace[i + 1])) {
      const std::size_t longer = group * 10 + static_cast<std::size_t>(replace[i + 1] - '0');
      if (longer >= std::min(groups, groups_max)) break;
      group = longer;
      ++i;
    }
    if (group >= groups) {
      return fail(
          "ValidationError",
          fmt::format("The replacement '{}' refers to group ${}, but the regular expression "
                      "'{}' has {}",
                      replace, group, regex_->pattern(), groups - 1));
    }
    pieces_.back().group = group;
    pieces_.emplace_back();
    groups_used_ = std::max(groups_used_, group + 1);
  }
  return {};
}

Rewrite::Outcome Rewrite::apply(std::string_view subject, std::size_t bytes_max,
                                std::string& out) const {
  std::array<re2::StringPiece, groups_max> caught;
  const re2::StringPiece text(subject.data(), subject.size());
  if (!regex_->Match(text, 0, subject.size(), re2::RE2::UNANCHORED, caught.data(),
                     static_cast<int>(groups_used_)))
    return Outcome::no_match;
  const auto begin = static_cast<std::size_t>(caught[0].data() - subject.data());
  const auto append = [&](std::string_view part) {
    if (part.size() > bytes_max - out.size()) return false;
    out += part;
    return true;
  };
  out.clear();
  bool fits = append(subject.substr(0, begin));
  for (const Piece& piece : pieces_) {
    fits = fits && append(piece.text);
    if (!piece.group) continue;
    const re2::StringPiece& group = caught[*piece.group];
    fits = fits && append({group.data(), group.size()});
  }
  fits = fits && append(subject.substr(begin + caught[0].size()));
  return fits ? Outcome::done : Outcome::too_long;
}

// ---------------------------------------------------------------- those of a rule
std::string_view to_string(TransformStatus status) {
  switch (status) {
    case TransformStatus::none:
      break;
    case TransformStatus::success:
      return "TransformSuccess";
    case TransformStatus::buffer_too_small:
      return "TransformBufferTooSmall";
    case TransformStatus::compile_error:
      return "TransformCompileError";
    case TransformStatus::compile_too_big:
      return "TransformCompileTooBig";
    case TransformStatus::regex_syntax_error:
      return "TransformRegexSyntaxError";
    case TransformStatus::replace_error:
      return "TransformReplaceError";
    case TransformStatus::invalid_host:
      return "TransformInvalidHost";
    case TransformStatus::invalid_path:
      return "TransformInvalidPath";
  }
  return "-";
}

Result<Transforms> Transforms::compile(const std::vector<model::Transform>& transforms) {
  Transforms out;
  for (const model::Transform& transform : transforms) {
    const bool is_host = transform.type == model::TransformType::host_header_rewrite;
    auto rewrite =
        Rewrite::compile(transform.regex, transform.replace, is_host ? Case::folded : Case::exact);
    if (!rewrite) return std::unexpected(rewrite.error());
    (is_host ? out.host_ : out.uri_) = std::move(*rewrite);
  }
  return out;
}

void Transforms::apply(const http::RequestHead& head, Transformed& out) const {
  if (host_) out.status = rewrite_host(head, out.host);
  if (uri_ && !out.has_failed()) {
    const TransformStatus status = rewrite_uri(head, out.uri);
    if (status != TransformStatus::none) out.status = status;
  }
  if (out.has_failed()) {
    out.host.clear();
    out.uri.clear();
  }
}

TransformStatus Transforms::rewrite_host(const http::RequestHead& head, std::string& out) const {
  thread_local std::string host;
  host.assign(without_port(head.authority));
  std::ranges::transform(host, host.begin(), to_lower);
  if (host.empty()) return TransformStatus::none;
  const Rewrite::Outcome outcome = host_->apply(host, host_bytes_max, out);
  if (outcome == Rewrite::Outcome::no_match) return TransformStatus::none;
  if (outcome == Rewrite::Outcome::too_long) return TransformStatus::buffer_too_small;
  if (!is_host_valid(out)) return TransformStatus::invalid_host;
  if (out == host) out.clear();
  return TransformStatus::success;
}

TransformStatus Transforms::rewrite_uri(const http::RequestHead& head, std::string& out) const {
  thread_local std::string scratch;
  const std::string_view uri = uri_of(head, scratch);
  const Rewrite::Outcome outcome = uri_->apply(uri, uri_bytes_max, out);
  if (outcome == Rewrite::Outcome::no_match) return TransformStatus::none;
  if (outcome == Rewrite::Outcome::too_long) return TransformStatus::buffer_too_small;
  if (!is_uri_valid(out)) return TransformStatus::invalid_path;
  if (out == uri) out.clear();
  return TransformStatus::success;
}

}  // namespace weir::routing
