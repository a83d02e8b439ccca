// The plugin `template`: CLASS TYPE [ZONES...] and a block.
#include "base/json.h"
#include "base/text.h"
#include "dns/option_reading.h"

namespace weft::dns {
namespace {

Status take_question(const CorefileLine& plugin, TemplateOptions& options) {
  RETURN_IF_ERROR(expect_words(plugin, 2, kAnyNumber));
  const std::string record_class = lower(plugin.words[0]);
  if (record_class != "in" && record_class != "any")
    return plugin.fault("template: names of class " + shown(plugin.words[0]) + " are not served",
                        "use IN or ANY");
  const auto type = parse_record_type(plugin.words[1]);
  if (!type) return plugin.fault("template: there is no record type " + shown(plugin.words[1]));
  options.type = *type;
  ASSIGN_OR_RETURN(options.zones, zones_in(plugin, 2));
  return {};
}

Status take_patterns(const CorefileLine& line, TemplateOptions& options) {
  for (const std::string& word : line.words) {
    auto pattern = Pattern::parse(word);
    if (!pattern) return line.fault("template: " + pattern.error().what);
    options.matches.push_back(*std::move(pattern));
  }
  return {};
}

Status take_texts(const CorefileLine& line, std::vector<TemplateText>& texts) {
  for (const std::string& word : line.words) {
    auto text = TemplateText::parse(word);
    if (!text) return line.fault("template: " + text.error().what, text.error().next);
    texts.push_back(*std::move(text));
  }
  return {};
}

Status take_rcode(const CorefileLine& line, TemplateOptions& options) {
  const auto rcode = parse_rcode(line.words[0]);
  if (!rcode) return line.fault("template: there is no rcode " + shown(line.words[0]));
  options.rcode = *rcode;
  return {};
}

Status take_reason(const CorefileLine& line, TemplateOptions& options) {
  constexpr unsigned kMost = 0xffff;
  ASSIGN_OR_RETURN(const unsigned error, number_in(line, line.words[0], 0, kMost));
  options.reason = {.error = static_cast<ExtendedError>(error),
                    .text = line.words.size() > 1 ? line.words[1] : ""};
  return {};
}

}  // namespace

Result<TemplateOptions> read_template(const CorefileLine& plugin) {
  TemplateOptions options;
  RETURN_IF_ERROR(take_question(plugin, options));
  const auto texts = [](std::vector<TemplateText>& target) {
    return [&target](const CorefileLine& line) { return take_texts(line, target); };
  };
  RETURN_IF_ERROR(read_options(
      plugin,
      {{"match", 1, kAnyNumber,
        [&](const CorefileLine& line) { return take_patterns(line, options); }},
       {"answer", 1, kAnyNumber, texts(options.answers)},
       {"additional", 1, kAnyNumber, texts(options.additionals)},
       {"authority", 1, kAnyNumber, texts(options.authorities)},
       {"rcode", 1, 1, [&](const CorefileLine& line) { return take_rcode(line, options); }},
       {"ederror", 1, 2, [&](const CorefileLine& line) { return take_reason(line, options); }},
       {"fallthrough", 0, kAnyNumber, [&](const CorefileLine& line) -> Status {
          ASSIGN_OR_RETURN(options.fallthrough, fallthrough_in(line));
          return {};
        }}}));
  return options;
}

}  // namespace weft::dns
