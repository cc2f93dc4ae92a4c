// The data plane's limits, each with its source.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::proxy {

inline constexpr std::uint32_t forwarded_for_addresses_max = 30;  // reference §5.1: 463
inline constexpr std::size_t location_bytes_max = 8 * 1024;       // reference §5.1: 507

// Bytes queued to one side at which the other side is paused until the queue is empty. Two of them
// bound what an exchange holds of its bodies.
inline constexpr std::size_t queued_bytes_high = 256 * 1024;

// So much of a body left to come, its rest goes from socket to socket through a pipe. Measured:
// below this the switching costs what is saved.
inline constexpr std::uint64_t piped_body_bytes_min = 128 * 1024;

// A worker's, which the tests make small.
struct WorkerLimits {
  std::size_t buffered_bytes = 256 * 1024 * 1024;  // that it holds of bodies and heads in all
  std::int64_t connect_timeout_ms = 10'000;        // reference §5.6
};

// What a client sends ahead of the answer to its request is read this far; the kernel keeps the
// rest.
inline constexpr std::size_t pipelined_bytes_max = 16 * 1024;

// Interim responses (1xx) to one request; more are 502.
inline constexpr int interim_responses_max = 16;

// Copies of requests under way at one worker, and how long one may take.
inline constexpr std::size_t mirror_copies_max = 256;
inline constexpr std::int64_t mirror_timeout_ms = 60'000;

// Responses compressed at a time by one worker, at below 2 MiB each; further ones go as they are.
// And compressors kept for the next ones, of each encoding.
inline constexpr std::size_t compressors_max = 128;
inline constexpr std::size_t idle_compressors_max = 16;

// Idle connections kept for one target and worker; further ones are closed after use.
inline constexpr std::size_t idle_connections_max = 1024;

// Sockets of the VPC fetched at a time where they must be handed in.
inline constexpr int vpc_sockets_batch = 32;

}  // namespace weir::proxy
