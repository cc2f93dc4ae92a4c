#include "control/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.hpp"
#include "make_certificate.hpp"

namespace weir::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using tls::test::make_certificate;

class CertificatesTest : public testing::Test {
 protected:
  void SetUp() override {
    registry_ = open_registry(std::make_shared<Disk>());
    certificates_ = std::make_unique<Certificates>(*registry_);
  }
  // A listener that has this certificate, as the ELBv2 verbs put it.
  void use(const std::string& arn) {
    model::Listener listener;
    listener.arn = "arn:listener";
    listener.load_balancer_arn = "arn:balancer";
    listener.certificate_arns = {arn};
    ASSERT_TRUE(registry_->update([&](Draft& draft) -> Status {
      draft.put(listener);
      return {};
    }));
  }
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Certificates> certificates_;
};

TEST_F(CertificatesTest, AreImportedDescribedListedAndDeleted) {
  const auto made = make_certificate({.names = {"www.example.test", "example.test"}});
  const auto imported = certificates_->import(
      {.certificate = made.certificate, .private_key = made.key, .tags = {{"a", "b"}}});
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_THAT(imported->arn, StartsWith("arn:aws:acm:us-east-1:123456789012:certificate/"));
  EXPECT_EQ(imported->arn.size(), 47 + 36U);
  EXPECT_EQ(imported->domain_name, "www.example.test");
  EXPECT_THAT(imported->subject_alternative_names, ElementsAre("www.example.test", "example.test"));
  EXPECT_EQ(imported->key_algorithm, "EC_prime256v1");
  EXPECT_EQ(imported->status, "ISSUED");
  EXPECT_GT(imported->not_after_ms, imported->not_before_ms);
  EXPECT_EQ(certificates_->list().size(), 1U);
  EXPECT_EQ(certificates_->get(imported->arn)->certificate, made.certificate);
  EXPECT_TRUE(certificates_->erase(imported->arn));
  EXPECT_EQ(certificates_->get(imported->arn).error().code, "ResourceNotFoundException");
  EXPECT_EQ(certificates_->erase(imported->arn).error().code, "ResourceNotFoundException");
}

TEST_F(CertificatesTest, AnImportUnderAnArnReplacesWhatWasThere) {
  const auto old = make_certificate();
  const auto imported = certificates_->import(
      {.certificate = old.certificate, .private_key = old.key, .tags = {{"a", "b"}}});
  ASSERT_TRUE(imported);
  const auto fresh = make_certificate({.names = {"new.example.test"}});
  const auto again = certificates_->import(
      {.arn = imported->arn, .certificate = fresh.certificate, .private_key = fresh.key});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->arn, imported->arn);
  EXPECT_EQ(again->domain_name, "new.example.test");
  EXPECT_EQ(again->version, 2);
  EXPECT_EQ(again->tags.at("a"), "b");
  EXPECT_EQ(again->created_at_ms, imported->created_at_ms);
  const auto unknown = certificates_->import(
      {.arn = imported->arn + "0", .certificate = fresh.certificate, .private_key = fresh.key});
  EXPECT_EQ(unknown.error().code, "ResourceNotFoundException");
}

TEST_F(CertificatesTest, ServerCertificatesHaveNames) {
  const auto made = make_certificate();
  ImportCertificateInput input{
      .server_certificate_name = "site", .certificate = made.certificate, .private_key = made.key};
  const auto imported = certificates_->import(input);
  ASSERT_TRUE(imported);
  EXPECT_EQ(imported->arn, "arn:aws:iam::123456789012:server-certificate/site");
  EXPECT_EQ(certificates_->import(input)->version, 2);
  input.server_certificate_name = "no/slash";
  EXPECT_EQ(certificates_->import(input).error().code, "ValidationException");
}

TEST_F(CertificatesTest, OnesInUseStay) {
  const auto made = make_certificate();
  const auto imported =
      certificates_->import({.certificate = made.certificate, .private_key = made.key});
  ASSERT_TRUE(imported);
  use(imported->arn);
  EXPECT_THAT(certificates_->in_use_by(imported->arn), ElementsAre("arn:balancer"));
  const auto refused = certificates_->erase(imported->arn);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ResourceInUseException");
  EXPECT_THAT(refused.error().message, HasSubstr("arn:balancer"));
}

TEST_F(CertificatesTest, RefusesWhatCannotServeAndSaysNothingOfTheKey) {
  const auto made = make_certificate();
  const auto refused = certificates_->import(
      {.certificate = made.certificate, .private_key = make_certificate().key});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ValidationException");
  EXPECT_EQ(refused.error().message.find("BEGIN"), std::string::npos);
  EXPECT_TRUE(certificates_->list().empty());
}

TEST_F(CertificatesTest, TagsComeAndGo) {
  const auto made = make_certificate();
  const auto imported =
      certificates_->import({.certificate = made.certificate, .private_key = made.key});
  ASSERT_TRUE(imported);
  ASSERT_TRUE(certificates_->add_tags(imported->arn, {{"a", "1"}, {"b", "2"}}));
  ASSERT_TRUE(certificates_->remove_tags(imported->arn, {"a"}));
  EXPECT_EQ(certificates_->get(imported->arn)->tags, (model::Tags{{"b", "2"}}));
  EXPECT_EQ(certificates_->add_tags("arn:none", {}).error().code, "ResourceNotFoundException");
}

}  // namespace
}  // namespace weir::control
