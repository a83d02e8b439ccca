// acl_plugin.h: who may ask what.
#pragma once

#include "dns/plugin.h"
#include "dns/plugin_options.h"

namespace weft::dns {

class AclPlugin : public Plugin {
 public:
  /// `options.zones` are those of the block where the plugin names none.
  explicit AclPlugin(AclOptions options) : options_(std::move(options)) {}
  Step serve(Exchange& exchange) override;
  std::string_view source() const override { return "acl"; }

 private:
  const AclOptions options_;
};

}  // namespace weft::dns
