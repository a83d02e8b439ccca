#include "cni/dispatch.h"

#include <algorithm>

#include "kernel/netns.h"

namespace weft::cni {
namespace {

constexpr int kIndent = 4;

std::string printed(const Json& json) {
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string join(Versions versions, std::string_view separator, bool with_quotes) {
  std::string text;
  for (const auto version : versions) {
    if (!text.empty()) text += separator;
    text += with_quotes ? in_quotes(version) : std::string(version);
  }
  return text;
}

std::string about(const Plugin& plugin) {
  return "CNI " + std::string(plugin.name) +
         " plugin weft " WEFT_VERSION "\nCNI protocol versions supported: " +
         join(plugin.versions, ", ", false) + "\n";
}

std::string version_reply(const Plugin& plugin) {
  Json json = Json::object();
  json["cniVersion"] = plugin.versions.back();
  json["supportedVersions"] = plugin.versions;
  return printed(json);
}

CniStatus check_version(const Plugin& plugin, const Call& call) {
  if (std::find(plugin.versions.begin(), plugin.versions.end(), call.version) !=
      plugin.versions.end())
    return {};
  return refuse(Code::kIncompatibleVersion, "incompatible CNI versions",
                "config is " + in_quotes(call.version) + ", plugin supports [" +
                    join(plugin.versions, " ", true) + "]");
}

// CHECK, STATUS and GC came with later versions: both sides must be new enough.
CniStatus check_age(const Plugin& plugin, Command command, const Call& call) {
  const auto version = SpecVersion::parse(call.version);
  const std::string name(to_string(command));
  if (!version) return refuse(Code::kDecodingFailure, "invalid version " + in_quotes(call.version));
  if (*version < (command == Command::kCheck ? kFirstWithCheck : kFirstWithGc))
    return refuse(Code::kIncompatibleVersion, "config version does not allow " + name);
  if (*SpecVersion::parse(plugin.versions.back()) < *version)
    return refuse(Code::kIncompatibleVersion, "plugin version does not allow " + name);
  return {};
}

// A path that does not open is for the handler to judge.
CniStatus check_netns(const Environment& environment) {
  if (environment.netns.empty() || environment.netns_override) return {};
  const auto container = kernel::Netns::open(environment.netns);
  if (!container) return {};
  ASSIGN_OR_RETURN(const auto own, kernel::Netns::current());
  ASSIGN_OR_RETURN(const bool same, own.same_as(*container));
  if (!same) return {};
  return refuse(Code::kInvalidNetns,
                "plugin's netns and netns from CNI_NETNS should not be the same");
}

CniResult<std::string> serve(const Plugin& plugin, Command command, const Call& call) {
  if (command == Command::kAdd || command == Command::kDel) {
    RETURN_IF_ERROR(check_version(plugin, call));
    RETURN_IF_ERROR(check_netns(call.environment));
  }
  if (command == Command::kAdd) {
    ASSIGN_OR_RETURN(const AddResult result, call_add(plugin, call));
    ASSIGN_OR_RETURN(const Json json, encode_result(result, call.version));
    return printed(json);
  }
  RETURN_IF_ERROR(call_handler(plugin, command, call));
  return std::string();
}

CniResult<std::string> answer(const Plugin& plugin, Plugins siblings,
                              const Environment& environment, const ReadInput& read_input) {
  const auto command = parse_command(environment.command);
  if (command == Command::kVersion) return version_reply(plugin);
  auto input = read_input();
  if (!input) return refuse(Code::kIoFailure, "error reading from stdin: " + input.error().text());
  Json config;
  ASSIGN_OR_RETURN(const Call call, read_call(environment, *input, config, siblings));
  if (!command)
    return refuse(Code::kInvalidEnvironment, "unknown CNI_COMMAND: " + environment.command);
  return serve(plugin, *command, call);
}

}  // namespace

std::string to_text(const CniError& error) {
  Json json = Json::object();
  json["code"] = static_cast<int>(error.code);
  json["msg"] = error.message;
  if (!error.details.empty()) json["details"] = error.details;
  return printed(json);
}

CniResult<Call> read_call(const Environment& environment, std::string_view text, Json& config,
                          Plugins siblings) {
  auto parsed = parse_json(text);
  if (!parsed)
    return refuse(Code::kDecodingFailure,
                  "error unmarshall network config: " + parsed.error().what);
  config = *std::move(parsed);
  Call call{environment, config, text, {}, std::string(kDefaultVersion), siblings};
  ObjectReader reader(config, "network config");
  reader.read("name", call.network);
  std::string version;
  reader.read("cniVersion", version);
  if (const auto status = reader.finish(); !status)
    return refuse(Code::kDecodingFailure,
                  "error unmarshall network config: " + status.error().what);
  RETURN_IF_ERROR(check_network_name(call.network));
  if (!version.empty()) call.version = version;
  return call;
}

CniResult<AddResult> call_add(const Plugin& plugin, const Call& call) {
  RETURN_IF_ERROR(check_version(plugin, call));
  return plugin.add(call);
}

CniStatus call_handler(const Plugin& plugin, Command command, const Call& call) {
  CniStatus (*handler)(const Call&) = nullptr;
  switch (command) {
    case Command::kDel:
      handler = plugin.del;
      break;
    case Command::kCheck:
      handler = plugin.check;
      break;
    case Command::kStatus:
      handler = plugin.status;
      break;
    case Command::kGc:
      handler = plugin.gc;
      break;
    case Command::kAdd:
    case Command::kVersion:
      return refuse("no handler for " + std::string(to_string(command)));
  }
  if (command != Command::kDel) RETURN_IF_ERROR(check_age(plugin, command, call));
  RETURN_IF_ERROR(check_version(plugin, call));
  return handler == nullptr ? CniStatus() : handler(call);
}

Answer dispatch(const Plugin& plugin, Plugins siblings, const GetVariable& get,
                const ReadInput& read_input) {
  const auto environment = read_environment(get);
  if (!environment) {
    if (environment.error().code == Code::kInvalidEnvironment && get("CNI_COMMAND").empty())
      return {.errors = about(plugin)};
    return {.exit_code = 1, .output = to_text(environment.error())};
  }
  auto output = answer(plugin, siblings, *environment, read_input);
  if (!output) return {.exit_code = 1, .output = to_text(output.error())};
  return {.output = *std::move(output)};
}

}  // namespace weft::cni
