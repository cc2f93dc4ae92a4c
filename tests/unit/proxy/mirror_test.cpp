// weir.mirror.* over the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "data_plane_fixture.hpp"

namespace weir::proxy {
namespace {

using testing::StartsWith;

// What a mirror target has seen, one text a request.
class Seen {
 public:
  void add(std::string request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    changed_.notify_all();
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return requests_.size() >= count; });
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> requests_;
};

class MirrorTest : public DataPlaneTest {
 protected:
  static constexpr const char* mirror_arn =
      "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/mirror/0123456789abcdef";

  void mirror_to(const TestTarget& target, const std::string& percent) {
    model::TargetGroup group;
    group.arn = mirror_arn;
    group.target_type = "ip";
    groups_[mirror_arn] = group;
    targets_[{mirror_arn, "127.0.0.1", target.port()}] =
        model::Target{mirror_arn, "127.0.0.1", target.port(), "all", 0, 0};
    groups_["group"].attributes["weir.mirror.target_group_arn"] = mirror_arn;
    groups_["group"].attributes["weir.mirror.percent"] = percent;
  }
};

TEST_P(MirrorTest, ACopyWithItsBodyGoesToTheOtherGroupAndItsAnswerToNobody) {
  const std::string body(100'000, 'x');
  Seen original, copy;
  const auto handler = [&](Seen& seen, std::string response) {
    return [&seen, response, size = body.size()](Connection& c) {
      const std::string head = c.read_head();
      seen.add(head + c.read_exactly(size));
      c.send(response);
      static_cast<void>(c.read_some());
    };
  };
  TestTarget target(handler(original, ok));
  TestTarget shadow(handler(copy, "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"));
  mirror_to(shadow, "100");
  serve(target);
  auto client = connect();
  client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
  const auto copies = copy.wait_for(1);
  ASSERT_EQ(copies.size(), 1U);
  EXPECT_THAT(copies[0], StartsWith("POST /a HTTP/1.1\r\n"));
  EXPECT_EQ(copies[0], original.wait_for(1).at(0));
}

TEST_P(MirrorTest, AShareIsExact) {
  Seen copy;
  TestTarget target(always(ok));
  TestTarget shadow([&](Connection& c) {
    copy.add(c.read_head());
    c.send(ok);
  });
  mirror_to(shadow, "25");
  serve(target);
  auto client = connect();
  const auto get = [&](const std::string& path) {
    client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
  };
  for (int i = 0; i < 40; ++i) get("/");
  EXPECT_EQ(copy.wait_for(10).size(), 10U);
  for (int i = 0; i < 4; ++i) get("/last");  // none too many has come before this one
  EXPECT_EQ(copy.wait_for(11).size(), 11U);
}

TEST_P(MirrorTest, ATargetThatTakesNothingHoldsNothingBack) {
  const std::string body(4'000'000, 'x');
  std::atomic<bool> is_over = false;
  TestTarget target([&](Connection& c) {
    c.read_head();
    if (c.read_exactly(body.size()).size() == body.size()) c.send(ok);
  });
  TestTarget shadow([&](Connection&) { is_over.wait(false); });
  mirror_to(shadow, "100");
  serve(target);
  auto client = connect();
  std::thread sender([&] {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
  });
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
  sender.join();
  is_over = true;
  is_over.notify_all();
}

TEST_P(MirrorTest, AGroupThatIsGoneIsNoMirror) {
  TestTarget target(always(ok));
  groups_["group"].attributes["weir.mirror.target_group_arn"] = mirror_arn;
  serve(target);
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

INSTANTIATE_TEST_SUITE_P(Loops, MirrorTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
