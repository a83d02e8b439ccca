// handler.h: what answers queries, whatever brings them.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "dns/client.h"

namespace weft::dns {

/// What follows a message that is the first of several: a zone transfer.
class AnswerStream {
 public:
  virtual ~AnswerStream() = default;
  /// Writes the next message into `room` and returns its size; 0: there is none. REQUIRES room for
  /// kLargestMessage bytes.
  virtual std::size_t next(std::span<char> room) = 0;
};

/// Of one worker thread alone, so that it needs no lock.
class Handler {
 public:
  virtual ~Handler() = default;

  /// Instead of a size: the answer is not there yet and will be given to Replies.
  static constexpr std::size_t kLater = static_cast<std::size_t>(-1);
  /// Writes the answer to a message into `room` and returns its size, or kLater; 0 when there
  /// shall be none. REQUIRES room for kUdpSize bytes, over TCP for kLargestMessage.
  virtual std::size_t handle(std::string_view message, const Client& client,
                             std::span<char> room) = 0;

  /// What follows the answer that handle() has just written for a client of TCP; mostly nullptr.
  virtual std::unique_ptr<AnswerStream> take_rest() { return nullptr; }

  /// A descriptor that can be read when work() has something to do; -1: it never has.
  virtual int work_descriptor() const { return -1; }
  /// Does what can be done without waiting, answers to be given to Replies among it.
  virtual void work() {}
  /// Whether clients wait for answers that handle() has promised.
  virtual bool owes_answers() const { return false; }
};

/// Where a handler's later answers go. Of the same thread, and not to be called by handle().
class Replies {
 public:
  virtual ~Replies() = default;
  /// `client` is what handle() was given with the query. Nothing happens when it has gone.
  virtual void send(const Client& client, std::string_view message) = 0;
};

}  // namespace weft::dns
