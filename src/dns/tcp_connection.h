// tcp_connection.h: one client's TCP connection.
//
// Queries may be pipelined; answers leave in one piece for all the queries that came in one. One
// that is not there yet leaves when it is, whatever else has been answered by then (RFC 7766,
// section 6.2.1.1). While a client does not take its answers, or waits for many, nothing more is
// read from it, so that it can hold no more of our memory than one round of answers; of an answer
// of many messages the next is made when the one before it has been taken. The client may close its
// side behind its last query.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "dns/handler.h"
#include "dns/tcp_framing.h"

namespace weft::dns {

/// How long a connection may be silent (RFC 7766, section 6.2.3).
struct TcpPatience {
  std::chrono::milliseconds begin{2'000};  ///< for the first query, and the rest of any
  std::chrono::milliseconds idle{10'000};  ///< after an answer
};

class TcpConnection {
 public:
  using Time = std::chrono::steady_clock::time_point;

  TcpConnection(Fd fd, const Client& client, const TcpPatience& patience, Time now);

  /// kRest: for nothing but a later answer.
  enum class Next : std::uint8_t { kRead, kWrite, kRest, kClose };
  /// Does what can be done without waiting: `room` has kLargestMessage bytes for answers. Returns
  /// what to wait for.
  Next advance(Handler& handler, std::span<char> room, Time now);

  /// One of the answers that were promised. Sends what the client takes at once; advance() is due
  /// afterwards.
  void take_answer(std::string_view answer, Time now);

  int fd() const { return fd_.get(); }
  const Client& client() const { return client_; }
  Time deadline() const { return deadline_; }

 private:
  enum class Progress : std::uint8_t { kDone, kWait, kBroken };
  Progress answer_queries(Handler& handler, std::span<char> room);
  void append(std::string_view answer);
  Progress flush();
  Progress read();

  Fd fd_;
  Client client_;
  TcpPatience patience_;
  Time deadline_;
  TcpFraming framing_;
  std::vector<char> answers_;           // that are not sent yet
  std::size_t sent_ = 0;                // of them
  std::unique_ptr<AnswerStream> rest_;  // of an answer of several messages
  unsigned awaited_ = 0;                // answers that were promised
  bool ended_ = false;                  // nothing more comes
};

}  // namespace weft::dns
