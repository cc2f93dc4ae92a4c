// What the project ships for others to start from: every example is a good template, and the table
// of what is supported says what the schema says.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "stacks/builtin.hpp"
#include "stacks/plan.hpp"
#include "stacks/schema.hpp"
#include "unit_environment.hpp"

namespace weir::stacks {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(Examples, are_good_templates) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(WEIR_SOURCE_DIR) / "examples")) {
    const fs::path& path = entry.path();
    if (path.extension() != ".yaml" && path.extension() != ".json") continue;
    CreateInput input;
    input.name = "stack";
    input.file_name = path.filename().string();
    input.template_body = read_file(path);
    const auto prepared = prepare(input, unit_environment());
    EXPECT_TRUE(prepared) << prepared.error().message;
    ++count;
  }
  EXPECT_GE(count, 4);
}

TEST(Examples, the_builtin_template_is_the_file) {
  EXPECT_EQ(builtin_template(),
            read_file(fs::path(WEIR_SOURCE_DIR) / "examples/two-clusters.yaml"));
}

TEST(Examples, the_builtin_template_is_in_step_with_its_scripts) {
  EXPECT_EQ(std::system("python3 " WEIR_SOURCE_DIR "/examples/make_two_clusters.py --check"), 0);
}

void append_fields(std::string& out, std::span<const Property> fields, const std::string& prefix,
                   Support support) {
  for (const Property& field : fields) {
    const std::string name = prefix + std::string(field.name);
    if (field.support == support) {
      out += fmt::format("| `{}` | {} |\n", name, field.note);
    } else if (field.support == Support::honoured && field.name != "Tags") {
      append_fields(out, field.fields, name + ".", support);
    }
  }
}

void append_table(std::string& out, const ResourceType& type, Support support,
                  std::string_view title) {
  std::string rows;
  append_fields(rows, type.properties, "", support);
  if (!rows.empty()) out += fmt::format("\n{}:\n\n| property | why |\n|---|---|\n{}", title, rows);
}

std::string support_table() {
  std::string out =
      "# What Weir does with the properties of CloudFormation's resource types\n"
      "Made from the schema (`schema_*.cpp`) by the test `unit_stacks`; run "
      "it with `WEIR_UPDATE_GOLDEN=1` after a change there. What is in neither of a type's two "
      "tables is honoured, or unknown to CloudFormation too and an error.\n";
  for (const auto types : {ec2_types(), elbv2_types(), iam_types()}) {
    for (const ResourceType& type : types) {
      out += fmt::format("\n## {}\n", type.name);
      std::string names;
      for (const Property& property : type.properties) {
        if (property.support != Support::honoured) continue;
        names += fmt::format("{}`{}`", names.empty() ? "" : ", ", property.name);
      }
      out += fmt::format("Honoured: {}.\n", names);
      names.clear();
      for (const Attribute& attribute : type.attributes) {
        names += fmt::format("{}`{}`", names.empty() ? "" : ", ", attribute.name);
      }
      out += fmt::format("`Fn::GetAtt`: {}.\n", names);
      append_table(out, type, Support::no_effect, "Accepted without effect, with a notice");
      append_table(out, type, Support::refused, "Refused");
    }
  }
  return out;
}

TEST(Examples, the_table_of_support_is_in_step_with_the_schema) {
  const fs::path path = fs::path(WEIR_SOURCE_DIR) / "src/stacks/SUPPORT.md";
  const std::string table = support_table();
  if (std::getenv("WEIR_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << table;
  EXPECT_EQ(read_file(path), table);
}

}  // namespace
}  // namespace weir::stacks
