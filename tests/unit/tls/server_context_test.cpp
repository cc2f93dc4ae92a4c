// Policies as OpenSSL negotiates them, and which certificate a client is shown.
#include "tls/server_context.hpp"

#include "model/ssl_policies.hpp"
#include "tls/policy.hpp"
#include "tls_fixture.hpp"

namespace weir::tls {
namespace {

using test::Client;
using test::make_context;
using test::options_of;
using test::Server;
using test::Wanted;

CertifiedKeyPtr key_of(std::vector<std::string> names, std::string curve = "P-256",
                       const EVP_MD* digest = EVP_sha256(), unsigned bits = 2048,
                       long ends_in_s = 86'400) {
  Wanted wanted;
  wanted.names = std::move(names);
  wanted.curve = std::move(curve);
  wanted.digest = digest;
  wanted.rsa_bits = bits;
  wanted.begins_in_s = -172'800;
  wanted.ends_in_s = ends_in_s;
  return test::load(test::make_certificate(wanted));
}

std::vector<std::string> ciphers_of(const SSL_CTX& context) {
  std::vector<std::string> out;
  const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(&context);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i)
    out.emplace_back(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i)));
  return out;
}

TEST(Policy, EachHasItsCiphersInOrder) {
  for (const model::SslPolicy& policy : model::ssl_policies()) {
    const SslContextPtr context(SSL_CTX_new(TLS_server_method()));
    const auto applied = apply_policy(*context, policy);
    ASSERT_TRUE(applied.has_value()) << policy.name << ": " << applied.error().message;
    std::vector<std::string> wanted;
    for (const std::string_view cipher : policy.ciphers) {
      if (cipher != "DES-CBC3-SHA") wanted.emplace_back(cipher);  // not built into OpenSSL
    }
    std::vector<std::string> got = ciphers_of(*context);
    const bool has_tls12 = policy.protocols.back() != "TLSv1.3";
    // A context without ciphers of TLS 1.2 keeps OpenSSL's own, which its versions never use.
    if (!has_tls12) got.resize(wanted.size());
    EXPECT_EQ(got, wanted) << policy.name;
  }
}

TEST(Policy, TowardsTargetsFollowsFromTheListeners) {
  const auto of = [](std::initializer_list<std::string_view> names) {
    std::vector<const model::SslPolicy*> used;
    for (const std::string_view name : names) used.push_back(model::find_ssl_policy(name));
    return target_policy(used).name;
  };
  EXPECT_EQ(of({}), "ELBSecurityPolicy-2016-08");
  EXPECT_EQ(of({"ELBSecurityPolicy-FS-1-2-2019-08"}), "ELBSecurityPolicy-2016-08");
  EXPECT_EQ(of({"ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-3-2021-06"}),
            "ELBSecurityPolicy-TLS13-1-0-2021-06");
  EXPECT_EQ(of({"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09"}),
            "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09");
  EXPECT_EQ(of({"ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04"}),
            "ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04");
  EXPECT_EQ(of({"ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09"}),
            "ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09");
  EXPECT_EQ(of({"ELBSecurityPolicy-TLS13-1-3-RFC9151-FIPS-2023-07", "ELBSecurityPolicy-2016-08"}),
            "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07");
}

struct Outcome {
  std::string shown;  // the ARN that the server says, else the reason of the refusal
  std::string cipher, protocol;
  bool matched = false;
};

Outcome shake(const ServerOptions& options, const Client::Options& client_options) {
  Server server(net::Backend::epoll, make_context(options));
  Client client(server.port(), client_options);
  if (!client.connected) return {client.error, {}, {}};
  client.shut_down();
  const auto seen = server.seen();
  return {seen.certificate_arn, seen.cipher, seen.protocol, seen.name_matched};
}

TEST(ServerContext, ShowsTheCertificateOfTheName) {
  const ServerOptions options =
      options_of({key_of({"default.test"}), key_of({"a.example.test", "b.example.test"}),
                  key_of({"*.wild.test"})});
  const auto shown = [&](const std::string& name) {
    return shake(options, {.server_name = name}).shown;
  };
  EXPECT_EQ(shown(""), "arn:0");
  EXPECT_EQ(shown("unknown.test"), "arn:0");
  EXPECT_EQ(shown("default.test"), "arn:0");
  EXPECT_EQ(shown("b.example.test"), "arn:1");
  EXPECT_EQ(shown("B.Example.TEST"), "arn:1");
  EXPECT_EQ(shown("any.wild.test"), "arn:2");
  EXPECT_EQ(shown("too.deep.wild.test"), "arn:0");
  EXPECT_EQ(shown("wild.test"), "arn:0");
  EXPECT_TRUE(shake(options, {.server_name = "any.wild.test"}).matched);
  EXPECT_TRUE(shake(options, {.server_name = "default.test"}).matched);
  EXPECT_FALSE(shake(options, {.server_name = "unknown.test"}).matched);
}

// Reference §2.4, one rule a case: of two the better one is shown, wherever it stands.
TEST(ServerContext, ChoosesAmongSeveralAsAwsDoes) {
  const std::vector<std::string> names = {"www.example.test"};
  const auto none = key_of({"default.test"});
  const auto chosen = [&](const CertifiedKeyPtr& one, const CertifiedKeyPtr& other) {
    return shake(options_of({none, one, other}), {.server_name = names.front()}).shown;
  };
  const auto expect_first_better = [&](const CertifiedKeyPtr& better,
                                       const CertifiedKeyPtr& worse) {
    EXPECT_EQ(chosen(better, worse), "arn:1");
    EXPECT_EQ(chosen(worse, better), "arn:2");
  };
  expect_first_better(key_of(names, "P-256"), key_of(names, "", EVP_sha384(), 3072));
  expect_first_better(key_of(names, "", EVP_sha256(), 2048),
                      key_of(names, "", EVP_sha384(), 3072, -3600));
  expect_first_better(key_of(names, "", EVP_sha384()), key_of(names, "", EVP_sha256(), 3072));
  expect_first_better(key_of(names, "", EVP_sha256(), 3072), key_of(names, ""));
  expect_first_better(key_of(names, "", EVP_sha256(), 2048, 864'000), key_of(names, ""));
}

TEST(ServerContext, ShowsOnlyWhatTheClientCanUse) {
  const ServerOptions options =
      options_of({key_of({"default.test"}), key_of({"www.example.test"}, "P-256"),
                  key_of({"www.example.test"}, "")});
  const auto shown = [&](Client::Options client) {
    client.server_name = "www.example.test";
    return shake(options, client).shown;
  };
  EXPECT_EQ(shown({}), "arn:1");
  EXPECT_EQ(shown({.ciphers = "ECDHE-RSA-AES128-GCM-SHA256", .version_max = TLS1_2_VERSION}),
            "arn:2");
  EXPECT_EQ(shown({.signatures = "rsa_pss_rsae_sha256", .version_min = TLS1_3_VERSION}), "arn:2");
}

TEST(ServerContext, TheServersOrderOfCiphersCounts) {
  const ServerOptions options = options_of({key_of({"default.test"})});
  const auto outcome = shake(options, {.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:"
                                                  "ECDHE-ECDSA-AES128-GCM-SHA256",
                                       .version_max = TLS1_2_VERSION});
  EXPECT_EQ(outcome.cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
}

TEST(ServerContext, RefusesVersionsThatThePolicyDoesNotHave) {
  const ServerOptions options =
      options_of({key_of({"default.test"})}, "ELBSecurityPolicy-TLS13-1-3-2021-06");
  EXPECT_EQ(shake(options, {.version_max = TLS1_2_VERSION}).shown, "tlsv1 alert protocol version");
}

TEST(ServerContext, ChoosesTheProtocol) {
  ServerOptions options = options_of({key_of({"default.test"})});
  const std::string both = "\x08http/1.1\x02h2";
  EXPECT_EQ(shake(options, {.protocols = both}).protocol, "http/1.1");
  options.offers_http2 = true;
  EXPECT_EQ(shake(options, {.protocols = both}).protocol, "h2");
  EXPECT_EQ(shake(options, {}).protocol, "");
  EXPECT_EQ(shake(options, {.protocols = "\x04spdy"}).protocol, "");
  EXPECT_EQ(shake(options,
                  {
                      .protocols = both,
                      .version_max = TLS1_1_VERSION,
                  })
                .shown,
            "tlsv1 alert protocol version");
}

TEST(TicketKeys, RotateAndForget) {
  std::int64_t now_ms = 0;
  TicketKeys keys([&] { return now_ms; });
  const TicketKey first = keys.newest();
  EXPECT_EQ(keys.newest().name, first.name);
  now_ms = ticket_key_age_ms_max;
  const TicketKey second = keys.newest();
  EXPECT_NE(second.name, first.name);
  ASSERT_TRUE(keys.find(first.name.data()).has_value());
  EXPECT_FALSE(keys.find(first.name.data())->is_newest);
  EXPECT_EQ(keys.find(first.name.data())->key.mac, first.mac);
  EXPECT_TRUE(keys.find(second.name.data())->is_newest);
  now_ms = 3 * ticket_key_age_ms_max;
  EXPECT_FALSE(keys.find(first.name.data()).has_value());
  EXPECT_TRUE(keys.find(second.name.data()).has_value());
}

}  // namespace
}  // namespace weir::tls
