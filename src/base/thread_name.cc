#include "base/thread_name.h"

#include <sys/prctl.h>

#include <array>

namespace weft {

std::string thread_name() {
  std::array<char, 16> name{};
  ::prctl(PR_GET_NAME, name.data());
  return name.data();
}

void set_thread_name(const std::string& name) {
  ::prctl(PR_SET_NAME, name.c_str());
}

}  // namespace weft
