// template_plugin.h: answers that follow from the question's name.
#pragma once

#include <optional>
#include <string>

#include "dns/plugin.h"
#include "dns/plugin_options.h"

namespace weft::dns {

class TemplatePlugin : public Plugin {
 public:
  /// `options.zones` are those of the block where the plugin names none.
  explicit TemplatePlugin(TemplateOptions options) : options_(std::move(options)) {}
  Step serve(Exchange& exchange) override;
  std::string_view source() const override { return "template"; }

 private:
  std::optional<TemplateValues> match(const Exchange& exchange, const Name& zone) const;
  Step write(Exchange& exchange, const TemplateValues& values);
  bool write_section(Exchange& exchange, Section section, const std::vector<TemplateText>& texts,
                     const TemplateValues& values);

  const TemplateOptions options_;
  std::string alias_target_;  // of the answer that is being written, in the form of its wire
};

}  // namespace weft::dns
