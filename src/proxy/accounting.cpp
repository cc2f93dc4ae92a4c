#include "proxy/accounting.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "proxy/client_connection.hpp"
#include "proxy/serving.hpp"
#include "telemetry/count_request.hpp"

namespace weir::proxy {

using telemetry::RequestRecord;
using telemetry::Text;

ServingCells Accounting::prepare(const routing::Snapshot& snapshot, std::int64_t now_ms) {
  ServingCells out;
  out.balancers.reserve(snapshot.load_balancers.size());
  for (const routing::LoadBalancer& balancer : snapshot.load_balancers) {
    auto& nodes = out.balancers.emplace_back();
    for (const model::LoadBalancerNode& node : balancer.nodes)
      nodes.push_back(cells_->balancer({balancer.arn, node.zone}));
    if (nodes.empty()) nodes.push_back(cells_->balancer({balancer.arn, {}}));
  }
  out.groups.reserve(snapshot.target_groups.size());
  for (const routing::TargetGroup& group : snapshot.target_groups) {
    ServingCells::Group& cells = out.groups.emplace_back();
    std::map<std::string_view, std::uint32_t> zones;
    for (const routing::Target& target : group.targets) {
      const auto [zone, is_new] =
          zones.try_emplace(target.zone, static_cast<std::uint32_t>(cells.zones.size()));
      if (is_new) cells.zones.push_back(cells_->group({group.arn, target.zone}));
      cells.zone_of_target.push_back(zone->second);
      cells.targets.push_back(cells_->target({group.arn, target.id, target.port}));
    }
  }
  cells_->prune(now_ms);
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
  if (!record.wants_text) return;
  record.texts.set(Text::method, head.method_text);
  record.texts.set(Text::target, head.target);
  record.texts.set(Text::authority, head.authority);
  if (const http::Header* agent = head.find(http::HeaderId::user_agent))
    record.texts.set(Text::user_agent, agent->value);
}

void Accounting::end(RequestRecord& record, const ServingCells& cells,
                     const ClientConnection& client, std::int64_t now_us) {
  if (record.load_balancer == nullptr) return;
  record.at.ended = now_us;
  if (record.elb_status == 0) record.elb_status = 460;  // the client left before an answer
  record.received_bytes += client.body_bytes_taken();
  record.sent_bytes = client.bytes_sent_since_head();
  telemetry::count_request(*cells.balancers[record.listener->load_balancer][record.zone], record);
  if (record.target == nullptr) return;
  const ServingCells::Group& group = cells.groups[record.target_group->index];
  telemetry::count_request(*group.zones[group.zone_of_target[record.target_index]], record);
  telemetry::count_request(*group.targets[record.target_index], record);
}

void Accounting::refused(const Serving& serving, const ClientConnection& client, int status,
                         std::int64_t now_us) {
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
  record.received_bytes = client.bytes_waiting();
  record.sent_bytes = client.bytes_sent_since_head();
  record.is_ipv6 = client.is_ipv6();
  telemetry::count_request(*serving.cells.balancers[listener->load_balancer][record.zone], record);
}

}  // namespace weir::proxy
