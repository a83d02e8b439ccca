#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "base/fd.h"

namespace weft {
namespace {

// The folder of a path, with its slash, and the beginning of the names of temporaries in it: they
// start with a dot and have the temporary's mark, by which the stores and host-local skip them.
struct TemporaryNames {
  explicit TemporaryNames(const std::string& path)
      : folder(path.substr(0, path.rfind('/') + 1)),
        prefix("." + path.substr(folder.size()) + ".tmp-") {}

  std::string folder;
  std::string prefix;
};

std::string temporary_beside(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  const TemporaryNames names(path);
  return names.folder + names.prefix + std::to_string(::getpid()) + "-" +
         std::to_string(counter.fetch_add(1));
}

Status write_all(int fd, std::string_view contents, const std::string& path) {
  while (!contents.empty()) {
    const ssize_t written = ::write(fd, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("writing " + path);
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// Writes a complete temporary beside `path` and hands its name to `publish`; the temporary is
// gone afterwards unless `publish` renamed it away.
template <class Publish>
Status through_temporary(const std::string& path, std::string_view contents, mode_t mode,
                         Survives survives, Publish publish) {
  const std::string temporary = temporary_beside(path);
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.empty()) return fail_errno("creating " + temporary);
  Status status = write_all(fd.get(), contents, temporary);
  if (status && ::fchmod(fd.get(), mode) != 0) status = fail_errno("setting the mode of " + path);
  if (status && survives == Survives::kPowerLoss && ::fsync(fd.get()) != 0)
    status = fail_errno("writing " + path + " to disk");
  if (status) status = publish(temporary);
  ::unlink(temporary.c_str());
  return status;
}

Status sync_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.empty() || ::fsync(fd.get()) != 0) return fail_errno("writing " + folder + " to disk");
  return {};
}

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

Directory open_directory(int fd) {
  return Directory(::fdopendir(fd), &::closedir);
}

bool is_dot(const char* name) {
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

Status remove_tree_at(int parent, const char* name, dev_t device, const std::string& shown) {
  struct stat info {};
  if (::fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? Status{} : fail_errno("reading " + shown);
  if (!S_ISDIR(info.st_mode)) {
    if (::unlinkat(parent, name, 0) != 0 && errno != ENOENT) return fail_errno("removing " + shown);
    return {};
  }
  if (info.st_dev != device) return fail("removing " + shown + ": a file system is mounted there");
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return fail_errno("opening " + shown);
  auto directory = open_directory(fd);
  while (const dirent* entry = ::readdir(directory.get()))
    if (!is_dot(entry->d_name))
      RETURN_IF_ERROR(remove_tree_at(fd, entry->d_name, device, shown + "/" + entry->d_name));
  if (::unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
    return fail_errno("removing " + shown);
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.empty()) return fail_errno("reading " + path);
  std::string contents;
  char buffer[16384];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading " + path);
    if (got == 0) return contents;
    contents.append(buffer, static_cast<std::size_t>(got));
    if (contents.size() > limit)
      return fail("reading " + path + ": larger than " + std::to_string(limit) + " bytes");
  }
}

Status write_file_atomically(const std::string& path, std::string_view contents, mode_t mode,
                             Survives survives) {
  const auto publish = [&](const std::string& temporary) -> Status {
    if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("replacing " + path);
    return survives == Survives::kPowerLoss ? sync_folder_of(path) : Status();
  };
  return through_temporary(path, contents, mode, survives, publish);
}

Status create_file_exclusively(const std::string& path, std::string_view contents, mode_t mode) {
  const auto publish = [&](const std::string& temporary) -> Status {
    if (::link(temporary.c_str(), path.c_str()) != 0) return fail_errno("creating " + path);
    return sync_folder_of(path);
  };
  return through_temporary(path, contents, mode, Survives::kPowerLoss, publish);
}

Status make_directories(const std::string& path, mode_t mode) {
  for (std::size_t end = 1; end <= path.size(); ++end) {
    if (end != path.size() && path[end] != '/') continue;
    if (::mkdir(path.substr(0, end).c_str(), mode) != 0 && errno != EEXIST)
      return fail_errno("creating the folder " + path.substr(0, end));
  }
  return {};
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  std::vector<std::string> names;
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return names;
  if (fd < 0) return fail_errno("listing " + path);
  auto directory = open_directory(fd);
  errno = 0;
  while (const dirent* entry = ::readdir(directory.get()))
    if (!is_dot(entry->d_name)) names.emplace_back(entry->d_name);
  if (errno != 0) return fail_errno("listing " + path);
  std::sort(names.begin(), names.end());
  return names;
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("removing " + path);
  return {};
}

Status remove_leftovers(const std::string& path) {
  const TemporaryNames names(path);
  ASSIGN_OR_RETURN(const auto present, list_directory(names.folder.empty() ? "." : names.folder));
  for (const auto& name : present)
    if (name.starts_with(names.prefix)) RETURN_IF_ERROR(remove_file(names.folder + name));
  return {};
}

Status remove_tree(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0)
    return errno == ENOENT ? Status{} : fail_errno("reading " + path);
  return remove_tree_at(AT_FDCWD, path.c_str(), info.st_dev, path);
}

}  // namespace weft
