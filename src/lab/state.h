// state.h: what is written down about the labs of this machine, and the lock of each.
//
//     /run/weft/labs/LAB/lab.json       the lab, see lab_json.h
//     /run/weft/labs/LAB/store/         its directory store, or etcd's data
//     /run/weft/labs/LAB/cni-bin/       the CNI plugins, links to weft-cni
//     /run/weft/labs/LAB/nodes/NODE/    a node's own files, see node_space.h
//     /run/weft/locks/LAB               held (flock) by the command that changes the lab
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "lab/model.h"

namespace weft::lab {

/// Keeps other commands from changing a lab; released with the object, and by the kernel when
/// the process dies.
class LabLock {
 public:
  /// Waits up to 10 s for a command that is at work on the lab.
  static Result<LabLock> take(const std::string& lab);
  /// Removes the lock's file, for a lab that is no more, and releases it.
  void remove();

 private:
  LabLock(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  std::string path_;
};

/// Labs that have left anything: state or namespaces, also after a crash. Sorted.
Result<std::vector<std::string>> list_labs();

/// The namespaces of a lab, as names in /run/netns. Sorted.
Result<std::vector<std::string>> list_namespaces(const std::string& lab);

bool lab_exists(const std::string& lab);

/// Fails for a lab that is not there, naming the nearest that is.
Result<Lab> load_lab(const std::string& name);
Status save_lab(const Lab& lab);

}  // namespace weft::lab
