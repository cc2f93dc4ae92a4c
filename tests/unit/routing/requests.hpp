// Requests and conditions in few words, for the tests of this folder.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.hpp"
#include "model/resources.hpp"
#include "routing/snapshot.hpp"

namespace weir::routing::test {

// Owns the bytes that a RequestHead looks at.
struct Request {
  std::string method = "GET";
  std::string authority = "example.com";
  std::string path = "/";
  std::string query;
  bool has_query = false;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string client_ip = "192.0.2.1";

  [[nodiscard]] http::RequestHead head() const {
    http::RequestHead out;
    out.method_text = method;
    out.authority = authority;
    out.path = path;
    out.query = query;
    out.has_query = has_query || !query.empty();
    for (const auto& [name, value] : headers)
      out.headers.push_back({name, value, http::header_id(name), true});
    return out;
  }
};

inline model::Condition values(model::ConditionField field, std::vector<std::string> texts) {
  model::Condition out;
  out.field = field;
  out.values = std::move(texts);
  return out;
}
inline model::Condition path(std::vector<std::string> texts) {
  return values(model::ConditionField::path_pattern, std::move(texts));
}
inline model::Condition host(std::vector<std::string> texts) {
  return values(model::ConditionField::host_header, std::move(texts));
}
inline model::Condition method(std::vector<std::string> texts) {
  return values(model::ConditionField::http_request_method, std::move(texts));
}
inline model::Condition source_ip(std::vector<std::string> texts) {
  return values(model::ConditionField::source_ip, std::move(texts));
}
inline model::Condition header(std::string name, std::vector<std::string> texts) {
  model::Condition out = values(model::ConditionField::http_header, std::move(texts));
  out.http_header_name = std::move(name);
  return out;
}
inline model::Condition query(std::vector<model::QueryStringPair> pairs) {
  model::Condition out;
  out.field = model::ConditionField::query_string;
  out.query = std::move(pairs);
  return out;
}
inline model::Condition regex(model::ConditionField field, std::vector<std::string> texts,
                              std::string header_name = {}) {
  model::Condition out;
  out.field = field;
  out.regex_values = std::move(texts);
  out.http_header_name = std::move(header_name);
  return out;
}

}  // namespace weir::routing::test
