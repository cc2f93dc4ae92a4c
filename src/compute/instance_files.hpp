// An instance's folder: the layers of its file system, its logs, its bundle.
//
//   <state>/instances/<id>/  config.json console.log status process runtime.log
//                            root-upper root-work usr-upper usr-work usr-local merged boot/
//
// The folder itself is out of the instance's reach; what lies in the upper layers is not, and is
// therefore only ever removed (tree.hpp) or written to by image.hpp's careful hand.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "compute/bundle.hpp"
#include "compute/compute.hpp"
#include "compute/layout.hpp"
#include "compute/process.hpp"

namespace weir::compute {

// First boot: a fresh folder, personalised. Later: what is there, with the boot files renewed.
// `input` gets what the bundle must know about the image and the folder; the network's part is the
// caller's.
Status prepare_folder(const Layout& layout, const InstanceSpec& spec, bool has_way_out,
                      BundleInput& input);

// Mounts the root file system at `merged`, in this process's mount namespace.
Status mount_root(const Layout& layout, const InstanceSpec& spec, bool is_user_namespace);
void unmount_root(const Layout& layout, const std::string& id);

Status write_bundle(const InstanceSpec& spec, const BundleInput& input);

// Opened for appending; the console starts afresh at a boot where it has grown large.
[[nodiscard]] Result<Fd> open_console(const Layout& layout, const std::string& id);
[[nodiscard]] Result<Fd> open_status(const Layout& layout, const std::string& id,
                                     bool is_first_boot);

// The record by which a later holder finds the instance's first process.
Status write_record(const Layout& layout, const std::string& id, const ProcessIdentity& process);
[[nodiscard]] std::optional<ProcessIdentity> read_record(const Layout& layout,
                                                         const std::string& id);
void remove_record(const Layout& layout, const std::string& id);

// The ids of all folders of instances.
[[nodiscard]] std::vector<std::string> list_folders(const Layout& layout);

}  // namespace weir::compute
