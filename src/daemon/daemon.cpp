#include "daemon/daemon.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "control/stickiness_keys.hpp"
#include "daemon/admin_server.hpp"
#include "daemon/admin_token.hpp"
#include "daemon/api.hpp"
#include "daemon/channel.hpp"
#include "daemon/commands.hpp"
#include "daemon/control_socket.hpp"
#include "daemon/data_plane_link.hpp"
#include "daemon/open_metrics.hpp"
#include "daemon/parts.hpp"
#include "daemon/privileges.hpp"
#include "daemon/ready_line.hpp"
#include "daemon/state_folder.hpp"
#include "metrics/collector.hpp"
#include "net/socket.hpp"
#include "store/store.hpp"
#include "telemetry/prometheus.hpp"
#include "telemetry/totals.hpp"

namespace weir::daemon {
namespace {

constexpr std::int64_t terminated_kept_ms = 3'600'000;  // EC2 shows them for about an hour
constexpr int tick_ms = 1'000;

// ---------------------------------------------------------------- signals
// Handlers rather than SIG_IGN or a blocked mask: an exec'd program (the holder, and through it the
// instances) starts with the defaults again.
int stop_event_fd = -1;

void on_stop_signal(int) {
  const int saved = errno;
  const std::uint64_t one = 1;
  if (::write(stop_event_fd, &one, sizeof(one)) < 0 && errno != EAGAIN) ::_exit(1);
  errno = saved;
}

void on_ignored_signal(int) {}

void handle_signals() {
  struct sigaction stop {};
  stop.sa_handler = on_stop_signal;
  stop.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT}) ::sigaction(signal, &stop, nullptr);
  struct sigaction ignore {};
  ignore.sa_handler = on_ignored_signal;
  ignore.sa_flags = SA_RESTART;
  for (const int signal : {SIGHUP, SIGPIPE}) ::sigaction(signal, &ignore, nullptr);
}

// Standard output and error go to the log as well: the last words of a failed assertion.
void log_to(const std::string& file) {
  log::start(log::Level::info, file);
  const Fd opened{::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)};
  if (!opened) return;
  ::dup2(opened.get(), STDOUT_FILENO);
  ::dup2(opened.get(), STDERR_FILENO);
}

// ---------------------------------------------------------------- addresses
bool can_bind(const std::string& ip) {
  auto address = net::Address::parse(ip, 0);
  return address && net::tcp_listen(*address, false).has_value();
}

// Loopback, with IPv6 where this machine has it.
Result<std::vector<std::string>> bind_addresses(const std::vector<std::string>& wanted) {
  if (wanted.empty()) {
    std::vector<std::string> addresses{"127.0.0.1"};
    if (can_bind("::1")) addresses.emplace_back("::1");
    return addresses;
  }
  for (const auto& ip : wanted) {
    if (!can_bind(ip)) {
      return fail("BindAddress", fmt::format("'{}' is not an address of this machine", ip),
                  "--bind takes a numeric address, and can be given several times");
    }
  }
  return wanted;
}

// ---------------------------------------------------------------- the daemon
class Daemon {
 public:
  explicit Daemon(const ServeOptions& options) : options_(options) {}
  ~Daemon();

  Status start();
  void run();
  [[nodiscard]] const StartTimings& timings() const { return timings_; }

 private:
  Status start_holder();
  Status start_control_plane();
  Status start_data_plane();
  Status start_metrics();
  Status start_api();
  Status start_control_socket();
  Status start_admin();
  void tick();
  void purge_terminated();
  void keep_stickiness_keys();

  const ServeOptions& options_;
  StartTimings timings_;
  Fd stop_event_;
  std::shared_ptr<ChangeSignal> changes_ = std::make_shared<ChangeSignal>();

  // In the order in which they are made; each may use those above it.
  std::optional<StateFolder> folder_;
  std::unique_ptr<compute::Compute> compute_;
  std::unique_ptr<control::Registry> registry_;
  std::shared_ptr<telemetry::Ledger> ledger_ = std::make_shared<telemetry::Ledger>();
  std::unique_ptr<proxy::DataPlane> data_plane_;
  std::unique_ptr<health::Checker> checker_;
  std::unique_ptr<DataPlaneLink> link_;
  std::unique_ptr<control::Elb> elb_;
  std::unique_ptr<control::Ec2> ec2_;
  std::unique_ptr<stacks::Engine> engine_;
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<metrics::MetricStore> metrics_;
  std::unique_ptr<metrics::Collector> collector_;
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<Api> api_;
  std::thread resumer_;
  std::unique_ptr<ControlSocket> control_socket_;
  std::unique_ptr<AdminServer> admin_;
};

Daemon::~Daemon() {
  admin_.reset();
  if (control_socket_) unlink_control(options_.state_dir);
  control_socket_.reset();
  if (resumer_.joinable()) resumer_.join();
  api_.reset();
  parts_.reset();
  collector_.reset();
  publisher_.reset();
  engine_.reset();
  ec2_.reset();
  if (compute_) compute_->release_holder();
}

Status Daemon::start() {
  stop_event_ = Fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!stop_event_) return fail_errno("cannot make an eventfd", errno);
  stop_event_fd = stop_event_.get();
  handle_signals();

  auto folder = StateFolder::open(options_.state_dir);
  if (!folder) return std::unexpected(folder.error());
  folder_ = std::move(*folder);
  if (options_.is_background) log_to(folder_->file("weir.log"));
  timings_.mark("state folder");

  for (const auto step : {&Daemon::start_holder, &Daemon::start_control_plane,
                          &Daemon::start_data_plane, &Daemon::start_metrics, &Daemon::start_api,
                          &Daemon::start_control_socket, &Daemon::start_admin}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  return {};
}

Status Daemon::start_holder() {
  auto compute = compute::Compute::start({options_.state_dir, options_.runtime, options_.rootless});
  if (!compute) return std::unexpected(compute.error());
  compute_ = std::move(*compute);
  timings_.mark("holder");

  auto kept = drop_privileges();
  if (!kept) return std::unexpected(kept.error());
  const auto files = raise_open_files_limit();
  const auto& capabilities = compute_->capabilities();
  log::info(
      "weir {} in {}: {}, runtime {}, {}, privileges kept: {}, open files {}", weir_version,
      options_.state_dir, capabilities.rootless ? "rootless" : "root", capabilities.runtime_version,
      capabilities.limits_enforced ? "limits enforced" : capabilities.limits_reason, *kept, files);
  return {};
}

Status Daemon::start_control_plane() {
  auto store = store::open_sqlite(folder_->file("weir.db"));
  if (!store) return std::unexpected(store.error());
  auto registry = control::Registry::open(std::move(*store));
  if (!registry) return std::unexpected(registry.error());
  registry_ = std::move(*registry);
  keep_stickiness_keys();
  timings_.mark("store");

  ec2_ = std::make_unique<control::Ec2>(*registry_, *compute_);
  if (auto vpc = ec2_->ensure_default_vpc(options_.vpc_cidr); !vpc) return vpc;
  timings_.mark("network");
  if (auto adopted = ec2_->adopt(); !adopted) return adopted;
  timings_.mark("instances adopted");
  return {};
}

Status Daemon::start_data_plane() {
  const control::Limits* limits = control::limits_named(options_.limits);
  if (limits == nullptr) {
    return fail("BadLimits", fmt::format("'{}' is neither 'raised' nor 'aws'", options_.limits));
  }
  auto addresses = bind_addresses(options_.bind_addresses);
  if (!addresses) return std::unexpected(addresses.error());
  proxy::DataPlaneOptions plane;
  plane.workers = options_.workers;
  plane.backend = options_.event_loop;
  plane.bind_addresses = *addresses;
  plane.identity_ca_file = options_.identity_ca_file;
  plane.logs = std::make_shared<telemetry::Logs>(telemetry::Logs::Options{
      folder_->file("logs"), folder_->file("log-parts"), folder_->file("s3")});
  plane.ledger = ledger_;
  health::Checker::Options checks{options_.event_loop, {}, {}, plane.logs->add_writer()};
  if (compute_->needs_vpc_sockets()) {
    plane.vpc_sockets = [this](int count) { return compute_->sockets(count); };
    checks.vpc_socket = [this]() -> Result<Fd> {
      auto sockets = compute_->sockets(1);
      if (!sockets) return std::unexpected(sockets.error());
      if (sockets->empty()) return fail("NoSocket", "the holder gave no socket");
      return std::move(sockets->front());
    };
  }
  checks.on_change = [changes = changes_](const std::string& group, const std::string& id,
                                          std::uint16_t port, const health::Status& status) {
    log::info("target {}:{} of {} is {}{}{}", id, port, group,
              status.state == routing::HealthState::healthy ? "healthy" : "not healthy",
              status.reason.empty() ? "" : ": ", status.reason);
    changes->raise();
  };

  auto data_plane = proxy::DataPlane::start(std::move(plane));
  if (!data_plane) return std::unexpected(data_plane.error());
  data_plane_ = std::move(*data_plane);
  auto checker = health::Checker::start(std::move(checks));
  if (!checker) return std::unexpected(checker.error());
  checker_ = std::move(*checker);
  link_ = std::make_unique<DataPlaneLink>(*checker_, *data_plane_);
  elb_ = std::make_unique<control::Elb>(*registry_, *link_, *limits);
  elb_->open_stored_ports();

  Publisher::Parts parts{*registry_, *checker_, *data_plane_,
                         [this](const std::vector<std::string>& addresses_now) {
                           return compute_->set_node_addresses(addresses_now);
                         },
                         changes_};
  publisher_ = Publisher::start(std::move(parts));
  publisher_->flush();
  engine_ = std::make_unique<stacks::Engine>(*registry_, *elb_, *ec2_);
  timings_.mark("workers");
  log::info("workers use {}",
            data_plane_->backend() == net::Backend::io_uring ? "io_uring" : "epoll");
  return {};
}

Status Daemon::start_metrics() {
  auto opened = open_metrics(folder_->file("metrics.db"));
  if (!opened) return std::unexpected(opened.error());
  metrics_ = std::move(*opened);
  collector_ = std::make_unique<metrics::Collector>(*metrics_, ledger_, wall_ms);
  timings_.mark("metrics");
  return {};
}

Status Daemon::start_api() {
  parts_ = std::unique_ptr<Parts>(new Parts{options_.state_dir,
                                            wall_ms(),
                                            *registry_,
                                            *elb_,
                                            *ec2_,
                                            *compute_,
                                            *engine_,
                                            *data_plane_,
                                            *publisher_,
                                            *changes_,
                                            *metrics_,
                                            ledger_,
                                            [this] { ::eventfd_write(stop_event_.get(), 1); },
                                            {}});
  if (options_.api == "off") return {};
  auto api = Api::start(options_.api, options_.verify_signatures, *parts_);
  if (!api) return std::unexpected(api.error());
  api_ = std::move(*api);
  parts_->api = api_->status();
  timings_.mark("AWS APIs");
  return {};
}

Status Daemon::start_control_socket() {
  auto listener = listen_control(options_.state_dir);
  if (!listener) return std::unexpected(listener.error());
  auto socket = ControlSocket::start(std::move(*listener),
                                     [this](const std::string& request, Session& session) {
                                       return run_command(*parts_, request, session);
                                     });
  if (!socket) return std::unexpected(socket.error());
  control_socket_ = std::move(*socket);
  resumer_ = std::thread([this] { engine_->resume(); });
  timings_.mark("control socket");
  return {};
}

Status Daemon::start_admin() {
  if (options_.admin.empty()) return {};
  AdminPages pages;
  pages.metrics = [ledger = ledger_] {
    return telemetry::prometheus_text(ledger->totals(), *ledger->snapshot());
  };
  pages.is_ready = [ledger = ledger_] { return ledger->snapshot()->revision > 0; };
  std::string token;
  if (!options_.admin_token_file.empty()) {
    auto read = read_admin_token(options_.admin_token_file);
    if (!read) return std::unexpected(read.error());
    token = std::move(*read);
  }
  auto server = AdminServer::start(options_.admin, std::move(pages), std::move(token));
  if (!server) return std::unexpected(server.error());
  admin_ = std::move(*server);
  log::info("admin endpoint on port {}", admin_->port());
  return {};
}

void Daemon::run() {
  while (true) {
    pollfd waiting{stop_event_.get(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, tick_ms);
    if (ready < 0 && errno != EINTR) return;
    if (ready > 0) return;
    tick();
  }
}

void Daemon::tick() {
  elb_->finish_deregistrations();
  purge_terminated();
  keep_stickiness_keys();
}

void Daemon::keep_stickiness_keys() {
  if (auto kept = control::rotate_stickiness_keys(*registry_, wall_ms()); !kept)
    log::warn("the keys of stickiness cookies cannot be renewed: {}", kept.error().message);
}

void Daemon::purge_terminated() {
  const auto before = wall_ms() - terminated_kept_ms;
  std::vector<std::string> old;
  registry_->read([&](const control::State& state) {
    for (const auto& [id, instance] : state.instances) {
      if (instance.state == model::InstanceState::terminated &&
          instance.terminated_at_ms < before) {
        old.push_back(id);
      }
    }
  });
  if (old.empty()) return;
  auto purged = registry_->update([&](control::Draft& draft) -> Status {
    for (const auto& id : old) draft.erase_instance(id);
    return {};
  });
  if (!purged) log::warn("old terminated instances stay: {}", purged.error().message);
}

}  // namespace

Status serve(const ServeOptions& options) {
  log::start(log::Level::info);
  Daemon daemon(options);
  if (auto started = daemon.start(); !started) {
    send_start_failed(options.ready_fd, started.error());
    return started;
  }
  send_ready(options.ready_fd, daemon.timings());
  log::info("ready");
  daemon.run();
  log::info("ending; instances that run go on");
  return {};
}

}  // namespace weir::daemon
