#include "cli/terminal.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace weir::cli {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirLongestCellAndHaveNoTrailingBlanks) {
  Table table({"ID", "STATE", ""});
  table.add({{"i-1"}, {"running", Colour::green}, {"why"}});
  table.add({{"i-22"}, {"ok"}, {""}});
  std::FILE* file = std::tmpfile();  // no terminal: no colour
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(table.text(file, "  "),
            "  ID    STATE\n"
            "  i-1   running  why\n"
            "  i-22  ok\n");
  std::fclose(file);
}

TEST(Table, AShortRowIsFilledUp) {
  Table table({"A", "B"});
  table.add({{"x"}});
  std::FILE* file = std::tmpfile();
  EXPECT_EQ(table.text(file), "A  B\nx\n");
  std::fclose(file);
}

TEST(Texts, DurationsAndCountsReadWell) {
  EXPECT_EQ(duration_text(84.6), "85 ms");
  EXPECT_EQ(duration_text(1234), "1.23 s");
  EXPECT_EQ(counted(1, "target"), "1 target");
  EXPECT_EQ(counted(9, "target"), "9 targets");
}

TEST(Texts, ColourStaysOutOfAFile) {
  std::FILE* file = std::tmpfile();
  EXPECT_EQ(coloured(file, Colour::red, "x"), "x");
  std::fclose(file);
}

}  // namespace
}  // namespace weir::cli
