// The choice of a target for one request.
//
// A Chooser belongs to one worker and one target group of one Snapshot. It keeps lists of eligible
// targets (one; with cross-zone load balancing off one for each node) and builds them anew when the
// group's health epoch has moved or an ejection ends. Eligible are the healthy targets in use and
// not draining; where there are fewer than the group's thresholds ask for, all in use and not
// draining (fail open, reference §4.6). Round robin starts at a random place, so that workers do
// not march in step. A target whose share is reduced (slow start, anomalies) is passed over in its
// turn as often as it takes; the others' shares stay even.
//
// How busy a target is, is what all workers together have in flight there: each counts its own part
// in a cell that only it writes (routing/target_load.hpp), and who asks adds them up.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "routing/snapshot.hpp"

namespace weir::balancing {

struct ChoiceFacts {
  std::uint32_t node = 0;   // of the client's connection: index in LoadBalancer::nodes
  std::int64_t now_ms = 0;  // on the loops' clock
};

class Chooser {
 public:
  // `group` outlives the Chooser. The loads are those that the
  // targets' cells keep for `worker_id`.
  Chooser(const routing::TargetGroup& group, std::uint64_t worker_id, std::uint64_t seed);

  // Index in group.targets of the next target, or nothing: 503. O(1) but for the rebuild after a
  // change; least outstanding requests looks at up to window_max targets. No allocation once the
  // lists have been built.
  [[nodiscard]] std::optional<std::uint32_t> choose(const ChoiceFacts& facts);
  // The same, but another than `failed` where there is one: for a retry after a failed connect.
  [[nodiscard]] std::optional<std::uint32_t> choose_other(std::uint32_t failed,
                                                          const ChoiceFacts& facts);
  // The eligible targets one after the other, whatever the algorithm says: for who passes over
  // targets that are at a limit.
  [[nodiscard]] std::optional<std::uint32_t> in_turn(const ChoiceFacts& facts);
  [[nodiscard]] std::size_t eligible_count(const ChoiceFacts& facts);
  // Whether a sticky session may stay with the target.
  [[nodiscard]] bool is_eligible(std::uint32_t target, const ChoiceFacts& facts);
  [[nodiscard]] bool is_failing_open(const ChoiceFacts& facts);

  [[nodiscard]] routing::TargetLoad& load(std::uint32_t target) { return *loads_[target]; }

  // Least outstanding requests is exact up to so many targets; of more it looks at a window that
  // moves on with each choice. Beyond 16 workers the window shrinks, so that a choice never reads
  // more than so many cells.
  static constexpr std::size_t window_max = 128;
  static constexpr std::size_t cells_max = 16 * window_max;

 private:
  struct Set {
    std::vector<std::uint32_t> targets;  // ascending
    std::uint64_t next = 0;
    bool fails_open = false;
  };

  [[nodiscard]] Set& current(const ChoiceFacts& facts);
  void rebuild(std::int64_t now_ms);
  void fill(Set& set, std::uint32_t node, std::int64_t now_ms);
  void leave_out_ejected(Set& set, std::int64_t now_ms);
  [[nodiscard]] std::optional<std::uint32_t> in_turn_but(std::uint32_t failed,
                                                         const ChoiceFacts& facts);
  [[nodiscard]] bool is_in_set(const routing::Target& target, std::uint32_t node) const;
  [[nodiscard]] std::uint32_t by_turn(Set& set, std::int64_t now_ms);
  [[nodiscard]] std::uint32_t by_outstanding(Set& set);
  [[nodiscard]] std::uint32_t at_random(const Set& set);
  [[nodiscard]] std::uint32_t by_latency(const Set& set, std::int64_t now_ms);
  [[nodiscard]] double cost(std::uint32_t target, std::int64_t now_ms) const;
  // Of all workers, and in how many cells they count.
  struct Outstanding {
    std::uint32_t requests = 0;
    std::size_t cells = 0;
  };
  [[nodiscard]] Outstanding outstanding(std::uint32_t target) const;
  // In 1/65536.
  [[nodiscard]] std::uint32_t slow_start_share(std::uint32_t target, std::int64_t now_ms) const;
  [[nodiscard]] std::uint64_t random();

  const routing::TargetGroup& group_;
  std::vector<routing::TargetLoad*> loads_;  // in the group's order
  std::vector<Set> sets_;                    // by node; one where it does not matter
  std::uint32_t epoch_ = 0;
  bool built_ = false;
  std::int64_t rebuild_at_ms_;  // an ejection ends
  std::uint64_t random_;
};

// Draws a group of a weighted forward action: deterministic smooth weighted round robin, so that
// the shares are exact over each weight_sum requests and not only on average.
class WeightedChooser {
 public:
  // `forward` outlives the chooser. `seed` decides at which point of the sequence it starts, so
  // that workers with seeds of their own do not march in step. Costs up to weight_sum steps.
  explicit WeightedChooser(const routing::Forward& forward, std::uint64_t seed = 0);
  // Index in forward.groups, or nothing where all weights are 0.
  [[nodiscard]] std::optional<std::uint32_t> choose();

 private:
  const routing::Forward& forward_;
  std::vector<std::int64_t> current_;
};

}  // namespace weir::balancing
