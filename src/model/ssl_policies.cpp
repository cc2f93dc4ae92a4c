// Most policies are a choice of blocks of ciphers, which all keep the order of one list; those of
// RFC 9151 have orders of their own.
#include "model/ssl_policies.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace weir::model {
namespace {

enum Block : unsigned {
  t13 = 1,          // TLS 1.3
  chacha = 2,       // of TLS 1.3, not in FIPS policies
  eg = 4,           // ECDHE, GCM
  ec = 8,           // ECDHE, CBC with SHA-2
  es = 16,          // ECDHE, CBC with SHA-1
  rg = 32,          // RSA, GCM
  rc = 64,          // RSA, CBC with SHA-2
  rs = 128,         // RSA, CBC with SHA-1
  des = 256,        // triple DES
  rsa_first = 512,  // of the last two of ECDHE the one for RSA comes first
};
constexpr unsigned tls13 = t13 | chacha;
constexpr unsigned old = rg | rc | rs;
constexpr unsigned every = eg | ec | es | old;

enum Version : unsigned { v13 = 1, v12 = 2, v11 = 4, v10 = 8 };

struct Cipher {
  std::uint16_t code;  // of IANA's registry
  unsigned block;
  std::string_view name;
};

constexpr auto in_order = std::to_array<Cipher>({
    {0x1301, t13, "TLS_AES_128_GCM_SHA256"},
    {0x1302, t13, "TLS_AES_256_GCM_SHA384"},
    {0x1303, chacha, "TLS_CHACHA20_POLY1305_SHA256"},
    {0xc02b, eg, "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {0xc02f, eg, "ECDHE-RSA-AES128-GCM-SHA256"},
    {0xc023, ec, "ECDHE-ECDSA-AES128-SHA256"},
    {0xc027, ec, "ECDHE-RSA-AES128-SHA256"},
    {0xc009, es, "ECDHE-ECDSA-AES128-SHA"},
    {0xc013, es, "ECDHE-RSA-AES128-SHA"},
    {0xc02c, eg, "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {0xc030, eg, "ECDHE-RSA-AES256-GCM-SHA384"},
    {0xc024, ec, "ECDHE-ECDSA-AES256-SHA384"},
    {0xc028, ec, "ECDHE-RSA-AES256-SHA384"},
    {0xc00a, es, "ECDHE-ECDSA-AES256-SHA"},
    {0xc014, es, "ECDHE-RSA-AES256-SHA"},
    {0x009c, rg, "AES128-GCM-SHA256"},
    {0x003c, rc, "AES128-SHA256"},
    {0x002f, rs, "AES128-SHA"},
    {0x009d, rg, "AES256-GCM-SHA384"},
    {0x003d, rc, "AES256-SHA256"},
    {0x0035, rs, "AES256-SHA"},
    {0x000a, des, "DES-CBC3-SHA"},
});

struct OfBlocks {
  std::string_view name;
  unsigned versions;
  unsigned blocks;
};

constexpr unsigned fips = t13 | rsa_first;

constexpr auto of_blocks = std::to_array<OfBlocks>({
    {"ELBSecurityPolicy-2016-08", v12 | v11 | v10, every},
    {"ELBSecurityPolicy-2015-05", v12 | v11 | v10, every},
    {"ELBSecurityPolicy-TLS-1-0-2015-04", v12 | v11 | v10, every | des},
    {"ELBSecurityPolicy-TLS-1-1-2017-01", v12 | v11, every},
    {"ELBSecurityPolicy-TLS-1-2-2017-01", v12, eg | ec | rg | rc},
    {"ELBSecurityPolicy-TLS-1-2-Ext-2018-06", v12, every},
    {"ELBSecurityPolicy-FS-2018-06", v12 | v11 | v10, eg | ec | es | rsa_first},
    {"ELBSecurityPolicy-FS-1-1-2019-08", v12 | v11, eg | ec | es | rsa_first},
    {"ELBSecurityPolicy-FS-1-2-2019-08", v12, eg | ec | es | rsa_first},
    {"ELBSecurityPolicy-FS-1-2-Res-2019-08", v12, eg | ec},
    {"ELBSecurityPolicy-FS-1-2-Res-2020-10", v12, eg},
    {"ELBSecurityPolicy-TLS13-1-3-2021-06", v13, tls13},
    {"ELBSecurityPolicy-TLS13-1-2-2021-06", v13 | v12, tls13 | eg | ec},
    {"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", v13 | v12, tls13 | eg},
    {"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", v13 | v12, tls13 | eg | ec | rg | rc},
    {"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", v13 | v12, tls13 | every},
    {"ELBSecurityPolicy-TLS13-1-1-2021-06", v13 | v12 | v11, tls13 | every},
    {"ELBSecurityPolicy-TLS13-1-0-2021-06", v13 | v12 | v11 | v10, tls13 | every},
    {"ELBSecurityPolicy-TLS13-1-3-PQ-2025-09", v13, tls13},
    {"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", v13 | v12, tls13 | eg | ec},
    {"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", v13 | v12, tls13 | eg},
    {"ELBSecurityPolicy-TLS13-1-2-Ext1-PQ-2025-09", v13 | v12, tls13 | eg | ec | rg | rc},
    {"ELBSecurityPolicy-TLS13-1-2-Ext2-PQ-2025-09", v13 | v12, tls13 | every},
    {"ELBSecurityPolicy-TLS13-1-0-PQ-2025-09", v13 | v12 | v11 | v10, tls13 | every},
    {"ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04", v13, fips},
    {"ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04", v13 | v12, fips | eg | ec},
    {"ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04", v13 | v12, fips | eg},
    {"ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-2023-04", v13 | v12, fips | eg | ec | es},
    {"ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-2023-04", v13 | v12, fips | eg | ec | rg | rc},
    {"ELBSecurityPolicy-TLS13-1-2-Ext2-FIPS-2023-04", v13 | v12, fips | every},
    {"ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04", v13 | v12 | v11, fips | every},
    {"ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04", v13 | v12 | v11 | v10, fips | every},
    {"ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09", v13, fips},
    {"ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09", v13 | v12, fips | eg | ec},
    {"ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09", v13 | v12, fips | eg},
    {"ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-PQ-2025-09", v13 | v12, fips | eg | ec | es},
    {"ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-PQ-2025-09", v13 | v12, fips | eg | ec | rg | rc},
    {"ELBSecurityPolicy-TLS13-1-2-Ext2-FIPS-PQ-2025-09", v13 | v12, fips | every},
    {"ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09", v13 | v12 | v11 | v10, fips | every},
});

struct OfCodes {
  std::string_view name;
  unsigned versions;
  std::vector<std::uint16_t> codes;
};

std::vector<OfCodes> of_rfc9151() {
  return {
      {"ELBSecurityPolicy-TLS13-1-3-RFC9151-FIPS-2023-07", v13, {0x1302}},
      {"ELBSecurityPolicy-TLS13-1-2-RFC9151-FIPS-2023-07", v13 | v12, {0x1302, 0xc02c, 0xc030}},
      {"ELBSecurityPolicy-TLS13-1-2-Ext0-RFC9151-FIPS-2023-07",
       v13 | v12,
       {0x1302, 0xc02c, 0xc030, 0x009d}},
      {"ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07",
       v13 | v12,
       {0x1302, 0x1301, 0xc02c, 0xc030, 0xc02b, 0xc02f}},
      {"ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP2-FIPS-2023-07",
       v13 | v12,
       {0x1302, 0x1301, 0xc02c, 0xc030, 0xc02b, 0xc02f, 0xc024, 0xc028, 0xc023, 0xc027}},
      {"ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP3-FIPS-2023-07",
       v13 | v12,
       {0x1302, 0x1301, 0xc02c, 0xc030, 0xc024, 0xc028, 0xc00a, 0xc014, 0xc02b, 0xc02f, 0xc023,
        0xc027, 0xc009, 0xc013}},
      {"ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07",
       v13 | v12,
       {0x1302, 0x1301, 0xc02c, 0xc030, 0xc024, 0xc028, 0xc00a, 0xc014, 0xc02b, 0xc02f,
        0xc023, 0xc027, 0xc009, 0xc013, 0x009d, 0x003d, 0x0035, 0x009c, 0x003c, 0x002f}},
  };
}

std::vector<std::string_view> protocols_of(unsigned versions) {
  constexpr std::pair<unsigned, std::string_view> names[] = {
      {v13, "TLSv1.3"}, {v12, "TLSv1.2"}, {v11, "TLSv1.1"}, {v10, "TLSv1"}};
  std::vector<std::string_view> out;
  for (const auto& [version, name] : names) {
    if ((versions & version) != 0) out.push_back(name);
  }
  return out;
}

std::vector<std::string_view> ciphers_of(unsigned blocks) {
  std::vector<std::string_view> out;
  for (const Cipher& cipher : in_order) {
    if ((blocks & cipher.block) != 0) out.push_back(cipher.name);
  }
  if ((blocks & rsa_first) != 0 && (blocks & es) != 0) {
    const auto ecdsa = std::ranges::find(out, "ECDHE-ECDSA-AES256-SHA");
    std::iter_swap(ecdsa, ecdsa + 1);
  }
  return out;
}

std::string_view name_of(std::uint16_t code) {
  return std::ranges::find(in_order, code, &Cipher::code)->name;
}

std::vector<SslPolicy> make_policies() {
  std::vector<SslPolicy> out;
  for (const OfBlocks& each : of_blocks) {
    out.push_back({each.name, protocols_of(each.versions), ciphers_of(each.blocks),
                   each.name.find("-PQ-") != std::string_view::npos});
  }
  for (const OfCodes& each : of_rfc9151()) {
    SslPolicy policy{each.name, protocols_of(each.versions), {}, false};
    for (const std::uint16_t code : each.codes) policy.ciphers.push_back(name_of(code));
    out.push_back(std::move(policy));
  }
  return out;
}

}  // namespace

std::span<const SslPolicy> ssl_policies() {
  static const std::vector<SslPolicy> policies = make_policies();
  return policies;
}

const SslPolicy* find_ssl_policy(std::string_view name) {
  const auto policies = ssl_policies();
  const auto found = std::ranges::find(policies, name, &SslPolicy::name);
  return found == policies.end() ? nullptr : &*found;
}

}  // namespace weir::model
