// Images: what an instance finds in its file system when it boots.
//
// An image is a template directory that serves as the overlay's lower layer of `/`; an instance
// only ever writes to its own upper layer. The built-in image is made from this machine: `/usr` is
// shared (a second overlay, see image_uses_host_usr), while /etc, /var, /home and /root are made
// afresh, so that nothing private of the machine can be seen (reference platform §1, "Root file
// system"). Imported images are whole root file systems of their own.
//
// All of it runs in the holder: as root, or as the root of its user namespace; import_image and
// list_images also in the daemon. `state_dir` is absolute. An image's files lie under
// `<state>/images/<image id>/`, in a directory that only its owner may enter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::compute {

// The Ubuntu image of the two clusters, in us-east-1. Always there; built from this machine.
inline constexpr std::string_view builtin_image_id = "ami-08c40ec9ead489470";

// The template directory of an image, made now where it does not exist (built-in image: a few
// milliseconds, once). Call it at every start of an instance: where the machine's own software has
// changed since, the built-in image is made anew beside the old one, which running instances keep.
// Unknown image: "InvalidAMIID.NotFound". Safe against other threads and processes doing the same.
[[nodiscard]] Result<std::string> ensure_image_template(const std::string& state_dir,
                                                        const std::string& image_id);

// True: `/usr` must be mounted from this machine, and boot files at /opt/weir/bin (the mount points
// are in the template). False: the template is complete, and knows nothing of Weir.
[[nodiscard]] bool image_uses_host_usr(const std::string& state_dir, const std::string& image_id);

// Unpacks a root file system (tar, compressed or not) as the image `image_id`. Nothing of the
// archive is written outside of the image's directory; device nodes are left out. Errors:
// "InvalidAMIID.Malformed", "InvalidAMIID.Duplicate", "InvalidImage" (what is wrong with the file).
// On failure nothing is left behind.
Status import_image(const std::string& state_dir, const std::string& image_id,
                    const std::string& tar_path);

// The ids of all images that can be launched, the built-in one first.
[[nodiscard]] std::vector<std::string> list_images(const std::string& state_dir);

// Writes `init` (weir-init, process 1 of every instance) and `cluster-app` into `dir`, executable,
// each atomically and only where it differs. Bind-mount `dir` read-only at /run/weir's `init` and,
// with image_uses_host_usr, at /opt/weir/bin.
Status write_boot_files(const std::string& dir);

// What makes an instance of an image this instance.
struct Identity {
  std::string hostname;  // ip-172-31-0-10.ec2.internal
  std::string private_ip;
  std::string public_key;  // OpenSSH format, for ubuntu and root; may be empty
  // The instance can reach the outside (root): it gets the machine's name servers.
  bool has_way_out = false;
};

// Writes hostname, hosts, resolv.conf and authorized_keys into an instance's upper layer, which
// must not be mounted. For the first boot; safe, though, on a layer that an instance has written
// to: symbolic links are never followed.
Status personalise(const std::string& root_upper, const Identity& identity);

}  // namespace weir::compute
