#include "service/relay/byte_lane.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace weft::service {
namespace {

bool would_wait() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

// So much at once, and then it is others' turn.
constexpr int kRounds = 16;

}  // namespace

ByteLane::Step ByteLane::advance(int from, int to, std::span<char> buffer, Pipes& pipes) {
  if (done_) return Step::kDone;
  for (int round = 0; round < kRounds; ++round) {
    if (waiting_ > 0) {
      const Moved moved = drain(to);
      if (moved == Moved::kBroken) return Step::kBroken;
      if (moved == Moved::kNothing) return Step::kWait;
      if (waiting_ > 0) continue;
    }
    if (ended_) {
      // The other direction goes on.
      ::shutdown(to, SHUT_WR);
      release(pipes);
      done_ = true;
      return Step::kDone;
    }
    switch (fill(from, to, buffer, pipes)) {
      case Moved::kSome:
        break;
      case Moved::kNothing:
        return Step::kWait;
      case Moved::kEnd:
        ended_ = true;
        break;
      case Moved::kBroken:
        return Step::kBroken;
    }
  }
  return Step::kAgain;
}

ByteLane::Moved ByteLane::fill(int from, int to, std::span<char> buffer, Pipes& pipes) {
  if (!pipe_ && busy_) pipe_ = pipes.take();
  if (!pipe_) return copy(from, to, buffer, pipes);
  const ssize_t got = ::splice(from, nullptr, pipe_->in.get(), nullptr, Pipes::kRoom,
                               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (got == 0) return Moved::kEnd;
  if (got < 0) return would_wait() ? Moved::kNothing : Moved::kBroken;
  waiting_ += static_cast<std::size_t>(got);
  return Moved::kSome;
}

ByteLane::Moved ByteLane::copy(int from, int to, std::span<char> buffer, Pipes& pipes) {
  const ssize_t got = ::recv(from, buffer.data(), buffer.size(), 0);
  if (got == 0) return Moved::kEnd;
  if (got < 0) return would_wait() ? Moved::kNothing : Moved::kBroken;
  const auto count = static_cast<std::size_t>(got);
  busy_ = count == buffer.size();
  const ssize_t sent = ::send(to, buffer.data(), count, MSG_NOSIGNAL);
  if (sent < 0 && !would_wait()) return Moved::kBroken;
  const std::size_t taken = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  if (taken < count && !keep(buffer.subspan(taken, count - taken), pipes)) return Moved::kBroken;
  return Moved::kSome;
}

// An empty pipe takes a whole buffer.
bool ByteLane::keep(std::span<const char> rest, Pipes& pipes) {
  pipe_ = pipes.take();
  if (!pipe_) return false;
  const ssize_t kept = ::write(pipe_->in.get(), rest.data(), rest.size());
  waiting_ = rest.size();
  return kept == static_cast<ssize_t>(rest.size());
}

ByteLane::Moved ByteLane::drain(int to) {
  const ssize_t sent =
      ::splice(pipe_->out.get(), nullptr, to, nullptr, waiting_, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (sent < 0) return would_wait() ? Moved::kNothing : Moved::kBroken;
  waiting_ -= static_cast<std::size_t>(sent);
  return Moved::kSome;
}

void ByteLane::release(Pipes& pipes) {
  if (pipe_ && waiting_ == 0) pipes.give(*std::exchange(pipe_, std::nullopt));
}

}  // namespace weft::service
