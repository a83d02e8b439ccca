#include "dns/template_plugin.h"

#include "dns/text_record.h"

namespace weft::dns {
namespace {

const Name* zone_of(const LookupName& name, const std::vector<Name>& zones) {
  const Name* longest = nullptr;
  for (const Name& zone : zones)
    if (name.labels_above(zone.wire()) &&
        (longest == nullptr || zone.wire().size() > longest->wire().size()))
      longest = &zone;
  return longest;
}

}  // namespace

Step TemplatePlugin::serve(Exchange& exchange) {
  const bool is_type = options_.type == RecordType::kAny || options_.type == exchange.query.type;
  const Name* zone = is_type ? zone_of(exchange.name, options_.zones) : nullptr;
  if (zone == nullptr) return Step::kNext;
  if (const auto values = match(exchange, *zone)) return write(exchange, *values);
  if (is_below(exchange.name, options_.fallthrough)) return Step::kNext;
  exchange.fail(Rcode::kServerFailure, ExtendedError::kNotAuthoritative,
                "the template's patterns do not match the name");
  return Step::kReply;
}

std::optional<TemplateValues> TemplatePlugin::match(const Exchange& exchange,
                                                    const Name& zone) const {
  const auto name = Name::from_wire(exchange.name.wire());
  if (!name) return std::nullopt;
  TemplateValues values{.name = name->to_string(),
                        .zone = zone.to_string(),
                        .type = to_string(exchange.query.type),
                        .remote = exchange.client.address.to_string()};
  if (options_.matches.empty()) {
    values.groups = {values.name};
    return values;
  }
  for (const Pattern& pattern : options_.matches)
    if (auto groups = pattern.match(values.name)) {
      values.groups = *std::move(groups);
      values.group_names = pattern.group_names();
      return values;
    }
  return std::nullopt;
}

Step TemplatePlugin::write(Exchange& exchange, const TemplateValues& values) {
  alias_target_.clear();
  const bool is_whole =
      write_section(exchange, Section::kAnswer, options_.answers, values) &&
      write_section(exchange, Section::kAuthority, options_.authorities, values) &&
      write_section(exchange, Section::kAdditional, options_.additionals, values);
  if (!is_whole) {
    exchange.fail(Rcode::kServerFailure, ExtendedError::kOther,
                  "what the template says of this name is no record");
    return Step::kReply;
  }
  exchange.rcode = options_.rcode;
  exchange.authoritative = options_.rcode != Rcode::kServerFailure;
  if (options_.reason) exchange.writer.explain(options_.reason->error, options_.reason->text);
  if (exchange.query.type != RecordType::kCname) exchange.alias_target = alias_target_;
  return Step::kReply;
}

bool TemplatePlugin::write_section(Exchange& exchange, Section section,
                                   const std::vector<TemplateText>& texts,
                                   const TemplateValues& values) {
  for (const TemplateText& text : texts) {
    const auto record = TextRecord::parse(text.expand(values));
    if (!record) return false;
    // In the case as asked, where it is the question's name.
    const std::string_view owner = equal_in_any_case(record->owner.wire(), exchange.query.name)
                                       ? exchange.query.name
                                       : record->owner.wire();
    const bool is_written =
        exchange.writer.record(section, owner, record->type, record->ttl,
                               [&](RecordData& data) { data.bytes(record->data); });
    if (!is_written && section == Section::kAnswer) exchange.writer.mark_truncated();
    const bool is_alias = section == Section::kAnswer && record->type == RecordType::kCname;
    alias_target_ = is_alias ? record->data : section == Section::kAnswer ? "" : alias_target_;
  }
  return true;
}

}  // namespace weft::dns
