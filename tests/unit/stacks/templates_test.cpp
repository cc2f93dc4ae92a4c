// Templates as data: each file of tests/templates/ is prepared with the parameters of its
// .parameters file, and what comes out is what its .expected file says: all faults, or the resolved
// resources and outputs. WEIR_UPDATE_GOLDEN=1 writes the expectations anew, for review.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "stacks/plan.hpp"
#include "stacks/resolve.hpp"
#include "unit_environment.hpp"

namespace weir::stacks {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::map<std::string, std::string> read_parameters(const fs::path& path) {
  std::map<std::string, std::string> parameters;
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    const std::size_t equals = line.find('=');
    parameters[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return parameters;
}

std::string describe(const Prepared& prepared) {
  Diagnostics diagnostics("");
  const std::map<std::string, Made> nothing;
  Resolver resolver(prepared.tmpl, prepared.parameters, prepared.environment, nothing, diagnostics);
  std::string out;
  for (const PlannedParameter& parameter : prepared.plan.parameters) {
    out += fmt::format("parameter {} = {}\n", parameter.name, parameter.value);
  }
  for (const PlannedResource& resource : prepared.plan.resources) {
    const auto properties =
        resolver.resolve(prepared.tmpl.resource(resource.logical_id)->properties, "");
    out += fmt::format("resource {} after [{}]\n  {}\n", resource.logical_id,
                       fmt::join(resource.depends_on, " "), to_json(*properties));
  }
  for (const OutputDeclaration& output : prepared.tmpl.outputs) {
    if (output.condition && resolver.condition(output.condition->name) == false) continue;
    const auto value = resolver.resolve(output.value, "");
    out += fmt::format("output {} = {}\n", output.key, to_json(*value));
  }
  for (const std::string& notice : prepared.plan.notices) out += "notice " + notice + "\n";
  return out;
}

std::vector<std::string> template_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(WEIR_SOURCE_DIR) / "tests/templates")) {
    const fs::path& path = entry.path();
    if (path.extension() == ".yaml" || path.extension() == ".json") {
      names.push_back(path.filename().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

class Templates : public testing::TestWithParam<std::string> {};

TEST_P(Templates, comes_to_what_is_expected) {
  const fs::path path = fs::path(WEIR_SOURCE_DIR) / "tests/templates" / GetParam();
  CreateInput input;
  input.name = "stack";
  input.file_name = GetParam();
  input.template_body = read_file(path);
  input.parameters = read_parameters(fs::path(path).replace_extension(".parameters"));
  const Result<Prepared> prepared = prepare(input, unit_environment());
  const std::string actual = prepared ? describe(*prepared) : prepared.error().message + "\n";
  EXPECT_EQ(GetParam().starts_with("ok-"), prepared.has_value());

  const fs::path expected = path.string() + ".expected";
  if (std::getenv("WEIR_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(expected, std::ios::binary) << actual;
  }
  EXPECT_EQ(read_file(expected), actual);
}

INSTANTIATE_TEST_SUITE_P(Files, Templates, testing::ValuesIn(template_names()),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::ranges::replace_if(
                               name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace weir::stacks
