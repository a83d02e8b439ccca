#include "cmd/go_flags.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>
#include <utility>

#include "base/go_duration.h"
#include "base/text.h"

namespace weft::cmd {
namespace {

constexpr const char* kSeeHelp = "see --help for all flags";

Result<bool> parse_go_bool(const std::string& value) {
  for (const char* yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (value == yes) return true;
  for (const char* no : {"0", "f", "F", "false", "FALSE", "False"})
    if (value == no) return false;
  return fail("\"" + value + "\" is neither true nor false");
}

const GoFlag* find_flag(const std::vector<GoFlag>& flags, std::string_view name) {
  const auto same = [](char left, char right) {
    return left == right || (left == '-' && right == '_') || (left == '_' && right == '-');
  };
  const auto found = std::find_if(flags.begin(), flags.end(), [&](const GoFlag& flag) {
    return std::equal(flag.name.begin(), flag.name.end(), name.begin(), name.end(), same);
  });
  return found == flags.end() ? nullptr : &*found;
}

Failure unknown_flag(const std::vector<GoFlag>& flags, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& flag : flags) names.push_back(flag.name);
  const auto meant = nearest(name, names);
  return fail("there is no flag --" + name + (meant ? "; did you mean --" + *meant + "?" : ""),
              kSeeHelp);
}

}  // namespace

GoFlag text_flag(std::string name, std::string& target, std::string usage) {
  return {.name = std::move(name),
          .usage = std::move(usage),
          .default_text = target,
          .set = [&target](const std::string& value) -> Status {
            target = value;
            return {};
          }};
}

GoFlag list_flag(std::string name, std::vector<std::string>& target, std::string usage) {
  return {.name = std::move(name),
          .usage = std::move(usage) + " (may be repeated)",
          .default_text = {},
          .set = [&target](const std::string& value) -> Status {
            target.push_back(value);
            return {};
          }};
}

GoFlag bool_flag(std::string name, bool& target, std::string usage) {
  return {.name = std::move(name),
          .usage = std::move(usage),
          .default_text = target ? "true" : "",
          .boolean = true,
          .set = [&target](const std::string& value) -> Status {
            ASSIGN_OR_RETURN(target, parse_go_bool(value));
            return {};
          }};
}

GoFlag int_flag(std::string name, int& target, int least, int most, std::string usage) {
  return {.name = std::move(name),
          .usage = std::move(usage),
          .default_text = std::to_string(target),
          .set = [&target, least, most](const std::string& value) -> Status {
            int number = 0;
            const auto [end, error] =
                std::from_chars(value.data(), value.data() + value.size(), number);
            if (error != std::errc{} || end != value.data() + value.size() || number < least ||
                number > most)
              return fail("\"" + value + "\" is no number from " + std::to_string(least) + " to " +
                          std::to_string(most));
            target = number;
            return {};
          }};
}

GoFlag period_flag(std::string name, std::chrono::microseconds& target, std::string usage) {
  return {.name = std::move(name),
          .usage = std::move(usage),
          .default_text = print_go_duration(target),
          .set = [&target](const std::string& value) -> Status {
            const auto period = parse_go_duration(value);
            if (!period) return fail("\"" + value + "\" is no time like 30s or 1h30m");
            target = *period;
            return {};
          }};
}

GoFlag words_flag(std::string name, std::vector<std::string>& target, std::string usage) {
  return {.name = std::move(name),
          .usage = std::move(usage),
          .default_text = {},
          .set = [&target](const std::string& value) -> Status {
            for (auto& word : split(value, ','))
              if (!word.empty()) target.push_back(std::move(word));
            return {};
          }};
}

GoFlag switches_flag(std::string name, std::map<std::string, bool>& target, std::string usage) {
  return {.name = std::move(name),
          .usage = std::move(usage),
          .default_text = {},
          .set = [&target](const std::string& value) -> Status {
            for (const auto& word : split(value, ',')) {
              if (word.empty()) continue;
              const auto equals = word.find('=');
              if (equals == std::string::npos)
                return fail("\"" + word + "\" is not NAME=true or NAME=false");
              ASSIGN_OR_RETURN(target[word.substr(0, equals)],
                               parse_go_bool(word.substr(equals + 1)));
            }
            return {};
          }};
}

std::string environment_name(std::string_view prefix, std::string_view flag) {
  std::string name(prefix);
  for (const char c : flag)
    name += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

Status parse_go_flags(const std::vector<GoFlag>& flags, const std::vector<std::string>& arguments,
                      std::optional<std::string_view> environment_prefix) {
  std::set<std::string> given;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument.size() < 2 || argument[0] != '-' || argument == "--")
      return fail("\"" + arguments[i] + "\" is no flag", kSeeHelp);
    argument.remove_prefix(argument[1] == '-' ? 2 : 1);
    const auto equals = argument.find('=');
    const std::string name(argument.substr(0, equals));
    const GoFlag* flag = find_flag(flags, name);
    if (flag == nullptr) return unknown_flag(flags, name);
    std::string value = "true";
    if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (!flag->boolean) {
      if (i + 1 == arguments.size()) return fail("--" + name + " needs a value", kSeeHelp);
      value = arguments[++i];
    }
    if (Status set = flag->set(value); !set) return because("--" + name, set.error());
    given.insert(flag->name);
  }
  if (!environment_prefix) return {};
  for (const auto& flag : flags) {
    const std::string variable = environment_name(*environment_prefix, flag.name);
    const char* value = std::getenv(variable.c_str());
    if (given.contains(flag.name) || value == nullptr || *value == '\0') continue;
    if (Status set = flag.set(value); !set) return because(variable, set.error());
  }
  return {};
}

std::string describe_flags(const std::vector<GoFlag>& flags,
                           std::optional<std::string_view> environment_prefix) {
  std::string text;
  for (const auto& flag : flags) {
    text += "  --" + flag.name + (flag.boolean ? "" : " VALUE") + "\n      " + flag.usage;
    if (!flag.default_text.empty()) text += " (default " + flag.default_text + ")";
    text += "\n";
    if (environment_prefix)
      text += "      environment: " + environment_name(*environment_prefix, flag.name) + "\n";
  }
  return text;
}

}  // namespace weft::cmd
