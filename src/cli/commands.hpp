// The commands, once their words are understood. Each returns the exit status.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/daemon.hpp"
#include "daemon/json.hpp"

namespace weir::cli {

struct Common {
  std::string state_dir;  // absolute
  bool is_json = false;
};

struct UpOptions {
  std::string file;                     // empty: the built-in template
  std::string name;                     // empty: from the file's name
  std::vector<std::string> parameters;  // Key=Value
  std::string app;                      // empty, "cpp" or "flask"
  int timeout_seconds = 300;
  bool wants_timings = false;
  daemon::ServeOptions serve;
};

struct ImportOptions {
  std::string load_balancer;                  // its name or ARN; empty: all
  std::string profile, region, endpoint_url;  // empty: as AWS's tools find them
  std::string output;                         // a file; empty: standard output
};

struct ExplainOptions {
  std::string method, url;
  std::vector<std::string> headers;  // Name: value
  std::string client_ip = "127.0.0.1";
};

struct SshOptions {
  std::string id;
  std::string key_file;  // empty: those that ssh tries by itself
  std::string user = "ubuntu";
  std::vector<std::string> command;  // empty: a shell
};

struct TopOptions {
  bool is_once = false;
  double interval_seconds = 0;  // 0: a second, and once only where no terminal shows it
};

// Says on standard error what is wrong and what to do (and on standard output as JSON where that is
// asked for); returns 1.
int report_error(const Common& common, const Error& error);

int up(const Common& common, const UpOptions& options);
int down(const Common& common, const std::string& name, bool is_all);
int status(const Common& common);
int top(const Common& common, const TopOptions& options);
int explain(const Common& common, const ExplainOptions& options);
int instances(const Common& common, bool is_all);
int instances_action(const Common& common, const std::string& action,
                     const std::vector<std::string>& ids);
int logs(const Common& common, const std::string& id, bool is_following);
int exec(const Common& common, const std::string& id, const std::vector<std::string>& argv);
int ssh(const Common& common, const SshOptions& options);
int stop(const Common& common, bool with_instances);
int serve(const Common& common, daemon::ServeOptions options);
int image_import(const Common& common, const std::string& id, const std::string& tar_path);
int image_list(const Common& common);
int import_load_balancers(const Common& common, const ImportOptions& options);
// Paths of PEM files; an empty one: none.
struct CertificateFiles {
  std::string certificate;  // the chain may follow in the same file
  std::string private_key;
  std::string chain;
  std::string arn;   // replaces the certificate of this ARN
  std::string name;  // of an IAM server certificate
};
int certificate_import(const Common& common, const CertificateFiles& files);
int certificate_list(const Common& common);
int certificate_delete(const Common& common, const std::string& arn);
int credentials_create(const Common& common, const std::string& name);
int credentials_list(const Common& common);
int credentials_delete(const Common& common, const std::string& id);
int version(const Common& common);

// Lines for a shell that make AWS's tools use Weir. `api`: of the daemon's report.
[[nodiscard]] std::string environment_text(const daemon::Json& api, const std::string& id,
                                           const std::string& secret);

// The words of the ssh that `weir ssh` becomes. `id`: in full; `program`: this one.
[[nodiscard]] std::vector<std::string> ssh_words(const SshOptions& options, const std::string& id,
                                                 const std::string& program,
                                                 const std::string& state_dir);

// The name of a stack made from this file: its stem, with what a name may not hold replaced.
[[nodiscard]] std::string stack_name_of(const std::string& file);

// "Key=Value" words as a map; the error names the word that is none.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_parameters(
    const std::vector<std::string>& words);

}  // namespace weir::cli
