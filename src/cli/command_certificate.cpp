// `weir certificate`: what HTTPS listeners show to their clients.
#include <fmt/core.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/clock.hpp"
#include "cli/client.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

namespace weir::cli {
namespace {

using daemon::text_of;

int print_json(const Json& json) {
  std::fputs((json.dump(2) + "\n").c_str(), stdout);
  return 0;
}

Result<std::string> read_file(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  if (!in) return fail("FileNotReadable", fmt::format("{} cannot be read", path));
  return out.str();
}

}  // namespace

int certificate_import(const Common& common, const CertificateFiles& files) {
  Json request{{"command", "certificate-import"}, {"arn", files.arn}, {"name", files.name}};
  for (const auto& [member, path] : {std::pair{"certificate", files.certificate},
                                     {"private_key", files.private_key},
                                     {"chain", files.chain}}) {
    auto text = read_file(path);
    if (!text) return report_error(common, text.error());
    request[member] = std::move(*text);
  }
  const auto made = call_daemon(common.state_dir, request);
  if (!made) return report_error(common, made.error());
  if (common.is_json) return print_json(*made);
  fmt::print("{}\n", text_of(*made, "arn"));
  return 0;
}

int certificate_list(const Common& common) {
  const auto result = call_daemon(common.state_dir, Json{{"command", "certificate-list"}});
  if (!result) return report_error(common, result.error());
  if (common.is_json) return print_json(*result);
  Table table({"DOMAIN", "KEY", "EXPIRES", "IN USE", "ARN"});
  for (const auto& item : result->at("certificates")) {
    table.add({{text_of(item, "domain_name")},
               {text_of(item, "key_algorithm")},
               {iso8601(item.value("not_after_ms", std::int64_t{0})).substr(0, 10)},
               {item.at("in_use_by").empty() ? "no" : "yes"},
               {text_of(item, "arn")}});
  }
  std::fputs(table.text(stdout).c_str(), stdout);
  return 0;
}

int certificate_delete(const Common& common, const std::string& arn) {
  const auto result =
      call_daemon(common.state_dir, Json{{"command", "certificate-delete"}, {"arn", arn}});
  if (!result) return report_error(common, result.error());
  if (common.is_json) return print_json(*result);
  fmt::print("Certificate {} is deleted.\n", arn);
  return 0;
}

}  // namespace weir::cli
