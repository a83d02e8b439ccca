#include "cluster/service_cidr.h"

#include <utility>

#include "base/protobuf.h"
#include "base/text.h"
#include "cluster/kube_fields.h"
#include "cluster/object_meta.h"
#include "cluster/object_texts.h"

namespace weft {
namespace {

ServiceCidr make(std::string name, const std::vector<std::string>& texts) {
  ServiceCidr made{.name = std::move(name)};
  Faults faults(made.faults);
  for (const auto& text : texts) {
    const auto range = Prefix::parse(text);
    if (!range)
      faults.add("spec.cidrs", shown(text) + " is no range of addresses");
    else if (range->is_default())
      faults.add("spec.cidrs", shown(text) + " cannot all be addresses of services");
    else
      made.ranges.push_back(*range);
  }
  return made;
}

Status read_spec(std::string_view message, std::vector<std::string>& texts) {
  return read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::only::kField) texts.push_back(field.text());
    return {};
  });
}

}  // namespace

Result<ServiceCidr> ServiceCidr::parse(std::string_view message) {
  ObjectMeta meta;
  std::vector<std::string> texts;
  Status read = read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::object::kMetadata) {
      ASSIGN_OR_RETURN(meta, read_object_meta(field.bytes, {}));
    }
    if (field.number == kube::service_cidr::kSpec) return read_spec(field.bytes, texts);
    return {};
  });
  if (!read) return because("a ServiceCIDR that cannot be read", std::move(read).error());
  if (meta.name.empty()) return fail("a ServiceCIDR without a name");
  return make(std::move(meta.name), texts);
}

Result<ServiceCidr> ServiceCidr::read(const Json& manifest) {
  ASSIGN_OR_RETURN(ObjectMeta meta, read_manifest_meta(manifest, "a ServiceCIDR", {}));
  std::vector<std::string> texts;
  ObjectReader reader(manifest, "ServiceCIDR " + meta.name);
  if (const Json* spec = reader.object("spec")) {
    ObjectReader fields(*spec, "ServiceCIDR " + meta.name + ": spec");
    fields.read("cidrs", texts);
    RETURN_IF_ERROR(fields.finish());
  }
  RETURN_IF_ERROR(reader.finish());
  return make(std::move(meta.name), texts);
}

}  // namespace weft
