// A Cookie field on hostile bytes: every pair lies within the field and has a name, and a value
// that nobody sealed opens as nothing; one that was sealed opens, and not with a byte changed.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "balancing/session.hpp"
#include "http/cookies.hpp"

namespace {

using weir::balancing::SessionKind;
using weir::balancing::SessionSealer;

void require(bool holds) {
  if (!holds) std::abort();
}

SessionSealer& sealer() {
  static SessionSealer one;
  if (!one.has_key()) one.use({{1, {}}});
  return one;
}

void check(std::string_view field) {
  weir::http::for_each_cookie(field, [&](std::string_view name, std::string_view value) {
    require(!name.empty() && name.find('=') == std::string_view::npos);
    require(name.data() >= field.data() &&
            value.data() + value.size() <= field.data() + field.size());
    require(!sealer().open(SessionKind::target, 1, value));
  });
  static_cast<void>(weir::http::set_cookie_name(field));
  require(!sealer().open(SessionKind::group, 0, field));
  std::string sealed(sealer().seal(SessionKind::target, 1, {2, 3, 4}));
  require(sealer().open(SessionKind::target, 1, sealed).has_value());
  if (field.size() < 2) return;
  char& changed = sealed[static_cast<unsigned char>(field[0]) % sealed.size()];
  if (changed == field[1]) return;
  changed = field[1];
  require(!sealer().open(SessionKind::target, 1, sealed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({reinterpret_cast<const char*>(data), size});
  return 0;
}
