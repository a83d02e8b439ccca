// `weftd coredns`: flags in, the server called, exit code out.
#include "cmd/coredns_command.h"

#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/exit_code.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "cmd/daemon.h"
#include "cmd/go_flags.h"
#include "dns/plugin_options.h"
#include "dns/program.h"

namespace weft::cmd {
namespace {

constexpr const char* kProgram = "coredns";

// Everything the command line says, by CoreDNS's names and with its defaults.
struct Flags {
  std::string conf = "Corefile";
  int port = 53;
  std::string store_dir;
  std::string snapshot_dir;
  bool take_over = false;
  bool node_local = false;
  std::vector<std::string> local_ips;
  bool skip_teardown = false;
  int workers = 1;
  bool plugins = false;
  bool version = false;
  bool quiet = false;
  std::string pidfile;
  std::string log_format = "text";
  std::string log_level = "info";
  bool help = false;
};

std::vector<GoFlag> flag_table(Flags& flags) {
  return {
      text_flag("conf", flags.conf, "the Corefile"),
      int_flag("dns.port", flags.port, 1, 65535, "the port of zones that name none"),
      int_flag("p", flags.port, 1, 65535, "the same"),
      text_flag("store-dir", flags.store_dir,
                "a folder of manifests (Services, EndpointSlices, Namespaces) in the cluster's "
                "place"),
      text_flag("snapshot-dir", flags.snapshot_dir,
                "a folder to keep the cluster's names in, for a start without the API"),
      bool_flag("takeover", flags.take_over,
                "go on with the sockets of an instance that has the ports, and let it end"),
      bool_flag("node-local", flags.node_local,
                "answer for this node alone at -localip, past connection tracking; with -takeover"),
      words_flag("localip", flags.local_ips,
                 "the node's own DNS addresses, 169.254.20.10 unless others are given"),
      bool_flag("skipteardown", flags.skip_teardown,
                "leave the node's addresses and rules at the end: queries are refused then"),
      int_flag("workers", flags.workers, 1, 64, "threads that answer"),
      bool_flag("plugins", flags.plugins, "list the plugins that a Corefile may name and end"),
      text_flag("pidfile", flags.pidfile, "a file to write the process's number to"),
      bool_flag("quiet", flags.quiet, "say nothing but what is wrong"),
      text_flag("log-format", flags.log_format, "text or json"),
      text_flag("log-level", flags.log_level, "error, warn, info or debug"),
      bool_flag("version", flags.version, "print the version and end"),
      bool_flag("help", flags.help, "print this and end"),
  };
}

void print_help(const std::vector<GoFlag>& table) {
  std::printf(
      "weftd coredns: the cluster's DNS server, in CoreDNS's place\n\n"
      "Examples:\n"
      "  weftd coredns -conf /etc/coredns/Corefile\n"
      "  weftd coredns -conf Corefile -dns.port 1053\n"
      "  weftd coredns -conf Corefile -store-dir /etc/weft/services\n"
      "  weftd coredns -conf Corefile -snapshot-dir /var/lib/weft/dns\n"
      "  weftd coredns -conf Corefile -node-local -localip 169.254.20.10,10.96.0.10\n"
      "  weftd coredns -plugins\n\n"
      "Flags:\n%s",
      describe_flags(table).c_str());
}

void print_plugins() {
  std::printf("Server types:\n  dns\n\nOther plugins:\n");
  for (const std::string& name : dns::plugin_names()) std::printf("  dns.%s\n", name.c_str());
}

// Gone at the end, as its owner is.
class PidFile {
 public:
  static Result<std::unique_ptr<PidFile>> write(const std::string& path) {
    std::unique_ptr<PidFile> file(new PidFile(path));
    if (!path.empty())
      RETURN_IF_ERROR(
          write_file_atomically(path, std::to_string(::getpid()) + "\n", 0644, Survives::kProcess));
    return file;
  }
  ~PidFile() {
    if (!path_.empty()) (void)remove_file(path_);
  }
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  explicit PidFile(std::string path) : path_(std::move(path)) {}
  const std::string path_;
};

// Those of the node, or none.
Result<std::vector<IpAddress>> local_addresses(const Flags& flags) {
  std::vector<IpAddress> addresses;
  if (!flags.node_local && !flags.local_ips.empty())
    return fail("-localip says nothing without -node-local", "add -node-local");
  for (const std::string& word : flags.local_ips) {
    const auto address = IpAddress::parse(word);
    if (!address || address->is_unspecified() || address->is_multicast())
      return fail("-localip: " + shown(word) + " is no address of a node");
    addresses.push_back(*address);
  }
  if (flags.node_local && addresses.empty())
    addresses.push_back(*IpAddress::parse("169.254.20.10"));
  return addresses;
}

Result<dns::ProgramOptions> program_options(const Flags& flags) {
  dns::ProgramOptions options{.corefile = flags.conf,
                              .port = static_cast<std::uint16_t>(flags.port),
                              .workers = static_cast<unsigned>(flags.workers),
                              .store_folder = flags.store_dir,
                              .snapshot_folder = flags.snapshot_dir,
                              .takes_over = flags.take_over || flags.node_local,
                              .keeps_local_addresses = flags.skip_teardown,
                              .environment = environment};
  ASSIGN_OR_RETURN(options.local_addresses, local_addresses(flags));
  return options;
}

Status serve(const Flags& flags, const dns::ProgramOptions& options, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const auto pid_file, PidFile::write(flags.pidfile));
  return dns::run_program(options, stop);
}

Status check_words(const Flags& flags) {
  RETURN_IF_ERROR(one_of("-log-format", flags.log_format, {"text", "json"}));
  return one_of("-log-level", flags.log_level, {"error", "warn", "info", "debug"});
}

}  // namespace

int run_coredns(const std::vector<std::string>& arguments) {
  keep_heap_small();
  Flags flags;
  const auto table = flag_table(flags);
  if (Status parsed = parse_go_flags(table, arguments); !parsed)
    return wrong_usage(kProgram, parsed.error());
  if (flags.help) return print_help(table), 0;
  if (flags.plugins) return print_plugins(), 0;
  if (flags.version) return std::printf("weftd %s\n", WEFT_VERSION), 0;
  if (Status words = check_words(flags); !words) return wrong_usage(kProgram, words.error());
  const auto options = program_options(flags);
  if (!options) return wrong_usage(kProgram, options.error());
  set_up_log(flags.log_format == "json" ? LogFormat::kJson : LogFormat::kText,
             spdlog::level::from_str(flags.quiet ? "warn" : flags.log_level));
  SignalStop signals;
  return exit_code(serve(flags, *options, signals.token()));
}

Result<node::Part> coredns_part(const std::vector<std::string>& arguments, const NodeShare& share) {
  Flags flags;
  RETURN_IF_ERROR(parse_go_flags(flag_table(flags), arguments));
  RETURN_IF_ERROR(check_words(flags));
  if (!flags.store_dir.empty())
    return fail("-store-dir is not for a part of a node", "name storeDir in the node's own file");
  ASSIGN_OR_RETURN(auto options, program_options(flags));
  options.store_folder = share.store_dir;
  options.reader = share.reader;
  return node::Part{.name = "coredns",
                    .run = [=](const std::stop_token& stop, const std::function<void()>& ready) {
                      auto with_ready = options;
                      with_ready.ready = ready;
                      return serve(flags, with_ready, stop);
                    }};
}

}  // namespace weft::cmd
