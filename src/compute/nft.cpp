// libnftables, seen by this file alone.
#include <nftables/libnftables.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "compute/firewall.hpp"

namespace weir::compute {
namespace {

// The library keeps tables of its own (interfaces, protocols) per process: one call at a time. A
// call takes about a millisecond.
std::mutex& nft_mutex() {
  static std::mutex mutex;
  return mutex;
}

std::string first_line(const char* text) {
  const std::string_view view = text == nullptr ? "" : text;
  return std::string(view.substr(0, view.find('\n')));
}

Result<std::string> run(const std::string& commands, unsigned output_flags) {
  const std::scoped_lock lock(nft_mutex());
  // Made anew each time: its netlink socket belongs to the namespace in which it was made.
  const std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)> context(nft_ctx_new(NFT_CTX_DEFAULT),
                                                                  &nft_ctx_free);
  if (!context || nft_ctx_buffer_error(context.get()) != 0 ||
      nft_ctx_buffer_output(context.get()) != 0) {
    return fail("FirewallFailed", "libnftables cannot be initialised");
  }
  nft_ctx_output_set_flags(context.get(), output_flags);
  if (nft_run_cmd_from_buffer(context.get(), commands.c_str()) != 0) {
    return fail(
        "FirewallFailed",
        "nftables refused a ruleset: " + first_line(nft_ctx_get_error_buffer(context.get())),
        "the kernel needs nf_tables with conntrack and NAT (modules nf_tables, nft_ct, "
        "nft_chain_nat, nft_masq)");
  }
  const char* output = nft_ctx_get_output_buffer(context.get());
  return std::string(output == nullptr ? "" : output);
}

}  // namespace

Result<std::string> run_nft(const std::string& commands) { return run(commands, 0); }

Result<std::string> list_nft_chain(const std::string& chain) {
  return run("list chain " + chain, NFT_CTX_OUTPUT_HANDLE);
}

}  // namespace weir::compute
