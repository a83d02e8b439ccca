#include "cni/plugins/former_boots.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/files.h"
#include "base/text.h"

namespace weft::cni {
namespace {

constexpr const char* kName = ".weft-former-boots";

bool is_before(const timespec& a, const timespec& b) {
  return std::pair(a.tv_sec, a.tv_nsec) < std::pair(b.tv_sec, b.tv_nsec);
}

}  // namespace

std::string fingerprint(const Reservation& reservation) {
  char text[80];
  std::snprintf(text, sizeof text, " %llu %lld.%09ld",
                static_cast<unsigned long long>(reservation.inode),
                static_cast<long long>(reservation.since.tv_sec), reservation.since.tv_nsec);
  return reservation.address.to_string() + text;
}

timespec start_of_boot() {
  timespec now{};
  timespec up{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::clock_gettime(CLOCK_BOOTTIME, &up);
  now.tv_sec -= up.tv_sec;
  now.tv_nsec -= up.tv_nsec;
  if (now.tv_nsec < 0) {
    now.tv_sec -= 1;
    now.tv_nsec += 1'000'000'000;
  }
  return now;
}

void record_former_boots(int directory, const std::vector<Reservation>& reservations,
                         const timespec& start) {
  std::string text;
  for (const auto& reservation : reservations)
    if (is_before(reservation.since, start)) text += fingerprint(reservation) + "\n";
  const Fd file(
      ::openat(directory, kName, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  // A list that is cut short names fewer files; the next boot makes another.
  if (!file.empty()) (void)!::write(file.get(), text.data(), text.size());
}

std::set<std::string> read_former_boots(int directory) {
  std::set<std::string> fingerprints;
  const auto text =
      read_file("/proc/self/fd/" + std::to_string(directory) + "/" + kName, 256U << 20U);
  if (!text) return fingerprints;
  for (auto& line : split(*text, '\n')) fingerprints.insert(std::move(line));
  return fingerprints;
}

}  // namespace weft::cni
