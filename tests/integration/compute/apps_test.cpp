// The two cluster apps, started as on EC2: by their user data, with the metadata service to ask
// for the instance's id. What they answer must be the same bytes, also after a stop and a start.
#include <string_view>

#include "compute/metadata.hpp"
#include "fixture.hpp"

// In the program itself, since users that run it may not be able to read the source folder.
asm(R"(
.section .rodata
cpp_script: .incbin ")" WEIR_SOURCE_DIR R"(/apps/user-data/cpp.sh"
cpp_script_end:
flask_script: .incbin ")" WEIR_SOURCE_DIR R"(/apps/user-data/flask.sh"
flask_script_end:
.text
)");
extern "C" const char cpp_script[], cpp_script_end[], flask_script[], flask_script_end[];

namespace weir::compute::test {
namespace {

class AppsTest : public ComputeTest {
 protected:
  void TearDown() override {
    for (const std::string& id : launched_) metadata_server_.remove(id);
    ComputeTest::TearDown();
  }

  static std::string script(std::string_view body) {
    return "#!/bin/bash\nCLUSTER=1\n" + std::string(body);
  }

  void boot(const InstanceSpec& wanted) {
    ASSERT_TRUE(launch(wanted));
    MetadataDocument document;
    document.instance_id = wanted.id;
    metadata_server_.add(wanted.id, std::move(metadata_.back()), document);
    metadata_.pop_back();
  }

  std::string answers(int number) {
    std::string all;
    for (const char* path : {"/", "/cluster1", "/a/cluster1/b", "/cluster2", "/nothing"}) {
      all += fetch(address(number), 80, path).value_or("(no answer)") + "\n";
    }
    return all;
  }

  static std::string expected(int number) {
    const std::string page = "Instance " + instance_id(number) + " is responding now!\n";
    const std::string missing = "<h1>Not Found</h1>\n\n";
    return "Healthy!\n" + page + page + missing + missing;
  }

  MetadataServer metadata_server_;
};

TEST_F(AppsTest, BothAnswerTheSameAlsoAfterAStopAndAStart) {
  InstanceSpec native = spec(1, script({cpp_script, cpp_script_end}));
  InstanceSpec flask = spec(2, script({flask_script, flask_script_end}));
  boot(native);
  boot(flask);
  EXPECT_EQ(answers(1), expected(1)) << compute().console_output(native.id, 4096).value_or("");
  EXPECT_EQ(answers(2), expected(2)) << compute().console_output(flask.id, 4096).value_or("");
  EXPECT_NE(compute().console_output(flask.id, 4096).value_or("").find("flask: "),
            std::string::npos);
  for (InstanceSpec* instance : {&native, &flask}) {
    ASSERT_TRUE(compute().stop(instance->id, 5'000));
    instance->is_first_boot = false;
    boot(*instance);
    const auto status = compute().user_data_status(instance->id);
    EXPECT_TRUE(status && status->state != UserDataState::failed);
  }
  EXPECT_EQ(answers(1), expected(1));
  EXPECT_EQ(answers(2), expected(2));
}

}  // namespace
}  // namespace weir::compute::test
