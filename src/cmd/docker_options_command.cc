#include "cmd/docker_options_command.h"

#include <unistd.h>

#include <cstdio>
#include <map>

#include "base/exit_code.h"
#include "base/files.h"
#include "cluster/docker_options.h"
#include "kernel/rtnetlink.h"

namespace weft::cmd {
namespace {

constexpr const char* kHelp =
    "mk-docker-opts [-f FLANNEL-ENV-FILE] [-d DOCKER-ENV-FILE] [-i] [-c] [-m] [-k COMBINED-KEY]\n"
    "\n"
    "Examples:\n"
    "  weftd mk-docker-opts                   DOCKER_OPTS and each option, for docker.service\n"
    "  weftd mk-docker-opts -c -k DOCKER_NETWORK_OPTIONS -d /run/docker-network.env\n"
    "\n"
    "Options:\n"
    "  -f  flannel's env file (/run/flannel/subnet.env)\n"
    "  -d  the file to write (/run/docker_opts.env)\n"
    "  -i  each option as a variable of its own, such as DOCKER_OPT_MTU\n"
    "  -c  all of them in one variable\n"
    "  -k  the name of that variable (DOCKER_OPTS)\n"
    "  -m  nothing about --ip-masq\n";

struct Arguments {
  std::string flannel_file = "/run/flannel/subnet.env";
  std::string docker_file = "/run/docker_opts.env";
  DockerOptionsFlags flags;
};

// False when what was given is not to be understood.
bool read_arguments(const std::vector<std::string>& words, Arguments& arguments) {
  std::vector<char*> argv{const_cast<char*>("mk-docker-opts")};
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  optind = 1;
  opterr = 0;
  for (;;) {
    switch (::getopt(static_cast<int>(argv.size()) - 1, argv.data(), "f:d:icmk:h")) {
      case 'f':
        arguments.flannel_file = optarg;
        break;
      case 'd':
        arguments.docker_file = optarg;
        break;
      case 'i':
        arguments.flags.individual = true;
        break;
      case 'c':
        arguments.flags.combined = true;
        break;
      case 'm':
        arguments.flags.masquerade = false;
        break;
      case 'k':
        arguments.flags.key = optarg;
        break;
      case -1:
        return true;
      default:
        return false;
    }
  }
}

std::map<std::string, std::string> read_environment() {
  std::map<std::string, std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (const auto equals = text.find('='); equals != std::string::npos)
      result[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return result;
}

// Docker would take a subnet that another node has: subnet.env was copied, or is an old one.
Status check_routes(const Prefix& subnet) {
  ASSIGN_OR_RETURN(auto rtnetlink, kernel::Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto routes, rtnetlink.routes(subnet.family()));
  for (const auto& route : routes)
    if (route.key.destination == subnet && route.gateway())
      return fail("Your routing table already contains the subnet: " + describe(route, ""),
                  "another node has it: let the agent write this node's own subnet.env");
  return {};
}

Status write_options(const Arguments& arguments) {
  std::string env;
  if (auto text = read_file(arguments.flannel_file))
    env = *std::move(text);
  else
    std::fprintf(stderr, "mk-docker-opts: %s; no option is known\n", text.error().text().c_str());
  ASSIGN_OR_RETURN(const auto options, docker_options(env, arguments.flags, read_environment()));
  RETURN_IF_ERROR(write_file_atomically(arguments.docker_file, options.text, 0644));
  return options.subnet ? check_routes(*options.subnet) : Status();
}

}  // namespace

int run_docker_options(const std::vector<std::string>& words) {
  Arguments arguments;
  if (!read_arguments(words, arguments)) {
    std::fputs(kHelp, stderr);
    return static_cast<int>(ExitCode::kWrong);
  }
  if (const Status written = write_options(arguments); !written) {
    std::fprintf(stderr, "mk-docker-opts: %s\n", written.error().text().c_str());
    return static_cast<int>(ExitCode::kWrong);
  }
  return static_cast<int>(ExitCode::kFine);
}

}  // namespace weft::cmd
