#include "proxy/compression.hpp"

#include <algorithm>

#include "http/writer.hpp"
#include "proxy/header_lookup.hpp"
#include "proxy/limits.hpp"

namespace weir::proxy {
namespace {

// Whether a comma-separated value has this item, in any letter case.
bool has_item(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view each = list.substr(0, end);
    while (!each.empty() && (each.front() == ' ' || each.front() == '\t')) each.remove_prefix(1);
    while (!each.empty() && (each.back() == ' ' || each.back() == '\t')) each.remove_suffix(1);
    if (is_same_name(each, item)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

bool any_has_item(const http::ResponseHead& head, std::string_view name, std::string_view item) {
  return std::ranges::any_of(head.headers, [&](const http::Header& header) {
    return is_same_name(header.name, name) && has_item(header.value, item);
  });
}

http::Header added(std::string_view name, std::string_view value) {
  http::Header header;
  header.name = name;
  header.value = value;
  return header;
}

// Fields that hold for the bytes as the target sent them.
bool is_of_the_bytes(std::string_view name) {
  constexpr std::array names = {std::string_view("Accept-Ranges"), std::string_view("Content-MD5"),
                                std::string_view("Content-Digest"), std::string_view("Digest")};
  return std::ranges::any_of(names,
                             [&](std::string_view each) { return is_same_name(name, each); });
}

// A body of that length at least, or of none that is told. HEAD's answer has the one that GET's
// would.
bool has_body_of(std::uint64_t bytes_min, const http::ResponseHead& head, http::Method method) {
  bool is_length_known = head.framing == http::Framing::content_length;
  if (head.framing == http::Framing::none) {
    if (method != http::Method::head || head.status == 204 || head.status == 304) return false;
    is_length_known = find_header(head.headers, "Content-Length") != nullptr;
  }
  return !is_length_known || head.content_length >= bytes_min;
}

}  // namespace

void BodyCompressor::change(http::ResponseHead& head) {
  bool has_etag = false;
  for (http::Header& header : head.headers) {
    if (is_of_the_bytes(header.name)) header.is_forwardable = false;
    if (!is_same_name(header.name, "ETag") || !header.value.starts_with('"')) continue;
    // A strong one would promise the same bytes (RFC 9110 §8.8.3).
    weak_etag_.assign("W/").append(header.value);
    header.is_forwardable = false;
    has_etag = true;
  }
  if (has_etag) head.headers.push_back(added("ETag", weak_etag_));
  head.headers.push_back(added("Content-Encoding", traffic::name_of(encoding_)));
}

bool BodyCompressor::send(net::Stream& client, std::string_view content) {
  return compressor_->write(content, [&client](std::string_view bytes) {
    std::array<char, http::chunk_size_line_bytes_max> line;
    client.send_copy(http::chunk_size_line(bytes.size(), line));
    client.send_copy(bytes);
    client.send_copy(http::chunk_end);
  });
}

bool BodyCompressor::finish(net::Stream& client) {
  return compressor_->finish([&client](std::string_view bytes) {
    std::array<char, http::chunk_size_line_bytes_max> line;
    client.send_copy(http::chunk_size_line(bytes.size(), line));
    client.send_copy(bytes);
    client.send_copy(http::chunk_end);
  });
}

std::unique_ptr<BodyCompressor> CompressorPool::take(traffic::Encoding encoding) {
  if (in_use_ >= compressors_max) return nullptr;
  auto& idle = idle_[static_cast<std::size_t>(encoding)];
  std::unique_ptr<BodyCompressor> out;
  if (!idle.empty()) {
    out = std::move(idle.back());
    idle.pop_back();
  } else {
    auto compressor = traffic::Compressor::create(encoding);
    if (compressor == nullptr) return nullptr;
    out = std::make_unique<BodyCompressor>(encoding, std::move(compressor));
  }
  ++in_use_;
  return out;
}

void CompressorPool::give_back(std::unique_ptr<BodyCompressor> compressor) {
  --in_use_;
  auto& idle = idle_[static_cast<std::size_t>(compressor->encoding())];
  if (idle.size() < idle_compressors_max && compressor->restart())
    idle.push_back(std::move(compressor));
}

traffic::Encoding wanted_encoding(const traffic::CompressionPolicy& policy,
                                  const http::RequestHead& head) {
  if (head.version != http::Version::http_1_1) return traffic::Encoding::identity;
  traffic::AcceptEncoding accepted;
  for (const http::Header& header : head.headers) {
    if (is_same_name(header.name, "Accept-Encoding")) accepted.add(header.value);
  }
  return accepted.best_of(policy.algorithms);
}

bool is_compressible(const traffic::CompressionPolicy& policy, const http::ResponseHead& head,
                     http::Method method) {
  if (head.status == 206 || !has_body_of(policy.bytes_min, head, method)) return false;
  const http::Header* type = find_header(head.headers, "Content-Type");
  return type != nullptr && policy.is_for(type->value) &&
         find_header(head.headers, "Content-Encoding") == nullptr &&
         find_header(head.headers, "Content-Range") == nullptr &&
         !any_has_item(head, "Cache-Control", "no-transform");
}

void add_vary(http::ResponseHead& head) {
  if (any_has_item(head, "Vary", "Accept-Encoding") || any_has_item(head, "Vary", "*")) return;
  head.headers.push_back(added("Vary", "Accept-Encoding"));
}

}  // namespace weir::proxy
