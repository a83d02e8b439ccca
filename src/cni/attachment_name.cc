#include "cni/attachment_name.h"

#include <algorithm>

#include "base/sha2.h"

namespace weft::cni {
namespace {

constexpr std::size_t kHashDigits = 16;
constexpr std::size_t kLongestChain = 28;
constexpr std::size_t kLongestComment = 255;

std::string comment_start(const std::string& network, std::string_view mark) {
  return std::string(mark) + "name: \"" + network + "\" id: \"";
}

}  // namespace

std::string network_hash(const std::string& network) {
  return sha512_hex(network, kHashDigits);
}

std::string attachment_hash(const AttachmentName& attachment) {
  return network_hash(attachment.network) + "-" +
         sha512_hex(attachment.ifname + ":" + attachment.container_id, kHashDigits);
}

StaleOwners::StaleOwners(const std::string& network, const std::vector<Attachment>& valid)
    : prefix_(network_hash(network) + "-") {
  for (const auto& attachment : valid)
    kept_.insert(attachment_hash({.network = network,
                                  .container_id = attachment.container_id,
                                  .ifname = attachment.ifname}));
}

bool StaleOwners::contains(const std::string& owner) const {
  return owner.starts_with(prefix_) && !kept_.contains(owner);
}

std::string container_chain(const AttachmentName& attachment, std::string_view mark) {
  const std::string start = "CNI-" + std::string(mark);
  return start +
         sha512_hex(attachment.network + attachment.container_id, kLongestChain - start.size());
}

std::string container_comment(const AttachmentName& attachment, std::string_view mark) {
  const std::string comment =
      comment_start(attachment.network, mark) + attachment.container_id + "\"";
  return comment.size() <= kLongestComment ? comment
                                           : comment.substr(0, kLongestComment - 2) + "...";
}

std::set<std::string> stale_chains(const std::vector<PresentRule>& rules,
                                   const std::string& network, const std::vector<Attachment>& valid,
                                   std::string_view mark) {
  // The comment as it stands among the words: without the quotes at its two ends.
  std::string start = iptables::quoted(comment_start(network, mark));
  start.pop_back();
  std::set<std::string> stale;
  for (const auto& rule : rules) {
    const std::size_t at = rule.words.find("--comment " + start);
    if (at == std::string::npos) continue;
    const std::size_t id = at + std::string_view("--comment ").size() + start.size();
    const std::size_t end = rule.words.find('\\', id);
    const std::string_view chain = iptables::jump_of(rule.words);
    if (end == std::string::npos || !chain.starts_with("CNI-")) continue;
    if (!is_valid(valid, rule.words.substr(id, end - id), {})) stale.emplace(chain);
  }
  return stale;
}

}  // namespace weft::cni
