#include "cni/environment.h"

#include <array>
#include <vector>

#include "net/link.h"

namespace weft::cni {
namespace {

constexpr std::array<std::string_view, 6> kCommands{"ADD",    "DEL", "CHECK",
                                                    "STATUS", "GC",  "VERSION"};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

CniStatus check_container_id(const std::string& id) {
  if (is_valid_identifier(id)) return {};
  return refuse(Code::kInvalidEnvironment, "invalid characters in containerID", id);
}

CniStatus check_ifname(const std::string& name) {
  if (is_valid_link_name(name)) return {};
  std::string reason = "interface name contains / or : or whitespace characters";
  std::string details;
  if (name.size() > 15) {
    reason = "interface name is too long";
    details = "interface name should be less than 16 characters";
  } else if (name == "." || name == "..") {
    reason = "interface name is . or ..";
  }
  return refuse(Code::kInvalidEnvironment, reason, details);
}

struct Variable {
  const char* name;
  std::string Environment::*target;
  std::string_view needed_by;  ///< commands, a blank behind each
  CniStatus (*check)(const std::string&);
};

constexpr std::array<Variable, 6> kVariables{{
    {"CNI_COMMAND", &Environment::command, "", nullptr},
    {"CNI_CONTAINERID", &Environment::container_id, "ADD CHECK DEL ", check_container_id},
    {"CNI_NETNS", &Environment::netns, "ADD CHECK ", nullptr},
    {"CNI_IFNAME", &Environment::ifname, "ADD CHECK DEL ", check_ifname},
    {"CNI_ARGS", &Environment::args, "", nullptr},
    {"CNI_PATH", &Environment::path, "ADD CHECK DEL GC STATUS ", nullptr},
}};

bool needs(const std::string& command, const Variable& variable) {
  if (variable.target == &Environment::command) return true;
  return !command.empty() && variable.needed_by.find(command + " ") != std::string_view::npos &&
         parse_command(command);
}

}  // namespace

std::string_view to_string(Command command) {
  return kCommands[static_cast<std::size_t>(command)];
}

std::optional<Command> parse_command(std::string_view text) {
  for (std::size_t i = 0; i < kCommands.size(); ++i)
    if (kCommands[i] == text) return static_cast<Command>(i);
  return std::nullopt;
}

bool is_valid_identifier(std::string_view text) {
  if (text.empty() || !is_letter_or_digit(text[0])) return false;
  for (const char c : text)
    if (!is_letter_or_digit(c) && c != '_' && c != '.' && c != '-') return false;
  return true;
}

CniStatus check_network_name(const std::string& name) {
  if (name.empty()) return refuse(Code::kInvalidNetworkConfig, "missing network name");
  if (is_valid_identifier(name)) return {};
  return refuse(Code::kInvalidNetworkConfig, "invalid characters found in network name", name);
}

CniResult<Environment> read_environment(const GetVariable& get) {
  Environment environment;
  std::string missing;
  for (const Variable& variable : kVariables) {
    std::string& value = environment.*variable.target;
    value = get(variable.name);
    if (!needs(environment.command, variable)) continue;
    if (value.empty())
      missing += (missing.empty() ? "" : ",") + std::string(variable.name);
    else if (variable.check != nullptr)
      RETURN_IF_ERROR(variable.check(value));
  }
  if (!missing.empty())
    return refuse(Code::kInvalidEnvironment, "required env variables [" + missing + "] missing");
  const std::string override = get("CNI_NETNS_OVERRIDE");
  environment.netns_override =
      override == "1" ||
      (override.size() == 4 && (override[0] | 0x20) == 't' && (override[1] | 0x20) == 'r' &&
       (override[2] | 0x20) == 'u' && (override[3] | 0x20) == 'e');
  return environment;
}

}  // namespace weft::cni
