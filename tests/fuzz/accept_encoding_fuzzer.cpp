// Accept-Encoding on hostile bytes: the choice is one that was offered and named or starred by the
// client, it does not depend on the case of letters, and items without meaning do not change it.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ranges>
#include <span>
#include <string>
#include <string_view>

#include "traffic/accept_encoding.hpp"

namespace weir::traffic {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

Encoding choice(std::string_view value, std::span<const Encoding> offered) {
  AcceptEncoding accepted;
  accepted.add(value);
  return accepted.best_of(offered);
}

// Each item on a line of its own.
Encoding choice_of_lines(std::string_view value, std::span<const Encoding> offered) {
  AcceptEncoding accepted;
  for (const auto item : std::views::split(value, ',')) {
    accepted.add(std::string_view(item.begin(), item.end()));
  }
  return accepted.best_of(offered);
}

void check(std::string_view value) {
  static constexpr std::array offered = {Encoding::br, Encoding::zstd, Encoding::gzip};
  const Encoding chosen = choice(value, offered);
  std::string folded(value);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  if (chosen != Encoding::identity) {
    require(
        folded.find(name_of(chosen)) != std::string::npos || folded.find('*') != std::string::npos,
        "what is chosen has been named");
  }
  require(choice(folded, offered) == chosen, "letter case means nothing");
  require(choice(folded + ",,;q=1, nonsense;q=1", offered) == chosen, "nonsense means nothing");
  require(choice_of_lines(value, offered) == chosen, "a list may come as several lines");
  require(choice(value, std::span(offered).first(0)) == Encoding::identity,
          "nothing offered is nothing chosen");
}

}  // namespace
}  // namespace weir::traffic

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::traffic::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
