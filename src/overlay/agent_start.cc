#include "overlay/agent_start.h"

#include <algorithm>
#include <string>

#include "base/log.h"
#include "base/loop.h"

namespace weft::overlay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongest(1000);

}  // namespace

Result<std::optional<NetConf>> wait_for_config(LeaseSource& store, AgentVoice& voice,
                                               const std::stop_token& stop) {
  RateLimit quiet(std::chrono::seconds(60));
  for (unsigned tries = 1;; ++tries) {
    const auto text = store.network_config();
    if (text && *text) {
      ASSIGN_OR_RETURN(NetConf conf, NetConf::parse(**text));
      return std::optional(std::move(conf));
    }
    const std::string reason =
        text ? "no network configuration in " + store.config_place() + "; write net-conf.json there"
             : store.config_place() + ": " + text.error().text();
    voice.set(text ? AgentState::kWaitingForConfig : AgentState::kStoreUnreachable, reason);
    if (quiet.allows(reason)) spdlog::warn("waiting: {}", reason);
    // Not longer than a second, as flannel: somebody is about to write it.
    if (!pause(stop, std::min(backoff(tries, kLongest), kLongest))) return std::nullopt;
  }
}

std::shared_ptr<const Node> wait_for_own_node(KubeStore& store, AgentVoice& voice,
                                              const std::stop_token& stop) {
  RateLimit quiet(std::chrono::seconds(60));
  for (unsigned tries = 1; !stop.stop_requested(); ++tries) {
    const auto seen = store.news();
    const Status joined = store.join(stop);
    if (joined)
      if (auto node = store.own_node()) return node;
    Status trouble = joined ? store.health() : joined;
    if (store.listed() && trouble)
      trouble = fail("there is no Node " + store.node_name() + " in the cluster",
                     "the kubelet makes it; check NODE_NAME");
    // The first list is on its way; what keeps it comes as news.
    const bool reading = joined && tries == 1;
    if (!trouble && !reading) {
      const std::string reason = trouble.error().text();
      voice.set(AgentState::kStoreUnreachable, reason);
      if (quiet.allows(trouble.error().what)) spdlog::warn("waiting: {}", reason);
    }
    if (joined)
      store.wait_for_news(seen, stop, kLongest);
    else
      pause(stop, std::min(backoff(tries, kLongest), kLongest));
  }
  return nullptr;
}

}  // namespace weft::overlay
