// What the words of a command line mean, without a daemon.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <vector>

#include "cli/app.hpp"
#include "cli/background.hpp"
#include "cli/commands.hpp"

namespace weir::cli {
namespace {

int run_words(std::initializer_list<std::string> words) {
  std::vector<std::string> copies{"weir"};
  copies.insert(copies.end(), words);
  std::vector<char*> argv;
  for (auto& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  return run(static_cast<int>(copies.size()), argv.data());
}

struct Output {
  int status = 0;
  std::string out;
  std::string err;
};

Output run_captured(std::initializer_list<std::string> words) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Output output;
  output.status = run_words(words);
  std::fflush(stdout);
  output.out = testing::internal::GetCapturedStdout();
  output.err = testing::internal::GetCapturedStderr();
  return output;
}

TEST(Words, WrongUseIsStatusTwoAndNamesTheHelp) {
  for (const auto& [words, help] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{}, "weir --help"},
           {{"nonsense"}, "weir --help"},
           {{"up", "--event-loop", "select"}, "weir up --help"},
           {{"up", "--output", "xml"}, "weir up --help"},
           {{"logs"}, "weir logs --help"},
           {{"instances", "stop"}, "weir instances stop --help"},
           {{"image", "import", "ami-12345678", "/nonexistent.tar"}, "weir image import --help"}}) {
    std::vector<std::string> copies{"weir"};
    copies.insert(copies.end(), words.begin(), words.end());
    std::vector<char*> argv;
    for (auto& word : copies) argv.push_back(word.data());
    argv.push_back(nullptr);
    testing::internal::CaptureStderr();
    EXPECT_EQ(run(static_cast<int>(copies.size()), argv.data()), 2);
    const auto err = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(err.starts_with("weir: ")) << err;
    EXPECT_NE(err.find(help), std::string::npos) << err;
  }
}

TEST(Words, HelpHasExamplesEverywhere) {
  for (const auto* command : {"up", "down", "status", "instances", "logs", "exec", "ssh", "stop",
                              "serve", "version", "image"}) {
    const auto help = run_captured({command, "--help"});
    EXPECT_EQ(help.status, 0) << command;
    EXPECT_NE(help.out.find("xample"), std::string::npos) << command;
    EXPECT_EQ(help.err, "") << command;
  }
  const auto main_help = run_captured({"--help"});
  EXPECT_EQ(main_help.out.find("\n  hold"), std::string::npos) << "hold is not for people";
}

TEST(Words, WithoutADaemonACommandSaysHowToGetOne) {
  const auto status = run_captured({"status", "--state", "/nonexistent/weir"});
  EXPECT_EQ(status.status, 1);
  EXPECT_EQ(status.out, "");
  EXPECT_NE(status.err.find("/nonexistent/weir"), std::string::npos);
  EXPECT_NE(status.err.find("weir up"), std::string::npos);
}

TEST(Words, AnErrorIsJsonWhereJsonIsAskedFor) {
  const auto status = run_captured({"status", "--state", "/nonexistent/weir", "-o", "json"});
  EXPECT_EQ(status.status, 1);
  EXPECT_NE(status.out.find("\"code\": \"NoDaemon\""), std::string::npos);
}

TEST(Words, SshReachesAnInstanceThroughExec) {
  const auto words =
      ssh_words({.id = "i-0abc", .key_file = "a key.pem", .command = {"uname", "-a"}},
                "i-0abcdef0123456789", "/opt/it's/weir", "/var/100%/weir");
  const auto proxy = std::ranges::find_if(
      words, [](const std::string& word) { return word.starts_with("ProxyCommand="); });
  ASSERT_NE(proxy, words.end());
  EXPECT_TRUE(
      proxy->starts_with("ProxyCommand='/opt/it'\\''s/weir' exec --state '/var/100%%/weir' "
                         "i-0abcdef0123456789 -- sh -c '"))
      << *proxy;
  EXPECT_NE(std::ranges::find(words, "UserKnownHostsFile=\"/var/100%%/weir/ssh_known_hosts\""),
            words.end());
  const std::vector<std::string> end(words.end() - 8, words.end());
  EXPECT_EQ(end, (std::vector<std::string>{"-i", "a key.pem", "-l", "ubuntu", "--",
                                           "i-0abcdef0123456789", "uname", "-a"}));
}

TEST(Words, ParametersAreKeyValuePairs) {
  const auto good = parse_parameters({"Size=3", "Text=a=b", "Empty="});
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(good->at("Size"), "3");
  EXPECT_EQ(good->at("Text"), "a=b");
  EXPECT_EQ(good->at("Empty"), "");
  EXPECT_FALSE(parse_parameters({"Size"}).has_value());
  EXPECT_FALSE(parse_parameters({"=3"}).has_value());
  const auto twice = parse_parameters({"Size=3", "Size=4"});
  ASSERT_FALSE(twice.has_value());
  EXPECT_NE(twice.error().message.find("Size"), std::string::npos);
}

TEST(Words, AStackIsNamedAfterItsFile) {
  EXPECT_EQ(stack_name_of(""), "two-clusters");
  EXPECT_EQ(stack_name_of("/some/where/site.yaml"), "site");
  EXPECT_EQ(stack_name_of("my_site.v2.json"), "my-site-v2");
  EXPECT_EQ(stack_name_of("9lives.yaml"), "stack-9lives");
}

TEST(Words, ADaemonInTheBackgroundGetsTheSameOptions) {
  daemon::ServeOptions options;
  options.state_dir = "/s";
  EXPECT_EQ(serve_arguments(options), (std::vector<std::string>{"--state", "/s"}));
  options.workers = 3;
  options.event_loop = net::Backend::epoll;
  options.bind_addresses = {"127.0.0.1", "::1"};
  options.runtime = "crun";
  options.rootless = true;
  options.vpc_cidr = "10.9.0.0/16";
  EXPECT_EQ(serve_arguments(options),
            (std::vector<std::string>{"--state", "/s", "--workers", "3", "--event-loop", "epoll",
                                      "--bind", "127.0.0.1", "--bind", "::1", "--runtime", "crun",
                                      "--rootless", "--vpc-cidr", "10.9.0.0/16"}));
}

}  // namespace
}  // namespace weir::cli
