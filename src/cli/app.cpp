// Every command, option and help text. CLI11 throws; its exceptions end here.
#include "cli/app.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "cli/commands.hpp"
#include "compute/compute.hpp"
#include "daemon/state_folder.hpp"
#include "daemon/version.hpp"

namespace weir::cli {
namespace {

constexpr int usage_status = 2;

constexpr const char* main_footer = R"(Examples:
  weir up                                the two clusters of the built-in template
  weir up site.yaml -p Size=3            a CloudFormation template of yours
  weir status                            what runs, where, how healthy
  weir explain GET /cluster1             which rule takes this request, and why
  weir exec i-0abc -- ps aux             a command inside an instance
  weir down && weir stop                 remove it all, end the daemon

`weir COMMAND --help` says more about each.)";

constexpr const char* up_footer = R"(Examples:
  weir up                                two clusters: 5 × m4.large and 4 × t2.large, C++ app
  weir up --app flask                    the same with the Flask app
  weir up -p Cluster1Size=5 -p Cluster2Size=5
  weir up site.yaml --name blue          a template of yours, as stack "blue"
  weir up --timings                      and where the time went)";

class App {
 public:
  App();
  int run(int argc, char** argv);

 private:
  using Action = std::function<int()>;

  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& description,
                const std::string& footer, Action action);
  CLI::App* add_bare(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& footer, Action action);
  void add_state(CLI::App& command);
  void add_common(CLI::App& command);
  void add_serve_options(CLI::App& command);
  void add_stack_commands();
  void add_instance_commands();
  void add_daemon_commands();
  void add_image_commands();
  void add_certificate_commands();
  void add_credential_commands();
  void add_import();
  void add_holder();
  int usage_error(const CLI::ParseError& error);
  int run_action();

  CLI::App app_{"An application load balancer with its control plane and its instances.", "weir"};
  Action action_;
  Common common_;
  std::string state_ = daemon::default_state_dir();
  std::string output_ = "text";
  UpOptions up_;
  ExplainOptions explain_;
  ImportOptions import_;
  CertificateFiles certificate_;
  SshOptions ssh_;
  TopOptions top_;
  daemon::ServeOptions serve_;
  std::string event_loop_;
  std::string name_, id_, path_;
  std::vector<std::string> words_;
  bool is_all_ = false, is_following_ = false, with_instances_ = false;
  int control_fd_ = -1;
};

// A command whose options are all its own.
CLI::App* App::add_bare(CLI::App& parent, const std::string& name, const std::string& description,
                        const std::string& footer, Action action) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer(footer);
  command->final_callback([this, command, chosen = std::move(action)] {
    if (command->get_subcommands().empty()) action_ = chosen;
  });
  return command;
}

CLI::App* App::add(CLI::App& parent, const std::string& name, const std::string& description,
                   const std::string& footer, Action action) {
  CLI::App* command = add_bare(parent, name, description, footer, std::move(action));
  add_common(*command);
  return command;
}

void App::add_state(CLI::App& command) {
  command.add_option("--state", state_, "the folder that holds all state (or WEIR_STATE)")
      ->type_name("DIR");
}

void App::add_common(CLI::App& command) {
  add_state(command);
  command.add_option("-o,--output", output_, "text for people, json for programs")
      ->type_name("text|json")
      ->check(CLI::IsMember({"text", "json"}));
}

void App::add_serve_options(CLI::App& command) {
  command.add_option("--workers", serve_.workers, "worker threads (default: one per core)")
      ->check(CLI::Range(1, 1024))
      ->group("Daemon");
  command
      .add_option("--event-loop", event_loop_, "io_uring where the kernel allows it, else epoll")
      ->type_name("io_uring|epoll")
      ->check(CLI::IsMember({"io_uring", "epoll"}))
      ->group("Daemon");
  command
      .add_option("--bind", serve_.bind_addresses,
                  "address that listeners bind (default: loopback, IPv4 and IPv6)")
      ->type_name("ADDR")
      ->take_all()
      ->expected(1)
      ->group("Daemon");
  command
      .add_option("--identity-ca", serve_.identity_ca_file,
                  "certificates (PEM) that identity providers are trusted by, besides the system's")
      ->type_name("FILE")
      ->check(CLI::ExistingFile)
      ->group("Daemon");
  command.add_option("--runtime", serve_.runtime, "the OCI runtime (default: runc)")
      ->type_name("NAME")
      ->group("Daemon");
  command.add_flag("--rootless", serve_.rootless, "use a user namespace even as root")
      ->group("Daemon");
  command
      .add_option("--api", serve_.api,
                  "where the AWS APIs are (default: 127.0.0.1:4566, or the next free port)")
      ->type_name("ADDR:PORT|off")
      ->group("Daemon");
  command
      .add_flag("--verify-signatures", serve_.verify_signatures,
                "of the AWS APIs on loopback too (elsewhere they always are)")
      ->group("Daemon");
  command
      .add_option("--limits", serve_.limits,
                  "how many rules, targets and the like there may be: Weir's numbers, or AWS's")
      ->type_name("raised|aws")
      ->check(CLI::IsMember({"raised", "aws"}))
      ->group("Daemon");
  command
      .add_option("--vpc-cidr", serve_.vpc_cidr,
                  "range of the default VPC (default: 172.31.0.0/16, or one that is free)")
      ->type_name("CIDR")
      ->group("Daemon");
  command
      .add_option("--admin", serve_.admin,
                  "address and port for /metrics, /healthz and /ready (default: none)")
      ->type_name("ADDR:PORT")
      ->group("Daemon");
  command
      .add_option("--admin-token-file", serve_.admin_token_file,
                  "the bearer token that readers of --admin must send; needed off loopback")
      ->type_name("FILE")
      ->group("Daemon");
}

void App::add_stack_commands() {
  CLI::App* up_command =
      add(app_, "up", "Bring a stack up and wait until its targets are healthy", up_footer, [this] {
        up_.serve = serve_;
        return up(common_, up_);
      });
  up_command->add_option("FILE", up_.file, "a CloudFormation template (default: two clusters)");
  up_command->add_option("--name", up_.name, "name of the stack (default: from the file's name)");
  up_command->add_option("-p,--parameter", up_.parameters, "a parameter of the template")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1);
  up_command->add_option("--app", up_.app, "short for the template's parameter App")
      ->type_name("cpp|flask")
      ->check(CLI::IsMember({"cpp", "flask"}));
  up_command->add_option("--timeout", up_.timeout_seconds, "seconds to wait for healthy targets")
      ->capture_default_str()
      ->check(CLI::Range(1, 86'400));
  up_command->add_flag("--timings", up_.wants_timings, "show where the time went");
  add_serve_options(*up_command);

  CLI::App* down_command = add(app_, "down", "Remove a stack and all that it made",
                               "Examples:\n  weir down               the only stack there is\n"
                               "  weir down blue\n  weir down --all",
                               [this] { return down(common_, name_, is_all_); });
  down_command->add_option("NAME", name_, "the stack (not needed where there is one only)");
  down_command->add_flag("--all", is_all_, "all stacks");

  add(app_, "status", "What runs, where, how healthy",
      "Examples:\n  weir status\n  weir status --output json", [this] { return status(common_); });

  CLI::App* top_command =
      add(app_, "top", "Requests, answers, latency and health, as they are now",
          "Examples:\n  weir top\n  weir top --once\n  weir top --interval 5 --output json",
          [this] { return top(common_, top_); });
  top_command->add_flag("--once", top_.is_once, "one look, over one interval");
  top_command
      ->add_option("--interval", top_.interval_seconds,
                   "seconds between looks (default: 1; into a pipe one look only)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.05, 86'400.0));

  CLI::App* explain_command = add(
      app_, "explain", "Which rule takes a request, and why the rules before it do not",
      "Examples:\n  weir explain GET /cluster1\n"
      "  weir explain GET 'http://web-1.us-east-1.elb.localhost:8080/a?x=1' -H 'X-Tenant: blue'\n"
      "  weir explain POST /login -H 'Host: shop.example' --from 203.0.113.7",
      [this] { return explain(common_, explain_); });
  explain_command->add_option("METHOD", explain_.method, "GET, POST, …")->required();
  explain_command
      ->add_option("URL", explain_.url,
                   "http://host[:port]/path?query, or the path alone (port 80)")
      ->required();
  explain_command->add_option("-H,--header", explain_.headers, "a header, as 'Name: value'")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  explain_command->add_option("--from", explain_.client_ip, "the client's address (127.0.0.1)");
}

void App::add_instance_commands() {
  CLI::App* list = add(app_, "instances", "List instances, or stop, start, reboot, terminate them",
                       "Examples:\n  weir instances\n  weir instances stop i-0abc i-0def\n"
                       "An id may be shortened as long as it names one instance.",
                       [this] { return instances(common_, is_all_); });
  list->add_flag("--all", is_all_, "terminated ones too");
  for (const auto* action : {"stop", "start", "reboot", "terminate"}) {
    const std::string name = action;
    CLI::App* command =
        add(*list, name, fmt::format("{} instances and wait until they are so", name),
            fmt::format("Example:\n  weir instances {} i-0abc", name),
            [this, name] { return instances_action(common_, name, words_); });
    command->add_option("ID", words_, "instance ids")->required();
  }

  CLI::App* logs_command = add(app_, "logs", "The output of an instance's boot and user data",
                               "Examples:\n  weir logs i-0abc\n  weir logs -f i-0abc",
                               [this] { return logs(common_, id_, is_following_); });
  logs_command->add_option("ID", id_, "instance id")->required();
  logs_command->add_flag("-f,--follow", is_following_, "go on as more is written");

  CLI::App* exec_command =
      add(app_, "exec", "Run a command inside an instance; its exit status is returned",
          "Examples:\n  weir exec i-0abc -- ps aux\n  weir exec i-0abc -- bash\n"
          "Ctrl-C interrupts the command; without a terminal, a second one kills it.",
          [this] { return exec(common_, id_, words_); });
  exec_command->add_option("ID", id_, "instance id")->required();
  exec_command->add_option("COMMAND", words_, "the command and its arguments, after --")
      ->required();

  CLI::App* ssh_command =
      add(app_, "ssh", "Log in to an instance with the key of its key pair",
          "Examples:\n  weir ssh i-0abc -i key.pem\n  weir ssh i-0abc -i key.pem -- uname -a\n"
          "The instance must have been launched with a key pair, and its image have sshd.",
          [this] { return ssh(common_, ssh_); });
  ssh_command->add_option("ID", ssh_.id, "instance id")->required();
  ssh_command->add_option("-i,--identity", ssh_.key_file, "the private key")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  ssh_command->add_option("-l,--login", ssh_.user, "the account")
      ->type_name("USER")
      ->capture_default_str();
  ssh_command->add_option("COMMAND", ssh_.command, "instead of a shell; after --");
}

void App::add_daemon_commands() {
  CLI::App* stop_command =
      add(app_, "stop", "End the daemon; instances go on without it",
          "Examples:\n  weir stop                     the next command finds the instances again\n"
          "  weir stop --with-instances    remove all stacks and instances first",
          [this] { return stop(common_, with_instances_); });
  stop_command->add_flag("--with-instances", with_instances_,
                         "remove all stacks and instances first");

  CLI::App* serve_command = add(app_, "serve", "Run the daemon in the foreground",
                                "Examples:\n  weir serve\n  weir serve --bind 0.0.0.0 --workers 4\n"
                                "  weir serve --state /tmp/other --event-loop epoll",
                                [this] { return serve(common_, serve_); });
  add_serve_options(*serve_command);
  serve_command->add_flag("--background", serve_.is_background)->group("");
  serve_command->add_option("--ready-fd", serve_.ready_fd)->group("");

  add(app_, "version", "The version of weir, and of the daemon that runs",
      "Example:\n  weir version", [this] { return version(common_); });
}

void App::add_image_commands() {
  CLI::App* image = app_.add_subcommand("image", "Import and list machine images");
  image->footer("Examples:\n  weir image list\n  weir image import ami-0123456789abcdef0 root.tar");
  image->require_subcommand(1);
  CLI::App* import_command = add(*image, "import", "Give an AMI id a root file system of its own",
                                 "Example:\n  weir image import ami-0123456789abcdef0 root.tar",
                                 [this] { return image_import(common_, id_, path_); });
  import_command->add_option("AMI-ID", id_, "ami- and 8 or 17 hexadecimal digits")->required();
  import_command->add_option("TAR", path_, "a tar archive of the root file system")
      ->required()
      ->check(CLI::ExistingFile);
  add(*image, "list", "The images that instances can be launched from",
      "Example:\n  weir image list", [this] { return image_list(common_); });
}

void App::add_certificate_commands() {
  CLI::App* group = app_.add_subcommand("certificate", "Certificates of HTTPS listeners");
  group->footer(
      "Examples:\n  weir certificate import --certificate cert.pem --key key.pem\n"
      "  weir certificate list");
  group->require_subcommand(1);
  CLI::App* import_command =
      add(*group, "import", "Bring a certificate in, or a new one in its place; prints the ARN",
          "Example:\n  weir certificate import --certificate fullchain.pem --key privkey.pem",
          [this] { return certificate_import(common_, certificate_); });
  import_command
      ->add_option("--certificate", certificate_.certificate,
                   "PEM; the chain may follow in the same file")
      ->required()
      ->check(CLI::ExistingFile);
  import_command->add_option("--key", certificate_.private_key, "its private key, PEM, no password")
      ->required()
      ->check(CLI::ExistingFile);
  import_command->add_option("--chain", certificate_.chain, "the certificates of its issuers, PEM")
      ->check(CLI::ExistingFile);
  import_command->add_option("--arn", certificate_.arn, "replace the certificate of this ARN");
  import_command->add_option("--name", certificate_.name,
                             "make it the IAM server certificate of this name");
  add(*group, "list", "The certificates there are", "Example:\n  weir certificate list",
      [this] { return certificate_list(common_); });
  CLI::App* remove =
      add(*group, "delete", "Delete a certificate that no listener has",
          "Example:\n  weir certificate delete arn:aws:acm:us-east-1:123456789012:certificate/ID",
          [this] { return certificate_delete(common_, id_); });
  remove->add_option("ARN", id_, "the certificate's ARN")->required();
}

void App::add_credential_commands() {
  CLI::App* group = app_.add_subcommand("credentials", "Credentials for the AWS APIs");
  group->footer("Examples:\n  weir credentials create ci\n  weir credentials list");
  group->require_subcommand(1);
  CLI::App* create = add(*group, "create", "Make an access key and show its secret, once",
                         "Example:\n  weir credentials create ci",
                         [this] { return credentials_create(common_, name_); });
  create->add_option("NAME", name_, "what it is for");
  add(*group, "list", "The access keys there are", "Example:\n  weir credentials list",
      [this] { return credentials_list(common_); });
  CLI::App* remove = add(*group, "delete", "Delete an access key and all sessions got with it",
                         "Example:\n  weir credentials delete AKIAEXAMPLE",
                         [this] { return credentials_delete(common_, id_); });
  remove->add_option("ID", id_, "the access key's id")->required();
}

void App::add_import() {
  CLI::App* command = add_bare(
      app_, "import", "Write a template of a load balancer that is elsewhere, on AWS say",
      "Examples:\n  weir import web --region eu-west-1 > web.yaml && weir up web.yaml\n"
      "  weir import web --profile production -o web.yaml\n"
      "  weir import --all --endpoint-url http://127.0.0.1:4566\n"
      "Credentials, region and endpoint are found as AWS's tools find them: environment, then\n"
      "~/.aws/credentials and ~/.aws/config. What Weir cannot do is said on standard error and\n"
      "in the template.",
      [this] {
        if (import_.load_balancer.empty() && !is_all_)
          return usage_error(CLI::RequiredError("NAME or --all"));
        return import_load_balancers(common_, import_);
      });
  CLI::Option* name =
      command->add_option("NAME", import_.load_balancer, "the load balancer's name or ARN");
  command->add_flag("--all", is_all_, "all application load balancers of the region")
      ->excludes(name);
  command->add_option("--profile", import_.profile, "of ~/.aws/credentials and ~/.aws/config")
      ->type_name("NAME");
  command->add_option("--region", import_.region, "such as eu-west-1")->type_name("REGION");
  command->add_option("--endpoint-url", import_.endpoint_url, "another endpoint than AWS's")
      ->type_name("URL");
  command->add_option("-o,--output", import_.output, "where to write (default: standard output)")
      ->type_name("FILE");
  add_state(*command);
}

// Not for people: the process that outlives the daemon.
void App::add_holder() {
  CLI::App* hold = add(app_, "hold", "", "", [this] {
    return compute::holder_main({common_.state_dir, serve_.runtime, serve_.rootless}, control_fd_);
  });
  hold->group("");
  hold->add_option("--control-fd", control_fd_)->required();
  hold->add_option("--runtime", serve_.runtime);
  hold->add_flag("--rootless", serve_.rootless);
}

App::App() {
  app_.footer(main_footer);
  app_.require_subcommand(1);
  app_.set_version_flag("--version", fmt::format("weir {}", daemon::weir_version));
  app_.set_help_flag("-h,--help", "print this help");
  add_common(app_);
  add_stack_commands();
  add_instance_commands();
  add_daemon_commands();
  add_image_commands();
  add_certificate_commands();
  add_credential_commands();
  add_import();
  add_holder();
}

// The help to look at is that of the command that was begun.
int App::usage_error(const CLI::ParseError& error) {
  std::string command = "weir";
  for (const CLI::App* at = &app_; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  std::fputs(fmt::format("weir: {}\n  see: {} --help\n", error.what(), command).c_str(), stderr);
  return usage_status;
}

int App::run_action() {
  const auto state_dir = daemon::absolute_state_dir(state_);
  common_.is_json = output_ == "json";
  if (!state_dir) return report_error(common_, state_dir.error());
  common_.state_dir = *state_dir;
  serve_.state_dir = *state_dir;
  if (!serve_.admin_token_file.empty())
    serve_.admin_token_file = std::filesystem::absolute(serve_.admin_token_file).string();
  if (!event_loop_.empty()) {
    serve_.event_loop = event_loop_ == "epoll" ? net::Backend::epoll : net::Backend::io_uring;
  }
  return action_();
}

int App::run(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app_.exit(help);
  } catch (const CLI::ParseError& error) {
    return usage_error(error);
  }
  return run_action();
}

}  // namespace

int run(int argc, char** argv) { return App{}.run(argc, argv); }

}  // namespace weir::cli
