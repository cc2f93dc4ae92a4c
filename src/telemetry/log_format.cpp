#include "telemetry/log_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "routing/transform.hpp"
#include "telemetry/log_text.hpp"

namespace weir::telemetry {
namespace {

// The fields in the log's order, each with its name for JSON.
enum class Kind : std::uint8_t { plain, quoted, number };

struct Visitor {
  virtual void field(std::string_view name, Kind kind, std::string_view value) = 0;

 protected:
  ~Visitor() = default;
};

std::string_view version_text(http::Version version) {
  switch (version) {
    case http::Version::http_0_9:
      return "HTTP/0.9";
    case http::Version::http_1_0:
      return "HTTP/1.0";
    case http::Version::http_1_1:
      break;
  }
  return "HTTP/1.1";
}

std::string_view scheme_of(const EntryNumbers& numbers) {
  if (numbers.is_websocket) return numbers.is_tls ? "wss" : "ws";
  return numbers.is_tls ? "https" : "http";
}

bool has_port(std::string_view authority) {
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  return colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
}

// Always with port; of what was no request there is only where it came to.
std::string request_line(const LogEntry& entry) {
  const EntryNumbers& numbers = entry.numbers;
  std::string_view host = entry.text(EntryText::authority);
  if (host.empty()) host = entry.text(EntryText::dns_name);
  const std::string port = has_port(host) ? "" : fmt::format(":{}", numbers.listener_port);
  const std::string_view method = entry.text(EntryText::method);
  if (method.empty())
    return fmt::format("- {}://{}{}- -", numbers.is_tls ? "https" : "http", host, port);
  std::string_view target = entry.text(EntryText::target);
  if (const auto scheme = target.find("://");
      scheme != std::string_view::npos && !target.starts_with('/')) {
    target.remove_prefix(scheme + 3);
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
  }
  return fmt::format("{} {}://{}{}{} {}", method, scheme_of(numbers), host, port, target,
                     version_text(numbers.version));
}

std::string actions(std::uint8_t executed) {
  static constexpr std::array<std::pair<Executed, std::string_view>, 7> names{{
      {Executed::waf, "waf"},
      {Executed::waf_failed, "waf-failed"},
      {Executed::authenticate, "authenticate"},
      {Executed::rewrite, "rewrite"},
      {Executed::redirect, "redirect"},
      {Executed::fixed_response, "fixed-response"},
      {Executed::forward, "forward"},
  }};
  std::string out;
  for (const auto& [what, name] : names) {
    if ((executed & static_cast<std::uint8_t>(what)) == 0) continue;
    if (!out.empty()) out += ',';
    out += name;
  }
  return out.empty() ? "-" : out;
}

std::string status_text(int status) { return status == 0 ? "-" : std::to_string(status); }

std::string priority_text(int priority) {
  return priority == RequestRecord::rule_none ? "-" : std::to_string(priority);
}

void visit(const LogEntry& entry, Visitor& to) {
  const EntryNumbers& n = entry.numbers;
  const auto text = [&](EntryText which) { return or_dash(entry.text(which)); };
  const std::string target = with_port(entry.text(EntryText::target_ip), n.target_port);
  const std::string target_status = status_text(n.target_status);
  const bool is_compliant = n.desync_class == http::DesyncClass::compliant;
  to.field("type", Kind::plain, scheme_of(n));
  to.field("time", Kind::plain, iso8601_us(n.ended_us));
  to.field("elb", Kind::plain, resource_of(entry.text(EntryText::load_balancer_arn)));
  to.field("client:port", Kind::plain, with_port(entry.text(EntryText::client_ip), n.client_port));
  to.field("target:port", Kind::plain, target);
  to.field("request_processing_time", Kind::number, seconds(n.request_us));
  to.field("target_processing_time", Kind::number, seconds(n.target_us));
  to.field("response_processing_time", Kind::number, seconds(n.response_us));
  to.field("elb_status_code", Kind::number, status_text(n.elb_status));
  to.field("target_status_code", Kind::number, target_status);
  to.field("received_bytes", Kind::number, std::to_string(n.received_bytes));
  to.field("sent_bytes", Kind::number, std::to_string(n.sent_bytes));
  to.field("request", Kind::quoted, request_line(entry));
  to.field("user_agent", Kind::quoted, text(EntryText::user_agent));
  to.field("ssl_cipher", Kind::plain, text(EntryText::ssl_cipher));
  to.field("ssl_protocol", Kind::plain, text(EntryText::ssl_protocol));
  to.field("target_group_arn", Kind::plain, text(EntryText::target_group_arn));
  to.field("trace_id", Kind::quoted, text(EntryText::trace_id));
  to.field("domain_name", Kind::quoted, text(EntryText::domain_name));
  to.field("chosen_cert_arn", Kind::quoted, text(EntryText::chosen_certificate));
  to.field("matched_rule_priority", Kind::number, priority_text(n.rule_priority));
  to.field("request_creation_time", Kind::plain, iso8601_us(n.created_us));
  to.field("actions_executed", Kind::quoted, actions(n.executed));
  to.field("redirect_url", Kind::quoted, text(EntryText::redirect_url));
  to.field("error_reason", Kind::quoted, text(EntryText::error_reason));
  to.field("target:port_list", Kind::quoted, target);
  to.field("target_status_code_list", Kind::quoted, target_status);
  to.field("classification", Kind::quoted, is_compliant ? "-" : http::to_string(n.desync_class));
  to.field("classification_reason", Kind::quoted,
           is_compliant ? "-" : http::to_string(n.desync_reason));
  to.field("conn_trace_id", Kind::plain, trace_text(n.connection_id));
  to.field("transformed_host", Kind::quoted, text(EntryText::transformed_host));
  to.field("transformed_uri", Kind::quoted, text(EntryText::transformed_uri));
  to.field("request_transform_status", Kind::quoted, routing::to_string(n.transform_status));
  to.field("ip_address", Kind::plain, text(EntryText::node_ip));
}

class AlbLine final : public Visitor {
 public:
  explicit AlbLine(std::string& out) : out_(out) {}
  void field(std::string_view, Kind kind, std::string_view value) override {
    if (!is_first_) out_ += ' ';
    is_first_ = false;
    if (kind != Kind::quoted) {
      out_ += value;
      return;
    }
    out_ += '"';
    append_escaped(out_, value, "\\x");
    out_ += '"';
  }

 private:
  std::string& out_;
  bool is_first_ = true;
};

// "-" is null; what is a number is one.
class JsonLine final : public Visitor {
 public:
  explicit JsonLine(std::string& out) : out_(out) { out_ += '{'; }
  void field(std::string_view name, Kind kind, std::string_view value) override {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    fmt::format_to(std::back_inserter(out_), "\"{}\":", name);
    if (value == "-") {
      out_ += "null";
    } else if (kind == Kind::number) {
      out_ += value;
    } else {
      out_ += '"';
      append_escaped(out_, value, "\\u00");
      out_ += '"';
    }
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool is_first_ = true;
};

}  // namespace

void append_alb_line(std::string& out, const LogEntry& entry) {
  AlbLine line(out);
  visit(entry, line);
  out += '\n';
}

void append_json_line(std::string& out, const LogEntry& entry) {
  JsonLine line(out);
  visit(entry, line);
  line.end();
  out += '\n';
}

}  // namespace weir::telemetry
