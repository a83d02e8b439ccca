// cni_fixture.h: tests of main plugins, with addresses from host-local.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "base/files.h"
#include "support/cni_container.h"

namespace weft::test {

inline constexpr const char* kCniVersions[] = {"0.1.0", "0.2.0", "0.3.0", "0.3.1",
                                               "0.4.0", "1.0.0", "1.1.0"};

class CniFixture : public testing::Test {
 protected:
  /// A configuration; `members` have a comma in front.
  static std::string config(const std::string& type, const std::string& members,
                            const std::string& version = "1.1.0") {
    return R"({"cniVersion":")" + version + R"(","name":"n","type":")" + type + "\"" + members +
           "}";
  }
  /// The member `ipam`; further members of it have a comma in front.
  std::string ipam(const std::string& ranges = R"([[{"subnet":"10.1.2.0/24"}]])",
                   const std::string& more = {}) const {
    return R"(,"ipam":{"type":"host-local","dataDir":")" + data_.path() + R"(","ranges":)" +
           ranges + more + "}";
  }
  static std::string with(const std::string& text, const char* key, const Json& value) {
    Json json = must(parse_json(text));
    json[key] = value;
    return to_text(json);
  }
  PluginReply call(const std::string& plugin, const std::string& command, const ContainerPort& port,
                   const std::string& text) const {
    return plugins_.call(plugin, command, port, text);
  }
  /// Whether somebody holds an address.
  bool holds(const std::string& address) const {
    return read_file(data_.path() + "/n/" + address).has_value();
  }
  static bool has_link(const Container& container, const std::string& name) {
    return container.inside(
        [&](kernel::Rtnetlink& inside) { return must(inside.link(name)).has_value(); });
  }
  static Link link_in(const Container& container, const std::string& name = "eth0") {
    return container.inside(
        [&](kernel::Rtnetlink& inside) { return must(inside.link(name)).value(); });
  }

  TempDir data_;
  WeftPlugins links_;
  PluginFolder plugins_ = links_.folder();
};

}  // namespace weft::test
