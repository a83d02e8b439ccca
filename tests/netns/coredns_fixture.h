// coredns_fixture.h: `weftd coredns` as a program, with a Corefile and a folder of manifests.
#pragma once

#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/process.h"
#include "netns/fresh_netns.h"
#include "support/daemon.h"
#include "support/eventually.h"
#include "support/temp_dir.h"

namespace weft::dns {

inline constexpr char kObjects[] = R"(
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.10, ports: [{name: http, protocol: TCP, port: 80}]}
---
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, ports: [{name: pg, port: 5432}]}
---
kind: Service
metadata: {name: out, namespace: shop}
spec: {type: ExternalName, externalName: www.example.com}
---
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: pg, protocol: TCP, port: 5432}]
endpoints: [{addresses: [10.244.1.5], hostname: db-0}]
---
kind: Namespace
metadata: {name: empty}
)";

class CorednsFixture : public testing::Test {
 protected:
  CorednsFixture() { weft::test::must(make_directories(folder_)); }

  void write(const std::string& file, const std::string& text) {
    weft::test::must(write_file_atomically(dir_.path() + "/" + file, text, 0644));
  }
  std::string path(const std::string& file) const { return dir_.path() + "/" + file; }
  void start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> argv{WEFTD,        "coredns", "-conf", path("Corefile"),
                                  "-store-dir", folder_};
    argv.insert(argv.end(), more.begin(), more.end());
    daemon_.emplace(argv, path("log"));
  }
  static std::string run(std::vector<std::string> argv) {
    const auto done = weft::test::must(weft::run({.argv = std::move(argv)}));
    return done.output + done.errors;
  }
  // "STATUS" and the data of all answers.
  static std::string dig(const std::string& name, const std::string& type = "A",
                         const std::string& option = "+notcp") {
    const std::string text =
        run({"dig", "@127.0.0.1", "+tries=1", "+time=5", "+nocookie", option, name, type});
    const std::size_t status = text.find("status: ");
    if (status == std::string::npos) return "no answer";
    std::string result = text.substr(status + 8, text.find(',', status) - status - 8);
    const std::size_t section = text.find(";; ANSWER SECTION:\n");
    if (section == std::string::npos) return result;
    std::istringstream lines(text.substr(section + 19));
    for (std::string line; std::getline(lines, line) && !line.empty();) {
      std::istringstream words(line);
      std::string owner, ttl, in, kind, data;
      words >> owner >> ttl >> in >> kind;
      std::getline(words >> std::ws, data);
      result += " " + kind + " " + data;
    }
    return result;
  }
  static std::string http(const std::string& url) { return run({"curl", "-s", "-i", url}); }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  static bool is_ready() {
    return weft::test::eventually([] { return has(http("http://127.0.0.1:8181/ready"), " 200 "); });
  }
  std::string said() const { return read_file(path("log")).value_or(""); }

  weft::test::TempDir dir_;
  const std::string folder_ = dir_.path() + "/objects";
  std::optional<weft::test::Daemon> daemon_;
};

}  // namespace weft::dns
