// weftd: the node daemon. `weftd flanneld` is the pod network's agent, `weftd kube-proxy` the
// service proxy, `weftd coredns` the cluster's DNS server, `weftd node` all of them in one process;
// called through a link named flanneld, kube-proxy, coredns or mk-docker-opts.sh it is that
// program, with that program's flags.
#include <cstdio>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "base/text.h"
#include "cmd/coredns_command.h"
#include "cmd/docker_options_command.h"
#include "cmd/flanneld_command.h"
#include "cmd/kube_proxy_command.h"
#include "cmd/node_command.h"

namespace {

constexpr const char* kHelp =
    "Examples:\n"
    "  weftd flanneld --ip-masq --iface=eth0     the pod network's agent on this node\n"
    "  weftd flanneld --help                     all of its flags\n"
    "  weftd kube-proxy --config=/etc/proxy.yaml the service proxy on this node\n"
    "  weftd coredns -conf /etc/coredns/Corefile the cluster's DNS server\n"
    "  weftd node --config=/etc/weft/node.yaml   all three in one process\n"
    "  weftd mk-docker-opts                      a Docker daemon's options for this node\n"
    "\n"
    "Usage: weftd PROGRAM [FLAGS]\n"
    "\n"
    "Programs:\n"
    "  coredns         in CoreDNS's place: the cluster's names, forwarding, cache\n"
    "  flanneld        in flanneld's place: subnet lease, overlay, masquerade rules\n"
    "  kube-proxy      in kube-proxy's place: addresses and ports of Services\n"
    "  mk-docker-opts  in mk-docker-opts.sh's place: from subnet.env to Docker's options\n"
    "  node            several of these in one process, which reads the cluster once\n";

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string path = argv[0];
  const std::string called = path.substr(path.rfind('/') + 1);
  if (called == "flanneld") return weft::cmd::run_flanneld(arguments, true);
  if (called == "kube-proxy") return weft::cmd::run_kube_proxy(arguments);
  if (called == "coredns") return weft::cmd::run_coredns(arguments);
  if (called == "mk-docker-opts.sh" || called == "mk-docker-opts")
    return weft::cmd::run_docker_options(arguments);
  const std::string program = arguments.empty() ? "" : arguments[0];
  if (program == "--version") return std::printf("weftd %s\n", WEFT_VERSION), 0;
  if (program == "--help" || program == "-h" || program == "help")
    return std::fputs(kHelp, stdout), 0;
  if (program == "flanneld")
    return weft::cmd::run_flanneld({arguments.begin() + 1, arguments.end()}, false);
  if (program == "kube-proxy")
    return weft::cmd::run_kube_proxy({arguments.begin() + 1, arguments.end()});
  if (program == "coredns") return weft::cmd::run_coredns({arguments.begin() + 1, arguments.end()});
  if (program == "node") return weft::cmd::run_node({arguments.begin() + 1, arguments.end()});
  if (program == "mk-docker-opts")
    return weft::cmd::run_docker_options({arguments.begin() + 1, arguments.end()});
  if (program.empty())
    std::fputs(kHelp, stderr);
  else
    std::fprintf(
        stderr, "weftd: there is no program \"%s\"%s; see weftd --help\n", program.c_str(),
        weft::did_you_mean(program, {"coredns", "flanneld", "kube-proxy", "mk-docker-opts", "node"})
            .c_str());
  return static_cast<int>(weft::ExitCode::kUsage);
}
