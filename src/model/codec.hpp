// Resources as JSON, for the store.
//
// Encoding and decoding are one description of each type (codec.cpp), so they cannot drift apart.
// Reading is lenient where time is concerned and strict otherwise: a field that is not known is
// ignored (a newer Weir wrote it), one that is missing takes its default (an older one did), one of
// the wrong type or out of range is an error ("BadRecord") that names it.
// Instance::user_data may hold any bytes: it travels in base64.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/resources.hpp"

namespace weir::model {

[[nodiscard]] std::string encode(const Vpc& value);
[[nodiscard]] std::string encode(const Subnet& value);
[[nodiscard]] std::string encode(const SecurityGroup& value);
[[nodiscard]] std::string encode(const KeyPair& value);
[[nodiscard]] std::string encode(const Instance& value);
[[nodiscard]] std::string encode(const TargetGroup& value);
[[nodiscard]] std::string encode(const Target& value);
[[nodiscard]] std::string encode(const LoadBalancer& value);
[[nodiscard]] std::string encode(const Listener& value);
[[nodiscard]] std::string encode(const Rule& value);
[[nodiscard]] std::string encode(const StickinessKey& value);
[[nodiscard]] std::string encode(const AccessKey& value);
[[nodiscard]] std::string encode(const Stack& value);
[[nodiscard]] std::string encode(const TrustStore& value);
[[nodiscard]] std::string encode(const Certificate& value);

[[nodiscard]] Result<Vpc> decode_vpc(std::string_view json);
[[nodiscard]] Result<Subnet> decode_subnet(std::string_view json);
[[nodiscard]] Result<SecurityGroup> decode_security_group(std::string_view json);
[[nodiscard]] Result<KeyPair> decode_key_pair(std::string_view json);
[[nodiscard]] Result<Instance> decode_instance(std::string_view json);
[[nodiscard]] Result<TargetGroup> decode_target_group(std::string_view json);
[[nodiscard]] Result<Target> decode_target(std::string_view json);
[[nodiscard]] Result<LoadBalancer> decode_load_balancer(std::string_view json);
[[nodiscard]] Result<Listener> decode_listener(std::string_view json);
[[nodiscard]] Result<Rule> decode_rule(std::string_view json);
[[nodiscard]] Result<StickinessKey> decode_stickiness_key(std::string_view json);
[[nodiscard]] Result<AccessKey> decode_access_key(std::string_view json);
[[nodiscard]] Result<Stack> decode_stack(std::string_view json);
[[nodiscard]] Result<Certificate> decode_certificate(std::string_view json);
[[nodiscard]] Result<TrustStore> decode_trust_store(std::string_view json);

}  // namespace weir::model
