#include "cni/plugins/chain_config.h"

#include <algorithm>

namespace weft::cni {
namespace {

bool declares(const Json& member, const std::string& capability) {
  const Json* capabilities = find_member(member, "capabilities");
  if (capabilities == nullptr || !capabilities->is_object()) return false;
  const auto found = capabilities->find(capability);
  return found != capabilities->end() && *found == true;
}

Json runtime_config_for(const Call& call, const Json& member) {
  Json chosen = Json::object();
  const Json* given = find_member(call.config, "runtimeConfig");
  if (given == nullptr || !given->is_object()) return chosen;
  for (const auto& [capability, value] : given->items())
    if (declares(member, capability)) chosen[capability] = value;
  return chosen;
}

}  // namespace

std::string type_of_member(const Json& member) {
  std::string type;
  if (member.is_object()) ObjectReader(member, "plugin").read("type", type);
  return type;
}

CniResult<std::vector<Json>> chain_members(const Json& config) {
  ObjectReader reader(config, "list of plugins");
  const Json* list = reader.array("plugins");
  if (const auto read = reader.finish(); !read)
    return refuse(Code::kInvalidNetworkConfig, read.error().what);
  if (list == nullptr || list->empty())
    return refuse(Code::kInvalidNetworkConfig, "the list \"plugins\" is missing or empty");
  for (const auto& member : *list) {
    const std::string type = type_of_member(member);
    if (type.empty())
      return refuse(Code::kInvalidNetworkConfig, "a plugin of the list has no type");
    if (type == kChainType)
      return refuse(Code::kInvalidNetworkConfig,
                    std::string(kChainType) + " cannot be a member of itself");
  }
  return std::vector<Json>(list->begin(), list->end());
}

std::string member_config(const Call& call, const Json& member, const Json* previous) {
  Json config = member;
  config["name"] = call.network;
  config["cniVersion"] = call.version;
  if (const Json runtime = runtime_config_for(call, member); !runtime.empty())
    config["runtimeConfig"] = runtime;
  if (previous != nullptr) config["prevResult"] = *previous;
  for (const char* key : {"cni.dev/valid-attachments", "cni.dev/attachments"})
    if (const Json* attachments = find_member(call.config, key)) config[key] = *attachments;
  return to_text(config);
}

CniResult<Json> as_chain(const Json& list, Plugins ours) {
  if (const Json* plugins = find_member(list, "plugins");
      plugins != nullptr && plugins->is_array() && plugins->size() == 1)
    return list;
  ASSIGN_OR_RETURN(const std::vector<Json> members, chain_members(list));
  if (!std::all_of(members.begin(), members.end(), [&](const Json& member) {
        return find_plugin(ours, type_of_member(member)) != nullptr;
      }))
    return list;
  Json chain = Json::object();
  chain["type"] = kChainType;
  for (const Json& member : members)
    if (const Json* capabilities = find_member(member, "capabilities");
        capabilities != nullptr && capabilities->is_object())
      for (const auto& [capability, value] : capabilities->items())
        if (value == true) chain["capabilities"][capability] = true;
  chain["plugins"] = members;
  Json result = list;
  result["plugins"] = Json::array({chain});
  return result;
}

}  // namespace weft::cni
