#include "lab/node_space.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "base/files.h"
#include "kernel/netns.h"
#include "lab/names.h"

namespace weft::lab {
namespace {

Status mount_at(const char* source, const std::string& target, const char* type,
                unsigned long flags, const std::string& options = {}) {
  if (::mount(source, target.c_str(), type, flags, options.empty() ? nullptr : options.c_str()) ==
      0)
    return {};
  const int number = errno;
  const std::string next =
      number == ENODEV ? "load it with: modprobe " + std::string(type == nullptr ? "" : type) : "";
  return fail_errno("mounting " + std::string(type == nullptr ? source : type) + " at " + target,
                    number, next);
}

Status bind_mount(const std::string& source, const std::string& target) {
  return mount_at(source.c_str(), target, nullptr, MS_BIND | MS_REC);
}

// A mount point inside `folder` may be missing, and the machine's own folders stay as they are:
// it is made in a thin layer above them that nobody else sees.
Status lay_over(const std::string& folder, const std::string& scratch) {
  const std::string upper = scratch + folder + "-upper";
  const std::string work = scratch + folder + "-work";
  RETURN_IF_ERROR(make_directories(upper));
  RETURN_IF_ERROR(make_directories(work));
  return mount_at("weft", folder, "overlay", 0,
                  "lowerdir=" + folder + ",upperdir=" + upper + ",workdir=" + work);
}

std::string resolv_conf_of(const std::string& lab, const std::string& member) {
  return dns_folder(lab) + "/resolv/" + member;
}

// /etc with the member's own resolv.conf, if it has one, in the place of the machine's, which may
// be a link to what is not there.
Status lay_over_etc(const std::string& scratch, const std::string& resolv_conf) {
  RETURN_IF_ERROR(mount_at("weft", scratch, "tmpfs", 0, "mode=0700"));
  RETURN_IF_ERROR(lay_over("/etc", scratch));
  if (::access(resolv_conf.c_str(), F_OK) != 0) return {};
  ASSIGN_OR_RETURN(const std::string text, read_file(resolv_conf));
  RETURN_IF_ERROR(remove_file("/etc/resolv.conf"));
  return write_file_atomically("/etc/resolv.conf", text, 0644);
}

Status mount_node_files(const std::string& files, const std::string& resolv_conf) {
  const std::string scratch = files + "/scratch";
  RETURN_IF_ERROR(lay_over_etc(scratch, resolv_conf));
  RETURN_IF_ERROR(lay_over("/var/lib", scratch));
  for (const auto& [folder, target] :
       {std::pair("net.d", "/etc/cni/net.d"), std::pair("kube-flannel", "/etc/kube-flannel"),
        std::pair("cni", "/var/lib/cni")}) {
    RETURN_IF_ERROR(make_directories(target));
    RETURN_IF_ERROR(bind_mount(files + "/" + folder, target));
  }
  RETURN_IF_ERROR(bind_mount(kNetnsRoot, files + "/run/netns"));
  RETURN_IF_ERROR(bind_mount(kStateRoot, files + "/run/weft"));
  return bind_mount(files + "/run", "/run");
}

Status run_on_thread(const std::function<Status()>& body) {
  Status status;
  std::thread([&] { status = body(); }).join();
  return status;
}

}  // namespace

Status make_node_files(const std::string& lab, const std::string& node) {
  const std::string files = node_folder(lab, node);
  for (const char* folder :
       {"run/flannel", "run/netns", "run/weft", "cni", "net.d", "kube-flannel", "scratch"})
    RETURN_IF_ERROR(make_directories(files + "/" + folder));
  return {};
}

Status write_resolv_conf(const std::string& lab, const std::string& member,
                         const std::string& text) {
  const std::string file = resolv_conf_of(lab, member);
  RETURN_IF_ERROR(make_directories(file.substr(0, file.rfind('/'))));
  return write_file_atomically(file, text, 0644);
}

namespace {

Status stand_in(const std::string& lab, const std::string& member) {
  ASSIGN_OR_RETURN(const auto netns, kernel::Netns::open(netns_path(lab, member)));
  if (::setns(netns.fd(), CLONE_NEWNET) != 0) return fail_errno("entering the netns of " + member);
  if (::unshare(CLONE_NEWNS) != 0) return fail_errno("making a mount namespace");
  RETURN_IF_ERROR(mount_at("", "/", nullptr, MS_REC | MS_SLAVE));
  // As `ip netns exec` does: sysfs shows the network namespace in which it was mounted.
  ::umount2("/sys", MNT_DETACH);
  return mount_at("weft", "/sys", "sysfs", 0);
}

}  // namespace

Status enter_netns(const std::string& lab, const std::string& member) {
  RETURN_IF_ERROR(stand_in(lab, member));
  const std::string resolv_conf = resolv_conf_of(lab, member);
  if (::access(resolv_conf.c_str(), F_OK) != 0) return {};
  const std::string scratch = dns_folder(lab) + "/scratch";
  RETURN_IF_ERROR(make_directories(scratch));
  return lay_over_etc(scratch, resolv_conf);
}

Status enter_node(const std::string& lab, const std::string& node) {
  RETURN_IF_ERROR(stand_in(lab, node));
  return mount_node_files(node_folder(lab, node), resolv_conf_of(lab, node));
}

Status in_node(const std::string& lab, const std::string& node,
               const std::function<Status()>& body) {
  return run_on_thread([&]() -> Status {
    RETURN_IF_ERROR(enter_node(lab, node));
    return body();
  });
}

Status in_netns(const std::string& lab, const std::string& member,
                const std::function<Status()>& body) {
  return run_on_thread([&]() -> Status {
    RETURN_IF_ERROR(enter_netns(lab, member));
    return body();
  });
}

}  // namespace weft::lab
