#include "kernel/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

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
  ASSIGN_OR_RETURN(const std::string present, read_file(path));
  if (trim(present) == value) return {};
  const std::string tried = "setting " + path + " to " + std::string(value);
  Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd.empty()) return fail_errno(tried);
  const std::string line = std::string(value) + "\n";
  if (::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return fail_errno(tried);
  return {};
}

}  // namespace weft::kernel
