// What a request says about its signer, from hostile callers. The input's first line is the
// Authorization header, the second x-amz-date, the third x-amz-security-token, the rest the query
// string. What is read keeps its promises, and none of it opens an endpoint that verifies.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aws/sigv4/access.hpp"
#include "aws/sigv4/authorization.hpp"

namespace weir::aws {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

std::string take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  std::string line(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

HttpRequest request_of(std::string_view bytes) {
  HttpRequest request;
  request.method = "POST";
  request.path = "/";
  for (const auto* name : {"authorization", "x-amz-date", "x-amz-security-token"}) {
    if (auto line = take_line(bytes); !line.empty()) request.headers.emplace_back(name, line);
  }
  request.query = bytes;
  return request;
}

void check(std::string_view bytes) {
  static const Access access(
      {"123456789012", true, [](const std::string&) { return std::string("a secret of 30 bytes"); },
       [] { return std::int64_t{1'440'938'160'000}; }});
  const auto request = request_of(bytes);
  const auto query = parse_form(request.query);
  if (!query) return;
  const auto read = read_authorization(request, *query);
  if (!read) {
    require(!read.error().code.empty() && !read.error().message.empty(), "an error says what");
    return;
  }
  require(!read->access_key_id.empty() && read->access_key_id.size() <= 128, "a key is named");
  require(read->date.size() == 8 && read->timestamp.starts_with(read->date), "the day is one");
  require(read->signature.size() == 64, "a signature has 64 digits");
  require(std::ranges::binary_search(read->signed_headers, std::string("host")), "host is signed");
  require(!access.admit(request, *query, *read), "nobody guesses a signature");
}

}  // namespace
}  // namespace weir::aws

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::aws::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
