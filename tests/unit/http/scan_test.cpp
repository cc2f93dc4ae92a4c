// The searches by 16 bytes against their obvious twins, and the parts they serve.
#include "http/scan.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "http/fields.hpp"
#include "http/request_line.hpp"

namespace weir::http {
namespace {

using Search = const char* (*)(const char*, const char*);

// Every byte value at every place of texts of up to 40 bytes, in memory of exactly their size.
void expect_twin(Search search, bool (*belongs)(unsigned char)) {
  for (std::size_t size = 0; size <= 40; ++size) {
    for (std::size_t place = 0; place < std::max<std::size_t>(size, 1); ++place) {
      for (unsigned value = 0; value < 256; ++value) {
        const auto text = std::make_unique<char[]>(size);
        std::fill_n(text.get(), size, 'a');
        if (size != 0) text[place] = static_cast<char>(value);
        const std::size_t expected =
            size == 0 || belongs(static_cast<unsigned char>(value)) ? size : place;
        ASSERT_EQ(search(text.get(), text.get() + size) - text.get(),
                  static_cast<std::ptrdiff_t>(expected))
            << size << " " << place << " " << value;
      }
    }
  }
}

TEST(Scan, Name) {
  expect_twin(skip_name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

TEST(Scan, Printable) {
  expect_twin(skip_printable, [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

TEST(Scan, Target) {
  expect_twin(skip_target, [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

class RandomText {
 public:
  explicit RandomText(std::string_view alphabet) : alphabet_(alphabet) {}
  std::string operator()(std::size_t size_max) {
    std::string text(random_() % (size_max + 1), ' ');
    for (char& c : text) c = alphabet_[random_() % alphabet_.size()];
    return text;
  }

 private:
  std::string_view alphabet_;
  std::mt19937 random_{20251124};
};

// The twin of plain_header: whole line by searching, then the shape's definition.
TEST(PlainHeader, IsItsDefinition) {
  RandomText random("aZ9-aZ9-::: \t\r\n\x01\x80_");
  int taken = 0;
  for (int round = 0; round < 400'000; ++round) {
    std::string text = random(20);
    if (round % 2 == 0) text += "\r\n";
    const char* begin = text.data();
    Header header;
    const char* next = plain_header(begin, begin + text.size(), header);
    const std::size_t end = text.find_first_of("\r\n");
    const std::size_t colon = text.find(':');
    const bool is_plain =
        end != std::string::npos && text.compare(end, 2, "\r\n") == 0 && colon < end &&
        colon != 0 && all_in(std::string_view(text).substr(0, colon), in_name) &&
        (classes_of(std::string_view(text).substr(0, end)) & (is_control | is_not_ascii)) == 0;
    ASSERT_EQ(next != nullptr, is_plain) << round;
    if (!is_plain) continue;
    ++taken;
    ASSERT_EQ(next - begin, static_cast<std::ptrdiff_t>(end) + 2);
    ASSERT_EQ(header.name, text.substr(0, colon));
    ASSERT_EQ(header.value, trim_spaces(std::string_view(text).substr(colon + 1, end - colon - 1)));
  }
  EXPECT_GT(taken, 1000);
}

// What the fast reading of a request line takes, the slow one takes without a finding and the same.
TEST(PlainRequestLine, AgreesWithTheSlowReading) {
  RandomText random("GET /a?b H#\t\x01");
  int taken = 0;
  for (int round = 0; round < 200'000; ++round) {
    const std::string line =
        (round % 2 == 0 ? "GET /" : "") + random(12) + (round % 3 == 0 ? " HTTP/1.0" : " HTTP/1.1");
    const std::string text = line + "\r\n";
    RequestHead fast;
    const char* next = plain_request_line(text.data(), text.data() + text.size(), fast);
    RequestHead slow;
    const RequestLineFindings findings = odd_request_line(line, slow);
    if (next == nullptr) {
      const bool is_odd = findings.status != 0 || findings.method != DesyncReason::none ||
                          findings.uri != DesyncReason::none ||
                          findings.version != DesyncReason::none;
      ASSERT_TRUE(is_odd) << line;
      continue;
    }
    ++taken;
    ASSERT_EQ(next, text.data() + text.size());
    ASSERT_EQ(findings.status, 0) << line;
    ASSERT_EQ(findings.method, DesyncReason::none) << line;
    ASSERT_EQ(findings.uri, DesyncReason::none) << line;
    ASSERT_EQ(fast.method, slow.method);
    ASSERT_EQ(fast.method_text, slow.method_text);
    ASSERT_EQ(fast.target, slow.target);
    ASSERT_EQ(fast.version, slow.version);
  }
  EXPECT_GT(taken, 1000);
}

}  // namespace
}  // namespace weir::http
