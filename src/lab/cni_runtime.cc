#include "lab/cni_runtime.h"

#include "base/files.h"
#include "base/process.h"
#include "base/text.h"

namespace weft::lab {
namespace {

std::string member_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string cache_file(const CniRuntime& runtime, const Json& list,
                       const CniAttachment& attachment) {
  return runtime.cache + "/results/" + member_text(list, "name") + "-" + attachment.container +
         "-" + attachment.ifname;
}

// The plugin's own words out of its error object, or all that it said.
std::string complaint(const Outcome& outcome) {
  const auto error = parse_json(outcome.output);
  if (!error || !error->is_object())
    return std::string(trim(outcome.output + " " + outcome.errors));
  const std::string details = member_text(*error, "details");
  return member_text(*error, "msg") + (details.empty() ? "" : ": " + details);
}

Result<std::string> call(const CniRuntime& runtime, const char* verb, const Json& config,
                         const CniAttachment& attachment) {
  const std::string type = member_text(config, "type");
  const std::string program = runtime.plugins + "/" + type;
  ASSIGN_OR_RETURN(
      const Outcome outcome,
      run({.argv = {program},
           .input = config.dump(),
           .environment = std::vector<std::string>{
               std::string("CNI_COMMAND=") + verb, "CNI_CONTAINERID=" + attachment.container,
               "CNI_NETNS=" + attachment.netns, "CNI_IFNAME=" + attachment.ifname,
               "CNI_ARGS=" + attachment.arguments, "CNI_PATH=" + runtime.plugins,
               "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}}));
  if (outcome.exit_code != 0)
    return fail("CNI " + std::string(verb) + " of plugin " + type + ": " + complaint(outcome));
  return outcome.output;
}

// A plugin's configuration out of the list (spec section 4, "Deriving execution configuration").
Json configuration(const Json& list, const Json& plugin, const Json& previous) {
  Json config = plugin;
  config["name"] = member_text(list, "name");
  config["cniVersion"] = member_text(list, "cniVersion");
  if (!previous.is_null()) config["prevResult"] = previous;
  return config;
}

Status write_cache(const CniRuntime& runtime, const Json& list, const CniAttachment& attachment,
                   const Json& result) {
  const Json entry = {{"kind", "cniCacheV1"},        {"containerId", attachment.container},
                      {"ifName", attachment.ifname}, {"networkName", member_text(list, "name")},
                      {"netns", attachment.netns},   {"result", result}};
  RETURN_IF_ERROR(make_directories(runtime.cache + "/results", 0700));
  return write_file_atomically(cache_file(runtime, list, attachment), entry.dump(), 0600);
}

Json cached_result(const CniRuntime& runtime, const Json& list, const CniAttachment& attachment) {
  const auto text = read_file(cache_file(runtime, list, attachment));
  const auto entry = text ? parse_json(*text) : Failure(text.error());
  if (!entry || !entry->is_object() || !entry->contains("result")) return nullptr;
  return (*entry)["result"];
}

}  // namespace

Result<Json> CniRuntime::add(const Json& list, const CniAttachment& attachment) const {
  Json result;
  for (const auto& plugin : list["plugins"]) {
    ASSIGN_OR_RETURN(const std::string output,
                     call(*this, "ADD", configuration(list, plugin, result), attachment));
    auto parsed = parse_json(output);
    if (!parsed)
      return because("the result of CNI plugin " + member_text(plugin, "type"), parsed.error());
    result = *std::move(parsed);
  }
  RETURN_IF_ERROR(write_cache(*this, list, attachment, result));
  return result;
}

Status CniRuntime::del(const Json& list, const CniAttachment& attachment) const {
  const Json result = cached_result(*this, list, attachment);
  const Json& chain = list["plugins"];
  for (auto plugin = chain.rbegin(); plugin != chain.rend(); ++plugin)
    if (auto done = call(*this, "DEL", configuration(list, *plugin, result), attachment); !done)
      return Failure(std::move(done).error());
  return remove_file(cache_file(*this, list, attachment));
}

}  // namespace weft::lab
