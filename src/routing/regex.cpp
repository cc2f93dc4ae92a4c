#include "routing/regex.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

namespace weir::routing {
namespace {

// The program and the automaton cache of one expression. One that does not fit is refused; a cache
// that is full is thrown away, and where that happens too often RE2 goes on without.
constexpr std::int64_t regex_memory_bytes_max = 1 << 20;

std::unexpected<Error> refuse(const std::string& text, std::string_view why) {
  return fail("ValidationError",
              fmt::format("The regular expression '{}' is not valid: {}", text, why),
              "Look-around, back-references, atomic groups, possessive quantifiers and Unicode "
              "classes are not supported.");
}

// \p{…} and \PN, of which RE2 knows more than AWS.
bool has_unicode_class(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') continue;
    ++i;
    if (text[i] == 'p' || text[i] == 'P') return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<re2::RE2>> compile_regex(const std::string& text, Case letter_case) {
  if (has_unicode_class(text)) return refuse(text, "Unicode classes (\\p) are not supported");
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  options.set_case_sensitive(letter_case == Case::exact);
  options.set_max_mem(regex_memory_bytes_max);
  auto regex = std::make_unique<re2::RE2>(text, options);
  if (!regex->ok()) return refuse(text, regex->error());
  return regex;
}

bool regex_matches(const re2::RE2& regex, std::string_view subject) {
  return regex.Match(re2::StringPiece(subject.data(), subject.size()), 0, subject.size(),
                     re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace weir::routing
