#include "traffic/rate_limiter.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "traffic/keyed_hash.hpp"

namespace weir::traffic {
namespace {

constexpr std::int64_t second = 1'000'000'000;

TEST(KeyedHash, IsSipHash24) {
  // The test vector of the paper, appendix A.
  std::string input;
  for (char i = 0; i < 15; ++i) input.push_back(i);
  EXPECT_EQ(keyed_hash({0x0706050403020100, 0x0f0e0d0c0b0a0908}, input), 0xa129ca6149be45e5);
}

TEST(RateLimiter, AdmitsABurstAndThenTheRate) {
  RateLimiter limiter({10, 5});
  RateLimiter::Lane& lane = *limiter.lane_of("worker");
  std::int64_t now = 7 * second;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(lane.take("a", now), 0);
  EXPECT_EQ(lane.take("a", now), second / 10);
  now += second / 10;
  EXPECT_EQ(lane.take("a", now), 0);
  EXPECT_GT(lane.take("a", now), 0);
  now += 100 * second;  // full again, not fuller
  for (int i = 0; i < 5; ++i) EXPECT_EQ(lane.take("a", now), 0);
  EXPECT_GT(lane.take("a", now), 0);
}

TEST(RateLimiter, KeysDoNotMeet) {
  RateLimiter limiter({1, 1});
  RateLimiter::Lane& lane = *limiter.lane_of("worker");
  EXPECT_EQ(lane.take("a", second), 0);
  EXPECT_EQ(lane.take("b", second), 0);
  EXPECT_GT(lane.take("a", second), 0);
  EXPECT_GT(lane.take("b", second), 0);
}

TEST(RateLimiter, HoldsOverAllLanes) {
  RateLimiter limiter({100, 20});
  std::vector<RateLimiter::Lane*> lanes;
  const std::string names = "wxyz";
  for (const char& name : names) lanes.push_back(limiter.lane_of(&name));
  EXPECT_EQ(limiter.lane_of(&names[0]), lanes[0]);
  int admitted = 0;
  for (int step = 0; step < 10'000; ++step)  // ten seconds, a millisecond each
    if (lanes[static_cast<std::size_t>(step) % 4]->take("a", second + step * second / 1000) == 0)
      ++admitted;
  EXPECT_GE(admitted, 1000);
  EXPECT_LE(admitted, 1000 + 20);
}

// The obvious twin: tokens as a fraction, filled by the time gone by.
class Bucket {
 public:
  Bucket(double rate, double burst) : rate_(rate), burst_(burst), tokens_(burst) {}
  bool take(std::int64_t now) {
    tokens_ = std::min(burst_, tokens_ + rate_ * static_cast<double>(now - last_) / second);
    last_ = now;
    if (tokens_ < 1 - 1e-6) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double rate_, burst_, tokens_;
  std::int64_t last_ = 0;
};

TEST(RateLimiter, DoesWhatATokenBucketDoes) {
  std::mt19937 random(4711);
  for (int round = 0; round < 20; ++round) {
    const auto rate = static_cast<std::uint32_t>(1U << (random() % 10));
    const auto burst = static_cast<std::uint32_t>(1 + random() % 50);
    RateLimiter limiter({rate, burst});
    std::vector<RateLimiter::Lane*> lanes = {limiter.lane_of("a"), limiter.lane_of("b")};
    std::unordered_map<std::string, Bucket> twins;
    std::int64_t now = second;
    for (int i = 0; i < 3000; ++i) {
      // Powers of two divide a second into whole nanoseconds up to 512: no rounding to allow for.
      now += static_cast<std::int64_t>(random() % 64) * (second / 512);
      const std::string key = std::to_string(random() % 10);
      Bucket& twin = twins.try_emplace(key, rate, burst).first->second;
      ASSERT_EQ(lanes[random() % 2]->take(key, now) == 0, twin.take(now))
          << "round " << round << ", request " << i;
    }
  }
}

TEST(RateLimiter, AFloodOfKeysStaysBoundedAndForgetsOnlyTheFullestFirst) {
  RateLimiter limiter({1, 100});
  RateLimiter::Lane& lane = *limiter.lane_of("worker");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(lane.take("offender", second), 0);
  for (int i = 0; i < 300'000; ++i) EXPECT_EQ(lane.take("k" + std::to_string(i), second), 0);
  EXPECT_GT(lane.take("offender", second), 0);
}

TEST(RateLimiter, LanesOfThreads) {
  RateLimiter limiter({1000, 1000});
  constexpr int threads = 4;
  std::vector<int> admitted(threads);
  std::vector<std::thread> workers;
  for (std::size_t t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      RateLimiter::Lane& lane = *limiter.lane_of(&admitted[t]);
      for (int i = 0; i < 20'000; ++i) admitted[t] += lane.take("a", second) == 0 ? 1 : 0;
    });
  }
  for (auto& worker : workers) worker.join();
  int sum = 0;
  for (const int each : admitted) sum += each;
  EXPECT_GE(sum, 1000);
  EXPECT_LE(sum, 1000 * threads);
}

}  // namespace
}  // namespace weir::traffic
