// Calls of Elastic Load Balancing's API at an endpoint, by HTTP or HTTPS.
//
// TLS is verified, redirects are not followed, an answer is at most 64 MiB and a call at most a
// minute. What AWS asks to try again (throttling, 5xx) is tried again a few times, each time later.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aws/value.hpp"
#include "base/result.hpp"
#include "importing/settings.hpp"

namespace weir::importing {

inline constexpr std::size_t answer_bytes_max = 64UL * 1024 * 1024;  // ours

using CallParameters = std::vector<std::pair<std::string, std::string>>;

// One call by its action and parameters ("Names.member.1"), without Version.
using Call =
    std::function<Result<aws::Value>(const std::string& action, const CallParameters& parameters)>;

// One connection, used again by the next call. One thread at a time.
class Client {
 public:
  // The error: the endpoint's URL is none.
  [[nodiscard]] static Result<Client> make(Settings settings);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // The error has the service's code, or "EndpointUnreachable".
  [[nodiscard]] Result<aws::Value> call(const std::string& action,
                                        const CallParameters& parameters);

 private:
  struct Parts;
  explicit Client(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir::importing
