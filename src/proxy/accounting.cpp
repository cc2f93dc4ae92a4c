#include "proxy/accounting.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <tuple>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "proxy/client_connection.hpp"
#include "proxy/serving.hpp"
#include "telemetry/connection_line.hpp"
#include "telemetry/count_request.hpp"
#include "telemetry/log_entry.hpp"
#include "tls/stream.hpp"

namespace weir::proxy {
namespace {

constexpr std::int64_t prune_every_ms = 1000;

// Read anew each time, since the wall clock may be set while the daemon runs.
std::int64_t to_wall_us() { return wall_us() - monotonic_ns() / 1000; }

std::string_view node_ip(const routing::LoadBalancer& load_balancer, std::uint32_t node) {
  return load_balancer.nodes.empty() ? std::string_view{} : load_balancer.nodes[node].private_ip;
}

// Of a connection that came to an HTTPS listener, whether it shook hands or not.
void add_tls(telemetry::ConnectionEntry& entry, const tls::TlsStream& stream) {
  using telemetry::ConnectionText;
  entry.numbers.is_tls = true;
  if (!stream.is_open()) {
    entry.text(ConnectionText::verify_status) = "Failed:UnmappedConnectionError";
    return;
  }
  entry.numbers.handshake_us = stream.handshake_us();
  entry.text(ConnectionText::verify_status) = "Success";
  entry.text(ConnectionText::tls_protocol) = stream.version();
  entry.text(ConnectionText::tls_cipher) = stream.cipher();
  entry.text(ConnectionText::tls_group) = stream.group();
}

void add_tls(telemetry::LogEntry& entry, const tls::TlsStream& stream) {
  using telemetry::EntryText;
  entry.numbers.is_tls = true;
  entry.text(EntryText::ssl_cipher) = stream.cipher();
  entry.text(EntryText::ssl_protocol) = stream.version();
  if (stream.is_name_matched()) entry.text(EntryText::domain_name) = stream.server_name();
  entry.text(EntryText::chosen_certificate) =
      stream.is_resumed() ? std::string_view("session-reused") : stream.certificate_arn();
}

}  // namespace

using routing::LogKind;
using telemetry::RequestRecord;
using telemetry::Text;

Accounting::Accounting(std::shared_ptr<telemetry::WorkerCells> cells,
                       std::shared_ptr<telemetry::LogRing> log)
    : cells_(std::move(cells)),
      log_(std::move(log)),
      seed_(random_u64()),
      trace_ids_(random_u64()) {}

void Accounting::note_request_head(RequestRecord& record, std::string_view head,
                                   std::uint32_t invalid_headers) {
  (record.load_balancer->drop_invalid_header_fields ? record.invalid_headers_dropped
                                                    : record.invalid_headers_forwarded) =
      invalid_headers;
  if (!record.wants_text) return;
  constexpr std::string_view name = "\r\nX-Amzn-Trace-Id: ";
  const auto at = head.find(name);
  if (at == std::string_view::npos) return;
  const std::string_view value = head.substr(at + name.size());
  record.texts.set(Text::trace_id, value.substr(0, value.find('\r')));
}

ServingCells Accounting::prepare(const routing::Snapshot& snapshot, std::int64_t now_ms) {
  ServingCells out;
  out.balancers.reserve(snapshot.load_balancers.size());
  for (const routing::LoadBalancer& balancer : snapshot.load_balancers) {
    auto& nodes = out.balancers.emplace_back();
    for (const model::LoadBalancerNode& node : balancer.nodes)
      nodes.push_back(cells_->balancer({balancer.arn, node.zone}));
    if (nodes.empty()) nodes.push_back(cells_->balancer({balancer.arn, {}}));
    out.logs_connections = out.logs_connections || logs(balancer, LogKind::connection);
  }
  // A walk over all cells: not for each of many changes in a row.
  if (now_ms >= prune_from_ms_) {
    cells_->prune(now_ms);
    prune_from_ms_ = now_ms + prune_every_ms;
  }
  return out;
}

GroupCells Accounting::prepare(const routing::TargetGroup& group, const GroupCells* before,
                               const Continuity& stays) {
  GroupCells out;
  if (before != nullptr) {
    out.zone_names = before->zone_names;
    out.zones = before->zones;
  }
  const auto zone_of = [&](const std::string& name) {
    const auto found = std::ranges::find(out.zone_names, name);
    const auto index = static_cast<std::uint32_t>(found - out.zone_names.begin());
    if (found == out.zone_names.end()) {
      out.zone_names.push_back(name);
      out.zones.push_back(cells_->group({group.arn, name}));
    }
    return index;
  };
  out.zone_of_target.reserve(group.targets.size());
  out.targets.reserve(group.targets.size());
  for (std::size_t i = 0; i < group.targets.size(); ++i) {
    const auto& [old, is_same] = stays.targets[i];
    const routing::Target& target = group.targets[i];
    out.zone_of_target.push_back(is_same ? before->zone_of_target[old] : zone_of(target.zone));
    out.targets.push_back(old != not_before ? before->targets[old]
                                            : cells_->target({group.arn, target.id, target.port}));
  }
  return out;
}

std::uint32_t Accounting::node_of(const routing::LoadBalancer& load_balancer,
                                  std::uint64_t connection_number) {
  if (load_balancer.nodes.empty()) return 0;
  return static_cast<std::uint32_t>(connection_number % load_balancer.nodes.size());
}

LocalRef<telemetry::BalancerCells> Accounting::cells_of(const routing::Snapshot& snapshot,
                                                        const ServingCells& cells,
                                                        std::uint16_t bound_port,
                                                        std::uint64_t connection_number) {
  const routing::Listener* listener = snapshot.find_listener(bound_port, {});
  if (listener == nullptr) return {};
  const std::uint32_t node =
      node_of(snapshot.load_balancers[listener->load_balancer], connection_number);
  return cells.balancers[listener->load_balancer][node];
}

void Accounting::begin(RequestRecord& record, const ClientConnection& client,
                       const http::RequestHead& head, const routing::Listener& listener,
                       const routing::LoadBalancer& load_balancer, std::int64_t now_us) {
  record.load_balancer = &load_balancer;
  record.listener = &listener;
  record.zone = node_of(load_balancer, client.number());
  record.at.accepted = client.accepted_us();
  record.at.received = client.head_begun_us();
  record.at.parsed = now_us;
  record.version = head.version;
  record.desync_class = head.desync_class;
  record.desync_reason = head.desync_reason;
  record.received_bytes = head.head_bytes;
  record.is_ipv6 = client.is_ipv6();
  record.wants_text = logs(load_balancer, LogKind::access);
  if (!record.wants_text) return;
  record.texts.set(Text::method, head.method_text);
  record.texts.set(Text::target, head.target);
  record.texts.set(Text::authority, head.authority);
  if (const http::Header* agent = head.find(http::HeaderId::user_agent))
    record.texts.set(Text::user_agent, agent->value);
}

void Accounting::end(RequestRecord& record, const Serving& serving, const ClientConnection& client,
                     std::int64_t now_us) {
  if (record.load_balancer == nullptr) return;
  record.at.ended = now_us;
  if (record.elb_status == 0) record.elb_status = 460;  // the client left before an answer
  record.received_bytes += client.body_bytes_taken();
  record.sent_bytes = client.bytes_sent_since_head();
  telemetry::BalancerCells& balancer =
      *serving.cells.balancers[record.listener->load_balancer][record.zone];
  telemetry::count_request(balancer, record);
  if (record.wants_text) log(record, client, balancer);
  if (record.target == nullptr) return;
  const GroupCells& group = serving.groups[record.target_group->index]->cells;
  telemetry::count_request(*group.zones[group.zone_of_target[record.target_index]], record);
  telemetry::count_request(*group.targets[record.target_index], record);
}

void Accounting::refused(const Serving& serving, const ClientConnection& client, int status,
                         http::DesyncReason reason, std::int64_t now_us) {
  const routing::Listener* listener = serving.snapshot->find_listener(client.bound_port(), {});
  if (listener == nullptr) return;
  RequestRecord record;
  record.listener = listener;
  record.load_balancer = &serving.snapshot->load_balancers[listener->load_balancer];
  record.zone = node_of(*record.load_balancer, client.number());
  record.at.accepted = client.accepted_us();
  record.at.received = client.head_begun_us();
  record.at.ended = now_us;
  record.elb_status = status;
  record.desync_reason = reason;
  record.desync_class = http::desync_class_of(reason);
  record.received_bytes = client.bytes_waiting();
  record.sent_bytes = client.bytes_sent_since_head();
  record.is_ipv6 = client.is_ipv6();
  telemetry::BalancerCells& cells = *serving.cells.balancers[listener->load_balancer][record.zone];
  telemetry::count_request(cells, record);
  if (logs(*record.load_balancer, LogKind::access)) log(record, client, cells);
}

std::uint64_t Accounting::id_of(std::uint64_t connection_number) const {
  return (seed_ ^ connection_number) * 0x9e3779b97f4a7c15ULL;
}

void Accounting::connected(const Serving& serving, const ClientOrigin& client) {
  using telemetry::ConnectionText;
  if (!serving.cells.logs_connections) return;
  const routing::Listener* listener = serving.snapshot->find_listener(client.bound_port, {});
  if (listener == nullptr) return;
  const routing::LoadBalancer& load_balancer =
      serving.snapshot->load_balancers[listener->load_balancer];
  if (!logs(load_balancer, LogKind::connection)) return;
  const std::uint32_t node = node_of(load_balancer, client.number);
  telemetry::ConnectionEntry entry;
  entry.numbers = {.established_us = client.accepted_us + to_wall_us(),
                   .connection_id = id_of(client.number),
                   .client_port = client.port,
                   .listener_port = listener->port};
  entry.text(ConnectionText::load_balancer_arn) = load_balancer.arn;
  entry.text(ConnectionText::node_ip) = node_ip(load_balancer, node);
  entry.text(ConnectionText::client_ip) = client.ip();
  if (client.tls != nullptr) add_tls(entry, *client.tls);
  telemetry::pack(entry, packed_);
  if (!log_->push(packed_))
    serving.cells.balancers[listener->load_balancer][node]->counts.add(
        telemetry::OfBalancer::connection_log_lines_dropped);
}

void Accounting::log(const RequestRecord& record, const ClientConnection& client,
                     telemetry::BalancerCells& cells) {
  using telemetry::EntryText;
  telemetry::LogEntry entry;
  telemetry::EntryNumbers& numbers = entry.numbers;
  const telemetry::Moments& at = record.at;
  const std::int64_t offset_us = to_wall_us();
  numbers.created_us = at.received + offset_us;
  numbers.ended_us = at.ended + offset_us;
  if (record.target != nullptr) numbers.request_us = at.connected - at.received;
  if (at.first_byte > 0) {
    numbers.target_us = at.first_byte - at.connected;
    numbers.response_us = at.ended - at.first_byte;
  }
  numbers.received_bytes = record.received_bytes;
  numbers.sent_bytes = record.sent_bytes;
  numbers.connection_id = id_of(client.number());
  numbers.elb_status = record.elb_status;
  numbers.target_status = record.target_status;
  numbers.rule_priority = record.rule_priority;
  numbers.client_port = client.port();
  numbers.listener_port = record.listener->port;
  numbers.version = record.version;
  numbers.desync_class = record.desync_class;
  numbers.desync_reason = record.desync_reason;
  numbers.transform_status = record.transform_status;
  numbers.executed = record.executed;
  numbers.is_websocket = record.is_websocket;
  for (std::size_t i = 0; i < telemetry::size_of<Text>; ++i)
    entry.texts[i] = record.texts.get(static_cast<Text>(i));
  constexpr std::string_view root = "Root=";
  std::array<char, root.size() + std::tuple_size_v<TraceId>> own_trace_id;
  if (entry.text(EntryText::trace_id).empty()) {  // it was not forwarded
    const std::string_view id = trace_ids_.make(numbers.created_us / 1'000'000);
    std::ranges::copy(id, std::ranges::copy(root, own_trace_id.begin()).out);
    entry.text(EntryText::trace_id) = {own_trace_id.data(), own_trace_id.size()};
  }
  entry.text(EntryText::load_balancer_arn) = record.load_balancer->arn;
  entry.text(EntryText::dns_name) = record.load_balancer->dns_name;
  entry.text(EntryText::node_ip) = node_ip(*record.load_balancer, record.zone);
  entry.text(EntryText::client_ip) = client.ip();
  entry.text(EntryText::error_reason) = record.error_reason;
  if (record.target != nullptr) {
    entry.text(EntryText::target_ip) = record.target->address;
    numbers.target_port = record.target->port;
  }
  if (record.target_group != nullptr)
    entry.text(EntryText::target_group_arn) = record.target_group->arn;
  if (const tls::TlsStream* stream = client.origin().tls) add_tls(entry, *stream);
  telemetry::pack(entry, packed_);
  if (!log_->push(packed_)) cells.counts.add(telemetry::OfBalancer::log_lines_dropped);
}

}  // namespace weir::proxy
