#include "importing/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <string_view>

#include "importing/profiles.hpp"

namespace weir::importing {
namespace {

constexpr const char* service_variable = "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2";
constexpr std::string_view service_key = "elastic_load_balancing_v2.endpoint_url";

// Ways to credentials that are not gone here, by the key of a profile that asks for them.
constexpr std::array<std::string_view, 6> other_ways{
    "sso_session",        "sso_start_url",           "role_arn",
    "credential_process", "web_identity_token_file", "credential_source"};

std::string value_of(const Section* section, std::string_view key) {
  if (section == nullptr) return {};
  const auto found = section->find(key);
  return found == section->end() ? std::string() : found->second;
}

const Section* find_section(const Sections& sections, const std::string& name) {
  const auto found = sections.find(name);
  return found == sections.end() ? nullptr : &found->second;
}

bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= 32 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

class Finder {
 public:
  Finder(const Choice& choice, const Surroundings& surroundings)
      : choice_(choice), surroundings_(surroundings) {}

  Result<Settings> find() {
    if (auto read = read_files(); !read) return std::unexpected(read.error());
    Settings settings;
    auto credentials = credentials_found();
    if (!credentials) return std::unexpected(credentials.error());
    settings.credentials = std::move(*credentials);
    auto region = region_found();
    if (!region) return std::unexpected(region.error());
    settings.region = std::move(*region);
    settings.endpoint = configured_endpoint();
    if (settings.endpoint.empty()) settings.endpoint = public_endpoint(settings.region);
    settings.ca_bundle = variable("AWS_CA_BUNDLE");
    return settings;
  }

 private:
  [[nodiscard]] std::string variable(const char* name) const {
    return surroundings_.variable(name).value_or("");
  }

  [[nodiscard]] std::string path_of(const char* variable_name, std::string_view file) const {
    const auto home = variable("HOME");
    auto path = variable(variable_name);
    if (path.empty()) return fmt::format("{}/.aws/{}", home, file);
    if (path.starts_with("~/")) path.replace(0, 1, home);
    return path;
  }

  Status read_files() {
    credentials_path_ = path_of("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    config_path_ = path_of("AWS_CONFIG_FILE", "config");
    auto credentials = read_profiles(credentials_path_);
    if (!credentials) return std::unexpected(credentials.error());
    auto config = read_profiles(config_path_);
    if (!config) return std::unexpected(config.error());
    credentials_file_ = std::move(*credentials);
    config_file_ = std::move(*config);
    profile_ = choice_.profile.empty() ? variable("AWS_PROFILE") : choice_.profile;
    const bool is_named = !profile_.empty();
    if (!is_named) profile_ = "default";
    in_credentials_ = find_section(credentials_file_, profile_);
    in_config_ = find_section(config_file_, "profile " + profile_);
    if (in_config_ == nullptr && profile_ == "default")
      in_config_ = find_section(config_file_, profile_);
    if (is_named && in_credentials_ == nullptr && in_config_ == nullptr) return no_such_profile();
    return {};
  }

  [[nodiscard]] Status no_such_profile() const {
    std::set<std::string> names;
    for (const auto& [name, section] : credentials_file_) names.insert(name);
    for (const auto& [name, section] : config_file_) {
      if (name.starts_with("profile ")) names.insert(name.substr(8));
    }
    return fail("NoSuchProfile",
                fmt::format("there is no profile '{}' in {} or {}", profile_, credentials_path_,
                            config_path_),
                names.empty() ? "" : fmt::format("There are: {}", fmt::join(names, ", ")));
  }

  // nullopt: the section has none.
  [[nodiscard]] Result<std::optional<Credentials>> of_section(const Section* section,
                                                              const std::string& path) const {
    Credentials found{value_of(section, "aws_access_key_id"),
                      value_of(section, "aws_secret_access_key"),
                      value_of(section, "aws_session_token")};
    if (found.access_key_id.empty() && found.secret.empty()) return std::nullopt;
    if (found.access_key_id.empty() || found.secret.empty()) {
      return fail("NoCredentials",
                  fmt::format("profile '{}' in {} has one of aws_access_key_id and "
                              "aws_secret_access_key, not both",
                              profile_, path));
    }
    return found;
  }

  [[nodiscard]] Result<Credentials> credentials_found() const {
    const Credentials own{variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"),
                          variable("AWS_SESSION_TOKEN")};
    if (choice_.profile.empty() && !(own.access_key_id.empty() && own.secret.empty())) {
      if (!own.access_key_id.empty() && !own.secret.empty()) return own;
      return fail("NoCredentials",
                  "one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set, not both");
    }
    for (const auto& [section, path] :
         {std::pair(in_credentials_, &credentials_path_), std::pair(in_config_, &config_path_)}) {
      auto found = of_section(section, *path);
      if (!found) return std::unexpected(found.error());
      if (*found) return **found;
    }
    return no_credentials();
  }

  [[nodiscard]] std::unexpected<Error> no_credentials() const {
    for (const auto way : other_ways) {
      if (value_of(in_config_, way).empty()) continue;
      return fail("NoCredentials",
                  fmt::format("profile '{}' in {} gets its credentials by {}, which weir does not "
                              "do itself",
                              profile_, config_path_, way),
                  fmt::format("eval \"$(aws configure export-credentials --profile {} --format "
                              "env)\" puts them into the environment.",
                              profile_));
    }
    const auto seen = [](const Sections& file, const Section* section) {
      if (section != nullptr) return "the profile has no keys there";
      return file.empty() ? "no such file, or nothing in it" : "no such profile there";
    };
    return fail("NoCredentials",
                fmt::format("no AWS credentials found; looked at {}profile '{}' in {} ({}) and in "
                            "{} ({})",
                            choice_.profile.empty() ? "AWS_ACCESS_KEY_ID (not set), " : "",
                            profile_, credentials_path_, seen(credentials_file_, in_credentials_),
                            config_path_, seen(config_file_, in_config_)),
                "Run `aws configure`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a "
                "daemon of Weir, `weir credentials create` makes a key.");
  }

  [[nodiscard]] Result<std::string> region_found() const {
    for (const auto& region :
         {choice_.region, variable("AWS_REGION"), variable("AWS_DEFAULT_REGION"),
          value_of(in_config_, "region"), value_of(in_credentials_, "region")}) {
      if (region.empty()) continue;
      if (is_region(region)) return region;
      return fail("InvalidRegion", fmt::format("'{}' is no region", region.substr(0, 64)));
    }
    if (!configured_endpoint().empty()) return "us-east-1";
    return fail("NoRegion", "no region is named",
                "Add --region, or set AWS_REGION, or region in the profile.");
  }

  [[nodiscard]] std::string configured_endpoint() const {
    if (!choice_.endpoint_url.empty()) return choice_.endpoint_url;
    if (variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true") return {};
    const Section* services =
        find_section(config_file_, "services " + value_of(in_config_, "services"));
    for (const auto& endpoint :
         {variable(service_variable), variable("AWS_ENDPOINT_URL"), value_of(services, service_key),
          value_of(in_config_, "endpoint_url"), value_of(in_credentials_, "endpoint_url")}) {
      if (!endpoint.empty()) return endpoint;
    }
    return {};
  }

  static std::string public_endpoint(std::string_view region) {
    return fmt::format("https://elasticloadbalancing.{}.amazonaws.com{}", region,
                       region.starts_with("cn-") ? ".cn" : "");
  }

  const Choice& choice_;
  const Surroundings& surroundings_;
  std::string credentials_path_, config_path_, profile_;
  Sections credentials_file_, config_file_;
  const Section* in_credentials_ = nullptr;
  const Section* in_config_ = nullptr;
};

}  // namespace

Surroundings own_surroundings() {
  return {[](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  }};
}

Result<Settings> find_settings(const Choice& choice, const Surroundings& surroundings) {
  return Finder(choice, surroundings).find();
}

}  // namespace weir::importing
