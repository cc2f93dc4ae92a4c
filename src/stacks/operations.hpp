// Work on stacks that goes on after the call that asked for it, and what has been seen of it: for
// an API whose calls return at once.
//
// Each operation has a thread. Its call returns when the stack's record says that it is under way,
// so that whoever asks next finds it so. Events of the last operations of each stack are kept in
// memory, as are stacks that are gone: as long as the daemon runs, and so many of them.
// Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "control/registry.hpp"
#include "model/resources.hpp"
#include "stacks/engine.hpp"

namespace weir::stacks {

struct NumberedEvent {
  std::string id;
  Event event;
};

struct GoneStack {
  model::Stack stack;  // DELETE_COMPLETE
  std::int64_t deleted_at_ms = 0;
};

class Operations {
 public:
  static constexpr std::size_t events_max = 1'000;  // of a stack
  static constexpr std::size_t gone_max = 100;      // with their events

  // All outlive the Operations. `flush` puts what has changed in force for traffic.
  Operations(control::Registry& registry, Engine& engine, std::function<void()> flush);
  ~Operations();  // waits for what is under way
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  // The stack's id. Errors that can be told beforehand are the call's: those of Engine::validate
  // and Engine::plan_update.
  [[nodiscard]] Result<std::string> create(CreateInput input);
  [[nodiscard]] Result<std::string> update(CreateInput input);
  [[nodiscard]] Status remove(const std::string& name);

  // The newest first; empty: none are known.
  [[nodiscard]] std::vector<NumberedEvent> events(const std::string& stack_id) const;
  [[nodiscard]] std::vector<GoneStack> gone() const;

 private:
  using Work = std::function<void(const EventHandler& on_event)>;

  void run(const std::string& name, const std::string& stack_id, Work work);
  void note(const std::string& stack_id, const Event& event);
  void note_gone(model::Stack stack);
  void reap();

  struct Running {
    bool is_over = false;
    std::thread thread;
  };

  control::Registry& registry_;
  Engine& engine_;
  std::function<void()> flush_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::deque<NumberedEvent>> events_;  // by stack id
  std::deque<GoneStack> gone_;
  std::list<Running> running_;
};

}  // namespace weir::stacks
