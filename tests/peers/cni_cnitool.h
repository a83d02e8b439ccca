// cni_cnitool.h: cnitool, the specification's own runtime (libcni), with our plugins in lists, in
// every version of the specification that has lists.
//
// A test program names its lists with INSTANTIATE_CNITOOL_TESTS.
#pragma once

#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "support/cni_container.h"
#include "support/go_peers.h"
#include "support/temp_dir.h"

namespace weft::test {

struct CnitoolList {
  const char* name;
  /// The members; "@" stands for the test's folder, ADDRESSES for "ipam" with both families.
  const char* plugins;
  bool maps_ports = false;
  bool from_0_4_0 = false;  ///< has the firewall plugin, which refuses older versions

  friend void PrintTo(const CnitoolList& list, std::ostream* to) { *to << list.name; }
};

/// In a host that has a link "up0", the other end of which is "spare".
class CnitoolTest : public testing::TestWithParam<std::tuple<CnitoolList, const char*>> {
 protected:
  const CnitoolList& list() const { return std::get<0>(GetParam()); }
  std::string version() const { return std::get<1>(GetParam()); }

  void write_files();
  Outcome cnitool(const std::string& verb, const Container& container);
  void succeeds(const std::string& verb, const Container& container);

  const std::string cnitool_ = go_peer("cnitool");
  TempDir folder_;
  WeftPlugins plugins_;
};

std::string name_of_list(const testing::TestParamInfo<CnitoolTest::ParamType>& tested);

inline auto versions_with_lists() {
  return testing::Values("0.3.1", "0.4.0", "1.0.0", "1.1.0");
}

#define INSTANTIATE_CNITOOL_TESTS(lists) \
  INSTANTIATE_TEST_SUITE_P(              \
      With, CnitoolTest,                 \
      testing::Combine(testing::ValuesIn(lists), weft::test::versions_with_lists()), name_of_list)

}  // namespace weft::test
