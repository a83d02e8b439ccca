#include "service/relay/pipes.h"

#include <fcntl.h>
#include <unistd.h>

namespace weft::service {

std::optional<Pipe> Pipes::take() {
  if (!idle_.empty()) {
    Pipe pipe = std::move(idle_.back());
    idle_.pop_back();
    return pipe;
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return std::nullopt;
  // Where the user's share of pipe memory is used up it keeps its usual size.
  static_cast<void>(::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(kRoom)));
  return Pipe{.out = Fd(ends[0]), .in = Fd(ends[1])};
}

}  // namespace weft::service
