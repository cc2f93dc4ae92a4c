// Every limit of the resources, each with its source in the reference.
#pragma once

#include <cstddef>

namespace weir::model::limits {

// Names and tags: §1.1, §4.1, §8.4, §9.4.
inline constexpr std::size_t name_chars_max = 32;
inline constexpr std::size_t tags_max = 50;
inline constexpr std::size_t tag_key_chars_max = 128;
inline constexpr std::size_t tag_value_chars_max = 256;
inline constexpr std::size_t group_text_chars_max = 255;

// Attributes: §1.4.
inline constexpr std::size_t attribute_value_bytes_max = 1024;
// Of S3 logs: a part of a prefix is the name of a folder, and its bytes are bounded by file systems.
inline constexpr std::size_t log_prefix_part_bytes_max = 255;

// Rules: §3.1, §3.2. Of the two numbers that AWS gives for wildcards the larger one.
inline constexpr int priority_max = 50'000;
inline constexpr int order_max = 50'000;
inline constexpr std::size_t values_per_condition_max = 3;
inline constexpr std::size_t source_ips_per_condition_max = 5;
inline constexpr std::size_t values_per_rule_max = 5;
inline constexpr std::size_t wildcards_per_rule_max = 6;
inline constexpr std::size_t condition_value_chars_max = 128;
inline constexpr std::size_t header_name_chars_max = 40;
inline constexpr std::size_t method_chars_max = 40;

// Actions: §3.3.
inline constexpr std::size_t target_groups_per_forward_max = 5;
inline constexpr int weight_max = 999;
inline constexpr int stickiness_seconds_max = 604'800;
inline constexpr std::size_t redirect_text_chars_max = 128;
inline constexpr std::size_t message_body_chars_max = 1024;
inline constexpr std::size_t provider_text_chars_max = 256;  // a JWKS endpoint, an issuer, a claim
inline constexpr std::size_t additional_claims_max = 10;
inline constexpr std::size_t values_per_claim_max = 10;

// Transforms: §3.4.
inline constexpr std::size_t rewrite_chars_max = 1024;  // of a regular expression, of a replacement

// Health checks: §4.5.
inline constexpr std::size_t health_path_chars_max = 1024;
inline constexpr int health_timeout_seconds_min = 2;
inline constexpr int health_timeout_seconds_max = 120;
inline constexpr int health_interval_seconds_min = 5;
inline constexpr int health_interval_seconds_max = 300;
inline constexpr int health_threshold_min = 2;
inline constexpr int health_threshold_max = 10;
inline constexpr int health_code_min = 200;
inline constexpr int health_code_max = 499;

// Security groups: AWS allows 1000 rules in all groups of an interface, 60 in one by default.
inline constexpr std::size_t security_group_rules_max = 1000;

// Instances: §9.2, §9.7.
inline constexpr std::size_t user_data_bytes_max = 16'384;
inline constexpr int instances_per_call_max = 1000;

}  // namespace weir::model::limits
