#include "daemon/credential_commands.hpp"

#include "base/log.hpp"
#include "control/access_keys.hpp"
#include "daemon/report.hpp"

namespace weir::daemon {

Result<Json> run_credentials_create(Parts& parts, const Json& request, Session&) {
  const auto key = control::create_access_key(parts.registry, text_of(request, "name"));
  if (!key) return std::unexpected(key.error());
  log::info("credentials {} are made", key->id);
  return Json{{"id", key->id},
              {"secret", key->secret},
              {"name", key->name},
              {"api", daemon_json(parts).at("api")}};
}

Result<Json> run_credentials_list(Parts& parts, const Json&, Session&) {
  Json keys = Json::array();
  for (const auto& key : control::list_access_keys(parts.registry)) {
    keys.push_back(Json{{"id", key.id}, {"name", key.name}, {"created_at_ms", key.created_at_ms}});
  }
  return Json{{"credentials", keys}};
}

Result<Json> run_credentials_delete(Parts& parts, const Json& request, Session&) {
  const auto id = text_of(request, "id");
  if (auto deleted = control::delete_access_key(parts.registry, id); !deleted)
    return std::unexpected(deleted.error());
  log::info("credentials {} are deleted", id);
  return Json{{"id", id}};
}

}  // namespace weir::daemon
