#include "store/etcd_watch.h"

#include <algorithm>
#include <cerrno>

#include "base/loop.h"

namespace weft {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

EtcdWatch::EtcdWatch(EtcdClient& client, EtcdLayout layout, LeaseStore::Changed changed)
    : client_(client),
      layout_(std::move(layout)),
      changed_(std::move(changed)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void EtcdWatch::run(const std::stop_token& stop) {
  constexpr milliseconds kLongestPause(5000);
  unsigned failures = 0;
  while (!stop.stop_requested()) {
    const auto begun = Clock::now();
    Status status = complete_ ? Status{} : read_everything(stop);
    if (status) status = follow(stop);
    if (stop.stop_requested()) return;
    // Silence is no trouble on a stream that was accepted: it is opened anew at once, like one
    // that was broken off.
    if (!status && status.error().number == ETIMEDOUT && followed_) continue;
    if (!status && status.error().number == ECANCELED) continue;
    // A stream that breaks as soon as it is open must not make a hot loop.
    failures = Clock::now() - begun >= kLongestPause ? 1 : failures + 1;
    report(std::move(status));
    pause(stop, std::min(backoff(failures, milliseconds(0)), kLongestPause));
  }
}

Status EtcdWatch::read_everything(const std::stop_token& stop) {
  ASSIGN_OR_RETURN(EtcdLeases leases, read_etcd_leases(client_, layout_, stop));
  table_.assign(std::move(leases.entries));
  revision_ = leases.revision;
  complete_ = true;
  if (changed_) changed_();
  return {};
}

// Always returns why it ended.
Status EtcdWatch::follow(const std::stop_token& stop) {
  EtcdWatchDecoder decoder;
  Status trouble;
  followed_ = false;
  const auto receive = [&](std::string_view bytes) {
    const auto messages = decoder.feed(bytes);
    trouble = messages ? apply(*messages) : Failure(messages.error());
    if (!messages) complete_ = false;
    return trouble.has_value();
  };
  Status ended = stream_.run(stop, [&](const std::stop_token& this_stream) {
    return client_.watch(layout_.all_subnets(), revision_ + 1, this_stream, receive);
  });
  if (!trouble)
    return because("following the leases in etcd at " + client_.endpoints(),
                   std::move(trouble).error());
  if (!ended) return ended;
  return fail("etcd at " + client_.endpoints() + " has ended the watch");
}

Status EtcdWatch::apply(const std::vector<EtcdWatchMessage>& messages) {
  bool news = false;
  for (const auto& message : messages) {
    RETURN_IF_ERROR(check(message));
    if (message.created) {
      followed_ = true;
      report({});
    }
    news = news || !message.events.empty();
  }
  edit(messages);
  if (news && changed_) changed_();
  return {};
}

// Refuses a message after which the stream is of no use.
Status EtcdWatch::check(const EtcdWatchMessage& message) {
  if (message.compact_revision != 0) {
    complete_ = false;
    return fail("revision " + std::to_string(revision_ + 1) + " has been compacted away");
  }
  if (message.canceled) {
    // A token that has run out is refused here without being named; reading logs in anew.
    complete_ = false;
    return fail("etcd has canceled the watch" +
                (message.cancel_reason.empty() ? "" : ": " + message.cancel_reason));
  }
  if (message.created && message.revision < revision_) {
    complete_ = false;
    return fail("etcd is at revision " + std::to_string(message.revision) + " and was at " +
                std::to_string(revision_) + " before");
  }
  return {};
}

// The revision to go on from is that of the last event, not that of the message's header: when
// etcd catches up it sends a thousand revisions a message, and the header has the newest of
// the store already. Only a message without events says that nothing is missing up to it.
void EtcdWatch::edit(const std::vector<EtcdWatchMessage>& messages) {
  table_.edit([&](LeaseEntries& entries) {
    for (const auto& message : messages) {
      for (const auto& event : message.events) {
        revision_ = std::max(revision_, event.kv.mod_revision);
        const auto name = layout_.name_of(event.kv.key);
        if (!name) continue;
        if (event.removed)
          entries.erase(*name);
        else
          entries.insert_or_assign(*name, parse_etcd_lease(*name, event.kv));
      }
      if (message.events.empty() && !message.created)
        revision_ = std::max(revision_, message.revision);
    }
  });
}

void EtcdWatch::report(Status health) {
  if (table_.health().set(std::move(health)) && changed_) changed_();
}

}  // namespace weft
