// Any answers of an endpoint, in the form of tests/imports: what is read of them gives a template
// that can be parsed, whose comments stay comments, and says its notices on one line each.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "importing/reader.hpp"
#include "importing/template.hpp"
#include "recorded_answers.hpp"
#include "stacks/diagnostics.hpp"
#include "stacks/parse.hpp"

namespace weir::importing {
namespace {

void require(bool holds, const char* what, const std::string& about) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n%s\n", what, about.c_str());
  std::abort();
}

void check(std::string_view bytes) {
  RecordedAnswers recorded(bytes);
  const auto inventory = read_inventory(recorded.call(), {});
  if (!inventory) {
    require(!inventory.error().code.empty(), "an error has a code", inventory.error().message);
    return;
  }
  const auto made = make_template(*inventory, "fuzz");
  stacks::Diagnostics diagnostics("imported.yaml");
  const auto root = stacks::parse_yaml(made.text, diagnostics);
  require(root.has_value() && diagnostics.size() == 0, "a template can be parsed", made.text);
  require(root->find("Resources") != nullptr, "a template has resources", made.text);
  for (const auto& notice : made.notices)
    require(notice.find_first_of("\n\r\x1b") == std::string::npos, "a notice is a line", notice);
}

}  // namespace
}  // namespace weir::importing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::importing::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
