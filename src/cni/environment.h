// environment.h: what the runtime says in CNI_* variables.
//
// Source: CNI SPEC.md 1.1.0 section 2; which variable a command needs, and the texts of the
// refusals, are those of containernetworking/cni pkg/skel and pkg/utils.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cni/cni_error.h"

namespace weft::cni {

enum class Command { kAdd, kDel, kCheck, kStatus, kGc, kVersion };

std::string_view to_string(Command command);
std::optional<Command> parse_command(std::string_view text);

struct Environment {
  std::string command = {};  ///< as given: an unknown one is refused after the configuration
  std::string container_id = {};
  std::string netns = {};  ///< a path; may be empty for DEL
  std::string ifname = {};
  std::string args = {};
  std::string path = {};        ///< where plugins are: folders with colons between
  bool netns_override = false;  ///< the container may share the plugin's namespace
};

/// The value of a variable; empty when it is not set.
using GetVariable = std::function<std::string(const char*)>;

/// Checks only the variables that the command needs. All that are missing are told at once.
CniResult<Environment> read_environment(const GetVariable& get);

/// Letters, digits, "_", "." and "-", the first a letter or digit: container ids and network
/// names.
bool is_valid_identifier(std::string_view text);

CniStatus check_network_name(const std::string& name);

}  // namespace weft::cni
