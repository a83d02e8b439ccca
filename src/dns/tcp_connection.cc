#include "dns/tcp_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "dns/bytes.h"

namespace weft::dns {
namespace {

// Rounds of reading and answering before another connection's turn comes.
constexpr int kAtOnce = 8;
// Answers are gathered up to here before they are sent.
constexpr std::size_t kGathered = 16384;

// Answers that a client may wait for on one connection.
constexpr unsigned kMostAwaited = 64;

// Room that a connection keeps between its answers.
constexpr std::size_t kKept = 4096;

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

TcpConnection::TcpConnection(Fd fd, const Client& client, const TcpPatience& patience, Time now)
    : fd_(std::move(fd)), client_(client), patience_(patience), deadline_(now + patience.begin) {}

TcpConnection::Next TcpConnection::advance(Handler& handler, std::span<char> room, Time now) {
  for (int round = 0; round < kAtOnce; ++round) {
    const Progress answered = answer_queries(handler, room);
    if (answered == Progress::kBroken) return Next::kClose;
    const bool has_answers = !answers_.empty();
    const Progress flushed = flush();
    if (flushed == Progress::kBroken) return Next::kClose;
    // Whoever does not read is as silent as who does not write: the deadline stays.
    if (flushed == Progress::kWait) return Next::kWrite;
    if (has_answers || awaited_ != 0) deadline_ = now + patience_.idle;
    if (awaited_ == kMostAwaited) return Next::kRest;
    if (answered == Progress::kDone) continue;
    if (ended_) return awaited_ == 0 ? Next::kClose : Next::kRest;
    const Progress progress = read();
    if (progress == Progress::kBroken) return Next::kClose;
    if (progress == Progress::kWait) return Next::kRead;
    if (!framing_.is_inside()) continue;
    deadline_ = std::min(deadline_, now + patience_.begin);
  }
  return rest_ == nullptr ? Next::kRead : Next::kWrite;
}

// kDone: there may be more queries in what was read; kWait: there are not.
TcpConnection::Progress TcpConnection::answer_queries(Handler& handler, std::span<char> room) {
  while (answers_.size() < kGathered && awaited_ < kMostAwaited) {
    if (rest_ != nullptr) {
      if (const std::size_t size = rest_->next(room); size != 0)
        append({room.data(), size});
      else
        rest_.reset();
      continue;
    }
    const auto query = framing_.next();
    if (!query) return Progress::kWait;
    const std::size_t size = handler.handle(*query, client_, room);
    // What is not worth an answer is no DNS: such a stream cannot be trusted to be in step.
    if (size == 0) return Progress::kBroken;
    if (size == Handler::kLater) {
      ++awaited_;
    } else {
      append({room.data(), size});
      rest_ = handler.take_rest();
    }
  }
  return Progress::kDone;
}

void TcpConnection::append(std::string_view answer) {
  std::array<char, 2> prefix{};
  put_word(prefix.data(), static_cast<std::uint16_t>(answer.size()));
  answers_.insert(answers_.end(), prefix.begin(), prefix.end());
  answers_.insert(answers_.end(), answer.begin(), answer.end());
}

void TcpConnection::take_answer(std::string_view answer, Time now) {
  --awaited_;
  append(answer);
  if (flush() == Progress::kDone) deadline_ = now + patience_.idle;
}

TcpConnection::Progress TcpConnection::flush() {
  while (sent_ < answers_.size()) {
    const ssize_t size =
        ::send(fd_.get(), answers_.data() + sent_, answers_.size() - sent_, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return would_block() ? Progress::kWait : Progress::kBroken;
    sent_ += static_cast<std::size_t>(size);
  }
  sent_ = 0;
  answers_.clear();
  // Thousands of connections may be idle: none keeps the room of its largest answers.
  if (answers_.capacity() > kKept) answers_.shrink_to_fit();
  return Progress::kDone;
}

TcpConnection::Progress TcpConnection::read() {
  const std::span<char> room = framing_.room();
  const ssize_t size = ::recv(fd_.get(), room.data(), room.size(), 0);
  if (size < 0 && errno == EINTR) return Progress::kDone;
  if (size < 0) return would_block() ? Progress::kWait : Progress::kBroken;
  if (size == 0) {
    ended_ = true;
    return Progress::kDone;
  }
  framing_.filled(static_cast<std::size_t>(size));
  return Progress::kDone;
}

}  // namespace weft::dns
