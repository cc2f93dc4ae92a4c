// What HTTPS adds to listeners: reference §2.1, §2.4, §2.5.
#include "control/certificates.hpp"
#include "elb_fixture.hpp"
#include "make_certificate.hpp"

namespace weir::control {
namespace {

class HttpsListeners : public ElbTest {
 protected:
  void SetUp() override {
    ElbTest::SetUp();
    balancer_ = make_balancer().arn;
    group_ = make_group("g1");
    certificate_ = import();
  }
  std::string import() {
    const auto made = tls::test::make_certificate();
    return Certificates(*registry_)
        .import({.certificate = made.certificate, .private_key = made.key})
        ->arn;
  }
  CreateListenerInput https_input() {
    CreateListenerInput input = listener_input(balancer_, group_);
    input.protocol = "HTTPS";
    input.port = 443;
    input.security.certificate_arns = {certificate_};
    return input;
  }
  std::string code(const std::function<void(CreateListenerInput&)>& change) {
    CreateListenerInput input = https_input();
    change(input);
    return code_of(elb_->create_listener(input));
  }
  std::string balancer_, group_, certificate_;
};

TEST_F(HttpsListeners, HaveAPolicyAndOneDefaultCertificate) {
  const auto made = elb_->create_listener(https_input());
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->ssl_policy, "ELBSecurityPolicy-2016-08");
  EXPECT_EQ(made->certificate_arns, std::vector{certificate_});
  EXPECT_EQ(code([](auto&) {}), "ok");  // the same again
  EXPECT_EQ(code([](auto& i) { i.security.ssl_policy = "ELBSecurityPolicy-FS-2018-06"; }),
            "DuplicateListener");
  EXPECT_EQ(code([](auto& i) { i.security.ssl_policy = "ELBSecurityPolicy-X"; }),
            "SSLPolicyNotFound");
  EXPECT_EQ(code([](auto& i) { i.security.certificate_arns = {}; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) { i.security.certificate_arns = {"arn:x"}; }), "CertificateNotFound");
  EXPECT_EQ(code([&](auto& i) {
              i.security.certificate_arns = {certificate_, "arn:x"};
            }),
            "TooManyCertificates");
}

TEST_F(HttpsListeners, HttpTakesNothingOfTls) {
  EXPECT_EQ(code([](auto& i) { i.protocol = "HTTP"; }), "ValidationError");
  EXPECT_EQ(code([](auto& i) {
              i.protocol = "HTTP";
              i.security = {.mutual_authentication = {{.mode = "passthrough"}}};
            }),
            "InvalidConfigurationRequest");
}

TEST_F(HttpsListeners, ChangeTheirProtocol) {
  const auto made = elb_->create_listener(https_input());
  ASSERT_TRUE(made);
  const auto plain = elb_->modify_listener({.listener_arn = made->arn, .protocol = "HTTP"});
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->ssl_policy, "");
  EXPECT_TRUE(plain->certificate_arns.empty());
  EXPECT_EQ(code_of(elb_->modify_listener({.listener_arn = made->arn, .protocol = "HTTPS"})),
            "ValidationError");
  const auto again = elb_->modify_listener({.listener_arn = made->arn,
                                            .protocol = "HTTPS",
                                            .security = {.certificate_arns = {{certificate_}}}});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->ssl_policy, "ELBSecurityPolicy-2016-08");
}

TEST_F(HttpsListeners, TakeMoreCertificatesAndAnotherDefault) {
  const auto made = elb_->create_listener(https_input());
  ASSERT_TRUE(made);
  const std::string second = import();
  ASSERT_TRUE(elb_->add_listener_certificates(made->arn, {second}));
  ASSERT_TRUE(elb_->add_listener_certificates(made->arn, {second}));  // again
  EXPECT_EQ(code([](auto&) {}), "ok");  // asked for again it is still the same listener
  EXPECT_EQ(elb_->add_listener_certificates(made->arn, {"arn:x"}).error().code,
            "CertificateNotFound");
  EXPECT_EQ(elb_->remove_listener_certificates(made->arn, {certificate_}).error().code,
            "OperationNotPermitted");
  EXPECT_EQ(Certificates(*registry_).erase(second).error().code, "ResourceInUseException");
  const auto changed = elb_->modify_listener(
      {.listener_arn = made->arn, .security = {.certificate_arns = {{second}}}});
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(changed->certificate_arns, std::vector{second});
  ASSERT_TRUE(elb_->add_listener_certificates(made->arn, {certificate_}));
  ASSERT_TRUE(elb_->remove_listener_certificates(made->arn, {certificate_, "arn:never"}));
  EXPECT_TRUE(Certificates(*registry_).erase(certificate_));
}

TEST_F(HttpsListeners, HoldToTheLimitOfCertificates) {
  Limits limits = aws_limits();
  limits.certificates_per_load_balancer = 1;
  elb_ = std::make_unique<Elb>(*registry_, data_plane_, limits);
  const auto made = elb_->create_listener(https_input());
  ASSERT_TRUE(made);
  ASSERT_TRUE(elb_->add_listener_certificates(made->arn, {import()}));
  EXPECT_EQ(elb_->add_listener_certificates(made->arn, {import()}).error().code,
            "TooManyCertificates");
}

TEST_F(HttpsListeners, MutualAuthenticationIsChecked) {
  const auto with = [&](model::MutualAuthentication mutual) {
    return code([&](auto& i) { i.security.mutual_authentication = mutual; });
  };
  EXPECT_EQ(with({.mode = "maybe"}), "ValidationError");
  EXPECT_EQ(with({.mode = "verify"}), "ValidationError");
  EXPECT_EQ(with({.mode = "verify", .trust_store_arn = "arn:x"}), "TrustStoreNotFound");
  EXPECT_EQ(with({.mode = "passthrough", .trust_store_arn = "arn:x"}),
            "InvalidConfigurationRequest");
  EXPECT_EQ(with({.mode = "passthrough"}), "InvalidConfigurationRequest") << "not in force";
}

}  // namespace
}  // namespace weir::control
