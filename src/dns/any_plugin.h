// any_plugin.h: one small record instead of all that there is (RFC 8482).
#pragma once

#include "dns/plugin.h"

namespace weft::dns {

class AnyPlugin : public Plugin {
 public:
  std::string_view source() const override { return "any"; }
  Step serve(Exchange& exchange) override {
    if (exchange.query.type != RecordType::kAny) return Step::kNext;
    constexpr std::uint32_t kTtl = 8482;  // CoreDNS's
    exchange.writer.record(Section::kAnswer, exchange.name.wire(), RecordType::kHinfo, kTtl,
                           [](RecordData& data) {
                             data.text("ANY obsoleted");
                             data.text("See RFC 8482");
                           });
    return Step::kReply;
  }
};

}  // namespace weft::dns
