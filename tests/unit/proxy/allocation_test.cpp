// A warm worker serves kept-alive requests without a single heap allocation.
//
// This program's operator new counts what worker threads ask for while counting is on.
#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "data_plane_fixture.hpp"
#include "model/base64.hpp"

namespace {

std::atomic<bool> is_counting = false;
std::atomic<std::uint64_t> allocations = 0;

bool is_worker() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return std::strncmp(name.data(), "worker-", 7) == 0;
}

void* counted(std::size_t bytes) {
  if (is_counting.load(std::memory_order_relaxed) && is_worker()) ++allocations;
  return std::malloc(bytes > 0 ? bytes : 1);
}

void* counted_or_throw(std::size_t bytes) {
  void* memory = counted(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted_or_throw(bytes); }
void* operator new[](std::size_t bytes) { return counted_or_throw(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace weir::proxy {
namespace {

class AllocationTest : public DataPlaneTest {
 protected:
  // Of 50 requests over each of four connections, once the worker is warm: the first count that is
  // zero, or the last of many. How much a worker ever needs at once depends on how the requests
  // meet, and some things it does once a second; what a request itself allocates is there in every
  // round.
  std::uint64_t allocations_of(const std::string& request) {
    std::vector<Connection> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(connect());
    const auto serve_all = [&](int times) {
      for (int i = 0; i < times; ++i) {
        for (Connection& client : clients) client.send(request);
        for (Connection& client : clients)
          EXPECT_NE(client.read_response().find(" 200 "), std::string::npos);
      }
    };
    serve_all(300);
    for (int round = 0; round < rounds_max; ++round) {
      allocations = 0;
      is_counting = true;
      serve_all(50);
      is_counting = false;
      if (allocations == 0) break;
    }
    return allocations;
  }

  static constexpr int rounds_max = 20;
};

TEST_P(AllocationTest, CountsWhatAWorkerAllocates) {
  const TestTarget target(always(ok));
  serve(target);
  is_counting = true;
  allocations = 0;
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_response();
  is_counting = false;
  EXPECT_GT(allocations, 0U);  // a new connection costs some
}

TEST_P(AllocationTest, KeptAliveRequestsAllocateNothing) {
  const TestTarget target(always(ok));
  serve(target);
  EXPECT_EQ(allocations_of("GET /x?y=1 HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\n"
                           "X-Forwarded-For: 192.0.2.1\r\nCookie: a=b\r\n\r\n"),
            0U);
}

TEST_P(AllocationTest, SmallBodiesAllocateNothing) {
  const TestTarget target([](Connection& connection) {
    while (!connection.read_head().empty()) {
      connection.read_exactly(5);
      connection.send(ok);
    }
  });
  serve(target);
  EXPECT_EQ(allocations_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"), 0U);
}

TEST_P(AllocationTest, ManyRulesAllocateNothing) {
  for (int i = 1; i <= 100; ++i) {
    model::Rule rule;
    rule.arn = "rule" + std::to_string(i);
    rule.listener_arn = "listener";
    rule.priority = i;
    rule.conditions.emplace_back().values = {"/rule/" + std::to_string(i) + "/*"};
    model::Condition host;
    host.field = model::ConditionField::host_header;
    host.values = {"*.example.com"};
    rule.conditions.push_back(host);
    rule.actions = {{1, model::ForwardAction{{{"group", 1}}, false, 0}}};
    rules_[rule.arn] = rule;
  }
  const TestTarget target(always(ok));
  serve(target);
  EXPECT_EQ(allocations_of("GET /rule/77/x HTTP/1.1\r\nHost: WWW.example.com:8080\r\n\r\n"), 0U);
}

TEST_P(AllocationTest, StickyRequestsAllocateNothing) {
  stickiness_keys_["1"] = {"1", model::base64_encode(std::string(32, 'k')), 1};
  groups_["group"].attributes = {{"stickiness.enabled", "true"}, {"stickiness.type", "lb_cookie"}};
  const TestTarget target(always(ok));
  serve(target);
  EXPECT_EQ(allocations_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0U);
}

TEST_P(AllocationTest, LeastOutstandingRequestsAllocateNothing) {
  groups_["group"].attributes = {{"load_balancing.algorithm.type", "least_outstanding_requests"}};
  const TestTarget target(always(ok));
  serve(target);
  EXPECT_EQ(allocations_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0U);
}

TEST_P(AllocationTest, FixedResponsesAllocateNothing) {
  set_default_action({1, model::FixedResponseAction{200, "text/plain", "fixed"}});
  apply();
  EXPECT_EQ(allocations_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0U);
}

INSTANTIATE_TEST_SUITE_P(Backends, AllocationTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
