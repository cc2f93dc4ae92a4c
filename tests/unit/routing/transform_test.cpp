#include "routing/transform.hpp"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include "requests.hpp"

namespace weir::routing {
namespace {

using model::TransformType;
using test::Request;

std::string rewritten(const std::string& regex, std::string_view replace,
                      std::string_view subject) {
  const auto rewrite = Rewrite::compile(regex, replace, Case::exact);
  if (!rewrite) return "refused: " + rewrite.error().message;
  std::string out;
  switch (rewrite->apply(subject, 64, out)) {
    case Rewrite::Outcome::no_match:
      return "no match";
    case Rewrite::Outcome::too_long:
      return "too long";
    case Rewrite::Outcome::done:
      break;
  }
  return out;
}

TEST(Rewrite, ReplacesTheLeftmostMatchAndKeepsWhatLiesAround) {
  EXPECT_EQ(rewritten("^/dp/([A-Z0-9]+)/?$", "/product.php?id=$1", "/dp/B09"),
            "/product.php?id=B09");
  EXPECT_EQ(rewritten("a", "b", "/aa"), "/ba");
  EXPECT_EQ(rewritten("^/api", "", "/api/x?y"), "/x?y");
  EXPECT_EQ(rewritten("(a)|(b)", "[$1|$2]", "/b"), "/[|b]") << "a group that took no part is empty";
  EXPECT_EQ(rewritten("", "/x", "/a"), "/x/a");
  EXPECT_EQ(rewritten("z", "y", "/a"), "no match");
}

TEST(Rewrite, DollarAndALongestKnownNumberIsAGroup) {
  EXPECT_EQ(rewritten("(a)", "$12", "a"), "a2");
  EXPECT_EQ(rewritten("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "$10$1", "abcdefghij"), "ja");
  EXPECT_EQ(rewritten("b+", "<$0>", "abbc"), "a<bb>c");
  EXPECT_EQ(rewritten("a", "$", "a"), "$");
  EXPECT_EQ(rewritten("a", "$x$$", "a"), "$x$$");
  EXPECT_EQ(
      rewritten("(a)", "$2", "a"),
      "refused: The replacement '$2' refers to group $2, but the regular expression '(a)' has "
      "1");
}

TEST(Rewrite, IsBounded) {
  EXPECT_EQ(rewritten("^(.*)$", "$1$1$1$1", std::string(16, 'x')), std::string(64, 'x'));
  EXPECT_EQ(rewritten("^(.*)$", "$1$1$1$1", std::string(17, 'x')), "too long");
  EXPECT_EQ(rewritten("^(.*)$", "$1", std::string(65, 'x')), "too long");
}

TEST(Regex, WhatAwsDoesNotSupportIsRefusedWithAReason) {
  for (const char* text : {"(?=a)", "(?!a)", "(?<=a)", "(a)\\1", "(?>a)", "a++", "(?R)", "\\p{L}",
                           "[\\PN]", "(", "a{2000}"}) {
    const auto compiled = compile_regex(text, Case::exact);
    ASSERT_FALSE(compiled) << text;
    EXPECT_TRUE(compiled.error().message.starts_with(std::string("The regular expression '") +
                                                     text + "' is not valid: "))
        << compiled.error().message;
  }
  EXPECT_TRUE(compile_regex("\\\\p{2}", Case::exact)) << "a backslash, then p twice";
}

Transformed transformed(std::vector<model::Transform> transforms, const Request& request) {
  const auto compiled = Transforms::compile(transforms);
  EXPECT_TRUE(compiled);
  http::RequestHead head = request.head();
  const std::string target = request.path + (head.has_query ? "?" + request.query : "");
  head.target = target;
  Transformed out;
  compiled->apply(head, out);
  return out;
}

model::Transform host(std::string regex, std::string replace) {
  return {TransformType::host_header_rewrite, std::move(regex), std::move(replace)};
}
model::Transform url(std::string regex, std::string replace) {
  return {TransformType::url_rewrite, std::move(regex), std::move(replace)};
}

TEST(Transforms, HostIsLowerCasedAndWithoutPort) {
  Request request;
  request.authority = "MyWebsite-Example.com:8080";
  const auto out =
      transformed({host("^mywebsite-(.+).com$", "internal.dev.$1.myweb.com")}, request);
  EXPECT_EQ(out.status, TransformStatus::success);
  EXPECT_EQ(out.host, "internal.dev.example.myweb.com");
  EXPECT_EQ(out.uri, "");
}

TEST(Transforms, UrlIsPathAndQueryInOne) {
  Request request;
  request.path = "/a/b";
  request.query = "x=1&y=2";
  const auto out = transformed({url("^/a/(.*)\\?x=(\\d)", "/$2/$1?z=$2")}, request);
  EXPECT_EQ(out.status, TransformStatus::success);
  EXPECT_EQ(out.uri, "/1/b?z=1&y=2");
}

TEST(Transforms, NoMatchLeavesTheRequestAsItWas) {
  const auto out = transformed({host("^b", "c"), url("^/b", "/c")}, Request{});
  EXPECT_EQ(out.status, TransformStatus::none);
  EXPECT_EQ(out.host + out.uri, "");
  Request no_host;
  no_host.authority = "";
  EXPECT_EQ(transformed({host(".*", "c.d")}, no_host).status, TransformStatus::none);
}

TEST(Transforms, TheSameTextAgainIsSuccessWithoutAChange) {
  const auto out = transformed({url("^/", "/")}, Request{});
  EXPECT_EQ(out.status, TransformStatus::success);
  EXPECT_EQ(out.uri, "");
}

TEST(Transforms, AnInvalidResultIsAnErrorAndIsNotKept) {
  const auto status = [](model::Transform transform) {
    const auto out = transformed({host("^", "x."), std::move(transform)}, Request{});
    EXPECT_EQ(out.host + out.uri, "");
    EXPECT_TRUE(out.has_failed());
    return out.status;
  };
  EXPECT_EQ(status(url("^/", "")), TransformStatus::invalid_path);
  EXPECT_EQ(status(url("^/", "x")), TransformStatus::invalid_path);
  EXPECT_EQ(status(url("$", "#x")), TransformStatus::invalid_path);
  EXPECT_EQ(status(host("^.*$", "")), TransformStatus::invalid_host);
  EXPECT_EQ(status(host("^.*$", "a/b")), TransformStatus::invalid_host);
  EXPECT_EQ(status(host("^.*$", "a:80")), TransformStatus::invalid_host);
  EXPECT_EQ(status(host("^.*$", std::string(256, 'a'))), TransformStatus::buffer_too_small);
}

TEST(Transforms, AUrlThatNeedsEncodingIsRewrittenEncoded) {
  const auto compiled = Transforms::compile({url("^/(.*)$", "/x/$1")});
  ASSERT_TRUE(compiled);
  http::RequestHead head;
  head.target = "/a b#c";
  head.path = head.target;
  head.target_needs_encoding = true;
  Transformed out;
  compiled->apply(head, out);
  EXPECT_EQ(out.uri, "/x/a%20b%23c");
}

}  // namespace
}  // namespace weir::routing
