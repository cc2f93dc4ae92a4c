// Names of a template's resources and parameters, made from those of what they stand for.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace weir::importing {

// "my-shop" → "MyShop", letters and digits alone; at most 64 of them, at least one.
[[nodiscard]] std::string camel_case(std::string_view name);

class LogicalIds {
 public:
  // `wanted`, with a number behind it where it is taken.
  [[nodiscard]] std::string take(const std::string& wanted);

 private:
  std::set<std::string> taken_;
};

}  // namespace weir::importing
