#include "kernel/netns.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/files.h"

namespace weft::kernel {
namespace {

constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

Result<Fd> open_read_only(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.empty()) return fail_errno("opening " + path);
  return fd;
}

std::string hexadecimal(unsigned long value) {
  char text[24];
  std::snprintf(text, sizeof text, "%lx", value);
  return text;
}

}  // namespace

Result<Netns> Netns::current() {
  ASSIGN_OR_RETURN(Fd fd, open_read_only(kOwnNamespace));
  return Netns(std::move(fd));
}

Result<Netns> Netns::open(const std::string& path) {
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) {
    const int number = errno;
    Failure failure = fail("failed to Statfs \"" + path + "\": " +
                           (number == ENOENT ? "no such file or directory" : ::strerror(number)));
    failure.value().number = number;
    return failure;
  }
  if (info.f_type != NSFS_MAGIC && info.f_type != PROC_SUPER_MAGIC)
    return fail("unknown FS magic on \"" + path +
                "\": " + hexadecimal(static_cast<unsigned long>(info.f_type)));
  ASSIGN_OR_RETURN(Fd fd, open_read_only(path));
  return Netns(std::move(fd));
}

Result<Netns> Netns::create() {
  ASSIGN_OR_RETURN(const Netns home, current());
  if (::unshare(CLONE_NEWNET) != 0) return fail_errno("creating a network namespace");
  auto made = current();
  CHECK(::setns(home.fd(), CLONE_NEWNET) == 0);
  return made;
}

Result<bool> Netns::same_as(const Netns& other) const {
  struct stat mine {};
  struct stat theirs {};
  if (::fstat(fd(), &mine) != 0 || ::fstat(other.fd(), &theirs) != 0)
    return fail_errno("comparing network namespaces");
  return mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino;
}

Status Netns::pin(const std::string& path) const {
  Fd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (file.empty()) return fail_errno("creating " + path);
  const std::string source = "/proc/self/fd/" + std::to_string(fd());
  if (::mount(source.c_str(), path.c_str(), "none", MS_BIND, nullptr) != 0) {
    const Failure failure = fail_errno("mounting a network namespace at " + path);
    ::unlink(path.c_str());
    return failure;
  }
  return {};
}

Status Netns::unpin(const std::string& path) {
  if (::umount2(path.c_str(), MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT)
    return fail_errno("unmounting " + path);
  return remove_file(path);
}

Result<NetnsVisit> NetnsVisit::enter(const Netns& netns) {
  ASSIGN_OR_RETURN(Fd home, open_read_only(kOwnNamespace));
  if (::setns(netns.fd(), CLONE_NEWNET) != 0) return fail_errno("entering a network namespace");
  return NetnsVisit(std::move(home));
}

NetnsVisit::~NetnsVisit() {
  // A thread that cannot go home would change the wrong namespace from now on.
  if (!home_.empty()) CHECK(::setns(home_.get(), CLONE_NEWNET) == 0);
}

}  // namespace weft::kernel
