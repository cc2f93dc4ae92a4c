#include "net/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <list>
#include <random>

namespace weir::net {
namespace {

struct Probe {
  explicit Probe(std::int64_t* clock)
      : timer([](void* self) { static_cast<Probe*>(self)->fire(); }, this), now(clock) {}
  void fire() {
    ++fired;
    fired_at = *now;
  }
  Timer timer;
  std::int64_t* now;
  std::int64_t due = 0;
  std::int64_t fired_at = 0;
  int fired = 0;
};

TEST(TimerWheel, FiresOnceNotEarlyAndAtMostOneStepLate) {
  std::int64_t now = 12'345;
  TimerWheel wheel(now);
  Probe probe(&now);
  wheel.schedule(probe.timer, now + 25);
  for (; now < 12'400; ++now) wheel.advance(now);
  EXPECT_EQ(probe.fired, 1);
  EXPECT_GE(probe.fired_at, 12'370);
  EXPECT_LE(probe.fired_at, 12'380);
}

TEST(TimerWheel, MovingADeadlineAwayAndBackIsObeyed) {
  std::int64_t now = 0;
  TimerWheel wheel(now);
  Probe probe(&now);
  wheel.schedule(probe.timer, 50);
  wheel.schedule(probe.timer, 5'000);
  for (; now < 1'000; now += 5) wheel.advance(now);
  EXPECT_EQ(probe.fired, 0);
  wheel.schedule(probe.timer, now + 20);
  for (; now < 1'100; now += 5) wheel.advance(now);
  EXPECT_EQ(probe.fired, 1);
}

TEST(TimerWheel, CancelledAndDestroyedTimersDoNotFire) {
  std::int64_t now = 0;
  TimerWheel wheel(now);
  Probe cancelled(&now);
  wheel.schedule(cancelled.timer, 30);
  wheel.cancel(cancelled.timer);
  {
    Probe destroyed(&now);
    wheel.schedule(destroyed.timer, 30);
  }
  for (; now < 100; now += 10) wheel.advance(now);
  EXPECT_EQ(cancelled.fired, 0);
}

TEST(TimerWheel, ATimerMayScheduleItselfAgain) {
  struct Ticker {
    Ticker(TimerWheel& w, std::int64_t& n)
        : timer([](void* self) { static_cast<Ticker*>(self)->tick(); }, this), wheel(w), now(n) {}
    void tick() {
      if (++count < 3) wheel.schedule(timer, now + 10);
    }
    Timer timer;
    TimerWheel& wheel;
    std::int64_t& now;
    int count = 0;
  };
  std::int64_t now = 0;
  TimerWheel wheel(now);
  Ticker ticker(wheel, now);
  wheel.schedule(ticker.timer, 10);
  for (; now < 200; now += 5) wheel.advance(now);
  EXPECT_EQ(ticker.count, 3);
}

// Against the obvious twin: every timer fires in the first advance at or after its deadline rounded
// up to a step, whatever the jumps of the clock.
TEST(TimerWheel, AgreesWithAListOfDeadlines) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::int64_t now = 1'000'000;
  TimerWheel wheel(now);
  std::list<Probe> probes;
  for (int round = 0; round < 3'000; ++round) {
    const std::int64_t spans[] = {50, 700, 50'000, 3'000'000, 400'000'000};
    if (random() % 3 != 0) {
      Probe& probe = probes.emplace_back(&now);
      probe.due = now + 1 + static_cast<std::int64_t>(random()) % spans[random() % 5];
      wheel.schedule(probe.timer, probe.due);
    } else if (!probes.empty()) {
      Probe& probe = probes.front();
      if (probe.fired == 0) {
        probe.due = now + 1 + static_cast<std::int64_t>(random()) % spans[random() % 5];
        wheel.schedule(probe.timer, probe.due);
      }
    }
    now += static_cast<std::int64_t>(random()) % (round % 100 == 0 ? 500'000 : 40);
    wheel.advance(now);
    for (auto it = probes.begin(); it != probes.end();) {
      const std::int64_t rounded = (it->due + TimerWheel::step_ms - 1) / TimerWheel::step_ms;
      const bool is_due = rounded <= now / TimerWheel::step_ms;
      ASSERT_EQ(it->fired, is_due ? 1 : 0) << "due " << it->due << " now " << now;
      it = is_due ? probes.erase(it) : std::next(it);
    }
  }
}

TEST(TimerWheel, WaitsNoLongerThanTheNextDeadline) {
  TimerWheel wheel(0);
  EXPECT_LE(wheel.wait_ms(0, 60'000), 640);
  std::int64_t now = 0;
  Probe probe(&now);
  wheel.schedule(probe.timer, 35);
  EXPECT_LE(wheel.wait_ms(0, 60'000), 40);
  EXPECT_GT(wheel.wait_ms(0, 60'000), 30);
}

}  // namespace
}  // namespace weir::net
