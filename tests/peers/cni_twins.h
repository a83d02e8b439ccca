// cni_twins.h: the same calls to a Go plugin and to ours in twin namespaces, and crosswise.
//
// A test program names its cases with INSTANTIATE_TEST_SUITE_P of SameAsGo and AcrossTheSides.
#pragma once

#include <map>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "cni_state.h"

namespace weft::test {

struct TwinCase {
  const char* name;
  const char* config;  ///< DATA stands for the folder of host-local; "type" names the plugin
  const char* args = "";
  bool go_can_check = true;  ///< false where its CHECK refuses what its own ADD made
  /// What the host has before.
  void (*prepare)(kernel::Rtnetlink& host) = nullptr;
  bool newest = false;  ///< beside version 1.9 of the Go plugins instead of Debian's 1.1
};

inline std::ostream& operator<<(std::ostream& out, const TwinCase& c) {
  return out << c.name;
}
inline std::string name_of_case(const testing::TestParamInfo<TwinCase>& tested) {
  return tested.param.name;
}

/// The Go plugins of Debian's containernetworking-plugins.
const PluginFolder& go_plugins();
/// `text` with each `what` replaced.
std::string replace_all(std::string text, const std::string& what, const std::string& by);

class SameAsGo : public testing::TestWithParam<TwinCase> {};
class AcrossTheSides : public testing::TestWithParam<TwinCase> {};

}  // namespace weft::test
