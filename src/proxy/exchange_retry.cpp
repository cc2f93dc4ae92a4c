// Trying again: what may be done when a try ends before its answer has begun.
//
// Two kinds. A replay is of a request that no target has seen: the connection was never made, or a
// kept-alive one had been closed by the target when the request was on its way (the keep-alive
// race). It harms nobody and adds no load, so it needs no budget. A retry is of a request that a
// target may have worked on: idempotent methods only, within the group's budget. Both need
// everything that has been sent to be still there, and are bounded by weir.retry.attempts.

#include <optional>

#include "proxy/client_connection.hpp"
#include "proxy/exchange.hpp"
#include "proxy/target_choice.hpp"
#include "proxy/target_pool.hpp"
#include "proxy/unseen.hpp"
#include "proxy/worker.hpp"

namespace weir::proxy {
namespace {

// Requests that a target may see twice without harm (RFC 9110 §9.2.2).
bool is_idempotent(http::Method method) {
  switch (method) {
    case http::Method::get:
    case http::Method::head:
    case http::Method::put:
    case http::Method::del:
    case http::Method::options:
    case http::Method::trace:
      return true;
    default:
      return false;
  }
}

}  // namespace

Exchange::Exchange(Worker& worker)
    : worker_(worker),
      // A try that cannot be followed by another one goes on: the idle timeout is its limit.
      try_timer_(
          [](void* self) {
            static_cast<void>(static_cast<Exchange*>(self)->try_again(TryEnd::late));
          },
          this) {}

bool Exchange::try_again(TryEnd end, int error) {
  if (end == TryEnd::not_connected) ++record_.connect_errors;
  if (is_past_replay_ || retries_ >= serving_->retry_of(group_).attempts) return false;
  if (response_begun_ && (end != TryEnd::status || interim_responses_ > 0)) return false;
  const bool replays = is_replay(end, error);
  if (!replays && !(is_worth_a_retry(end) && take_from_budget())) return false;
  const bool was_stale = replays && end == TryEnd::lost;
  const auto target = was_stale
                          ? std::optional(target_index_)
                          : choose_target(serving_->group(group_), choice_facts(), target_index_);
  if (!target) return false;
  // Who could not be reached is not asked again: the client would wait for each timeout.
  if (end == TryEnd::not_connected && *target == target_index_) return false;
  ++retries_;
  ++record_.retries;
  // A kept connection may end at any moment; that alone says nothing against the target.
  if (!was_stale && end != TryEnd::status) use_.failed(worker_.loop().now_ms());
  release_target(false);
  response_window_.clear();
  response_parser_.restart();
  response_begun_ = false;
  // What made one idle connection stale has often met its neighbours as well.
  connect(*target, was_stale ? Connections::fresh : Connections::pooled);
  return true;
}

bool Exchange::is_replay(TryEnd end, int error) const {
  const traffic::RetryPolicy& policy = serving_->retry_of(group_);
  if (end == TryEnd::not_connected) return policy.on_connect_failure;
  if (end != TryEnd::lost || !is_reused_ || !policy.on_stale) return false;
  return is_idempotent(method_) ||
         // Of bytes that still wait in our own queue nothing is proven.
         is_unseen(target_->stream().fd(), error, request_head_.view().size());
}

bool Exchange::is_worth_a_retry(TryEnd end) const {
  if (!is_idempotent(method_)) return false;
  return end == TryEnd::status || end == TryEnd::late ||
         (end == TryEnd::lost && serving_->retry_of(group_).on_reset);
}

bool Exchange::take_from_budget() {
  if (!is_retry_) {
    is_retry_ =
        serving_->group(group_).retry_budget.begin_retry(serving_->retry_of(group_).budget_percent);
  }
  return is_retry_;
}

void Exchange::note_sent(std::string_view bytes) {
  keep_for_replay(bytes);
  if (mirror_ != nullptr) mirror_->send(bytes);
}

// The beginning of a body, as far as the head's block has room, stays for another try.
void Exchange::keep_for_replay(std::string_view bytes) {
  if (is_past_replay_ || response_begun_) return;
  const traffic::RetryPolicy& policy = serving_->retry_of(group_);
  const bool is_of_use = policy.repeats_requests() || (is_reused_ && policy.on_stale);
  if (is_of_use && bytes.size() <= request_head_.room()) {
    request_head_.append(bytes);
  } else {
    is_past_replay_ = true;
  }
}

void Exchange::limit_try() {
  const std::int64_t timeout_ms = serving_->retry_of(group_).per_try_timeout_ms;
  if (timeout_ms > 0) worker_.loop().schedule(try_timer_, timeout_ms);
}

void Exchange::end_tries() {
  worker_.loop().cancel(try_timer_);
  retries_ = 0;
  if (!is_budgeted_) return;
  traffic::RetryBudget& budget = serving_->group(group_).retry_budget;
  budget.end_request();
  if (is_retry_) budget.end_retry();
  is_budgeted_ = is_retry_ = false;
}

}  // namespace weir::proxy
