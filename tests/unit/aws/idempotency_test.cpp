#include "aws/server/idempotency.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <thread>

namespace weir::aws {
namespace {

constexpr std::int64_t day_ms = 24 * 3'600 * 1'000;

TEST(Idempotency, TheSecondWaitsForTheFirst) {
  Idempotency idempotency;
  std::barrier begun(2);
  int calls = 0;
  std::thread first([&] {
    const auto output = idempotency.run("key", "digest", 0, [&]() -> Result<Value> {
      ++calls;
      begun.arrive_and_wait();
      return Value{{"Serial", calls}};
    });
    EXPECT_EQ(output->integer("Serial"), 1);
  });
  begun.arrive_and_wait();
  const auto second = idempotency.run("key", "digest", 0, [&]() -> Result<Value> {
    ++calls;
    return Value{{"Serial", calls}};
  });
  EXPECT_EQ(second->integer("Serial"), 1);
  first.join();
  EXPECT_EQ(calls, 1);
}

TEST(Idempotency, ForgetsAfterADay) {
  Idempotency idempotency;
  int calls = 0;
  const auto run = [&](std::int64_t now_ms) {
    return *idempotency
                .run("key", "digest", now_ms,
                     [&]() -> Result<Value> {
                       return Value{{"Serial", ++calls}};
                     })
                ->integer("Serial");
  };
  EXPECT_EQ(run(0), 1);
  EXPECT_EQ(run(day_ms - 1), 1);
  EXPECT_EQ(run(day_ms), 2);
}

TEST(Idempotency, KeepsTheLatestOnly) {
  Idempotency idempotency;
  int calls = 0;
  const auto run = [&](int key) {
    std::ignore = idempotency.run(std::to_string(key), "digest", 0, [&]() -> Result<Value> {
      ++calls;
      return Value();
    });
  };
  for (int key = 0; key < 10'001; ++key) run(key);
  calls = 0;
  run(10'000);
  EXPECT_EQ(calls, 0) << "the latest is known";
  run(0);
  EXPECT_EQ(calls, 1) << "the oldest is forgotten";
}

TEST(Idempotency, ACallThatThrowsIsForgotten) {
  Idempotency idempotency;
  const auto throws = []() -> Result<Value> { throw std::runtime_error("of a library"); };
  EXPECT_THROW(std::ignore = idempotency.run("key", "digest", 0, throws), std::runtime_error);
  EXPECT_TRUE(idempotency.run("key", "digest", 0, []() -> Result<Value> { return Value(); }));
}

}  // namespace
}  // namespace weir::aws
