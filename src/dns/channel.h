// channel.h: the sockets through which upstreams are asked, as those who use them see them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weft::dns {

/// Whose question it is. A place may be used again: the serial number is another one then.
struct Ticket {
  std::uint32_t place = 0;
  std::uint32_t serial = 0;
  bool operator==(const Ticket&) const = default;
};

class ChannelUser {
 public:
  virtual ~ChannelUser() = default;
  /// A message has come under the id of that question. False when it does not answer it: whoever
  /// sent it has guessed the id.
  virtual bool take_answer(Ticket ticket, std::string_view message) = 0;
  /// No answer can come any more through the channel that it was asked through.
  virtual void lose(Ticket ticket, const Error& why) = 0;
};

/// Its calls of the user may lead to calls of its own members, but not to its end.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual int fd() const = 0;
  /// Whether it is to be told when it can be written to.
  virtual bool connects() const { return false; }
  /// Does what can be done without waiting; `events` as from epoll.
  virtual void ready(std::uint32_t events, ChannelUser& user) = 0;
  /// No answer to it is wanted any more.
  virtual void forget(Ticket ticket) = 0;
};

/// The questions that are under way on one channel, by the ids of their messages: a few dozen.
class Outstanding {
 public:
  /// An id that no other question here has, made from a number at random.
  std::uint16_t add(Ticket ticket, std::uint16_t random) {
    while (find(random)) ++random;
    entries_.emplace_back(random, ticket);
    return random;
  }
  std::optional<Ticket> find(std::uint16_t id) const {
    for (const auto& [each, ticket] : entries_)
      if (each == id) return ticket;
    return std::nullopt;
  }
  void remove(Ticket ticket) {
    const auto is_it = [&](const auto& entry) { return entry.second == ticket; };
    entries_.erase(std::remove_if(entries_.begin(), entries_.end(), is_it), entries_.end());
  }
  std::size_t size() const { return entries_.size(); }

  /// Tells the user that all of them are lost.
  void lose_all(ChannelUser& user, const Error& why) {
    for (const auto& [id, ticket] : std::exchange(entries_, {})) user.lose(ticket, why);
  }

 private:
  std::vector<std::pair<std::uint16_t, Ticket>> entries_;
};

}  // namespace weft::dns
