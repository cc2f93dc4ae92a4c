#include "importing/profiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <fstream>

namespace weir::importing {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// [profile "two words"] → profile two words
std::string section_name(std::string_view line) {
  std::string name;
  for (const char c : trimmed(line.substr(1, line.find(']') - 1))) {
    if (c == '"' || c == '\'') continue;
    const bool is_blank = blanks.find(c) != std::string_view::npos;
    if (is_blank && name.ends_with(' ')) continue;
    name.push_back(is_blank ? ' ' : c);
  }
  return name;
}

class Reader {
 public:
  void take(std::string_view line) {
    const auto text = trimmed(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') return;
    if (text.front() == '[') {
      section_ = text.find(']') == std::string_view::npos ? nullptr : &result_[section_name(text)];
      parent_.clear();
      return;
    }
    const auto equals = text.find('=');
    if (section_ == nullptr || equals == std::string_view::npos) return;
    const bool is_nested = blanks.find(line.front()) != std::string_view::npos && !parent_.empty();
    const auto key = lower(trimmed(text.substr(0, equals)));
    const auto value = trimmed(text.substr(equals + 1));
    if (!is_nested) parent_ = value.empty() ? key : "";
    (*section_)[is_nested ? fmt::format("{}.{}", parent_, key) : key] = value;
  }

  Sections result_;

 private:
  Section* section_ = nullptr;
  std::string parent_;  // the key that indented lines belong to
};

}  // namespace

Sections parse_profiles(std::string_view text) {
  Reader reader;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    reader.take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(reader.result_);
}

Result<Sections> read_profiles(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return Sections{};
  if (!std::filesystem::is_regular_file(status))
    return fail("InvalidConfiguration", fmt::format("{} is no file", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail_errno(fmt::format("cannot read {}", path), errno);
  std::string text(profile_file_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > profile_file_bytes_max) {
    return fail("InvalidConfiguration",
                fmt::format("{} is larger than {} bytes", path, profile_file_bytes_max));
  }
  return parse_profiles(text);
}

}  // namespace weir::importing
