#include "daemon/ready_line.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "base/fd.hpp"

namespace weir::daemon {
namespace {

struct Pipe {
  Fd reader;
  int writer = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  return {Fd{ends[0]}, ends[1]};
}

TEST(ReadyLine, TellsWhereTheTimeWent) {
  const auto [reader, writer] = make_pipe();
  StartTimings timings;
  timings.mark("store");
  timings.mark("holder");
  send_ready(writer, timings);
  const auto phases = read_ready(reader.get());
  ASSERT_TRUE(phases.has_value());
  ASSERT_EQ(phases->size(), 2U);
  EXPECT_EQ((*phases)[0].first, "store");
  EXPECT_EQ((*phases)[1].first, "holder");
  EXPECT_GE((*phases)[0].second, 0.0);
}

TEST(ReadyLine, CarriesTheReasonOfAFailedStart) {
  const auto [reader, writer] = make_pipe();
  send_start_failed(writer, Error{"NoRuntime", "runc is not there", "install runc"});
  const auto phases = read_ready(reader.get());
  ASSERT_FALSE(phases.has_value());
  EXPECT_EQ(phases.error().code, "NoRuntime");
  EXPECT_EQ(phases.error().message, "runc is not there");
  EXPECT_EQ(phases.error().hint, "install runc");
}

TEST(ReadyLine, ADaemonThatDiesSilentlyIsNoticed) {
  const auto [reader, writer] = make_pipe();
  ::close(writer);
  const auto phases = read_ready(reader.get());
  ASSERT_FALSE(phases.has_value());
  EXPECT_EQ(phases.error().code, "DaemonEnded");
}

TEST(ReadyLine, NobodyWaitingIsNoError) { send_ready(-1, StartTimings{}); }

}  // namespace
}  // namespace weir::daemon
