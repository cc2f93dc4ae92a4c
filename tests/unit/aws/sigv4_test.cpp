// Signatures: AWS's published examples, then everything that may not pass.
#include <gtest/gtest.h>

#include "aws/sigv4/access.hpp"
#include "aws/sigv4/authorization.hpp"
#include "aws/sigv4/digest.hpp"
#include "aws/sigv4/signature.hpp"

namespace weir::aws {
namespace {

constexpr std::string_view example_secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr std::int64_t example_ms = 1'440'938'160'000;  // 2015-08-30T12:36:00Z

Authorization example_authorization(std::string service, std::vector<std::string> headers) {
  Authorization authorization;
  authorization.access_key_id = "AKIDEXAMPLE";
  authorization.date = "20150830";
  authorization.region = "us-east-1";
  authorization.service = std::move(service);
  authorization.signed_headers = std::move(headers);
  authorization.timestamp = "20150830T123600Z";
  return authorization;
}

std::string signature_of(const HttpRequest& request, const Authorization& authorization) {
  const auto query = parse_form(request.query);
  return sign(example_secret, authorization,
              string_to_sign(authorization, canonical_request(request, *query, authorization)));
}

// ---------------------------------------------------------------- AWS's examples
HttpRequest example_request(std::string method, std::string path, std::string query) {
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.query = std::move(query);
  request.headers = {{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}};
  return request;
}

TEST(Signature, OfTheDocumentationsExample) {
  auto request = example_request("GET", "/", "Action=ListUsers&Version=2010-05-08");
  request.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
                     {"host", "iam.amazonaws.com"},
                     {"x-amz-date", "20150830T123600Z"}};
  const auto authorization = example_authorization("iam", {"content-type", "host", "x-amz-date"});
  const auto canonical = canonical_request(request, *parse_form(request.query), authorization);
  EXPECT_EQ(sha256_hex(canonical),
            "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
  EXPECT_EQ(signature_of(request, authorization),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST(Signature, OfTheTestSuite) {
  const auto plain = example_authorization("service", {"host", "x-amz-date"});
  EXPECT_EQ(signature_of(example_request("GET", "/", ""), plain),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(signature_of(example_request("GET", "/", "Param2=value2&Param1=value1"), plain),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  EXPECT_EQ(signature_of(example_request("POST", "/", ""), plain),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  for (const auto* path : {"//", "/./", "/example/..", "/example1/example2/../.."}) {
    EXPECT_EQ(signature_of(example_request("GET", path, ""), plain),
              "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
        << path;
  }
}

TEST(Signature, HeadersAreTrimmedAndJoined) {
  auto request = example_request("GET", "/", "");
  request.headers.emplace_back("my-header1", "  value1   with  space ");
  request.headers.emplace_back("my-header1", "value2");
  const auto authorization = example_authorization("service", {"host", "my-header1", "x-amz-date"});
  const auto canonical = canonical_request(request, {}, authorization);
  EXPECT_NE(canonical.find("\nmy-header1:value1 with space,value2\n"), std::string::npos)
      << canonical;
}

// ---------------------------------------------------------------- reading
class AuthorizationTest : public testing::Test {
 protected:
  std::string refusal(const std::string& header, const std::string& date = "20150830T123600Z") {
    HttpRequest request;
    request.headers = {{"authorization", header}, {"x-amz-date", date}};
    const auto read = read_authorization(request, {});
    return read ? "" : read.error().code;
  }
  const std::string scope_ = "Credential=AKID/20150830/us-east-1/sts/aws4_request";
  const std::string headers_ = "SignedHeaders=host;x-amz-date";
  const std::string signature_ = "Signature=" + std::string(64, 'a');
};

TEST_F(AuthorizationTest, IsReadWithAndWithoutSpaces) {
  for (const auto* comma : {", ", ","}) {
    HttpRequest request;
    request.headers = {
        {"authorization", "AWS4-HMAC-SHA256 " + scope_ + comma + headers_ + comma + signature_},
        {"x-amz-date", "20150830T123600Z"},
        {"x-amz-security-token", "token"}};
    const auto read = read_authorization(request, {});
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->access_key_id, "AKID");
    EXPECT_EQ(read->region, "us-east-1");
    EXPECT_EQ(read->service, "sts");
    EXPECT_EQ(read->signed_headers, (std::vector<std::string>{"host", "x-amz-date"}));
    EXPECT_EQ(read->session_token, "token");
    EXPECT_FALSE(read->is_presigned);
  }
}

TEST_F(AuthorizationTest, WhatIsNotWholeIsRefused) {
  const std::string start = "AWS4-HMAC-SHA256 ";
  EXPECT_EQ(refusal(start + scope_ + ", " + headers_ + ", " + signature_), "");
  EXPECT_EQ(refusal("AWS4-HMAC-SHA256"), "IncompleteSignature");
  EXPECT_EQ(refusal("Basic YTpi"), "IncompleteSignature");
  EXPECT_EQ(refusal(start), "IncompleteSignature");
  EXPECT_EQ(refusal(start + headers_ + "," + signature_), "IncompleteSignature");
  EXPECT_EQ(refusal(start + scope_ + "," + signature_), "IncompleteSignature");
  EXPECT_EQ(refusal(start + scope_ + "," + headers_), "IncompleteSignature");
  EXPECT_EQ(refusal(start + scope_ + "," + scope_ + "," + headers_ + "," + signature_),
            "IncompleteSignature");
  EXPECT_EQ(refusal(start + scope_ + ",SignedHeaders=x-amz-date," + signature_),
            "IncompleteSignature");
  EXPECT_EQ(refusal(start + scope_ + ",SignedHeaders=x-amz-date;host," + signature_),
            "IncompleteSignature");
  EXPECT_EQ(refusal(start + scope_ + "," + headers_ + ",Signature=" + std::string(64, 'A')),
            "IncompleteSignature");
  EXPECT_EQ(refusal(start + scope_ + "," + headers_ + ",Signature=abc"), "IncompleteSignature");
  EXPECT_EQ(refusal(start + "Credential=AKID/20150830/us-east-1/sts/aws4_reque," + headers_ + "," +
                    signature_),
            "IncompleteSignature");
  EXPECT_EQ(refusal(start + "Credential=A/2015083/us-east-1/sts/aws4_request," + headers_ + "," +
                    signature_),
            "IncompleteSignature");
  EXPECT_EQ(refusal(start + scope_ + "," + headers_ + "," + signature_, "yesterday"),
            "IncompleteSignature");
  EXPECT_EQ(refusal(start + scope_ + "," + headers_ + "," + signature_, "20150831T000000Z"),
            "SignatureDoesNotMatch");
  EXPECT_EQ(read_authorization({}, {}).error().code, "MissingAuthenticationToken");
}

// ---------------------------------------------------------------- letting in
class AccessTest : public testing::Test {
 protected:
  AccessTest() { request_ = signed_request("AKIDEXAMPLE", std::string(example_secret), ""); }

  [[nodiscard]] Access access(bool verifies = true) const {
    return Access({"123456789012", verifies,
                   [this](const std::string& id) {
                     return id == "AKIDEXAMPLE" && !is_key_deleted_
                                ? std::optional<std::string>(example_secret)
                                : std::nullopt;
                   },
                   [this] { return now_ms_; }});
  }

  static HttpRequest signed_request(const std::string& id, const std::string& secret,
                                    const std::string& token) {
    auto request = example_request("POST", "/", "");
    request.body = "Action=GetCallerIdentity&Version=2011-06-15";
    auto authorization = example_authorization("sts", {"host", "x-amz-date"});
    if (!token.empty()) {
      request.headers.emplace_back("x-amz-security-token", token);
      authorization.signed_headers.emplace_back("x-amz-security-token");
    }
    const auto signature =
        sign(secret, authorization,
             string_to_sign(authorization, canonical_request(request, {}, authorization)));
    std::string names;
    for (const auto& name : authorization.signed_headers)
      names += (names.empty() ? "" : ";") + name;
    request.headers.emplace_back(
        "authorization", "AWS4-HMAC-SHA256 Credential=" + id +
                             "/20150830/us-east-1/sts/aws4_request, SignedHeaders=" + names +
                             ", Signature=" + signature);
    return request;
  }

  // The code of the refusal; empty: admitted.
  [[nodiscard]] std::string refusal(const Access& access, const HttpRequest& request) const {
    const auto query = parse_form(request.query);
    const auto authorization = read_authorization(request, *query);
    if (!authorization) return authorization.error().code;
    const auto caller = access.admit(request, *query, *authorization);
    return caller ? "" : caller.error().code;
  }
  [[nodiscard]] std::string refusal(const HttpRequest& request) const {
    return refusal(access(), request);
  }

  HttpRequest request_;
  std::int64_t now_ms_ = example_ms;
  bool is_key_deleted_ = false;
};

TEST_F(AccessTest, ARightSignatureIsAdmittedAndAgainWithinTheWindow) {
  EXPECT_EQ(refusal(request_), "");
  EXPECT_EQ(refusal(request_), "");
}

TEST_F(AccessTest, NothingThatIsSignedMayBeChanged) {
  const auto changed = [&](auto&& change) {
    auto request = request_;
    change(request);
    return refusal(request);
  };
  EXPECT_EQ(changed([](HttpRequest& r) { r.body += "&X=1"; }), "SignatureDoesNotMatch");
  EXPECT_EQ(changed([](HttpRequest& r) { r.body.clear(); }), "SignatureDoesNotMatch");
  EXPECT_EQ(changed([](HttpRequest& r) { r.method = "PUT"; }), "SignatureDoesNotMatch");
  EXPECT_EQ(changed([](HttpRequest& r) { r.path = "/x"; }), "SignatureDoesNotMatch");
  EXPECT_EQ(changed([](HttpRequest& r) { r.query = "a=b"; }), "SignatureDoesNotMatch");
  EXPECT_EQ(changed([](HttpRequest& r) { r.headers[0].second = "other"; }),
            "SignatureDoesNotMatch");
  EXPECT_EQ(changed([](HttpRequest& r) { r.headers[1].second = "20150830T123601Z"; }),
            "SignatureDoesNotMatch");
  EXPECT_EQ(changed([](HttpRequest& r) {
              auto& signature = r.headers.back().second;
              signature.back() = signature.back() == '0' ? '1' : '0';
            }),
            "SignatureDoesNotMatch");
}

TEST_F(AccessTest, WhatDecidesMustBeSigned) {
  auto request = request_;
  request.headers.emplace_back("x-amz-target", "SampleV1.Echo");
  EXPECT_EQ(refusal(request), "SignatureDoesNotMatch");
  for (const auto* digest : {"UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}) {
    request = request_;
    request.headers.emplace_back("x-amz-content-sha256", digest);
    EXPECT_EQ(refusal(request), "SignatureDoesNotMatch") << digest;
  }
}

TEST_F(AccessTest, OnlyKnownKeysSign) {
  EXPECT_EQ(refusal(signed_request("AKIDOTHER", std::string(example_secret), "")),
            "InvalidClientTokenId");
  EXPECT_EQ(refusal(signed_request("AKIDEXAMPLE", "another secret", "")), "SignatureDoesNotMatch");
}

TEST_F(AccessTest, AQuarterOfAnHourEitherWay) {
  constexpr std::int64_t quarter_ms = 15 * 60 * 1'000;
  now_ms_ = example_ms + quarter_ms;
  EXPECT_EQ(refusal(request_), "");
  now_ms_ = example_ms + quarter_ms + 1;
  EXPECT_EQ(refusal(request_), "RequestExpired");
  now_ms_ = example_ms - quarter_ms;
  EXPECT_EQ(refusal(request_), "");
  now_ms_ = example_ms - quarter_ms - 1;
  EXPECT_EQ(refusal(request_), "RequestExpired");
}

TEST_F(AccessTest, TheSentenceOfAnExpiredSignature) {
  now_ms_ = example_ms + 20 * 60 * 1'000;
  const auto authorization = read_authorization(request_, {});
  const auto caller = access().admit(request_, {}, *authorization);
  ASSERT_FALSE(caller);
  EXPECT_EQ(caller.error().message,
            "Signature expired: 20150830T123600Z is now earlier than 20150830T124100Z "
            "(20150830T125600Z - 15 min.)");
}

TEST_F(AccessTest, PresignedUrlsHoldAsLongAsTheySay) {
  auto request = example_request("GET", "/", "");
  request.headers = {{"host", "example.amazonaws.com"}};
  const std::string query =
      "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&"
      "X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsts%2Faws4_request&"
      "X-Amz-Date=20150830T123600Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host";
  const auto authorization = example_authorization("sts", {"host"});
  request.query = query;
  const auto signature = signature_of(request, authorization);
  request.query = query + "&X-Amz-Signature=" + signature;
  now_ms_ = example_ms + 3'600'000;
  EXPECT_EQ(refusal(request), "");
  now_ms_ += 1;
  EXPECT_EQ(refusal(request), "RequestExpired");
  now_ms_ = example_ms;
  request.query = "X=1&" + query + "&X-Amz-Signature=" + signature;
  EXPECT_EQ(refusal(request), "SignatureDoesNotMatch");
  request.query = query + "&X-Amz-Signature=" + signature;
  request.query.replace(request.query.find("=3600"), 5, "=9999");
  EXPECT_EQ(refusal(request), "SignatureDoesNotMatch");
  request.query.replace(request.query.find("=9999"), 5, "=999999");
  EXPECT_EQ(refusal(request), "IncompleteSignature");
}

TEST_F(AccessTest, TemporaryCredentialsWorkUntilTheirTime) {
  const auto gate = access();
  Caller caller;
  caller.parent_key_id = "AKIDEXAMPLE";
  const auto credentials =
      gate.issue_for(caller, {"", "ASIATEMPORARY", example_ms + 1'000, "AROA:me",
                              "arn:aws:sts::123456789012:assumed-role/r/me"});
  const auto request =
      signed_request(credentials.access_key_id, credentials.secret, credentials.session_token);
  const auto authorization = read_authorization(request, {});
  ASSERT_TRUE(authorization);
  const auto admitted = gate.admit(request, {}, *authorization);
  ASSERT_TRUE(admitted) << admitted.error().message;
  EXPECT_EQ(admitted->arn, "arn:aws:sts::123456789012:assumed-role/r/me");
  EXPECT_EQ(admitted->parent_key_id, "AKIDEXAMPLE");

  EXPECT_EQ(refusal(gate, signed_request("ASIATEMPORARY", credentials.secret, "")),
            "InvalidClientTokenId")
      << "without its token";
  EXPECT_EQ(
      refusal(gate, signed_request("ASIAOTHER", credentials.secret, credentials.session_token)),
      "InvalidClientTokenId")
      << "with another's token";
  auto token = credentials.session_token;
  token[60] = token[60] == 'A' ? 'B' : 'A';
  EXPECT_EQ(refusal(gate, signed_request("ASIATEMPORARY", credentials.secret, token)),
            "InvalidClientTokenId");
  EXPECT_EQ(refusal(gate, signed_request("ASIATEMPORARY", "guess", credentials.session_token)),
            "SignatureDoesNotMatch");
  now_ms_ = example_ms + 1'001;
  EXPECT_EQ(refusal(gate, request), "ExpiredToken");
  now_ms_ = example_ms;
  is_key_deleted_ = true;
  EXPECT_EQ(refusal(gate, request), "InvalidClientTokenId") << "its key is gone";
}

TEST_F(AccessTest, AnOpenEndpointTakesAnyWholeSignature) {
  const auto open = access(false);
  auto request = request_;
  request.body = "changed";
  EXPECT_EQ(refusal(open, request), "");
  EXPECT_EQ(refusal(open, signed_request("ANYBODY", "any", "any token")), "");
  now_ms_ = 0;
  EXPECT_EQ(refusal(open, request), "");
  request.headers.pop_back();
  EXPECT_EQ(refusal(open, request), "MissingAuthenticationToken");
}

}  // namespace
}  // namespace weir::aws
