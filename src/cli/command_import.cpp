// `weir import`: a template of load balancers that are elsewhere, to standard output or a file.
#include <fmt/core.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "importing/client.hpp"
#include "importing/reader.hpp"
#include "importing/settings.hpp"
#include "importing/template.hpp"

namespace weir::cli {
namespace {

Status write_template(const std::string& text, const std::string& file) {
  if (file.empty()) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
      return {};
    return fail_errno("cannot write the template", errno);
  }
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) return {};
  return fail_errno(fmt::format("cannot write {}", file), errno);
}

Result<importing::ImportedTemplate> read_template(const ImportOptions& options) {
  auto settings = importing::find_settings({options.profile, options.region, options.endpoint_url},
                                           importing::own_surroundings());
  if (!settings) return std::unexpected(settings.error());
  const auto source = fmt::format("{} ({})", settings->region, settings->endpoint);
  auto client = importing::Client::make(std::move(*settings));
  if (!client) return std::unexpected(client.error());
  const importing::Call call = [&](const std::string& action,
                                   const importing::CallParameters& parameters) {
    return client->call(action, parameters);
  };
  const auto inventory = importing::read_inventory(call, {options.load_balancer});
  if (!inventory) return std::unexpected(inventory.error());
  if (inventory->load_balancers.empty()) {
    return fail("LoadBalancerNotFound",
                fmt::format("there is no application load balancer in {}", source));
  }
  return importing::make_template(*inventory, source);
}

}  // namespace

int import_load_balancers(const Common& common, const ImportOptions& options) {
  const auto imported = read_template(options);
  if (!imported) return report_error(common, imported.error());
  if (const auto written = write_template(imported->text, options.output); !written)
    return report_error(common, written.error());
  for (const auto& notice : imported->notices)
    std::fputs(fmt::format("{}: {}\n", coloured(stderr, Colour::yellow, "notice"), notice).c_str(),
               stderr);
  return 0;
}

}  // namespace weir::cli
