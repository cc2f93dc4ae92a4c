#include "control/registry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "control/addresses.hpp"
#include "control/keyed_jobs.hpp"
#include "fakes.hpp"

namespace weir::control {
namespace {

model::Vpc vpc(std::string id, std::string cidr = "172.31.0.0/16") {
  return {std::move(id), std::move(cidr), false, {}};
}

model::SecurityGroup group(std::string id, std::string name = {}) {
  model::SecurityGroup out;
  out.id = std::move(id);
  out.name = std::move(name);
  return out;
}

model::Instance instance(std::string id, std::string private_ip = {},
                         model::InstanceState state = model::InstanceState::pending) {
  model::Instance out;
  out.id = std::move(id);
  out.private_ip = std::move(private_ip);
  out.state = state;
  return out;
}

TEST(Registry, WritesThroughAndLoadsAgain) {
  const auto disk = std::make_shared<Disk>();
  {
    const auto registry = open_registry(disk);
    ASSERT_TRUE(registry->update([](Draft& draft) -> Status {
      draft.put(vpc("vpc-1"));
      draft.put(model::Target{"arn:tg", "i-1", 80, "us-east-1a", 1, 0});
      model::Stack stack;
      stack.name = "web";
      stack.status = "CREATE_COMPLETE";
      draft.put(std::move(stack));
      return {};
    }));
  }
  EXPECT_EQ(disk->revision, 1U);
  const State state = copy_of(*open_registry(disk));
  EXPECT_EQ(state.vpcs.at("vpc-1").cidr, "172.31.0.0/16");
  EXPECT_EQ(state.targets.at(TargetKey{"arn:tg", "i-1", 80}).zone, "us-east-1a");
  EXPECT_EQ(state.stacks.at("web").status, "CREATE_COMPLETE");
}

TEST(Registry, ADraftSeesItsOwnWrites) {
  const auto registry = open_registry(std::make_shared<Disk>());
  ASSERT_TRUE(registry->update([](Draft& draft) -> Status {
    draft.put(vpc("vpc-1"));
    EXPECT_TRUE(draft.state().vpcs.contains("vpc-1"));
    model::Rule rule;
    rule.arn = "arn:rule";
    draft.put(rule);
    draft.erase_rule(draft.state().rules.begin()->first);
    EXPECT_TRUE(draft.state().rules.empty());
    return {};
  }));
}

class RollBack : public testing::Test {
 protected:
  void SetUp() override {
    registry_ = open_registry(disk_);
    ASSERT_TRUE(registry_->update([](Draft& draft) -> Status {
      draft.put(vpc("vpc-1", "10.0.0.0/16"));
      draft.put(vpc("vpc-2"));
      draft.put(group("sg-1"));
      return {};
    }));
    registry_->subscribe([&](const State&, const Changed&) { ++told_; });
  }
  // Changes, adds, erases and puts back.
  static void change(Draft& draft) {
    draft.put(vpc("vpc-1", "10.9.0.0/16"));
    draft.put(vpc("vpc-1", "10.8.0.0/16"));
    draft.put(vpc("vpc-3"));
    draft.erase_security_group("sg-1");
    draft.put(group("sg-1", "other"));
    draft.erase_security_group("sg-1");
  }
  void expect_unchanged() {
    const State state = copy_of(*registry_);
    EXPECT_EQ(state.vpcs.size(), 2U);
    EXPECT_EQ(state.vpcs.at("vpc-1").cidr, "10.0.0.0/16");
    EXPECT_EQ(state.security_groups.at("sg-1").name, "");
    EXPECT_EQ(disk_->revision, 1U);
    EXPECT_EQ(told_, 0);
  }

  std::shared_ptr<Disk> disk_ = std::make_shared<Disk>();
  std::unique_ptr<Registry> registry_;
  int told_ = 0;
};

TEST_F(RollBack, WhenTheChangeFails) {
  const auto done = registry_->update([](Draft& draft) -> Status {
    change(draft);
    return fail("ValidationError", "no");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "ValidationError");
  expect_unchanged();
}

TEST_F(RollBack, WhenTheStoreFails) {
  disk_->commits_until_full = 0;
  const auto done = registry_->update([](Draft& draft) -> Status {
    change(draft);
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "StoreFull");
  expect_unchanged();
  disk_->commits_until_full = -1;
  EXPECT_TRUE(registry_->update([](Draft& draft) -> Status {
    change(draft);
    return {};
  }));
  EXPECT_EQ(copy_of(*registry_).vpcs.at("vpc-1").cidr, "10.8.0.0/16");
}

TEST_F(RollBack, WhenTheChangeThrows) {
  EXPECT_THROW(static_cast<void>(registry_->update([](Draft& draft) -> Status {
                 change(draft);
                 throw std::runtime_error("out of memory, say");
               })),
               std::runtime_error);
  expect_unchanged();
}

TEST(Registry, TellsSubscribersWhatChanged) {
  const auto registry = open_registry(std::make_shared<Disk>());
  std::vector<Changed> seen;
  registry->subscribe([&](const State& state, const Changed& changed) {
    EXPECT_TRUE(state.instances.contains("i-1"));
    seen.push_back(changed);
  });
  ASSERT_TRUE(registry->update([](Draft& draft) -> Status {
    draft.put(instance("i-1"));
    model::Listener listener;
    listener.arn = "arn:l";
    draft.put(std::move(listener));
    return {};
  }));
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].instances, std::set<std::string>{"i-1"});
  EXPECT_TRUE(seen[0].load_balancing);
  EXPECT_FALSE(seen[0].network);
  EXPECT_TRUE(seen[0].stacks.empty());
}

TEST(Registry, AnUpdateWithoutChangesCommitsNothing) {
  const auto disk = std::make_shared<Disk>();
  const auto registry = open_registry(disk);
  int told = 0;
  registry->subscribe([&](const State&, const Changed&) { ++told; });
  EXPECT_TRUE(registry->update([](Draft&) -> Status { return {}; }));
  EXPECT_EQ(disk->revision, 0U);
  EXPECT_EQ(told, 0);
}

TEST(Registry, NamesARecordThatCannotBeRead) {
  const auto disk = std::make_shared<Disk>();
  disk->records[{"instance", "i-1"}] = "{\"id\":1}";
  const auto registry = Registry::open(std::make_unique<MemoryStore>(disk));
  ASSERT_FALSE(registry);
  EXPECT_EQ(registry.error().code, "StoreDamaged");
  EXPECT_NE(registry.error().message.find("instance 'i-1'"), std::string::npos);
  EXPECT_NE(registry.error().message.find("instance.id"), std::string::npos);
}

TEST(RegistryDeathTest, CallingBackStopsTheProgramInsteadOfHanging) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto registry = open_registry(std::make_shared<Disk>());
  EXPECT_DEATH(registry->read([&](const State&) { registry->read([](const State&) {}); }),
               "assertion failed");
}

// ---------------------------------------------------------------- addresses
model::Subnet subnet(std::string cidr) {
  return {"subnet-1", "vpc-1", "us-east-1a", "use1-az1", std::move(cidr), true, {}};
}

TEST(FreeAddresses, SkipsReservedAndUsedOnes) {
  State state;
  state.instances["a"] = instance("a", "172.31.0.5");
  state.instances["b"] = instance("b", "172.31.0.6", model::InstanceState::terminated);
  state.instances["c"] = instance("c", "172.31.0.7", model::InstanceState::stopped);
  state.load_balancers["l"].nodes = {{"us-east-1a", "subnet-1", "172.31.0.8"}};
  FreeAddresses free(state, subnet("172.31.0.0/20"));
  EXPECT_EQ(free.count(), 4096U - 5 - 3);
  EXPECT_EQ(free.take(), "172.31.0.4");
  EXPECT_EQ(free.take(), "172.31.0.6");
  EXPECT_EQ(free.take(), "172.31.0.9");
}

TEST(FreeAddresses, KeepsTheLastOneAndEndsWithAnError) {
  FreeAddresses free(State{}, subnet("10.0.0.0/28"));
  EXPECT_EQ(free.count(), 11U);
  std::string last;
  for (int i = 0; i < 11; ++i) last = *free.take();
  EXPECT_EQ(last, "10.0.0.14");
  const auto none = free.take();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "InsufficientFreeAddressesInSubnet");
}

// ---------------------------------------------------------------- jobs
TEST(KeyedJobs, KeepsTheOrderOfAKeyAndRunsOthersBeside) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> done;
  bool may_end = false;
  const auto note = [&](const std::string& what) {
    const std::lock_guard lock(mutex);
    done.push_back(what);
    changed.notify_all();
  };
  KeyedJobs jobs(2);
  jobs.add("a", [&] {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return may_end; });
    done.emplace_back("a1");
    changed.notify_all();
  });
  jobs.add("a", [&] { note("a2"); });
  jobs.add("b", [&] { note("b1"); });
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return done.size() == 1; }));
  EXPECT_EQ(done[0], "b1");
  may_end = true;
  changed.notify_all();
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return done.size() == 3; }));
  EXPECT_EQ(done[1], "a1");
  EXPECT_EQ(done[2], "a2");
}

TEST(KeyedJobs, NeverRunsTwoJobsOfOneKeyAtOnce) {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<int, int> at_once;
  std::map<int, std::vector<int>> order;
  int done = 0;
  {
    KeyedJobs jobs(4);
    for (int i = 0; i < 2000; ++i) {
      jobs.add(std::to_string(i % 7), [&, i] {
        const std::lock_guard lock(mutex);
        EXPECT_EQ(++at_once[i % 7], 1);
        order[i % 7].push_back(i);
        --at_once[i % 7];
        ++done;
        changed.notify_all();
      });
    }
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return done == 2000; }));
  }
  for (const auto& [key, numbers] : order) EXPECT_TRUE(std::ranges::is_sorted(numbers));
}

}  // namespace
}  // namespace weir::control
