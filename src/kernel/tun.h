// tun.h: a TUN device, and packets through it (Documentation/networking/tuntap.rst).
//
// An object is one queue of the device: read() gives packets that the kernel routes into the
// device, write() gives the kernel packets as if they had come in through it. A device may have
// as many queues as there are threads to serve them; the kernel keeps a flow on one queue.
//
// Every packet has a VnetHeader in front, so that the kernel may hand over, and take, packets of
// 64 KB with the segmenting left to do.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "net/link.h"
#include "net/vnet_header.h"

namespace weft::kernel {

class Tun {
 public:
  /// The largest read: header and packet.
  static constexpr std::size_t kLargestRead = sizeof(VnetHeader) + 65535;

  /// What a device leaves to its reader, and does for its writer.
  struct Offloads {
    bool tcp = false;  ///< super-packets of TCP over IPv4, and checksums of all
    bool udp = false;  ///< super-packets of UDP, Linux 6.2 and later
  };

  /// A new queue of the device, in the calling thread's namespace; the device is made when there
  /// is none of that name. EINVAL when there is one of another kind, or one that allows a single
  /// queue; EBUSY when that queue is taken.
  static Result<Tun> attach(const std::string& name);
  /// Whether the kernel lets a device have several queues.
  static Result<bool> allows_queues();

  /// The device outlives its last queue.
  Status persist();
  /// Asks for all offloads, then for fewer, until the kernel agrees.
  Offloads ask_offloads();

  int fd() const { return fd_.get(); }

  /// One packet with its VnetHeader in front: its bytes; 0 when none is there; or a negative
  /// errno: EBADFD when the device is gone.
  std::ptrdiff_t read(std::span<std::uint8_t> into) const;
  /// One packet whose VnetHeader is at the start of the slices: 0, or an errno: EIO when the
  /// device is down, EBADFD when it is gone.
  int write(std::span<const iovec> slices) const;

 private:
  explicit Tun(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

/// Makes a TAP device in the calling thread's namespace that outlives this process, down. Its users
/// get frames with a VnetHeader in front. EBUSY when the name is taken.
Status make_tap(const std::string& name, const TapOptions& options);

}  // namespace weft::kernel
