// forward_plugin.h: asks other servers for the names below one zone.
#pragma once

#include "dns/inquiries.h"
#include "dns/plugin.h"

namespace weft::dns {

class ForwardPlugin : public Plugin {
 public:
  /// `mark` is a bit of Exchange::passed that no other plugin of the block has. `group` has been
  /// added to `inquiries`, which must outlive the plugin, as `own` must.
  ForwardPlugin(Inquiries& inquiries, std::unique_ptr<UpstreamGroup> group, const OwnPorts& own,
                std::uint32_t mark, bool loadbalance)
      : inquiries_(inquiries),
        group_(std::move(group)),
        own_(own),
        mark_(mark),
        loadbalance_(loadbalance) {}

  Step serve(Exchange& exchange) override;
  std::string_view source() const override { return "forward"; }

  /// Whether names like this one are asked for here.
  bool serves(const LookupName& name) const;
  /// Asks without anybody waiting: what comes goes to the group's keeper.
  void refresh(const Exchange& exchange);

 private:
  Step ask(Exchange& exchange);
  Step write(Exchange& exchange);
  bool is_answer_to(const Exchange& exchange) const;

  Inquiries& inquiries_;
  std::unique_ptr<UpstreamGroup> group_;
  const OwnPorts& own_;
  const std::uint32_t mark_;
  const bool loadbalance_;
};

}  // namespace weft::dns
