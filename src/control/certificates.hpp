// Certificates of HTTPS listeners: imported, listed, deleted, with ACM's rules and errors.
//
// A record holds the private key; only what makes the TLS contexts reads it. Show facts, the
// certificate and its chain to clients, never the whole record. Any thread; each call is one
// transaction, and PEM is parsed before it.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/registry.hpp"

namespace weir::control {

inline constexpr std::size_t certificates_max = 10'000;

struct ImportCertificateInput {
  // Empty: a new one. Else the one of this ARN is replaced; its tags stay.
  std::string arn = {};
  // Not empty: a new one has the ARN of the IAM server certificate of this name; one that is there
  // is replaced. 1–128 of [A-Za-z0-9_+=,.@-].
  std::string server_certificate_name = {};
  std::string certificate;
  std::string private_key;
  std::string chain = {};
  std::string type = "IMPORTED";  // AMAZON_ISSUED: made by this installation itself
  model::Tags tags = {};
};

class Certificates {
 public:
  explicit Certificates(Registry& registry) : registry_(registry) {}

  // "ValidationException" (which of the texts is wrong, and why), "ResourceNotFoundException",
  // "LimitExceededException".
  Result<model::Certificate> import(const ImportCertificateInput& input);
  // "ResourceNotFoundException", "ResourceInUseException" while a listener has it.
  Status erase(const std::string& arn);
  // Those given are added or removed. "ResourceNotFoundException".
  Status add_tags(const std::string& arn, const model::Tags& tags);
  Status remove_tags(const std::string& arn, const std::vector<std::string>& keys);

  // "ResourceNotFoundException".
  [[nodiscard]] Result<model::Certificate> get(const std::string& arn) const;
  // In the order of ARNs.
  [[nodiscard]] std::vector<model::Certificate> list() const;
  // The ARNs of the load balancers whose listeners have it: ACM's InUseBy.
  [[nodiscard]] std::vector<std::string> in_use_by(const std::string& arn) const;

 private:
  Registry& registry_;
};

// As `Certificates::in_use_by`, under the Registry's lock.
[[nodiscard]] std::vector<std::string> load_balancers_with(const State& state,
                                                           const std::string& certificate_arn);

}  // namespace weir::control
