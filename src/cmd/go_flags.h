// go_flags.h: a command line in the syntax of Go's flag package, which the programs that weftd
// stands in for use: one dash or two, "-flag value" or "-flag=value", booleans bare or "=false".
// A flag that is not given is looked up in the environment under its upper-case name.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::cmd {

struct GoFlag {
  std::string name;
  std::string usage;         ///< one line for --help
  std::string default_text;  ///< as --help shows it; empty for the zero value
  bool boolean = false;      ///< may stand without a value
  std::function<Status(const std::string&)> set;
};

/// Ready-made setters.
GoFlag text_flag(std::string name, std::string& target, std::string usage);
GoFlag list_flag(std::string name, std::vector<std::string>& target, std::string usage);
GoFlag bool_flag(std::string name, bool& target, std::string usage);
GoFlag int_flag(std::string name, int& target, int least, int most, std::string usage);
/// "30s", "1h30m"
GoFlag period_flag(std::string name, std::chrono::microseconds& target, std::string usage);
/// "a,b"; given again, more are added.
GoFlag words_flag(std::string name, std::vector<std::string>& target, std::string usage);
/// "A=true,B=false"
GoFlag switches_flag(std::string name, std::map<std::string, bool>& target, std::string usage);

/// The environment variable of a flag: PREFIX + "SUBNET_FILE" for "subnet-file".
std::string environment_name(std::string_view prefix, std::string_view flag);

/// Sets what the arguments give; what they do not give is taken from the environment, where an
/// empty value counts as absent, and where there is a prefix. In a flag's name an underscore is a
/// dash. Fails on a flag that does not exist (naming the nearest), a bad value, and anything that
/// is no flag.
Status parse_go_flags(const std::vector<GoFlag>& flags, const std::vector<std::string>& arguments,
                      std::optional<std::string_view> environment_prefix = {});

/// The list of flags as --help prints it.
std::string describe_flags(const std::vector<GoFlag>& flags,
                           std::optional<std::string_view> environment_prefix = {});

}  // namespace weft::cmd
