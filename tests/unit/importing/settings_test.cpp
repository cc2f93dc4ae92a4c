// The credential chain, on files of a temporary folder.
#include "importing/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "importing/profiles.hpp"

namespace weir::importing {
namespace {

using ::testing::HasSubstr;

class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "weir-settings-XXXXXX").string();
    home_ = mkdtemp(pattern.data());
    std::filesystem::create_directory(home_ / ".aws");
    variables_["HOME"] = home_.string();
  }
  ~SettingsTest() override { std::filesystem::remove_all(home_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(home_ / name) << text;
  }

  [[nodiscard]] Result<Settings> find(const Choice& choice = {}) const {
    const Surroundings surroundings{[this](const char* name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::nullopt : std::optional(found->second);
    }};
    return find_settings(choice, surroundings);
  }

  [[nodiscard]] std::string key(const Choice& choice = {}) const {
    const auto found = find(choice);
    return found ? found->credentials.access_key_id : found.error().code;
  }

  void set_keys_everywhere() {
    write(".aws/credentials",
          "[default]\naws_access_key_id = SHARED\naws_secret_access_key = s\n"
          "[other]\naws_access_key_id=OTHER\naws_secret_access_key=s\naws_session_token=t\n");
    write(".aws/config",
          "[default]\nregion = eu-west-1\naws_access_key_id = CONFIG\naws_secret_access_key = s\n"
          "[profile other]\nregion = eu-north-1\n"
          "[profile third]\nregion = eu-west-3\naws_access_key_id = THIRD\n"
          "aws_secret_access_key = s\n");
  }

  std::filesystem::path home_;
  std::map<std::string, std::string> variables_;
};

TEST_F(SettingsTest, TheEnvironmentComesBeforeProfilesButForOneThatIsNamed) {
  set_keys_everywhere();
  EXPECT_EQ(key(), "SHARED");
  variables_["AWS_PROFILE"] = "other";
  EXPECT_EQ(key(), "OTHER");
  EXPECT_EQ(find()->credentials.session_token, "t");
  variables_["AWS_ACCESS_KEY_ID"] = "ENVIRONMENT";
  variables_["AWS_SECRET_ACCESS_KEY"] = "s";
  EXPECT_EQ(key(), "ENVIRONMENT");
  EXPECT_EQ(find()->credentials.session_token, "");
  EXPECT_EQ(key({.profile = "third"}), "THIRD");
}

TEST_F(SettingsTest, TheCredentialsFileComesBeforeTheConfigFile) {
  set_keys_everywhere();
  std::filesystem::remove(home_ / ".aws/credentials");
  EXPECT_EQ(key(), "CONFIG");
}

TEST_F(SettingsTest, FilesAreWhereVariablesSay) {
  set_keys_everywhere();
  write("mine", "[default]\naws_access_key_id = MINE\naws_secret_access_key = s\n");
  write("my-config", "[default]\nregion = ap-south-1\n");
  variables_["AWS_SHARED_CREDENTIALS_FILE"] = "~/mine";
  variables_["AWS_CONFIG_FILE"] = (home_ / "my-config").string();
  EXPECT_EQ(key(), "MINE");
  EXPECT_EQ(find()->region, "ap-south-1");
}

TEST_F(SettingsTest, HalfAKeyIsNone) {
  variables_["AWS_ACCESS_KEY_ID"] = "HALF";
  EXPECT_EQ(find().error().code, "NoCredentials");
  variables_.erase("AWS_ACCESS_KEY_ID");
  write(".aws/credentials", "[default]\naws_access_key_id = HALF\n");
  EXPECT_THAT(find().error().message, HasSubstr("profile 'default'"));
}

TEST_F(SettingsTest, WithoutCredentialsItSaysWhereItLooked) {
  write(".aws/config", "[default]\nregion = eu-west-1\n");
  const auto found = find();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, "NoCredentials");
  EXPECT_THAT(found.error().message, HasSubstr("AWS_ACCESS_KEY_ID (not set)"));
  EXPECT_THAT(found.error().message, HasSubstr(".aws/credentials (no such file"));
  EXPECT_THAT(found.error().message, HasSubstr(".aws/config (the profile has no keys there)"));
}

TEST_F(SettingsTest, OtherWaysToCredentialsAreNamed) {
  write(".aws/config", "[profile work]\nsso_session = corp\n");
  const auto found = find({.profile = "work"});
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("sso_session"));
  EXPECT_THAT(found.error().hint, HasSubstr("export-credentials --profile work"));
}

TEST_F(SettingsTest, AProfileThatIsNowhereIsRefused) {
  set_keys_everywhere();
  const auto found = find({.profile = "nobody"});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, "NoSuchProfile");
  EXPECT_EQ(found.error().hint, "There are: default, other, third");
}

TEST_F(SettingsTest, TheRegionInItsOrder) {
  set_keys_everywhere();
  EXPECT_EQ(find()->region, "eu-west-1");
  variables_["AWS_DEFAULT_REGION"] = "us-west-2";
  EXPECT_EQ(find()->region, "us-west-2");
  variables_["AWS_REGION"] = "us-east-2";
  EXPECT_EQ(find()->region, "us-east-2");
  EXPECT_EQ(find({.region = "sa-east-1"})->region, "sa-east-1");
  EXPECT_EQ(find({.region = "evil.example/"}).error().code, "InvalidRegion");
}

TEST_F(SettingsTest, WithoutARegionAnEndpointMustBeNamed) {
  variables_["AWS_ACCESS_KEY_ID"] = variables_["AWS_SECRET_ACCESS_KEY"] = "x";
  EXPECT_EQ(find().error().code, "NoRegion");
  EXPECT_EQ(find({.endpoint_url = "http://127.0.0.1:1"})->region, "us-east-1");
}

TEST_F(SettingsTest, TheEndpointInItsOrder) {
  set_keys_everywhere();
  EXPECT_EQ(find()->endpoint, "https://elasticloadbalancing.eu-west-1.amazonaws.com");
  EXPECT_EQ(find({.region = "cn-north-1"})->endpoint,
            "https://elasticloadbalancing.cn-north-1.amazonaws.com.cn");
  write(".aws/config",
        "[default]\nregion = eu-west-1\nendpoint_url = http://profile\nservices = local\n"
        "[services local]\nec2 =\n  endpoint_url = http://ec2\n"
        "elastic_load_balancing_v2 =\n  endpoint_url = http://services\n");
  EXPECT_EQ(find()->endpoint, "http://services");
  variables_["AWS_ENDPOINT_URL"] = "http://all";
  EXPECT_EQ(find()->endpoint, "http://all");
  variables_["AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2"] = "http://own";
  EXPECT_EQ(find()->endpoint, "http://own");
  EXPECT_EQ(find({.endpoint_url = "http://said"})->endpoint, "http://said");
  variables_["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(find()->endpoint, "https://elasticloadbalancing.eu-west-1.amazonaws.com");
}

TEST_F(SettingsTest, AFileThatIsTooLargeIsRefused) {
  write(".aws/credentials", std::string(profile_file_bytes_max + 1, '#'));
  EXPECT_EQ(find().error().code, "InvalidConfiguration");
}

TEST(Profiles, CommentsQuotesAndOddLines) {
  const auto sections = parse_profiles(
      "stray = 1\n# [no]\n; x = 1\n\t[ profile  \"two words\" ] \r\nA_Key = a = b \r\nword\n"
      "[broken\nlost = 1\n[empty]\n");
  ASSERT_TRUE(sections.contains("profile two words"));
  EXPECT_EQ(sections.at("profile two words"), (Section{{"a_key", "a = b"}}));
  EXPECT_EQ(sections.size(), 2U);
}

}  // namespace
}  // namespace weir::importing
