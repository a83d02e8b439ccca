// netns.h: network namespaces, and standing in one for a while.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace weft::kernel {

/// A handle on a network namespace; the namespace lives at least as long.
class Netns {
 public:
  /// The namespace of the calling thread.
  static Result<Netns> current();
  /// The namespace at a path: /run/netns/NAME or /proc/PID/ns/net. A path on any other file
  /// system is refused with the texts that container runtimes match on
  /// (containernetworking/plugins, pkg/ns).
  static Result<Netns> open(const std::string& path);
  /// A new one that nothing else refers to. The calling thread stays where it is.
  static Result<Netns> create();

  int fd() const { return fd_.get(); }
  /// Device and inode: what makes two handles the same namespace.
  Result<bool> same_as(const Netns& other) const;

  /// Gives the namespace a name as `ip netns` does: a bind mount at /run/netns/NAME.
  Status pin(const std::string& path) const;
  /// Takes such a name away. One that is not there is success.
  static Status unpin(const std::string& path);

 private:
  explicit Netns(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

/// The calling thread stands in another namespace while this lives, and goes back when it is
/// destroyed. Only the thread moves: other threads of the process stay where they are.
class NetnsVisit {
 public:
  static Result<NetnsVisit> enter(const Netns& netns);
  NetnsVisit(NetnsVisit&&) = default;
  NetnsVisit& operator=(NetnsVisit&&) = delete;
  ~NetnsVisit();

 private:
  explicit NetnsVisit(Fd home) : home_(std::move(home)) {}
  Fd home_;
};

}  // namespace weft::kernel
