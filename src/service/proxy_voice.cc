#include "service/proxy_voice.h"

#include <utility>

#include "base/log.h"

namespace weft::service {
namespace {

// Of a node that has so much to say, the rest is in its log.
constexpr std::size_t kMostWaiting = 32;

}  // namespace

ProxyVoice::ProxyVoice(const std::optional<KubeAccess>& cluster, std::string node_name)
    : client_(cluster ? std::optional<KubeClient>(*cluster) : std::nullopt),
      node_name_(std::move(node_name)),
      loop_([this] { return speak(); }) {
  if (client_) loop_.start();
}

ProxyVoice::~ProxyVoice() {
  over_.request_stop();
}

void ProxyVoice::say_starting() {
  say({.name = node_name_, .uid = node_name_, .reason = "Starting"});
}

void ProxyVoice::warn_of_node(const std::string& reason, const std::string& message) {
  say({.name = node_name_,
       .uid = node_name_,
       .warning = true,
       .reason = reason,
       .message = message});
}

void ProxyVoice::warn_of_service(const ServiceName& service, const std::string& reason,
                                 const std::string& message) {
  say({.kind = "Service",
       .ns = service.ns,
       .name = service.name,
       .uid = service.to_string(),
       .warning = true,
       .reason = reason,
       .message = "node " + node_name_ + ": " + message});
}

void ProxyVoice::say(KubeEvent event) {
  if (!client_) return;
  event.component = "kube-proxy";
  event.host = node_name_;
  waiting_.with([&](auto& waiting) {
    if (waiting.size() < kMostWaiting) waiting.push_back(std::move(event));
  });
  loop_.nudge();
}

Rest ProxyVoice::speak() {
  const auto events =
      waiting_.with([](auto& waiting) { return std::exchange(waiting, std::vector<KubeEvent>()); });
  for (const KubeEvent& event : events)
    if (const Status said = post_event(*client_, event, unix_now(), over_.get_token()); !said)
      spdlog::debug("event {}: {}", event.reason, said.error().text());
  return {std::chrono::hours(1)};
}

}  // namespace weft::service
