// channel_set.h: all channels of one worker, waited for together.
#pragma once

#include <chrono>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dns/channel.h"
#include "dns/poller.h"

namespace weft::dns {

class ChannelSet {
 public:
  explicit ChannelSet(Poller poller) : poller_(std::move(poller)) {}

  Poller& poller() { return poller_; }
  int descriptor() const { return poller_.fd(); }

  /// From now on served for what it receives.
  template <class Kind>
  Result<Kind*> add(std::unique_ptr<Kind> channel) {
    RETURN_IF_ERROR(poller_.watch(channel->fd(), EPOLLIN | channel_events(*channel)));
    Kind* added = channel.get();
    channels_.insert_or_assign(channel->fd(), std::move(channel));
    return added;
  }
  /// It is served no more, and ends with bury(), when nobody can be inside of it.
  void retire(const Channel& channel) {
    const auto found = channels_.find(channel.fd());
    retired_.push_back(std::move(found->second));
    channels_.erase(found);
  }

  /// Ends those that were retired. Not within serve().
  void bury() { retired_.clear(); }

  /// Serves what has come without waiting.
  void serve(ChannelUser& user) {
    for (const epoll_event& event : poller_.wait(std::chrono::milliseconds(0)))
      if (const auto found = channels_.find(event.data.fd); found != channels_.end())
        found->second->ready(event.events, user);
  }

  std::size_t size() const { return channels_.size(); }

 private:
  // A connection that is being made can be written to when it stands.
  static std::uint32_t channel_events(const Channel& channel) {
    return channel.connects() ? EPOLLOUT : 0U;
  }

  Poller poller_;
  std::unordered_map<int, std::unique_ptr<Channel>> channels_;  // by descriptor
  std::vector<std::unique_ptr<Channel>> retired_;
};

}  // namespace weft::dns
