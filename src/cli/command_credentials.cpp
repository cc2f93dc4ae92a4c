// `weir credentials`: access keys for the AWS APIs, in the form in which tools take them.
#include <fmt/core.h>

#include <cstdio>

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

}  // namespace

std::string environment_text(const Json& api, const std::string& id, const std::string& secret) {
  std::string text = fmt::format(
      "  export AWS_ACCESS_KEY_ID={}\n"
      "  export AWS_SECRET_ACCESS_KEY={}\n"
      "  export AWS_DEFAULT_REGION={}\n",
      id, secret, text_of(api, "region"));
  const auto url = text_of(api, "url");
  if (!url.empty()) text += fmt::format("  export AWS_ENDPOINT_URL={}\n", url);
  return text;
}

int credentials_create(const Common& common, const std::string& name) {
  const auto made =
      call_daemon(common.state_dir, Json{{"command", "credentials-create"}, {"name", name}});
  if (!made) return report_error(common, made.error());
  if (common.is_json) return print_json(*made);
  const auto& api = made->at("api");
  const auto id = text_of(*made, "id");
  const auto secret = text_of(*made, "secret");
  fmt::print("The secret is shown this once. For a shell:\n\n{}\n",
             environment_text(api, id, secret));
  fmt::print(
      "or as a profile, in ~/.aws/credentials:\n\n"
      "  [weir]\n  aws_access_key_id = {}\n  aws_secret_access_key = {}\n  region = {}\n",
      id, secret, text_of(api, "region"));
  if (const auto url = text_of(api, "url"); !url.empty()) fmt::print("  endpoint_url = {}\n", url);
  return 0;
}

int credentials_list(const Common& common) {
  const auto result = call_daemon(common.state_dir, Json{{"command", "credentials-list"}});
  if (!result) return report_error(common, result.error());
  if (common.is_json) return print_json(*result);
  Table table({"ID", "NAME", "CREATED"});
  for (const auto& key : result->at("credentials")) {
    table.add({{text_of(key, "id")},
               {text_of(key, "name")},
               {iso8601(key.value("created_at_ms", std::int64_t{0}))}});
  }
  std::fputs(table.text(stdout).c_str(), stdout);
  return 0;
}

int credentials_delete(const Common& common, const std::string& id) {
  const auto result =
      call_daemon(common.state_dir, Json{{"command", "credentials-delete"}, {"id", id}});
  if (!result) return report_error(common, result.error());
  if (common.is_json) return print_json(*result);
  fmt::print("Credentials {} are deleted.\n", id);
  return 0;
}

}  // namespace weir::cli
