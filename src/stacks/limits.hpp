// What a template may ask for. The numbers are CloudFormation's quotas where it has one.
#pragma once

#include <cstddef>

namespace weir::stacks::limits {

inline constexpr std::size_t template_bytes_max = 1'048'576;  // CloudFormation: 1 MB from S3
inline constexpr std::size_t tree_depth_max = 100;            // ours: walking a tree recurses
inline constexpr std::size_t tree_nodes_max = 100'000;        // ours: 10 MB of memory
inline constexpr std::size_t description_bytes_max = 1024;
inline constexpr std::size_t parameters_max = 200;
inline constexpr std::size_t parameter_value_bytes_max = 4096;
inline constexpr std::size_t mappings_max = 200;
inline constexpr std::size_t mapping_entries_max = 200;
inline constexpr std::size_t resources_max = 500;
inline constexpr std::size_t outputs_max = 200;
inline constexpr std::size_t logical_id_bytes_max = 255;
// Ours: what all functions of a template together may produce; a Join of Joins multiplies.
inline constexpr std::size_t resolved_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t faults_shown_max = 100;
inline constexpr std::size_t creation_threads_max = 16;

}  // namespace weir::stacks::limits
