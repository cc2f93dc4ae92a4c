#include "proxy/exchange.hpp"

#include <array>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "http/writer.hpp"
#include "net/socket.hpp"
#include "proxy/client_connection.hpp"
#include "proxy/limits.hpp"
#include "proxy/rate_limit.hpp"
#include "proxy/target_choice.hpp"
#include "proxy/target_pool.hpp"
#include "proxy/worker.hpp"

namespace weir::proxy {

using http::DesyncClass;
using http::Framing;
using http::ParseState;

// ---------------------------------------------------------------- classify
void Exchange::begin(ClientConnection& client, const http::RequestHead& head) {
  client_ = &client;
  serving_ = worker_.serving();
  method_ = head.method;
  client_version_ = head.version;
  is_upgrade_ = head.is_websocket_upgrade;
  start_request_side(head);
  keep_client_ = head.keep_alive && head.version != http::Version::http_0_9;
  const routing::Listener* listener =
      serving_->snapshot->find_listener(client.bound_port(), head.authority);
  if (listener == nullptr) {  // its load balancer has just been deleted
    keep_client_ = false;
    return fail(503);
  }
  listener_ = listener;
  load_balancer_ = &serving_->snapshot->load_balancers[listener->load_balancer];
  if (worker_.loop().now_ms() - client.accepted_ms() > load_balancer_->client_keep_alive_ms)
    keep_client_ = false;
  client.set_idle_timeout(load_balancer_->idle_timeout_ms);
  touch();
  worker_.accounting().begin(record_, client, head, *listener, *load_balancer_,
                             worker_.loop().now_us());
  if (worker_.is_memory_spent()) {
    keep_client_ = false;
    return fail(503);
  }
  if (is_blocked(head)) {
    keep_client_ = false;
    return fail(400);
  }
  if (head.method == http::Method::trace) return fail(405);
  if (head.forwarded_for_addresses > forwarded_for_addresses_max) return fail(463);
  if (load_balancer_->rate_limit != nullptr && is_over_rate(head, listener->load_balancer)) return;
  act(head, *listener);
}

// Reference §6.1.
bool Exchange::is_blocked(const http::RequestHead& head) {
  using Mode = routing::LoadBalancer::DesyncMode;
  const Mode mode = load_balancer_->desync_mode;
  if (head.desync_class == DesyncClass::compliant || mode == Mode::monitor) return false;
  if (mode == Mode::strictest || head.desync_class == DesyncClass::severe) return true;
  if (head.desync_class == DesyncClass::ambiguous) keep_client_ = keep_target_ = false;
  return false;
}

// Answers, where it is.
bool Exchange::is_over_rate(const http::RequestHead& head, std::uint32_t load_balancer) {
  traffic::RateLimiter::Lane* lane = serving_->rate_lanes[load_balancer];
  if (lane == nullptr) return false;
  const std::int64_t wait = seconds_over_rate(*load_balancer_->rate_limit, *lane, head,
                                              client_->ip(), worker_.loop().now_ms());
  if (wait == 0) return false;
  http::OwnResponse response;
  record_.is_rate_limited = true;
  response.status = 429;
  response.retry_after_seconds = wait;
  answer(response);
  return true;
}

void Exchange::start_request_side(const http::RequestHead& head) {
  request_left_ = head.content_length;
  switch (head.framing) {
    case Framing::content_length:
      request_side_ = request_left_ > 0 ? RequestSide::length : RequestSide::done;
      break;
    case Framing::chunked:
      request_side_ = RequestSide::chunked;
      break;
    case Framing::none:
    case Framing::until_close:
      request_side_ = RequestSide::done;
      break;
  }
}

// ---------------------------------------------------------------- route
void Exchange::act(const http::RequestHead& head, const routing::Listener& listener) {
  const std::int64_t begun_ns = worker_.accounting().times_this_route() ? monotonic_ns() : 0;
  const routing::Choice choice = listener.choose({head, client_->ip()});
  if (begun_ns != 0) record_.route_ns = monotonic_ns() - begun_ns;
  record_.rule_priority = choice.priority;
  record_.rules_evaluated = choice.rules_evaluated;
  if (choice.authentication != nullptr) return authenticate(choice, head);
  perform(choice, head);
}

void Exchange::perform(const routing::Choice& choice, const http::RequestHead& head) {
  const routing::Action& action = choice.action;
  if (choice.transforms != nullptr && !transform(*choice.transforms, head)) return fail(500);
  if (const auto* to_groups = std::get_if<routing::Forward>(&action))
    return forward(*to_groups, head, *listener_);
  if (const auto* to_location = std::get_if<model::RedirectAction>(&action))
    return redirect(*to_location, head, *listener_);
  answer_fixed(std::get<model::FixedResponseAction>(action));
}

// False: a transform matched and made what cannot be sent.
bool Exchange::transform(const routing::Transforms& transforms, const http::RequestHead& head) {
  transforms.apply(head, transformed_);
  record_.transform_status = transformed_.status;
  if (transformed_.has_failed()) return false;
  if (transformed_.status == routing::TransformStatus::success)
    record_.did(telemetry::Executed::rewrite);
  if (!transformed_.host.empty())
    record_.note(telemetry::Text::transformed_host, transformed_.host);
  if (!transformed_.uri.empty()) record_.note(telemetry::Text::transformed_uri, transformed_.uri);
  return true;
}

void Exchange::redirect(const model::RedirectAction& action, const http::RequestHead& head,
                        const routing::Listener& listener) {
  const std::string_view host =
      head.authority.empty() ? std::string_view(load_balancer_->dns_name) : head.authority;
  const std::string location = redirect_location(action, head, host, listener);
  record_.did(telemetry::Executed::redirect);
  record_.note(telemetry::Text::redirect_url, location);
  if (location.size() > location_bytes_max) {
    record_.is_location_too_long = true;
    return fail(507);
  }
  http::OwnResponse response;
  response.status = action.status_code;
  response.location = location;
  answer(response);
}

void Exchange::answer_fixed(const model::FixedResponseAction& action) {
  record_.did(telemetry::Executed::fixed_response);
  http::OwnResponse response;
  response.status = action.status_code;
  response.content_type = http::fixed_content_type(action.content_type);
  response.body = action.message_body;
  answer(response);
}

void Exchange::forward(const routing::Forward& action, const http::RequestHead& head,
                       const routing::Listener& listener) {
  record_.did(telemetry::Executed::forward);
  const auto group = choose_group(action, head);
  if (!group) return fail(503);
  group_ = *group;
  record_.target_group = &serving_->snapshot->target_groups[group_];
  const auto target = choose_first_target(head);
  if (!target) return fail(503);
  if (head.expects_continue && request_side_ != RequestSide::done)
    client_->stream().send_copy("HTTP/1.1 100 Continue\r\n\r\n");
  if (load_balancer_->compression != nullptr)
    wanted_encoding_ = wanted_encoding(*load_balancer_->compression, head);
  write_request(head, listener);
  serving_->group(group_).retry_budget.begin_request();
  is_budgeted_ = true;
  if (record_.target_group->mirror.percent > 0 && !is_upgrade_) {
    record_.is_mirrored =
        mirror(worker_, *serving_, group_, {*load_balancer_, client_->number(), method_},
               request_head_.view(), mirror_);
  }
  connect(*target, Connections::pooled);
}

std::optional<std::uint32_t> Exchange::choose_group(const routing::Forward& action,
                                                    const http::RequestHead& head) {
  const auto kept =
      stickiness_.group_of(action, *serving_, head, worker_.stickiness(), worker_.unix_seconds());
  if (kept) return action.groups[*kept].target_group;
  if (action.groups.empty()) return std::nullopt;
  if (action.groups.size() == 1) return action.groups[0].target_group;
  const auto drawn = worker_.weighted_chooser(*serving_, action).choose();
  return drawn ? std::optional(action.groups[*drawn].target_group) : std::nullopt;
}

std::optional<std::uint32_t> Exchange::choose_first_target(const http::RequestHead& head) {
  Serving::Group& candidates = serving_->group(group_);
  const balancing::ChoiceFacts facts = choice_facts();
  auto target =
      stickiness_.target_of(candidates, head, facts, worker_.stickiness(), worker_.unix_seconds());
  if (!target || !admits(candidates, *target)) target = choose_target(candidates, facts);
  stickiness_.note(record_);
  record_.is_fail_open = candidates.chooser.is_failing_open(facts);
  record_.is_circuit_open = !target && candidates.chooser.eligible_count(facts) > 0;
  return target;
}

bool Exchange::sends_tls_headers(const routing::Listener& listener) const {
  return load_balancer_->sends_tls_headers && listener.tls != nullptr &&
         client_->origin().tls != nullptr;
}

void Exchange::write_request(const http::RequestHead& head, const routing::Listener& listener) {
  request_head_.start(worker_.loop());
  const std::uint32_t invalid_headers =
      write_request_head(request_head_, head,
                         {*load_balancer_, listener.port, client_->ip(), client_->port(),
                          worker_.unix_seconds(), &transformed_, client_->origin().tls,
                          sends_tls_headers(listener) ? listener.tls.get() : nullptr},
                         worker_.trace_ids());
  trace_id_ = worker_.trace_ids().last();
  Accounting::note_request_head(record_, request_head_.view(), invalid_headers);
}

// ---------------------------------------------------------------- choose target, connect, send
balancing::ChoiceFacts Exchange::choice_facts() const {
  const std::uint64_t nodes = serving_->group(group_).target_group.nodes;
  return {static_cast<std::uint32_t>(client_->number() % nodes), worker_.loop().now_ms()};
}

void Exchange::connect(std::uint32_t target_index, Connections which) {
  target_index_ = target_index;
  Serving::Group& group = serving_->group(group_);
  TargetPool& pool = *group.pools[target_index];
  routing::TargetLoad& load = group.chooser.load(target_index);
  record_.target_index = target_index;
  record_.target = &record_.target_group->targets[target_index];
  record_.at.dispatched = record_.at.connected = worker_.loop().now_us();
  target_ = which == Connections::pooled ? pool.take_idle() : nullptr;
  is_reused_ = target_ != nullptr;
  use_.begin(group.target_group, load, !is_reused_);
  if (!is_reused_) {
    target_ = worker_.open_target(
        pool, *load_balancer_, client_->number(),
        serving_->cells.balancers[record_.listener->load_balancer][record_.zone]);
    if (target_ == nullptr) {
      blame_target("no socket to connect with");
      if (!try_again(TryEnd::not_connected)) fail(502);
      return;
    }
    target_->count_in(group.target_group.targets[target_index].health, load);
    client_->expect_within(worker_.connect_timeout_ms());
  }
  target_->use(*this);
  target_->stream().send_copy(request_head_.view());
  limit_try();
  if (is_upgrade_) target_->stream().set_receiving(true);
}

void Exchange::on_target_connected() {
  record_.at.connected = worker_.loop().now_us();
  touch();
  use_.connected();
  client_->resume_body();
}

// ---------------------------------------------------------------- finish
void Exchange::complete() {
  const bool request_complete = request_side_ == RequestSide::done;
  const bool keep_client = keep_client_;
  release_target(keep_target_ && request_complete);
  ClientConnection& client = *client_;
  clear();
  client.finished(keep_client, request_complete);
}

void Exchange::fail(int status) {
  log_trouble(status);
  http::OwnResponse response;
  response.status = status;
  answer(response);
}

void Exchange::answer(http::OwnResponse& response) {
  record_.elb_status = response.status;
  const bool request_complete = request_side_ == RequestSide::done;
  const bool keep_client = keep_client_;
  release_target(false);
  response.close = !keep_client_ || !request_complete;
  response.with_body = method_ != http::Method::head;
  response.with_head = client_version_ != http::Version::http_0_9;
  client_->stream().send_copy(worker_.own_response(response, listener_));
  ClientConnection& client = *client_;
  clear();
  client.finished(keep_client, request_complete);
}

void Exchange::blame_target(std::string_view why, int error) {
  trouble_ = why;
  trouble_error_ = error;
}

void Exchange::log_trouble(int status) {
  if (trouble_.empty()) return;
  const routing::TargetGroup& group = serving_->snapshot->target_groups[group_];
  worker_.trouble_log().say(
      {load_balancer_->name, group.name, group.targets[target_index_],
       std::string_view(trace_id_.data(), trace_id_.size()), status, trouble_, trouble_error_},
      worker_.loop().now_ms());
}

void Exchange::abandon() {
  log_trouble(0);
  release_target(false);
  ClientConnection& client = *client_;
  clear();
  client.abort();
}

void Exchange::release_target(bool reusable) {
  use_.end();
  if (target_ == nullptr) return;
  record_.target_sent_bytes += target_->sent_bytes();
  record_.target_received_bytes += target_->received_bytes();
  TargetConnection* target = std::exchange(target_, nullptr);
  // The end of a tunnel: what the client sent last is for the target.
  if (!reusable)
    return target->close(response_side_ == ResponseSide::tunnel ||
                                 response_side_ == ResponseSide::tunnel_ended
                             ? net::Close::flush
                             : net::Close::now);
  target->stream().set_receiving(true);
  target->give_back(load_balancer_->idle_timeout_ms);
}

void Exchange::touch() { client_->touch(); }

void Exchange::clear() {
  worker_.accounting().end(record_, *serving_, *client_, worker_.loop().now_us());
  end_tries();
  if (waiting_ != nullptr) {
    worker_.forget_waiting(waiting_->ticket);
    waiting_.reset();
  }
  if (mirror_ != nullptr)
    std::exchange(mirror_, nullptr)->let_go(request_side_ == RequestSide::done);
  if (compressor_ != nullptr) worker_.compressors().give_back(std::move(compressor_));
  wanted_encoding_ = traffic::Encoding::identity;
  client_ = nullptr;
  target_ = nullptr;
  listener_ = nullptr;
  load_balancer_ = nullptr;
  serving_.reset();
  request_head_.clear();
  response_window_.clear();
  request_decoder_.restart();
  response_decoder_.restart();
  response_parser_.restart();
  record_.restart();
  if (transformed_.status != routing::TransformStatus::none) transformed_.clear();
  stickiness_.clear();
  request_left_ = response_left_ = acknowledged_ = 0;
  trouble_ = {};
  trouble_error_ = 0;
  interim_responses_ = 0;
  request_side_ = RequestSide::done;
  response_side_ = ResponseSide::head;
  client_framing_ = ResponseFraming::none;
  keep_client_ = keep_target_ = true;
  is_upgrade_ = is_reused_ = response_begun_ = is_past_replay_ = client_half_closed_ = false;
}

}  // namespace weir::proxy
