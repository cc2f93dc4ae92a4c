// From a request to its answer, without a socket.
#include "aws/server/dispatch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "aws/protocol/cbor.hpp"
#include "aws/sts/sts_service.hpp"
#include "sample_service.hpp"

namespace weir::aws {
namespace {

using testing::HasSubstr;

class DispatchTest : public testing::Test {
 protected:
  DispatchTest() {
    AccessOptions options;
    options.account = "123456789012";
    options.verifies = false;
    const auto access = std::make_shared<const Access>(std::move(options));
    std::vector<std::unique_ptr<Service>> services;
    services.push_back(make_sample_service());
    services.push_back(make_sample_ec2_service());
    services.push_back(make_sts_service(access));
    dispatcher_ = std::make_unique<Dispatcher>(std::move(services), access);
  }

  static HttpRequest request(std::string_view service, std::string body) {
    HttpRequest request;
    request.method = "POST";
    request.path = "/";
    request.headers = {
        {"host", "127.0.0.1:4566"},
        {"x-amz-date", "20150830T123600Z"},
        {"authorization",
         "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/" + std::string(service) +
             "/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + std::string(64, '0')}};
    request.body = std::move(body);
    return request;
  }
  HttpResponse call(std::string_view service, std::string body) {
    return dispatcher_->answer(request(service, std::move(body)));
  }
  static std::string header(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatchTest, TheCredentialsScopeTellsTheService) {
  const auto sample = call("sample", "Action=Echo&Version=2020-01-01&Name=abc");
  EXPECT_EQ(sample.status, 200);
  EXPECT_THAT(sample.body, HasSubstr("<EchoResult><Name>abc</Name></EchoResult>"));
  EXPECT_EQ(header(sample, "Content-Type"), "text/xml");
  EXPECT_THAT(sample.body, HasSubstr("<RequestId>" + header(sample, "x-amzn-RequestId")));
  const auto ec2 = call("ec2", "Action=RunThings&Version=2016-11-15&ImageId=ami-1");
  EXPECT_EQ(ec2.status, 200);
  EXPECT_THAT(ec2.body, HasSubstr("<imageId>ami-1</imageId>"));
  const auto sts = call("sts", "Action=GetCallerIdentity&Version=2011-06-15");
  EXPECT_THAT(sts.body, HasSubstr("<Account>123456789012</Account>"));
  const auto other = call("s3", "");
  EXPECT_EQ(other.status, 400);
  EXPECT_THAT(other.body, HasSubstr("There is no service 's3' here, only: sample, ec2, sts"));
}

TEST_F(DispatchTest, AGetCarriesItsCallInTheUrl) {
  auto get = request("sts", "");
  get.method = "GET";
  get.query = "Action=GetCallerIdentity&Version=2011-06-15";
  EXPECT_EQ(dispatcher_->answer(get).status, 200);
  get.method = "DELETE";
  EXPECT_EQ(dispatcher_->answer(get).status, 400);
}

TEST_F(DispatchTest, UnknownActionsGetTheNearestName) {
  EXPECT_THAT(call("sample", "Action=Ecko&Version=2020-01-01").body,
              HasSubstr("<Code>InvalidAction</Code><Message>Could not find operation Ecko for "
                        "version 2020-01-01. Did you mean Echo?"));
  EXPECT_THAT(call("ec2", "Action=Foo&Version=2016-11-15").body,
              HasSubstr("The action Foo is not valid for this web service.</Message>"));
  EXPECT_THAT(call("sample", "Version=2020-01-01").body, HasSubstr("<Code>MissingAction</Code>"));
  EXPECT_THAT(call("sample", "Action=Echo&Version=1999-01-01&Name=a").body,
              HasSubstr("<Code>NoSuchVersion</Code>"));
}

TEST_F(DispatchTest, ErrorsHaveTheirStatusAndForm) {
  const auto missing = call("sample", "Action=Echo&Version=2020-01-01&Name=missing");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("<Type>Sender</Type><Code>ThingNotFound</Code>"
                                      "<Message>There is no &lt;thing&gt;</Message>"));
  const auto broken = call("sample", "Action=Echo&Version=2020-01-01&Name=broken");
  EXPECT_EQ(broken.status, 500);
  EXPECT_THAT(broken.body, HasSubstr("<Type>Receiver</Type>"));
}

TEST_F(DispatchTest, AHandlersFaultIsAnInternalFailure) {
  for (const auto* name : {"wrong", "throws"}) {
    const auto answer = call("sample", "Action=Echo&Version=2020-01-01&Name=" + std::string(name));
    EXPECT_EQ(answer.status, 500) << name;
    EXPECT_THAT(answer.body, HasSubstr("<Code>InternalFailure</Code>")) << name;
  }
}

TEST_F(DispatchTest, AnUnsignedRequestIsRefusedInTheFormOfItsHost) {
  HttpRequest unsigned_request;
  unsigned_request.method = "POST";
  unsigned_request.headers = {{"host", "ec2.localhost"}};
  const auto refused = dispatcher_->answer(unsigned_request);
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("<Response><Errors><Error><Code>MissingAuthenticationToken"));
}

TEST_F(DispatchTest, JsonByItsTarget) {
  auto json = request("sample", R"({"Name":"abc","Count":3})");
  json.headers.emplace_back("x-amz-target", "SampleV1.Echo");
  json.headers.emplace_back("content-type", "application/x-amz-json-1.0");
  const auto answer = dispatcher_->answer(json);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"Name":"abc","Count":3})");
  EXPECT_EQ(header(answer, "Content-Type"), "application/x-amz-json-1.0");
  json.body = R"({"Name":"missing"})";
  const auto missing = dispatcher_->answer(json);
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, R"({"__type":"ThingNotFoundException","message":"There is no <thing>"})");
  EXPECT_EQ(header(missing, "x-amzn-query-error"), "ThingNotFound;Sender");
  json.body = "{}";
  EXPECT_THAT(dispatcher_->answer(json).body, HasSubstr("ValidationException"));
  json.headers[3].second = "SampleV1.Ecko";
  EXPECT_THAT(dispatcher_->answer(json).body, HasSubstr("UnknownOperationException"));
  json.headers[3].second = "Other.Echo";
  EXPECT_THAT(dispatcher_->answer(json).body, HasSubstr("UnknownOperationException"));
}

TEST_F(DispatchTest, CborByItsPath) {
  auto cbor = request("sample", std::string("\xA1\x64Name\x63"
                                            "abc"));
  cbor.path = "/service/SampleV1/operation/Echo";
  cbor.headers.emplace_back("smithy-protocol", "rpc-v2-cbor");
  const auto answer = dispatcher_->answer(cbor);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, std::string("\xA1\x64Name\x63"
                                     "abc"));
  EXPECT_EQ(header(answer, "smithy-protocol"), "rpc-v2-cbor");
  cbor.body = "\xA1\x64Name\x67missing";
  const auto missing = dispatcher_->answer(cbor);
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("ThingNotFoundException"));
  cbor.body = "\xFF";
  EXPECT_THAT(dispatcher_->answer(cbor).body, HasSubstr("SerializationException"));
}

// A page in the user's browser can make it send this, with any headers that need no leave.
TEST_F(DispatchTest, AnOpenEndpointTakesNothingFromForeignPages) {
  const auto status_with = [&](std::string_view name, std::string value) {
    auto from_page = request("sts", "Action=GetCallerIdentity&Version=2011-06-15");
    std::erase_if(from_page.headers, [&](const auto& header) { return header.first == name; });
    from_page.headers.emplace_back(name, std::move(value));
    return dispatcher_->answer(from_page).status;
  };
  EXPECT_EQ(status_with("origin", "http://evil.example"), 403);
  EXPECT_EQ(status_with("origin", "null"), 403);
  EXPECT_EQ(status_with("origin", "http://127.0.0.1:8000"), 403);
  EXPECT_EQ(status_with("origin", "http://127.0.0.1:4566"), 200);
  EXPECT_EQ(status_with("sec-fetch-site", "cross-site"), 403);
  EXPECT_EQ(status_with("sec-fetch-site", "same-site"), 403);
  EXPECT_EQ(status_with("sec-fetch-site", "none"), 200);
  EXPECT_EQ(status_with("host", "rebound.example:4566"), 403);
  EXPECT_EQ(status_with("host", "127.0.0.1.evil.example"), 403);
  EXPECT_EQ(status_with("host", "localhost.evil.example"), 403);
  EXPECT_EQ(status_with("host", "localhost:4566"), 200);
  EXPECT_EQ(status_with("host", "sts.localhost:4566"), 200);
  EXPECT_EQ(status_with("host", "[::1]:4566"), 200);
}

std::string gzipped(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string bytes(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

TEST_F(DispatchTest, ABodyMayComeCompressed) {
  const auto answer_to = [&](const std::string& encoding, std::string body) {
    auto packed = request("sample", std::move(body));
    packed.headers.emplace_back("content-encoding", encoding);
    return dispatcher_->answer(packed);
  };
  const auto whole = gzipped("Action=Echo&Version=2020-01-01&Name=abc");
  EXPECT_THAT(answer_to("gzip", whole).body, HasSubstr("<Name>abc</Name>"));
  for (const auto& bad : {whole.substr(0, whole.size() - 1), whole + "x", std::string("plain"),
                          std::string(), gzipped(std::string(body_bytes_max + 1, 'a'))}) {
    EXPECT_THAT(answer_to("gzip", bad).body, HasSubstr("MalformedInput"));
  }
  EXPECT_THAT(answer_to("br", whole).body, HasSubstr("MalformedInput"));
}

TEST_F(DispatchTest, TooLargeABody) {
  const auto answer = dispatcher_->too_large(request("sts", ""));
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(answer.body, HasSubstr("RequestEntityTooLarge"));
}

TEST_F(DispatchTest, ADryRunEndsBeforeItsHandler) {
  const std::string run = "Action=RunThings&Version=2016-11-15&ImageId=ami-1";
  const auto dry = call("ec2", run + "&DryRun=true");
  EXPECT_EQ(dry.status, 412);
  EXPECT_THAT(dry.body, HasSubstr("<Code>DryRunOperation</Code><Message>Request would have "
                                  "succeeded, but DryRun flag is set.</Message>"));
  EXPECT_THAT(call("ec2", "Action=RunThings&Version=2016-11-15&DryRun=true").body,
              HasSubstr("<Code>MissingParameter</Code>"));
  EXPECT_THAT(call("ec2", run + "&DryRun=false").body, HasSubstr("<Serial>1</Serial>"));
}

TEST_F(DispatchTest, ATokenMakesACallOnce) {
  const std::string run = "Action=RunThings&Version=2016-11-15&ImageId=";
  EXPECT_THAT(call("ec2", run + "ami-1&ClientToken=a").body, HasSubstr("<Serial>1</Serial>"));
  EXPECT_THAT(call("ec2", run + "ami-1&ClientToken=a").body, HasSubstr("<Serial>1</Serial>"));
  EXPECT_THAT(call("ec2", run + "ami-1&ClientToken=b").body, HasSubstr("<Serial>2</Serial>"));
  EXPECT_THAT(call("ec2", run + "ami-2&ClientToken=a").body,
              HasSubstr("<Code>IdempotentParameterMismatch</Code>"));
  EXPECT_THAT(call("ec2", run + "none&ClientToken=c").body, HasSubstr("InvalidAMIID.NotFound"));
  EXPECT_THAT(call("ec2", run + "ami-1&ClientToken=c").body, HasSubstr("<Serial>3</Serial>"))
      << "a call that failed may be made again";
}

TEST_F(DispatchTest, RolesAreAssumed) {
  const std::string start = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=me&RoleArn=";
  const auto assumed = call("sts", start + "arn:aws:iam::123456789012:role/path/deploy");
  EXPECT_EQ(assumed.status, 200) << assumed.body;
  EXPECT_THAT(assumed.body,
              HasSubstr("<Arn>arn:aws:sts::123456789012:assumed-role/deploy/me</Arn>"));
  EXPECT_THAT(assumed.body, HasSubstr("<AccessKeyId>ASIA"));
  EXPECT_THAT(call("sts", start + "arn:aws:iam::123456789012:user/someone").body,
              HasSubstr("arn:aws:iam::123456789012:user/someone is invalid"));
  EXPECT_THAT(call("sts", start + "arn:aws:iam::123456789012:role/r&DurationSeconds=1").body,
              HasSubstr("Member must have value greater than or equal to 900"));
}

TEST(Marker, ComesBackAndCannotBeMadeUp) {
  const auto marker = make_marker("arn:of:the/last");
  EXPECT_EQ(read_marker(marker), "arn:of:the/last");
  EXPECT_FALSE(read_marker(""));
  EXPECT_FALSE(read_marker("YXJuOm9m"));
  auto changed = marker;
  changed[30] = changed[30] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(read_marker(changed));
  EXPECT_FALSE(read_marker(std::string(1U << 20U, 'A')));
}

}  // namespace
}  // namespace weir::aws
