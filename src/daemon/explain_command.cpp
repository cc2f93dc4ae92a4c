#include "daemon/explain_command.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "control/references.hpp"
#include "control/shadow_warnings.hpp"
#include "daemon/rule_text.hpp"
#include "http/target.hpp"
#include "model/names.hpp"
#include "routing/explain.hpp"
#include "routing/text.hpp"

namespace weir::daemon {
namespace {

// The request that is asked about; the head looks at the texts beside it.
struct Question {
  std::string method, url, client_ip;
  std::vector<std::string> header_lines;
  http::RequestHead head;
  std::string url_host;  // lower case, without port
  int url_port = 80;
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Status add_header(Question& question, std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || trimmed(line.substr(0, colon)).empty()) {
    return fail("BadRequest", fmt::format("'{}' is no header", line), "Write it as 'Name: value'.");
  }
  http::Header header;
  header.name = trimmed(line.substr(0, colon));
  header.value = trimmed(line.substr(colon + 1));
  header.id = http::header_id(header.name);
  if (header.id == http::HeaderId::host) question.head.authority = header.value;
  question.head.headers.push_back(header);
  return {};
}

void read_url_host(Question& question) {
  const std::string_view authority = question.head.authority;
  const std::string_view host = routing::without_port(authority);
  question.url_host = routing::matchable(host, routing::Case::folded);
  const std::string_view port = authority.substr(host.size());
  if (port.size() > 1)
    std::from_chars(port.data() + 1, port.data() + port.size(), question.url_port);
}

// In place, since the head's views must stay.
Status read_question(const Json& request, Question& question) {
  question.method = text_of(request, "method");
  question.url = text_of(request, "url");
  question.client_ip = text_of(request, "client_ip");
  if (question.client_ip.empty()) question.client_ip = "127.0.0.1";
  question.head.method_text = question.method;
  if (question.method == "OPTIONS") question.head.method = http::Method::options;
  question.url = question.url.substr(0, question.url.find('#'));
  question.head.target = question.url;
  if (question.method.empty() || !http::split_target(question.head)) {
    return fail("BadRequest", fmt::format("'{} {}' is no request", question.method, question.url),
                "For example: weir explain GET http://web.example/path?x=1");
  }
  read_url_host(question);
  const auto headers = request.find("headers");
  if (headers == request.end() || !headers->is_array()) return {};
  for (const Json& line : *headers) question.header_lines.push_back(line.get<std::string>());
  for (const std::string& line : question.header_lines) {
    if (auto added = add_header(question, line); !added) return added;
  }
  return {};
}

// The listener on the URL's port, as asked for or as it is bound; where several load balancers have
// it, the one whose name the URL has, else the oldest.
const model::Listener* find_listener(const control::State& state, const Question& question) {
  const model::Listener* best = nullptr;
  for (const auto& [arn, listener] : state.listeners) {
    if (listener.port != question.url_port && listener.bound_port != question.url_port) continue;
    const auto& balancer = state.load_balancers.at(listener.load_balancer_arn);
    if (routing::equals_folded(balancer.dns_name, question.url_host)) return &listener;
    if (best == nullptr ||
        balancer.created_at_ms < state.load_balancers.at(best->load_balancer_arn).created_at_ms)
      best = &listener;
  }
  return best;
}

std::string listeners_text(const control::State& state) {
  std::string text;
  for (const auto& [arn, listener] : state.listeners) {
    text += fmt::format("{}http://{}:{}", text.empty() ? "There are: " : ", ",
                        state.load_balancers.at(listener.load_balancer_arn).dns_name,
                        listener.bound_port);
  }
  return text.empty() ? "There are none; `weir up` makes some." : text;
}

Json verdict_json(const routing::RuleVerdict& verdict) {
  Json out{{"priority", verdict.rule->priority},
           {"conditions", conditions_text(verdict.rule->conditions)},
           {"takes_it", verdict.failed == nullptr}};
  if (verdict.failed != nullptr) {
    out["failed"] = conditions_text({*verdict.failed});
    out["seen"] = verdict.seen;
  }
  return out;
}

Json transform_json(const model::Rule& rule, const http::RequestHead& head) {
  const auto transforms = routing::Transforms::compile(rule.transforms);
  if (!transforms) return Json{{"status", "TransformCompileError"}};
  routing::Transformed transformed;
  transforms->apply(head, transformed);
  return Json{{"status", routing::to_string(transformed.status)},
              {"host", transformed.host},
              {"uri", transformed.uri}};
}

}  // namespace

Result<Json> explain_json(const control::State& state, const Json& request) {
  Question question;
  if (auto read = read_question(request, question); !read) return std::unexpected(read.error());
  const model::Listener* listener = find_listener(state, question);
  if (listener == nullptr) {
    return fail("ListenerNotFound", fmt::format("no listener has port {}", question.url_port),
                listeners_text(state));
  }
  std::vector<const model::Rule*> rules = control::rules_of(state, listener->arn);
  std::ranges::sort(rules, {}, &model::Rule::priority);
  const auto verdicts = routing::explain(rules, {question.head, question.client_ip});
  const model::Rule* taker =
      verdicts.empty() || verdicts.back().failed != nullptr ? nullptr : verdicts.back().rule;
  Json out{{"load_balancer", state.load_balancers.at(listener->load_balancer_arn).name},
           {"listener_port", listener->port},
           {"method", question.method},
           {"host", question.head.authority},
           {"path", question.head.path},
           {"query", question.head.query},
           {"client_ip", question.client_ip},
           {"rules", Json::array()},
           {"warnings", control::shadow_notices(state, listener->arn)}};
  for (const auto& verdict : verdicts) out["rules"].push_back(verdict_json(verdict));
  out["priority"] = taker == nullptr ? Json("default") : Json(taker->priority);
  out["action"] =
      actions_text(state, taker == nullptr ? listener->default_actions : taker->actions);
  if (taker != nullptr && !taker->transforms.empty())
    out["transform"] = transform_json(*taker, question.head);
  return out;
}

}  // namespace weir::daemon
