#include "model/names.hpp"

#include <array>
#include <utility>

namespace weir::model {
namespace {

template <typename Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Names<InstanceState, 6> instance_states = {{
    {InstanceState::pending, "pending"},
    {InstanceState::running, "running"},
    {InstanceState::shutting_down, "shutting-down"},
    {InstanceState::terminated, "terminated"},
    {InstanceState::stopping, "stopping"},
    {InstanceState::stopped, "stopped"},
}};

constexpr Names<LoadBalancerState, 3> load_balancer_states = {{
    {LoadBalancerState::provisioning, "provisioning"},
    {LoadBalancerState::active, "active"},
    {LoadBalancerState::failed, "failed"},
}};

constexpr Names<ConditionField, 6> condition_fields = {{
    {ConditionField::path_pattern, "path-pattern"},
    {ConditionField::host_header, "host-header"},
    {ConditionField::http_header, "http-header"},
    {ConditionField::http_request_method, "http-request-method"},
    {ConditionField::query_string, "query-string"},
    {ConditionField::source_ip, "source-ip"},
}};

constexpr Names<TransformType, 2> transform_types = {{
    {TransformType::host_header_rewrite, "host-header-rewrite"},
    {TransformType::url_rewrite, "url-rewrite"},
}};

constexpr Names<JwtClaim::Format, 3> claim_formats = {{
    {JwtClaim::Format::single_string, "single-string"},
    {JwtClaim::Format::string_array, "string-array"},
    {JwtClaim::Format::space_separated_values, "space-separated-values"},
}};

template <typename Enum, std::size_t N>
std::string_view find_name(const Names<Enum, N>& names, Enum value) {
  for (const auto& [key, name] : names) {
    if (key == value) return name;
  }
  return "unknown";
}

template <typename Enum, std::size_t N>
std::optional<Enum> find_value(const Names<Enum, N>& names, std::string_view wanted) {
  for (const auto& [key, name] : names) {
    if (name == wanted) return key;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(InstanceState state) { return find_name(instance_states, state); }
std::string_view name_of(LoadBalancerState state) { return find_name(load_balancer_states, state); }
std::string_view name_of(ConditionField field) { return find_name(condition_fields, field); }
std::string_view name_of(TransformType type) { return find_name(transform_types, type); }
std::string_view name_of(JwtClaim::Format format) { return find_name(claim_formats, format); }

std::optional<InstanceState> instance_state(std::string_view name) {
  return find_value(instance_states, name);
}
std::optional<LoadBalancerState> load_balancer_state(std::string_view name) {
  return find_value(load_balancer_states, name);
}
std::optional<ConditionField> condition_field(std::string_view name) {
  return find_value(condition_fields, name);
}
std::optional<TransformType> transform_type(std::string_view name) {
  return find_value(transform_types, name);
}
std::optional<JwtClaim::Format> claim_format(std::string_view name) {
  return find_value(claim_formats, name);
}

}  // namespace weir::model
