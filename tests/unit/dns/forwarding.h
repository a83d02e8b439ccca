// forwarding.h: a responder that forwards to scripted servers on the loopback device.
#pragma once

#include <poll.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dns/cache_plugin.h"
#include "dns/forward_plugin.h"
#include "dns/responder.h"
#include "support/dns_upstream.h"
#include "support/must.h"
#include "unit/dns/packets.h"

namespace weft::dns::test {

// The query's answer: `address`, if there is one, or another rcode.
inline std::string answer_to(std::string_view asked, std::string_view address,
                             Rcode rcode = Rcode::kNoError) {
  const ReceivedQuery received = read_query(asked);
  std::array<char, kLargestMessage> room;
  MessageWriter writer(room, room.size());
  writer.begin(received.query);
  if (rcode == Rcode::kNoError && !address.empty())
    writer.record(Section::kAnswer, received.query.name, RecordType::kA, 60,
                  [&](RecordData& data) { data.bytes(IpAddress::parse(address)->bytes()); });
  return {room.data(), writer.finish(reply_header(received.query, rcode))};
}

inline weft::test::DnsUpstream::Answer always(std::string address) {
  return [address = std::move(address)](std::string_view asked, bool) {
    return answer_to(asked, address);
  };
}
inline weft::test::DnsUpstream::Answer code(Rcode rcode) {
  return [rcode](std::string_view asked, bool) { return answer_to(asked, "0.0.0.0", rcode); };
}
inline std::optional<std::string> silence(std::string_view, bool) {
  return std::nullopt;
}

// What clients are sent, by their ports.
struct Outbox : Replies {
  void send(const Client& client, std::string_view message) override {
    sent.emplace_back(client.port, std::string(message));
  }
  std::vector<std::pair<std::uint16_t, std::string>> sent;
};

class Forwarding : public ::testing::Test {
 protected:
  Forwarding() { options_.policy = ForwardOptions::Policy::kSequential; }

  // A responder with one block: a plugin for each of the options.
  void start_with(const std::vector<Upstream>& upstreams, const Inquiries::Limits& limits = {},
                  const std::shared_ptr<const TlsContext>& tls = nullptr,
                  bool watch_loops = false) {
    auto inquiries = weft::test::must(Inquiries::open(limits, own_));
    inquiries_ = inquiries.get();
    ServerBlock block;
    block.zones = {Name()};
    block.rewrites = rewrites_;
    for (auto& each : front_) block.plugins.push_back(std::move(each));
    front_.clear();
    auto forward = plugin(options_, upstreams, 1, tls, watch_loops);
    if (cache_ != nullptr)
      block.plugins.push_back(std::make_unique<CachePlugin>(
          cache_, std::vector<Name>{Name()}, std::vector<ForwardPlugin*>{forward.get()}, false));
    block.plugins.push_back(std::move(forward));
    if (!second_.empty()) block.plugins.push_back(plugin({}, second_, 2, nullptr, false));
    std::vector<ServerBlock> blocks;
    blocks.push_back(std::move(block));
    responder_ = std::make_unique<Responder>(
        std::move(blocks), Responder::Options{.most_pending = limits.waiting},
        Responder::Later{.arrivals = std::move(inquiries), .replies = &outbox_});
  }
  void start(const std::vector<const weft::test::DnsUpstream*>& upstreams,
             const Inquiries::Limits& limits = {}) {
    std::vector<Upstream> list;
    for (const weft::test::DnsUpstream* each : upstreams)
      list.push_back({.address = each->address()});
    start_with(list, limits);
  }

  std::unique_ptr<ForwardPlugin> plugin(const ForwardOptions& options,
                                        const std::vector<Upstream>& upstreams, std::uint32_t mark,
                                        const std::shared_ptr<const TlsContext>& tls,
                                        bool watch_loops) {
    auto group = std::make_unique<UpstreamGroup>();
    group->options = std::make_shared<const ForwardOptions>(options);
    group->watch_loops = watch_loops;
    group->keeper = cache_.get();
    group->loops = std::make_shared<LoopMarks>(options.from, upstreams.size(), 42);
    inquiries_->add(*group, upstreams, tls);
    return std::make_unique<ForwardPlugin>(*inquiries_, std::move(group), own_, mark, false);
  }

  std::size_t send(const std::string& message, std::uint16_t port, bool over_tcp = false) {
    const Client client{
        .address = *IpAddress::parse("10.4.0.1"), .port = port, .over_tcp = over_tcp};
    return responder_->handle(message, client, room_);
  }
  // Works until so many answers were sent; false after a while.
  bool work_until(std::size_t answers, std::chrono::milliseconds limit = std::chrono::seconds(15)) {
    return work_until([&] { return outbox_.sent.size() >= answers; }, limit);
  }
  bool work_until(const std::function<bool()>& is_so,
                  std::chrono::milliseconds limit = std::chrono::seconds(15)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      pollfd wait{.fd = responder_->work_descriptor(), .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, 20) > 0) responder_->work();
    }
    return true;
  }
  // One query and its answer.
  std::string ask(const char* name = "www.example", bool over_tcp = false) {
    outbox_.sent.clear();
    const std::string asked = edns_query(name, RecordType::kA);
    const std::size_t size = send(asked, 5353, over_tcp);
    if (size != Handler::kLater) return last_ = {room_.data(), size}, text_of(last_);
    if (!work_until(1)) return "no answer";
    return text_of(last_ = outbox_.sent[0].second);
  }

  ForwardOptions options_;
  std::vector<Upstream> second_;
  std::vector<RewriteRule> rewrites_;
  std::vector<std::unique_ptr<Plugin>> front_;  // asked before all others
  std::shared_ptr<ReplyCache> cache_;           // nullptr: none
  OwnPorts own_;
  Outbox outbox_;
  Inquiries* inquiries_ = nullptr;
  std::unique_ptr<Responder> responder_;
  std::array<char, kLargestMessage> room_;
  std::string last_;
};

}  // namespace weft::dns::test
