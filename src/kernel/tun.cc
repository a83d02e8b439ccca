#include "kernel/tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <array>
#include <cstring>
#include <utility>

namespace weft::kernel {
namespace {

// struct virtio_net_hdr; its header has a member named `class` and does not compile as C++.
static_assert(sizeof(VnetHeader) == 10);

// Of linux/if_tun.h since Linux 6.2; the kernel takes them together only.
constexpr unsigned kUdpSegments4 = 0x20;
constexpr unsigned kUdpSegments6 = 0x40;

constexpr const char* kNode = "/dev/net/tun";

Result<Fd> open_node() {
  Fd fd(::open(kNode, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (fd.empty())
    return fail_errno(std::string("opening ") + kNode, errno,
                      "load the module tun; a container needs the device and may have to be "
                      "privileged");
  return fd;
}

Result<unsigned> features_of(const Fd& fd) {
  unsigned features = 0;
  if (::ioctl(fd.get(), TUNGETFEATURES, &features) < 0)
    return fail_errno(std::string("reading the features of ") + kNode);
  return features;
}

}  // namespace

Result<bool> Tun::allows_queues() {
  ASSIGN_OR_RETURN(const Fd fd, open_node());
  ASSIGN_OR_RETURN(const unsigned features, features_of(fd));
  return (features & IFF_MULTI_QUEUE) != 0;
}

Result<Tun> Tun::attach(const std::string& name) {
  if (!is_valid_link_name(name)) return fail_errno("attaching to the device " + name, EINVAL);
  ASSIGN_OR_RETURN(Fd fd, open_node());
  ASSIGN_OR_RETURN(const unsigned features, features_of(fd));
  ifreq request{};
  std::memcpy(request.ifr_name, name.c_str(), name.size());
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR |
                                         static_cast<int>(features & IFF_MULTI_QUEUE));
  if (::ioctl(fd.get(), TUNSETIFF, &request) < 0)
    return fail_errno("attaching to the TUN device " + name);
  // A device that outlived its maker may have been given another size.
  int header_size = sizeof(VnetHeader);
  if (::ioctl(fd.get(), TUNSETVNETHDRSZ, &header_size) < 0)
    return fail_errno("setting the header size of " + name);
  return Tun(std::move(fd));
}

Status Tun::persist() {
  if (::ioctl(fd_.get(), TUNSETPERSIST, 1) < 0) return fail_errno("making a TUN device persistent");
  return {};
}

Tun::Offloads Tun::ask_offloads() {
  constexpr unsigned kTcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  const auto granted = [&](unsigned offloads) {
    return ::ioctl(fd_.get(), TUNSETOFFLOAD, static_cast<unsigned long>(offloads)) == 0;
  };
  if (granted(kTcp | kUdpSegments4 | kUdpSegments6)) return {.tcp = true, .udp = true};
  if (granted(kTcp)) return {.tcp = true};
  granted(0);
  return {};
}

std::ptrdiff_t Tun::read(std::span<std::uint8_t> into) const {
  const ssize_t size = ::read(fd_.get(), into.data(), into.size());
  if (size >= 0) return size;
  return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int Tun::write(std::span<const iovec> slices) const {
  return ::writev(fd_.get(), slices.data(), static_cast<int>(slices.size())) < 0 ? errno : 0;
}

Status make_tap(const std::string& name, const TapOptions& options) {
  const std::string tried = "making the TAP device " + name;
  if (!is_valid_link_name(name)) return fail_errno(tried, EINVAL);
  ASSIGN_OR_RETURN(const Fd fd, open_node());
  // Without IFF_TUN_EXCL one that is there would be taken over.
  const int flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL |
                    (options.multi_queue ? IFF_MULTI_QUEUE : 0);
  ifreq request{};
  std::memcpy(request.ifr_name, name.c_str(), name.size());
  request.ifr_flags = static_cast<short>(flags);
  if (::ioctl(fd.get(), TUNSETIFF, &request) < 0) return fail_errno(tried);
  // Until it is persistent it goes away with the descriptor.
  if (options.owner && ::ioctl(fd.get(), TUNSETOWNER, static_cast<unsigned long>(*options.owner)))
    return fail_errno(tried + ": setting its owner");
  if (options.group && ::ioctl(fd.get(), TUNSETGROUP, static_cast<unsigned long>(*options.group)))
    return fail_errno(tried + ": setting its group");
  if (::ioctl(fd.get(), TUNSETPERSIST, 1) < 0) return fail_errno(tried + ": keeping it");
  return {};
}

}  // namespace weft::kernel
