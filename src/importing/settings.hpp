// As whom and where to ask: what AWS's tools call the credential chain, region and endpoint.
//
// In the order of AWS's tools. Credentials: AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN, unless a profile is named on the command line; then the profile (AWS_PROFILE
// or "default") in the credentials file, then in the config file. Endpoint: the command line,
// AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2, AWS_ENDPOINT_URL, the profile's services section, the
// profile's endpoint_url, AWS's own for the region.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace weir::importing {

// Of the command line; empty: not said.
struct Choice {
  std::string profile = {};
  std::string region = {};
  std::string endpoint_url = {};
};

struct Surroundings {
  // An environment variable; nullopt: not set, or empty.
  std::function<std::optional<std::string>(const char* name)> variable;
};

// Those of this process.
[[nodiscard]] Surroundings own_surroundings();

struct Credentials {
  std::string access_key_id;
  std::string secret;
  std::string session_token;  // may be empty
};

struct Settings {
  Credentials credentials;
  std::string region;     // letters, digits, hyphens
  std::string endpoint;   // http or https, with a host
  std::string ca_bundle;  // AWS_CA_BUNDLE; empty: the system's
};

// "NoCredentials" says where was looked.
[[nodiscard]] Result<Settings> find_settings(const Choice& choice,
                                             const Surroundings& surroundings);

}  // namespace weir::importing
