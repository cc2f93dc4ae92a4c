// What is wrong with a template: all of it, in the order of the file.
//
// Checks do not stop at the first fault; they note it here and go on with what is still known.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.hpp"
#include "stacks/value.hpp"

namespace weir::stacks {

class Diagnostics {
 public:
  explicit Diagnostics(std::string file_name) : file_name_(std::move(file_name)) {}

  // `path` is where in the template's structure: Resources.Web.Properties.ImageId. The same fault
  // noted twice counts once.
  void add(Mark mark, std::string path, std::string message);
  [[nodiscard]] bool empty() const { return faults_.empty(); }
  [[nodiscard]] std::size_t size() const { return faults_.size(); }
  // Adds the faults of `later` checks, but for those at a place that has a fault already, in it or
  // below it: they would be the same one in other words.
  void merge(const Diagnostics& later);
  // So many faults that looking for more is a waste: checks stop, and a hostile template cannot
  // make them work for long.
  [[nodiscard]] bool is_full() const { return faults_.size() >= faults_max; }
  // `file:line:column: path: message`, one a line.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] Error error() const;

 private:
  static constexpr std::size_t faults_max = 1000;
  std::string file_name_;
  std::set<std::tuple<int, int, std::string, std::string>> faults_;  // ordered as in the file
};

// "; did you mean InstanceType?" where one of `known` is close to `word`, else "".
[[nodiscard]] std::string suggestion(std::string_view word,
                                     const std::vector<std::string_view>& known);

// "a, b and c"
[[nodiscard]] std::string join_words(const std::vector<std::string_view>& words);

}  // namespace weir::stacks
