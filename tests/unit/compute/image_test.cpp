// Images: the template made from this machine, import of archives, an instance's own files.
#include "compute/image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "compute/boot/embedded.hpp"
#include "compute/image_identity.hpp"
#include "image_support.hpp"

namespace weir::compute {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace testing_support;
namespace fs = std::filesystem;

mode_t mode_of(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

class ImageTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string state() const { return directory_.path(); }
  std::string builtin() {
    const auto root = ensure_image_template(state(), std::string(builtin_image_id));
    EXPECT_TRUE(root.has_value()) << root.error().message;
    return root.value_or("");
  }
  static int run(const std::string& command) { return std::system(command.c_str()); }
  // A directory with a few files, as an archive.
  std::string make_archive(const std::string& extra_command = "true") {
    const std::string tree = state() + "/tree";
    fs::create_directories(tree + "/bin");
    write_file(tree + "/bin/sh", "#!");
    EXPECT_EQ(run("cd " + tree + " && " + extra_command), 0);
    const std::string archive = state() + "/rootfs.tar.gz";
    EXPECT_EQ(run("tar -C " + tree + " -czf " + archive + " ."), 0);
    return archive;
  }
  [[nodiscard]] std::size_t images_left() const {
    if (!fs::exists(state() + "/images")) return 0;
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(state() + "/images"), fs::directory_iterator()));
  }

  TemporaryDirectory directory_;
};

TEST_F(ImageTest, BuiltinImageHasWhatProgramsNeed) {
  const std::string root = builtin();
  EXPECT_EQ(mode_of(root), 0755U);
  EXPECT_EQ(mode_of(root + "/tmp"), 01777U);
  EXPECT_EQ(mode_of(root + "/var/tmp"), 01777U);
  EXPECT_EQ(mode_of(root + "/root"), 0700U);
  EXPECT_EQ(mode_of(root + "/etc/shadow"), 0640U);
  EXPECT_EQ(fs::read_symlink(root + "/bin"), "usr/bin");
  EXPECT_EQ(fs::read_symlink(root + "/lib64"), "usr/lib64");
  for (const char* directory : {"proc", "sys", "dev", "run", "usr", "opt/weir/bin", "home/ubuntu",
                                "var/log", "var/lib/cloud/scripts/per-boot", "etc/pam.d"}) {
    EXPECT_TRUE(fs::is_directory(root + "/" + directory)) << directory;
  }
  const std::string passwd = read_file(root + "/etc/passwd");
  EXPECT_THAT(passwd, HasSubstr("root:x:0:0:root:/root:/bin/bash\n"));
  EXPECT_THAT(passwd, HasSubstr("ubuntu:x:1000:1000:Ubuntu:/home/ubuntu:/bin/bash\n"));
  for (const char* name : {"sshd:", "nobody:", "daemon:", "www-data:", "_apt:"}) {
    EXPECT_THAT(passwd, HasSubstr(name));
  }
  EXPECT_FALSE(read_file(root + "/etc/ld.so.cache").empty());
}

TEST_F(ImageTest, BuiltinImageHasNothingPrivateOfTheMachine) {
  const std::string root = builtin();
  for (const char* path : {"etc/machine-id", "etc/ssh/ssh_host_ed25519_key", "etc/ssl/private",
                           "etc/gitconfig", "etc/passwd-", "etc/shadow-"}) {
    EXPECT_FALSE(fs::exists(root + "/" + path)) << path;
  }
  EXPECT_THAT(read_file(root + "/etc/shadow"), Not(HasSubstr("$")));
  // Nothing in it that not everybody on this machine could read, but what was made for it.
  for (const auto& entry : fs::recursive_directory_iterator(root + "/etc")) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file() || entry.is_symlink()) continue;
    if (name == "shadow" || name == "gshadow" || name == "sudoers") continue;
    EXPECT_NE(mode_of(entry.path()) & 0004U, 0U) << entry.path();
  }
  EXPECT_EQ(mode_of(state() + "/images"), 0700U);
}

TEST_F(ImageTest, BuiltinImageIsMadeOnceAlsoByManyAtATime) {
  std::vector<std::string> roots(4);
  std::vector<std::thread> threads;
  for (auto& root : roots) threads.emplace_back([&] { root = builtin(); });
  for (auto& thread : threads) thread.join();
  for (const auto& root : roots) EXPECT_EQ(root, roots[0]);
  EXPECT_EQ(images_left(), 1U);  // no temporary directory
}

TEST_F(ImageTest, UnknownImagesAreRefusedByName) {
  const auto unknown = ensure_image_template(state(), "ami-12345678");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, "InvalidAMIID.NotFound");
  EXPECT_EQ(unknown.error().message, "The image id '[ami-12345678]' does not exist");
  EXPECT_THAT(unknown.error().hint, HasSubstr(builtin_image_id));
  EXPECT_FALSE(ensure_image_template(state(), "ami-../../etc").has_value());
  EXPECT_FALSE(fs::exists(state() + "/images/ami-12345678"));
}

TEST_F(ImageTest, ImportsAnArchive) {
  ASSERT_TRUE(import_image(state(), "ami-12345678", make_archive()).has_value());
  const auto root = ensure_image_template(state(), "ami-12345678");
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(read_file(*root + "/bin/sh"), "#!");
  EXPECT_TRUE(fs::is_directory(*root + "/proc"));
  EXPECT_FALSE(image_uses_host_usr(state(), "ami-12345678"));
  EXPECT_TRUE(image_uses_host_usr(state(), std::string(builtin_image_id)));
  EXPECT_THAT(list_images(state()), ElementsAre(builtin_image_id, "ami-12345678"));
  const auto again = import_image(state(), "ami-12345678", make_archive());
  EXPECT_EQ(again.error().code, "InvalidAMIID.Duplicate");
}

TEST_F(ImageTest, ImportLeavesDeviceNodesOut) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make one";
  const std::string archive = make_archive("mkdir dev && mknod dev/sda b 8 0 && mknod n c 1 3");
  ASSERT_TRUE(import_image(state(), "ami-12345678", archive).has_value());
  const std::string root = *ensure_image_template(state(), "ami-12345678");
  EXPECT_FALSE(fs::exists(root + "/dev/sda"));
  EXPECT_FALSE(fs::exists(root + "/n"));
}

TEST_F(ImageTest, ImportWritesNothingOutside) {
  const std::string target = state() + "/outside";
  fs::create_directories(target);
  const std::string tree = state() + "/evil";
  fs::create_directories(tree + "/bin");
  write_file(tree + "/bin/sh", "#!");
  write_file(tree + "/file", "evil");
  const std::string archive = state() + "/evil.tar";
  const auto import = [&] { return import_image(state(), "ami-12345678", archive); };
  const std::string tar = "cd " + tree + " && tar -cf " + archive + " -P --transform ";
  ASSERT_EQ(run(tar + "'s,^file$," + target + "/x,' bin file"), 0);
  EXPECT_EQ(import().error().code, "InvalidImage");
  ASSERT_EQ(run(tar + "'s,^file$,../../../x,' bin file"), 0);
  EXPECT_EQ(import().error().code, "InvalidImage");
  // A link to the outside, and a member that would be written through it.
  fs::create_directory_symlink(target, tree + "/link");
  ASSERT_EQ(run("cd " + tree + " && tar -cf " + archive + " bin link && tar -rf " + archive +
                " --transform 's,^file$,link/x,' file"),
            0);
  (void)import();
  EXPECT_TRUE(fs::is_empty(target));
}

TEST_F(ImageTest, ImportRefusesWhatIsNoRootFileSystemAndLeavesNothing) {
  const auto code = [&](const std::string& path) {
    return import_image(state(), "ami-12345678", path).error().code;
  };
  write_file(state() + "/garbage.tar", "this is no archive");
  EXPECT_EQ(code(state() + "/garbage.tar"), "InvalidImage");
  ASSERT_EQ(run("cd " + state() + " && tar -cf other.tar garbage.tar"), 0);
  EXPECT_EQ(code(state() + "/other.tar"), "InvalidImage");
  EXPECT_EQ(code(state()), "InvalidImage");
  EXPECT_FALSE(import_image(state(), "ami-12345678", state() + "/missing.tar").has_value());
  EXPECT_EQ(import_image(state(), "x", state() + "/other.tar").error().code,
            "InvalidAMIID.Malformed");
  EXPECT_EQ(images_left(), 0U);
}

TEST_F(ImageTest, BootFilesAreWrittenOnceAndRepaired) {
  ASSERT_TRUE(write_boot_files(state()).has_value());
  EXPECT_EQ(read_file(state() + "/init"), boot::init_program());
  EXPECT_EQ(mode_of(state() + "/cluster-app"), 0755U);
  const auto written = fs::last_write_time(state() + "/init");
  write_file(state() + "/cluster-app", "changed");
  ASSERT_TRUE(write_boot_files(state()).has_value());
  EXPECT_EQ(fs::last_write_time(state() + "/init"), written);
  EXPECT_EQ(read_file(state() + "/cluster-app"), boot::cluster_app_program());
}

Identity example_identity() {
  return {"ip-172-31-0-10.ec2.internal", "172.31.0.10", "ssh-ed25519 AAAA me\n", false};
}

TEST_F(ImageTest, PersonalisesAnInstance) {
  ASSERT_TRUE(personalise(state(), example_identity()).has_value());
  EXPECT_EQ(read_file(state() + "/etc/hostname"), "ip-172-31-0-10.ec2.internal\n");
  EXPECT_THAT(read_file(state() + "/etc/hosts"),
              HasSubstr("172.31.0.10 ip-172-31-0-10.ec2.internal ip-172-31-0-10\n"));
  EXPECT_EQ(read_file(state() + "/etc/resolv.conf"), "");
  const std::string ssh = state() + "/home/ubuntu/.ssh";
  EXPECT_EQ(read_file(ssh + "/authorized_keys"), "ssh-ed25519 AAAA me\n");
  EXPECT_EQ(read_file(state() + "/root/.ssh/authorized_keys"), "ssh-ed25519 AAAA me\n");
  for (const std::string& folder : {ssh, state() + "/root/.ssh"}) {
    EXPECT_EQ(mode_of(folder), 0700U);
    EXPECT_EQ(mode_of(folder + "/authorized_keys"), 0600U);
  }
}

TEST_F(ImageTest, PersonaliseFollowsNoLinksOfAnInstance) {
  const std::string outside = state() + "/outside";
  const std::string upper = state() + "/upper";
  fs::create_directories(outside);
  fs::create_directories(upper + "/etc");
  write_file(outside + "/hostname", "untouched");
  fs::create_symlink(outside + "/hostname", upper + "/etc/hostname");
  ASSERT_TRUE(personalise(upper, example_identity()).has_value());
  EXPECT_EQ(read_file(outside + "/hostname"), "untouched");
  EXPECT_FALSE(fs::is_symlink(upper + "/etc/hostname"));

  fs::remove_all(upper + "/etc");
  fs::create_directory_symlink(outside, upper + "/etc");
  EXPECT_FALSE(personalise(upper, example_identity()).has_value());
  EXPECT_EQ(read_file(outside + "/hostname"), "untouched");
}

TEST_F(ImageTest, PersonaliseRefusesMoreThanOneLineOfKey) {
  auto identity = example_identity();
  identity.public_key = "ssh-ed25519 AAAA me\ncommand=\"x\" ssh-rsa BBBB";
  EXPECT_EQ(personalise(state(), identity).error().code, "InvalidKey.Format");
}

TEST(ResolvConf, KeepsServersThatAreReachable) {
  EXPECT_EQ(usable_resolv_conf("# c\nnameserver 10.0.0.2\nnameserver 127.0.0.53\nsearch a b\n"),
            "nameserver 10.0.0.2\nsearch a b\n");
  EXPECT_EQ(usable_resolv_conf("nameserver ::1\nsearch a\n"), "");
  EXPECT_EQ(usable_resolv_conf("nameserver"), "");
}

}  // namespace
}  // namespace weir::compute
