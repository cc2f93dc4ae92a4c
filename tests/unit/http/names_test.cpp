// Header ids, look-alikes, authorities and lengths: tables.
#include <gtest/gtest.h>

#include <utility>

#include "http/desync.hpp"
#include "http/fields.hpp"
#include "http/target.hpp"

namespace weir::http {
namespace {

TEST(HeaderId, AllNamesInAnyCase) {
  const std::pair<std::string_view, HeaderId> names[] = {
      {"Connection", HeaderId::connection},
      {"Content-Length", HeaderId::content_length},
      {"Cookie", HeaderId::cookie},
      {"Date", HeaderId::date},
      {"Expect", HeaderId::expect},
      {"Host", HeaderId::host},
      {"Keep-Alive", HeaderId::keep_alive},
      {"Proxy-Connection", HeaderId::proxy_connection},
      {"Server", HeaderId::server},
      {"TE", HeaderId::te},
      {"Trailer", HeaderId::trailer},
      {"Transfer-Encoding", HeaderId::transfer_encoding},
      {"Upgrade", HeaderId::upgrade},
      {"User-Agent", HeaderId::user_agent},
      {"X-Amzn-Trace-Id", HeaderId::x_amzn_trace_id},
      {"X-Forwarded-For", HeaderId::x_forwarded_for},
      {"X-Forwarded-Port", HeaderId::x_forwarded_port},
      {"X-Forwarded-Proto", HeaderId::x_forwarded_proto},
  };
  EXPECT_EQ(std::size(names), static_cast<std::size_t>(HeaderId::count_) - 1);
  for (const auto& [name, id] : names) {
    std::string text(name);
    EXPECT_EQ(header_id(text), id) << name;
    for (char& c : text) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(header_id(text), id) << name;
    for (char& c : text) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(header_id(text), id) << name;
  }
}

// Each byte of each name changed to each other value: another header.
TEST(HeaderId, NothingElse) {
  for (const std::string_view name :
       {"te", "host", "cookie", "upgrade", "keep-alive", "content-length", "x-forwarded-for",
        "proxy-connection", "transfer-encoding", "x-forwarded-proto"}) {
    const HeaderId id = header_id(name);
    for (std::size_t i = 0; i < name.size(); ++i) {
      for (unsigned value = 0; value < 256; ++value) {
        std::string text(name);
        text[i] = static_cast<char>(value);
        const bool is_same = std::tolower(static_cast<int>(value)) == name[i];
        ASSERT_EQ(header_id(text) == id, is_same) << name << " " << i << " " << value;
      }
    }
    EXPECT_NE(header_id(std::string(name) + "x"), id);
    EXPECT_NE(header_id(name.substr(1)), id);
  }
  EXPECT_EQ(header_id(""), HeaderId::other);
}

TEST(LookAlike, Table) {
  EXPECT_EQ(look_alike("transfer_encoding"), LookAlike::transfer_encoding);
  EXPECT_EQ(look_alike("Transfer-Encoding"), LookAlike::transfer_encoding);
  EXPECT_EQ(look_alike("TRAN\xc5\xbf"
                       "FER ENCOD\xc4\xb1NG"),
            LookAlike::transfer_encoding);
  EXPECT_EQ(look_alike("content.length"), LookAlike::content_length);
  EXPECT_EQ(look_alike("\xef\xbc\xa3ontent-length"), LookAlike::content_length);
  for (const std::string_view name : {"", "---", "transfer", "transfer-encodin", "content-lengths",
                                      "x-content-length", "content-length2", "content-type"}) {
    EXPECT_EQ(look_alike(name), LookAlike::none) << name;
  }
}

// The cheap test is never false for a look-alike, whatever is put in front or between.
TEST(LookAlike, CheapTestMissesNone) {
  for (unsigned value = 0; value < 256; ++value) {
    const std::string byte(1, static_cast<char>(value));
    for (const std::string& name : {byte + "transfer-encoding", byte + "ContentLength",
                                    "TransferEncoding" + byte, "content" + byte + "length"}) {
      if (look_alike(name) != LookAlike::none) {
        EXPECT_TRUE(may_look_alike(name)) << value << " " << name;
      }
    }
  }
  EXPECT_FALSE(may_look_alike("x-forwarded-something"));
}

TEST(Authority, Table) {
  for (const std::string_view valid :
       {"", "a", "a.b", "a_b", "A-1.example:80", "a:", "a:0", "a:65535", "1.2.3.4:8080", "[::1]",
        "[2001:db8::1.2.3.4]:443", "%41", "a!$&'()*+,;=~", "xn--caf-dma.example"}) {
    EXPECT_TRUE(is_authority_valid(valid)) << valid;
  }
  for (const std::string_view invalid :
       {":80",   "a:65536",   "a:123456", "a:b",  "a:1:2", "a b", "a/",    "a?",
        "a#",    "a@b",       "@",        "a\\b", "a\"",   "<a>", "[",     "[]",
        "[::1",  "[::1]a",    "[g::]",    "[12]", "::1",   "%4",  "%zz",   "a\x01",
        "a\x7f", "a\xc3\xa9", "a|b",      "a^b",  "a`",    "{a}", "[v1.x]"}) {
    EXPECT_FALSE(is_authority_valid(invalid)) << invalid;
  }
  EXPECT_FALSE(is_authority_valid(std::string_view("a\0b", 3)));
}

TEST(ContentLength, Table) {
  std::uint64_t length = 7;
  EXPECT_TRUE(parse_content_length("0", length));
  EXPECT_EQ(length, 0U);
  EXPECT_TRUE(parse_content_length("18446744073709551615", length));
  EXPECT_EQ(length, ~std::uint64_t{0});
  for (const std::string_view bad :
       {"", " ", "-1", "+1", "1 ", "0x1", "1e3", "18446744073709551616", "99999999999999999999",
        "184467440737095516150"}) {
    EXPECT_FALSE(parse_content_length(bad, length)) << bad;
  }
}

TEST(Elements, EmptyOnesAreSkipped) {
  std::string seen;
  for_each_element(" a,, b c ,\t,d", [&](std::string_view element) {
    seen += '[';
    seen += element;
    seen += ']';
  });
  EXPECT_EQ(seen, "[a][b c][d]");
}

TEST(DesyncReason, NamesAndClasses) {
  EXPECT_EQ(to_string(DesyncReason::none), "-");
  EXPECT_EQ(to_string(DesyncReason::both_te_cl_present), "BothTeClPresent");
  EXPECT_EQ(desync_class_of(DesyncReason::none), DesyncClass::compliant);
  EXPECT_EQ(desync_class_of(DesyncReason::space_in_uri), DesyncClass::acceptable);
  EXPECT_EQ(desync_class_of(DesyncReason::suspicious_header), DesyncClass::ambiguous);
  EXPECT_EQ(desync_class_of(DesyncReason::bad_header), DesyncClass::severe);
}

}  // namespace
}  // namespace weir::http
