#include "tls/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "make_certificate.hpp"

namespace weir::tls {
namespace {

using test::Made;
using test::make_certificate;
using test::Wanted;
using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal(const PemTexts& texts, std::int64_t now_ms = wall_ms()) {
  const auto loaded = check_import(texts, now_ms);
  if (loaded) return {};
  EXPECT_EQ(loaded.error().code, "ValidationException");
  return loaded.error().message;
}

TEST(Certificate, IsDescribedInTheWordsOfAcm) {
  Wanted wanted;
  wanted.names = {"Www.Example.test", "*.example.test"};
  const auto loaded = check_import({make_certificate().certificate, "", ""}, wall_ms());
  EXPECT_FALSE(loaded);
  const Made made = make_certificate(wanted);
  const auto key = test::load(made);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->facts.domain_name, "www.example.test");
  EXPECT_THAT(key->facts.names, ElementsAre("www.example.test", "*.example.test"));
  EXPECT_EQ(key->facts.key_algorithm, "EC_prime256v1");
  EXPECT_EQ(key->facts.signature_algorithm, "SHA256WITHECDSA");
  EXPECT_TRUE(key->facts.is_ecdsa);
  EXPECT_EQ(key->facts.key_bits, 256);
  EXPECT_EQ(key->facts.digest_bits, 256);
  EXPECT_EQ(key->facts.subject, "CN=Www.Example.test");
  EXPECT_LT(key->facts.not_before_ms, wall_ms());
  EXPECT_GT(key->facts.not_after_ms, wall_ms());
}

TEST(Certificate, TakesEveryKeyThatAcmTakes) {
  for (const auto& [curve, bits, name] : {std::tuple{"", 2048U, "RSA_2048"},
                                          {"", 3072U, "RSA_3072"},
                                          {"P-256", 0U, "EC_prime256v1"},
                                          {"P-384", 0U, "EC_secp384r1"},
                                          {"P-521", 0U, "EC_secp521r1"}}) {
    Wanted wanted;
    wanted.curve = curve;
    wanted.rsa_bits = bits;
    const auto key = test::load(make_certificate(wanted));
    ASSERT_NE(key, nullptr) << name;
    EXPECT_EQ(key->facts.key_algorithm, name);
  }
}

TEST(Certificate, RefusesKeysThatNoListenerCanUse) {
  Wanted wanted;
  wanted.curve = "secp256k1";
  const Made koblitz = make_certificate(wanted);
  EXPECT_THAT(refusal({koblitz.certificate, koblitz.key, {}}),
              HasSubstr("EC_secp256k1 is not supported"));
  wanted.curve.clear();
  wanted.rsa_bits = 512;
  wanted.digest = EVP_sha1();
  const Made small = make_certificate(wanted);
  EXPECT_THAT(refusal({small.certificate, small.key, {}}), HasSubstr("RSA_512 is not supported"));
}

TEST(Certificate, RefusesWhatIsWrongWithTheReason) {
  const Made made = make_certificate();
  const Made other = make_certificate();
  EXPECT_EQ(refusal({made.certificate, made.key, {}}), "");
  EXPECT_EQ(refusal({made.certificate, other.key, {}}),
            "The private key does not match the certificate.");
  EXPECT_THAT(refusal({made.certificate, test::pem_of(*made.pkey, "pass"), {}}),
              HasSubstr("is encrypted"));
  EXPECT_THAT(refusal({"hello", made.key, {}}), HasSubstr("there is no CERTIFICATE block"));
  EXPECT_THAT(refusal({made.certificate, "hello", {}}), HasSubstr("not in a valid PEM format"));
  EXPECT_THAT(refusal({made.certificate.substr(0, made.certificate.size() / 2), made.key, {}}),
              HasSubstr("cannot be read"));
  EXPECT_THAT(refusal({made.certificate + other.certificate, made.key, {}}),
              HasSubstr("more than one certificate"));
  EXPECT_THAT(refusal({std::string(40'000, 'x'), made.key, {}}), HasSubstr("larger than"));
  EXPECT_THAT(refusal({made.certificate, std::string(6'000, 'x'), {}}), HasSubstr("larger than"));
}

TEST(Certificate, RefusesWhatIsNotValidNow) {
  const Made made = make_certificate();
  constexpr std::int64_t day_ms = 86'400'000;
  EXPECT_EQ(refusal({made.certificate, made.key, {}}, wall_ms() + 31 * day_ms),
            "The certificate has expired.");
  EXPECT_EQ(refusal({made.certificate, made.key, {}}, wall_ms() - day_ms),
            "The certificate is not valid yet.");
  // What is stored is served, expired or not.
  Wanted old;
  old.begins_in_s = -7200;
  old.ends_in_s = -3600;
  EXPECT_NE(test::load(make_certificate(old)), nullptr);
}

TEST(Certificate, TakesAChainInItsOrderOnly) {
  Wanted ca;
  ca.names = {"root"};
  ca.is_ca = true;
  const Made root = make_certificate(ca);
  ca.names = {"middle"};
  const Made middle = make_certificate(ca, &root);
  const Made leaf = make_certificate({}, &middle);
  EXPECT_EQ(refusal({leaf.certificate, leaf.key, middle.certificate}), "");
  EXPECT_EQ(refusal({leaf.certificate, leaf.key, middle.certificate + root.certificate}), "");
  EXPECT_EQ(refusal({leaf.certificate, leaf.key, leaf.certificate + middle.certificate}), "");
  EXPECT_THAT(refusal({leaf.certificate, leaf.key, root.certificate + middle.certificate}),
              HasSubstr("its certificate 1 has not issued the one before it"));
  EXPECT_THAT(refusal({leaf.certificate, leaf.key, root.certificate}),
              HasSubstr("Could not validate the certificate with the certificate chain"));
}

TEST(Certificate, SplitsAFileOfACertificateWithItsChain) {
  const Made one = make_certificate();
  const Made two = make_certificate();
  const SplitChain split = split_chain(one.certificate + two.certificate);
  EXPECT_EQ(split.certificate, one.certificate);
  EXPECT_EQ(split.chain, two.certificate);
  EXPECT_EQ(split_chain(one.certificate).chain, "");
}

}  // namespace
}  // namespace weir::tls
