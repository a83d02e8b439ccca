#include "lab/programs.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>

namespace weft::lab {
namespace {

Result<std::string> own_folder() {
  char path[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  if (length < 0) return fail_errno("reading /proc/self/exe");
  const std::string self(path, static_cast<std::size_t>(length));
  return self.substr(0, self.rfind('/'));
}

}  // namespace

Result<Programs> find_programs() {
  const char* wanted = std::getenv("WEFT_BIN_DIR");
  std::string folder = wanted != nullptr ? wanted : "";
  if (folder.empty()) {
    ASSIGN_OR_RETURN(folder, own_folder());
  }
  Programs programs{
      .weft = folder + "/weft", .weftd = folder + "/weftd", .cni = folder + "/weft-cni"};
  for (const auto& program : {programs.weft, programs.weftd, programs.cni})
    if (::access(program.c_str(), X_OK) != 0)
      return fail_errno("looking for " + program, errno,
                        "build it, or name the folder that has it with WEFT_BIN_DIR");
  return programs;
}

}  // namespace weft::lab
