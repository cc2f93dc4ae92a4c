// Trust stores: CA certificates and revocation lists that listeners will verify clients with
// (reference §2.5, §8.2).
//
// Files are read from the local folder that stands for S3 and kept whole in the record: what was
// checked is what is used, whatever becomes of the file.
// Any thread. Each call is one transaction; files are read and checked before it.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/elb_limits.hpp"
#include "control/local_objects.hpp"
#include "control/registry.hpp"

namespace weir::control {

struct ObjectName {
  std::string bucket;
  std::string key;
};

class TrustStores {
 public:
  // Registry and limits outlive it.
  TrustStores(Registry& registry, LocalObjects objects, const Limits& limits)
      : registry_(registry), objects_(std::move(objects)), limits_(limits) {}

  Result<model::TrustStore> create(const std::string& name, const ObjectName& bundle,
                                   const model::Tags& tags);
  Result<model::TrustStore> modify(const std::string& arn, const ObjectName& bundle);
  Status erase(const std::string& arn);
  // Those added, in order.
  Result<std::vector<model::TrustStoreRevocation>> add_revocations(
      const std::string& arn, const std::vector<ObjectName>& files);
  Status remove_revocations(const std::string& arn, const std::vector<std::int64_t>& ids);

  // A URL of an object, as the Get… calls give it.
  [[nodiscard]] std::string location(const ObjectName& object) const;

 private:
  struct Bundle {
    std::string pem;
    std::int64_t certificates = 0;
  };
  [[nodiscard]] Result<Bundle> read_bundle(const ObjectName& name) const;

  Registry& registry_;
  const LocalObjects objects_;
  const Limits& limits_;
};

}  // namespace weir::control
