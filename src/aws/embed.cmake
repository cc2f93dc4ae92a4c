# cmake -DOUTPUT=… -DDESCRIPTIONS=a.api;b.api -P embed.cmake: a source file with their texts.
set(table "")
foreach(path IN LISTS DESCRIPTIONS)
  get_filename_component(name ${path} NAME_WE)
  file(READ ${path} text)
  string(APPEND table "    {\"${name}\", R\"API(${text})API\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made from src/aws/*/*.api.
#include <utility>

#include \"aws/description/description.hpp\"

namespace weir::aws {
namespace {
constexpr std::pair<std::string_view, std::string_view> descriptions[] = {
${table}};
}  // namespace

std::string_view embedded_description(std::string_view name) {
  for (const auto& [known, text] : descriptions) {
    if (known == name) return text;
  }
  return {};
}

std::vector<std::string_view> embedded_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, text] : descriptions) names.push_back(name);
  return names;
}
}  // namespace weir::aws
")
