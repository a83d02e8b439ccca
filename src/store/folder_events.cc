#include "store/folder_events.h"

#include <poll.h>
#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace weft {
namespace {

constexpr std::uint32_t kItself = IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t kArrivals = IN_CREATE | IN_MOVED_TO | IN_MASK_ADD | IN_ONLYDIR;
// A file that is linked when complete tells IN_CREATE only. No IN_MODIFY: whoever writes in
// place closes the file in the end, and what is read before that is half a file.
constexpr std::uint32_t kContents =
    IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | kItself;

}  // namespace

Result<bool> FolderEvents::arm() {
  inotify_ = Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  folder_watch_ = -1;
  if (inotify_.empty()) return fail_errno("watching " + folder_);
  std::string parent = folder_.starts_with('/') ? "/" : ".";
  for (std::size_t end = folder_.find_first_not_of('/'); end < folder_.size();) {
    end = std::min(folder_.find('/', end), folder_.size());
    const std::string part = folder_.substr(0, end);
    const std::uint32_t mask = end == folder_.size() ? kContents : kItself;
    int watch = ::inotify_add_watch(inotify_.get(), part.c_str(), mask);
    if (watch < 0 && errno == ENOENT) {
      if (::inotify_add_watch(inotify_.get(), parent.c_str(), kArrivals) < 0)
        return fail_errno("watching " + parent);
      // It may have come between the two calls, and then nothing would tell us any more.
      watch = ::inotify_add_watch(inotify_.get(), part.c_str(), mask);
      if (watch < 0 && errno == ENOENT) return false;
    }
    if (watch < 0) return fail_errno("watching " + part);
    if (end == folder_.size()) folder_watch_ = watch;
    parent = part;
    end = std::min(folder_.find_first_not_of('/', end), folder_.size());
  }
  return true;
}

void FolderEvents::note(const char* buffer, std::size_t size, Batch& batch) const {
  for (std::size_t offset = 0; offset + sizeof(inotify_event) <= size;) {
    inotify_event event;
    std::memcpy(&event, buffer + offset, sizeof event);
    const char* name = buffer + offset + sizeof event;
    offset += sizeof event + event.len;
    if (event.wd != folder_watch_ || event.len == 0) {
      batch.lost = true;
      continue;
    }
    if (name[0] == '.') continue;
    auto& names = (event.mask & (IN_DELETE | IN_MOVED_FROM)) != 0 ? batch.gone : batch.put;
    names.emplace(name);
  }
}

Result<FolderEvents::Batch> FolderEvents::wait(const Fd& wake,
                                               std::optional<std::chrono::milliseconds> limit) {
  const auto most = std::chrono::milliseconds(std::numeric_limits<int>::max());
  const int timeout = limit ? static_cast<int>(std::min(*limit, most).count()) : -1;
  std::array<pollfd, 2> polled{pollfd{inotify_.get(), POLLIN, 0}, pollfd{wake.get(), POLLIN, 0}};
  Batch batch;
  if (::poll(polled.data(), polled.size(), timeout) < 0 && errno != EINTR)
    return fail_errno("watching " + folder_);
  alignas(inotify_event) std::array<char, 64 * 1024> buffer;
  while ((polled[0].revents & POLLIN) != 0) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("watching " + folder_);
    note(buffer.data(), static_cast<std::size_t>(got), batch);
  }
  return batch;
}

}  // namespace weft
