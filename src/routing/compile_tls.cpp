#include "routing/compile_tls.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/log.hpp"
#include "model/attributes.hpp"

namespace weir::routing {
namespace {

// A header's name as a listener attribute gives it, or its default one.
std::string header_name(const model::Listener& source, std::string_view key,
                        std::string_view otherwise) {
  const std::string set = model::value_of(source.attributes, model::listener_attributes(), key);
  return set.empty() ? std::string(otherwise) : set;
}

}  // namespace

TlsCompiler::TlsCompiler(const Sources& sources, const Snapshot* previous) : sources_(sources) {
  ticket_keys_ = previous == nullptr || previous->ticket_keys == nullptr
                     ? std::make_shared<tls::TicketKeys>()
                     : previous->ticket_keys;
  if (previous == nullptr) return;
  for (const Listener& listener : previous->listeners) {
    if (listener.tls) before_.emplace(listener.arn, listener.tls);
  }
}

const model::Certificate* TlsCompiler::certificate(const std::string& arn) const {
  if (sources_.certificates == nullptr) return nullptr;
  const auto found = sources_.certificates->find(arn);
  return found == sources_.certificates->end() ? nullptr : &found->second;
}

// Two with the same one are made of the same.
std::string TlsCompiler::fingerprint(const model::Listener& source, bool offers_http2) const {
  std::string out = fmt::format("{} {}", source.ssl_policy, offers_http2);
  for (const std::string& arn : source.certificate_arns) {
    const model::Certificate* found = certificate(arn);
    out += fmt::format(" {}#{}", arn, found == nullptr ? 0 : found->version);
  }
  for (const auto& [key, value] : source.attributes) out += fmt::format(" {}={}", key, value);
  return out;
}

std::shared_ptr<const ListenerTls> TlsCompiler::listener(const model::Listener& source,
                                                         bool offers_http2) {
  if (source.protocol != "HTTPS") return nullptr;
  const auto before = before_.find(source.arn);
  if (before != before_.end() && before->second->fingerprint == fingerprint(source, offers_http2))
    return before->second;
  return compile(source, offers_http2);
}

std::shared_ptr<const ListenerTls> TlsCompiler::compile(const model::Listener& source,
                                                        bool offers_http2) const {
  tls::ServerOptions options;
  options.policy = source.ssl_policy;
  options.offers_http2 = offers_http2;
  options.scope = source.arn;
  options.ticket_keys = ticket_keys_;
  for (const std::string& arn : source.certificate_arns) {
    const model::Certificate* found = certificate(arn);
    if (found == nullptr) continue;
    auto loaded = tls::load_certified_key({found->certificate, found->private_key, found->chain});
    if (loaded) {
      options.certificates.push_back({arn, std::move(*loaded)});
    } else {
      log::error("listener {} goes on without certificate {}: {}", source.arn, arn,
                 loaded.error().message);
    }
  }
  auto context = tls::ServerContext::create(std::move(options));
  if (!context) {
    log::error("listener {} takes no connections: {}", source.arn, context.error().message);
    return nullptr;
  }
  ListenerTls out;
  out.context = std::move(*context);
  out.fingerprint = fingerprint(source, offers_http2);
  out.version_header = header_name(source, "routing.http.request.x_amzn_tls_version.header_name",
                                   "X-Amzn-Tls-Version");
  out.cipher_header =
      header_name(source, "routing.http.request.x_amzn_tls_cipher_suite.header_name",
                  "X-Amzn-Tls-Cipher-Suite");
  return std::make_shared<const ListenerTls>(std::move(out));
}

}  // namespace weir::routing
