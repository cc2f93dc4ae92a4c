// Trust stores from files that a test makes: real certificates and revocation lists.
#include "control/trust_stores.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "control/pem.hpp"
#include "fakes.hpp"

namespace weir::control {
namespace {

namespace fs = std::filesystem;

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* what) const {
    Free(what);
  }
};

template <typename Write>
std::string pem_of(Write write) {
  const std::unique_ptr<BIO, Freed<BIO_free>> bio(BIO_new(BIO_s_mem()));
  write(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

class Authority {
 public:
  std::string certificate(bool is_ca = true) const {
    const std::unique_ptr<X509, Freed<X509_free>> x509(X509_new());
    X509_set_version(x509.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
    name(X509_get_subject_name(x509.get()));
    name(X509_get_issuer_name(x509.get()));
    X509_set_pubkey(x509.get(), key_.get());
    const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> basic(X509V3_EXT_conf_nid(
        nullptr, nullptr, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE"));
    X509_add_ext(x509.get(), basic.get(), -1);
    X509_sign(x509.get(), key_.get(), EVP_sha256());
    return pem_of([&](BIO* bio) { PEM_write_bio_X509(bio, x509.get()); });
  }
  std::string revocations(int entries) const {
    const std::unique_ptr<X509_CRL, Freed<X509_CRL_free>> list(X509_CRL_new());
    X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
    const std::unique_ptr<X509_NAME, Freed<X509_NAME_free>> issuer(X509_NAME_new());
    name(issuer.get());
    X509_CRL_set_issuer_name(list.get(), issuer.get());
    const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> now(X509_gmtime_adj(nullptr, 0));
    X509_CRL_set1_lastUpdate(list.get(), now.get());
    X509_CRL_set1_nextUpdate(list.get(), now.get());
    for (int i = 0; i < entries; ++i) {
      X509_REVOKED* revoked = X509_REVOKED_new();
      const std::unique_ptr<ASN1_INTEGER, Freed<ASN1_INTEGER_free>> serial(ASN1_INTEGER_new());
      ASN1_INTEGER_set(serial.get(), i + 1);
      X509_REVOKED_set_serialNumber(revoked, serial.get());
      X509_REVOKED_set_revocationDate(revoked, now.get());
      X509_CRL_add0_revoked(list.get(), revoked);
    }
    X509_CRL_sign(list.get(), key_.get(), EVP_sha256());
    return pem_of([&](BIO* bio) { PEM_write_bio_X509_CRL(bio, list.get()); });
  }

 private:
  static void name(X509_NAME* to) {
    const std::string text = "Test CA";
    X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(text.data()), -1, -1, 0);
  }
  std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key_{EVP_EC_gen("P-256")};
};

class TrustStoresTest : public testing::Test {
 protected:
  TrustStoresTest() {
    std::string pattern = (fs::temp_directory_path() / "weir-trust-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    objects_.emplace(root_.string());
    registry_ = open_registry(std::make_shared<Disk>());
    stores_.emplace(*registry_, *objects_, limits_);
    write("bucket/ca.pem", authority_.certificate());
  }
  ~TrustStoresTest() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& content) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << content;
  }
  std::string code(const Status& status) { return status ? "ok" : status.error().code; }
  template <typename T>
  std::string code(const Result<T>& result) {
    return result ? "ok" : result.error().code;
  }

  fs::path root_;
  Authority authority_;
  Limits limits_ = aws_limits();
  std::optional<LocalObjects> objects_;
  std::unique_ptr<Registry> registry_;
  std::optional<TrustStores> stores_;
};

TEST_F(TrustStoresTest, KeepsTheBundleThatWasChecked) {
  const auto made = stores_->create("clients", {"bucket", "ca.pem"}, {{"a", "b"}});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(
      made->arn.starts_with("arn:aws:elasticloadbalancing:us-east-1:123456789012:"
                            "truststore/clients/"));
  EXPECT_EQ(made->certificates, 1);
  const std::string first = made->bundle;
  write("bucket/ca.pem", "# two\n" + authority_.certificate() + authority_.certificate());
  EXPECT_EQ(copy_of(*registry_).trust_stores.at(made->arn).bundle, first);
  EXPECT_EQ(stores_->modify(made->arn, {"bucket", "ca.pem"})->certificates, 2);
  EXPECT_EQ(stores_->location({"bucket", "ca.pem"}),
            "file://" + (root_ / "bucket/ca.pem").string());
  EXPECT_TRUE(stores_->erase(made->arn));
  EXPECT_EQ(code(stores_->erase(made->arn)), "TrustStoreNotFound");
  EXPECT_EQ(code(stores_->modify(made->arn, {"bucket", "ca.pem"})), "TrustStoreNotFound");
}

TEST_F(TrustStoresTest, RefusesWhatIsNoBundle) {
  const auto code_of = [&](const std::string& content) {
    write("bucket/bad.pem", content);
    return code(stores_->create("bad", {"bucket", "bad.pem"}, {}));
  };
  const std::string good = authority_.certificate();
  EXPECT_EQ(code_of(""), "InvalidCaCertificatesBundle");
  EXPECT_EQ(code_of("# only\n"), "InvalidCaCertificatesBundle");
  EXPECT_EQ(code_of("text\n" + good), "InvalidCaCertificatesBundle");
  EXPECT_EQ(code_of(good + "\n" + good), "InvalidCaCertificatesBundle");  // a blank line
  EXPECT_EQ(code_of("# a-b\n" + good), "InvalidCaCertificatesBundle");
  EXPECT_EQ(code_of(authority_.certificate(false)), "InvalidCaCertificatesBundle");
  EXPECT_EQ(code_of(authority_.revocations(1)), "InvalidCaCertificatesBundle");
  EXPECT_EQ(code_of(good.substr(0, good.size() / 2)), "InvalidCaCertificatesBundle");
  std::string broken = good;
  broken[40] = '!';  // within the base64
  EXPECT_EQ(code_of(broken), "InvalidCaCertificatesBundle");
  std::string many;
  for (int i = 0; i < 26; ++i) many += good;
  EXPECT_EQ(code_of(many), "InvalidCaCertificatesBundle");
  EXPECT_EQ(code_of(good), "ok");
}

TEST_F(TrustStoresTest, ReadsNothingOutsideOfABucket) {
  const auto code_of = [&](const std::string& bucket, const std::string& key) {
    return code(stores_->create("clients", {bucket, key}, {}));
  };
  write("outside.pem", authority_.certificate());
  fs::create_symlink(root_ / "outside.pem", root_ / "bucket/link.pem");
  fs::create_directory_symlink(root_, root_ / "bucket/folder");
  EXPECT_EQ(code_of("bucket", "../outside.pem"), "CaCertificatesBundleNotFound");
  EXPECT_EQ(code_of("bucket", "/etc/hostname"), "CaCertificatesBundleNotFound");
  EXPECT_EQ(code_of("bucket", "link.pem"), "CaCertificatesBundleNotFound");
  EXPECT_EQ(code_of("bucket", "folder/outside.pem"), "CaCertificatesBundleNotFound");
  EXPECT_EQ(code_of("bucket", "."), "CaCertificatesBundleNotFound");
  EXPECT_EQ(code_of("bucket", ""), "CaCertificatesBundleNotFound");
  EXPECT_EQ(code_of("..", "bucket/ca.pem"), "CaCertificatesBundleNotFound");
  EXPECT_EQ(code_of("other", "ca.pem"), "CaCertificatesBundleNotFound");
  EXPECT_EQ(code_of("bucket", "ca.pem"), "ok");
}

TEST_F(TrustStoresTest, NamesAndLimits) {
  const ObjectName bundle{"bucket", "ca.pem"};
  for (const char* name : {"", "-a", "a-", "a--b", "a.b", "a12345678901234567890123456789012"}) {
    EXPECT_EQ(code(stores_->create(name, bundle, {})), "ValidationError") << name;
  }
  ASSERT_TRUE(stores_->create("one", bundle, {}));
  EXPECT_EQ(code(stores_->create("one", bundle, {})), "DuplicateTrustStoreName");
  limits_.trust_stores = 1;
  EXPECT_EQ(code(stores_->create("two", bundle, {})), "TooManyTrustStores");
}

TEST_F(TrustStoresTest, RevocationsAreNumbered) {
  const std::string arn = stores_->create("clients", {"bucket", "ca.pem"}, {})->arn;
  write("bucket/a.crl", authority_.revocations(3));
  write("bucket/b.crl", authority_.revocations(0) + authority_.revocations(2));
  write("bucket/bad.crl", authority_.certificate());
  const auto added = stores_->add_revocations(arn, {{"bucket", "a.crl"}, {"bucket", "b.crl"}});
  ASSERT_TRUE(added) << added.error().message;
  ASSERT_EQ(added->size(), 2U);
  EXPECT_EQ((*added)[0].id, 1);
  EXPECT_EQ((*added)[0].entries, 3);
  EXPECT_EQ((*added)[1].id, 2);
  EXPECT_EQ((*added)[1].entries, 2);
  EXPECT_EQ(code(stores_->add_revocations(arn, {{"bucket", "bad.crl"}})),
            "InvalidRevocationContent");
  EXPECT_EQ(code(stores_->add_revocations(arn, {{"bucket", "none.crl"}})),
            "RevocationContentNotFound");
  EXPECT_EQ(code(stores_->remove_revocations(arn, {1, 7})), "RevocationIdNotFound");
  ASSERT_TRUE(stores_->remove_revocations(arn, {1}));
  EXPECT_EQ(copy_of(*registry_).trust_stores.at(arn).revocations.size(), 1U);
  // A number is not given twice.
  EXPECT_EQ(stores_->add_revocations(arn, {{"bucket", "a.crl"}})->front().id, 3);
  limits_.revocation_entries_per_trust_store = 5;
  EXPECT_EQ(code(stores_->add_revocations(arn, {{"bucket", "a.crl"}})),
            "TooManyTrustStoreRevocationEntries");
}

}  // namespace
}  // namespace weir::control
