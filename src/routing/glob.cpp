#include "routing/glob.hpp"

#include <algorithm>
#include <cstring>

namespace weir::routing {

Glob::Glob(std::string_view pattern, Case letter_case, Escapes escapes) {
  const std::string text = matchable(pattern, letter_case);
  segments_.emplace_back();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = escapes == Escapes::backslash && text[i] == '\\' &&
                           i + 1 < text.size() && (text[i + 1] == '*' || text[i + 1] == '?');
    if (is_escape) {
      segments_.back().text += text[++i];
    } else if (text[i] == '*') {
      segments_.emplace_back();
    } else if (text[i] == '?') {
      segments_.back().text += any_one;
      segments_.back().has_any_one = true;
    } else {
      segments_.back().text += text[i];
    }
  }
}

bool Glob::Segment::matches_at(std::string_view subject, std::size_t offset) const {
  const char* bytes = subject.data() + offset;
  if (!has_any_one) return text.empty() || std::memcmp(bytes, text.data(), text.size()) == 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != any_one && text[i] != bytes[i]) return false;
  }
  return true;
}

// The first place in [from, to) that holds the whole segment, or npos.
std::size_t Glob::Segment::find(std::string_view subject, std::size_t from, std::size_t to) const {
  if (!has_any_one) return subject.substr(0, to).find(text, from);
  for (; from + text.size() <= to; ++from) {
    if (matches_at(subject, from)) return from;
  }
  return std::string_view::npos;
}

bool Glob::matches(std::string_view subject) const {
  const Segment& first = segments_.front();
  if (segments_.size() == 1)
    return subject.size() == first.text.size() && first.matches_at(subject, 0);
  const Segment& last = segments_.back();
  if (subject.size() < first.text.size() + last.text.size()) return false;
  const std::size_t end = subject.size() - last.text.size();
  if (!first.matches_at(subject, 0) || !last.matches_at(subject, end)) return false;
  std::size_t at = first.text.size();
  for (std::size_t i = 1; i + 1 < segments_.size(); ++i) {
    at = segments_[i].find(subject, at, end);
    if (at == std::string_view::npos) return false;
    at += segments_[i].text.size();
  }
  return true;
}

std::string_view Glob::literal_prefix() const {
  const std::string_view text = segments_.front().text;
  return text.substr(0, text.find(any_one));
}

std::string_view Glob::literal_suffix() const {
  const std::string_view text = segments_.back().text;
  const std::size_t wildcard = text.rfind(any_one);
  return wildcard == std::string_view::npos ? text : text.substr(wildcard + 1);
}

std::string Glob::longest_literal() const {
  std::string_view longest;
  for (const Segment& segment : segments_) {
    std::string_view rest = segment.text;
    while (!rest.empty()) {
      const std::string_view run = rest.substr(0, rest.find(any_one));
      if (run.size() > longest.size()) longest = run;
      rest.remove_prefix(std::min(run.size() + 1, rest.size()));
    }
  }
  return std::string(longest);
}

bool Glob::is_exact() const { return segments_.size() == 1 && !segments_.front().has_any_one; }

bool Glob::is_prefix_only() const {
  return segments_.size() == 2 && !segments_.front().has_any_one && segments_.back().text.empty();
}

bool Glob::is_suffix_only() const {
  return segments_.size() == 2 && !segments_.back().has_any_one && segments_.front().text.empty();
}

}  // namespace weir::routing
