#include "kernel/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"

namespace weft::kernel {
namespace {

Result<std::string> path_of(std::string_view name) {
  for (const auto& part : split(name, '/'))
    if (part.empty() || part == "." || part == "..")
      return fail("\"" + std::string(name) + "\" is no sysctl name");
  return "/proc/sys/" + std::string(name);
}

}  // namespace

Result<std::string> read_sysctl(std::string_view name) {
  ASSIGN_OR_RETURN(const std::string path, path_of(name));
  ASSIGN_OR_RETURN(const std::string value, read_file(path));
  return std::string(trim(value));
}

Status write_sysctl(std::string_view name, std::string_view value) {
  ASSIGN_OR_RETURN(const std::string path, path_of(name));
  const std::string tried = "setting " + path + " to " + std::string(value);
  // Opened once for both: finding a name below /proc/sys is slow where there are many
  // namespaces, since the kernel hashes the same name of each into one chain.
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  const bool read_only = fd.empty() && (errno == EROFS || errno == EACCES);
  if (read_only) fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.empty()) return fail_errno(tried);
  char present[256];
  const ssize_t got = ::pread(fd.get(), present, sizeof present, 0);
  if (got >= 0 && trim({present, static_cast<std::size_t>(got)}) == value) return {};
  const std::string line = std::string(value) + "\n";
  if (::pwrite(fd.get(), line.data(), line.size(), 0) == static_cast<ssize_t>(line.size()))
    return {};
  // A file that could only be opened for reading answers EBADF, which says nothing.
  if (read_only) errno = EROFS;
  return fail_errno(tried);
}

}  // namespace weft::kernel
