// file_lock.h: flock(2) that does not wait for ever.
#pragma once

#include <chrono>

#include "base/result.h"

namespace weft {

/// Takes the exclusive lock of an open file. Waits in the kernel's queue, first come, first served,
/// for at most `patience`; then the Error's number is ETIMEDOUT. The lock goes with the last
/// descriptor of the open file. A wait uses SIGALRM, which the program must not need for itself.
Status lock_file(int fd, std::chrono::milliseconds patience);

}  // namespace weft
