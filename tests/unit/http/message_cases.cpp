#include "message_cases.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace weir::http::test {
namespace {

int hex_value(char c) {
  const std::string_view digits = "0123456789abcdef";
  const std::size_t at = digits.find(static_cast<char>(c | 0x20));
  if (at == std::string_view::npos) throw std::runtime_error("bad \\x escape");
  return static_cast<int>(at);
}

// "\{COUNT*TEXT}", braces in TEXT balanced; `at` is after the opening brace.
std::string repetition(std::string_view text, std::size_t& at) {
  const std::size_t star = text.find('*', at);
  std::size_t end = star;
  for (int depth = 1; depth != 0;) {
    if (++end >= text.size()) throw std::runtime_error("unclosed repetition");
    if (text[end] == '{') ++depth;
    if (text[end] == '}') --depth;
  }
  const std::size_t count = std::stoul(std::string(text.substr(at, star - at)));
  const std::string part = unescape(text.substr(star + 1, end - star - 1));
  at = end + 1;
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += part;
  return out;
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void add_line(std::string_view line, std::vector<MessageCase>& cases, const std::string& where) {
  const auto starts = [&](std::string_view word) { return line.starts_with(word); };
  if (starts("case  ")) {
    cases.push_back({where, std::string(line.substr(6)), {}, "GET", {}, {}});
    return;
  }
  if (cases.empty()) throw std::runtime_error("line before the first case");
  MessageCase& current = cases.back();
  if (starts("> ")) {
    current.bytes += unescape(line.substr(2));
  } else if (starts("= ")) {
    current.facts.push_back(unescape(line.substr(2)));
  } else if (line == "request") {
    current.kind = CaseKind::request;
  } else if (starts("response")) {
    current.kind = CaseKind::response;
    if (line.size() > 9) current.method = line.substr(9);
  } else if (line == "chunked") {
    current.kind = CaseKind::chunked;
  } else if (!starts("from  ")) {
    throw std::runtime_error("unknown line");
  }
}

}  // namespace

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out += text[i++];
      continue;
    }
    const char c = i + 1 < text.size() ? text[i + 1] : '?';
    i += 2;
    switch (c) {
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case '0':
        out += '\0';
        break;
      case '\\':
        out += '\\';
        break;
      case '{':
        out += repetition(text, i);
        break;
      case 'x':
        if (i + 2 > text.size()) throw std::runtime_error("bad \\x escape");
        out += static_cast<char>(hex_value(text[i]) * 16 + hex_value(text[i + 1]));
        i += 2;
        break;
      default:
        throw std::runtime_error("unknown escape");
    }
  }
  return out;
}

std::string escape(std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (const char c : bytes.substr(0, 2000)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte >= 0x7f) {
      out.append("\\x").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<MessageCase> load_message_cases(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<MessageCase> cases;
  for (const auto& path : files) {
    const std::string text = file_text(path);
    int number = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string_view line = std::string_view(text).substr(at, end - at);
      at = end + 1;
      const std::string where = path.filename().string() + ":" + std::to_string(++number);
      if (line.empty() || line.starts_with('#')) continue;
      try {
        add_line(line, cases, where);
      } catch (const std::exception& error) {
        throw std::runtime_error(where + ": " + error.what() + ": " + std::string(line));
      }
    }
  }
  return cases;
}

}  // namespace weir::http::test
