// Key sets are fetched over TLS, once for all who wait, and kept; what providers do wrong has its
// status and reason.
#include "auth/key_sets.hpp"

#include <gtest/gtest.h>

#include <future>

#include "provider.hpp"
#include "signing.hpp"

namespace weir::auth {
namespace {

using test::answer_of;
using test::Provider;

class KeySetsTest : public testing::Test {
 protected:
  void serve(Provider::Handler handler) {
    provider_ = std::make_unique<Provider>(std::move(handler));
    key_sets_ = std::make_unique<KeySets>(provider_->ca_file(), [this] { return now_ms_.load(); });
  }
  KeyAnswer get(std::string_view key_id, const std::string& path = "/keys") {
    std::promise<KeyAnswer> answer;
    key_sets_->get(provider_->url(path), key_id,
                   [&](KeyAnswer got) { answer.set_value(std::move(got)); });
    return answer.get_future().get();
  }
  void expect_fault(const std::string& answer, int status, std::string_view reason) {
    serve([answer](const std::string&) { return answer; });
    const KeyAnswer got = get("a");
    EXPECT_FALSE(got.keys);
    EXPECT_EQ(got.status, status);
    EXPECT_EQ(got.reason, reason);
  }

  const KeyPtr key_ = test::rsa_key();
  std::atomic<std::int64_t> now_ms_ = 1'000'000;
  std::unique_ptr<Provider> provider_;
  std::unique_ptr<KeySets> key_sets_;
};

TEST_F(KeySetsTest, AreFetchedOnceAndKeptWhileFresh) {
  serve([&](const std::string& request) {
    EXPECT_TRUE(request.starts_with("GET /keys HTTP/1.1\r\n")) << request;
    return answer_of(200, test::set_of(test::rsa_json(*key_, "a")),
                     "Cache-Control: max-age=120\r\n");
  });
  EXPECT_FALSE(key_sets_->known(provider_->url("/keys"), "a"));
  ASSERT_TRUE(get("a").keys);
  EXPECT_TRUE(get("a").keys->has("a"));
  EXPECT_TRUE(key_sets_->known(provider_->url("/keys"), "a"));
  now_ms_ += 119'000;
  EXPECT_TRUE(get("").keys);
  EXPECT_EQ(provider_->requests(), 1);
  now_ms_ += 1'000;
  EXPECT_TRUE(get("a").keys);
  EXPECT_EQ(provider_->requests(), 2);
}

TEST_F(KeySetsTest, AnUnknownKeyAsksAgainButOnlySoOften) {
  std::atomic<bool> is_rotated = false;
  serve([&](const std::string&) {
    return answer_of(200, test::set_of(test::rsa_json(*key_, is_rotated ? "b" : "a")));
  });
  EXPECT_TRUE(get("a").keys);
  is_rotated = true;
  EXPECT_FALSE(get("b").keys->has("b"));  // too soon
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(get("made-up-" + std::to_string(i)).keys);
  EXPECT_EQ(provider_->requests(), 1);
  now_ms_ += KeySets::refetch_pause_ms;
  EXPECT_TRUE(get("b").keys->has("b"));
  EXPECT_EQ(provider_->requests(), 2);
}

TEST_F(KeySetsTest, TheLastKeysServeWhileTheProviderIsDown) {
  serve([&](const std::string&) {
    return answer_of(200, test::set_of(test::rsa_json(*key_, "a")), "Cache-Control: max-age=0\r\n");
  });
  EXPECT_TRUE(get("a").keys);
  provider_->stop();
  now_ms_ += 60'000;
  EXPECT_TRUE(get("a").keys->has("a"));
}

TEST_F(KeySetsTest, AProviderThatComesBackIsAskedAgainSoon) {
  std::atomic<bool> is_well = false;
  serve([&](const std::string&) {
    return answer_of(is_well ? 200 : 503, test::set_of(test::rsa_json(*key_, "a")));
  });
  EXPECT_EQ(get("a").status, 562);
  is_well = true;
  EXPECT_EQ(get("a").status, 562);
  EXPECT_EQ(provider_->requests(), 1);
  now_ms_ += KeySets::fault_pause_ms;
  EXPECT_TRUE(get("a").keys);
}

TEST_F(KeySetsTest, AllWhoWaitAreAnsweredByOneFetch) {
  std::promise<void> go;
  serve([&, gone = go.get_future().share()](const std::string&) {
    gone.wait();
    return answer_of(200, test::set_of(test::rsa_json(*key_, "a")));
  });
  std::vector<std::promise<bool>> answers(20);
  for (auto& each : answers)
    key_sets_->get(provider_->url("/keys"), "a",
                   [&each](const KeyAnswer& got) { each.set_value(got.keys != nullptr); });
  go.set_value();
  for (auto& each : answers) EXPECT_TRUE(each.get_future().get());
  EXPECT_EQ(provider_->requests(), 1);
}

TEST_F(KeySetsTest, FaultsOfTheProviderHaveTheirCodes) {
  expect_fault(answer_of(404, "{}"), 562, "JWKSRequestFailed");
  expect_fault(answer_of(302, "", "Location: https://localhost/\r\n"), 562, "JWKSRequestFailed");
  expect_fault(answer_of(200, "<html>"), 562, "JWKSResponseInvalid");
  expect_fault(answer_of(200, std::string(KeySet::bytes_max + 1, ' ')), 500,
               "JWKSResponseSizeExceeded");
  expect_fault("", 500, "JWKSRequestFailed");
}

TEST_F(KeySetsTest, ACertificateThatNobodyVouchesForIsNoProvider) {
  serve([&](const std::string&) { return answer_of(200, test::set_of("")); });
  key_sets_ = std::make_unique<KeySets>(std::string());
  const KeyAnswer got = get("a");
  EXPECT_EQ(got.status, 500);
  EXPECT_EQ(got.reason, "JWKSRequestFailed");
  EXPECT_EQ(provider_->requests(), 0);
}

TEST_F(KeySetsTest, EndWhileAProviderKeepsThemWaiting) {
  std::promise<void> go;
  std::promise<void> asked;
  serve([&, gone = go.get_future().share()](const std::string&) {
    asked.set_value();
    gone.wait();
    return answer_of(200, "{}");
  });
  key_sets_->get(provider_->url("/keys"), "a", [](const KeyAnswer&) { FAIL(); });
  asked.get_future().wait();
  key_sets_.reset();
  go.set_value();
}

}  // namespace
}  // namespace weir::auth
