// What can go wrong outside the program's control, as a value.
//
// An Error carries the code that a machine reads (an AWS error code such as
// "DuplicateLoadBalancerName" where the API has one, else a word in CamelCase), the sentence that a
// person reads (what is wrong and where), and what to do about it. It is made where the cause is
// known and shown once, by whoever decides what happens because of it.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace weir {

struct Error {
  std::string code;
  std::string message;
  std::string hint;  // what to do; may be empty
};

template <typename T>
using Result = std::expected<T, Error>;

using Status = Result<void>;

[[nodiscard]] inline std::unexpected<Error> fail(std::string code, std::string message,
                                                 std::string hint = {}) {
  return std::unexpected(Error{std::move(code), std::move(message), std::move(hint)});
}

// An error from the system: `what` failed because of `errno_value`.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string what, int errno_value,
                                                std::string hint = {});

}  // namespace weir
