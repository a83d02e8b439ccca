// header_plugin.h: sets and clears flags of a block's answers.
#pragma once

#include "dns/plugin.h"

namespace weft::dns {

class HeaderPlugin : public Plugin {
 public:
  explicit HeaderPlugin(const FlagChanges& flags) : flags_(flags) {}
  Step serve(Exchange& exchange) override {
    exchange.flags = flags_;
    return Step::kNext;
  }

 private:
  const FlagChanges flags_;
};

}  // namespace weft::dns
