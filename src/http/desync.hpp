// Classification of a request (reference §6): the verdict, and the look-alike test.
#pragma once

#include <string_view>

#include "http/message.hpp"

namespace weir::http {

// The first reason of the highest class wins (reference §6.3, point 2).
struct Verdict {
  DesyncClass desync_class = DesyncClass::compliant;
  DesyncReason reason = DesyncReason::none;

  void raise(DesyncReason candidate) {
    const DesyncClass candidate_class = desync_class_of(candidate);
    if (candidate_class > desync_class) {
      desync_class = candidate_class;
      reason = candidate;
    }
  }
};

// A name that is neither header but that some parser could take for it: equal after everything but
// letters and digits is stripped and case is folded, Unicode letters that fold to ASCII included.
enum class LookAlike { none, transfer_encoding, content_length };
[[nodiscard]] LookAlike look_alike(std::string_view name);

// Cheap and never wrong when false: spares nearly all names the test above. The shortest candidate
// is "ContentLength"; it begins with t, c or a byte that is stripped or folded.
[[nodiscard]] inline bool may_look_alike(std::string_view name) {
  if (name.size() < 13) return false;
  const char first = name.front();
  const char letter = static_cast<char>(first | 0x20);  // only of letters in a–z
  if (letter >= 'a' && letter <= 'z') return letter == 't' || letter == 'c';
  return first < '0' || first > '9';
}

}  // namespace weir::http
