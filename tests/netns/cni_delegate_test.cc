// Plugins of somebody else's that a plugin of ours calls: what they do wrong is said, and none of
// them holds up the runtime for ever.
#include <sys/stat.h>

#include <chrono>

#include <gtest/gtest.h>

#include "base/files.h"
#include "cni/delegate.h"
#include "support/must.h"
#include "support/temp_dir.h"
#include "unit/cni/call_of.h"

namespace weft::cni {
namespace {

using test::must;

class CniDelegate : public testing::Test {
 protected:
  CniDelegate() { call_.environment.path = "/nonexistent:" + folder_.path(); }

  void write_plugin(const std::string& name, const std::string& script) {
    must(write_file_atomically(folder_.path() + "/" + name, "#!/bin/sh\n" + script, 0755));
  }
  // What an ADD by the plugin fails with.
  CniError add_fails(const std::string& name,
                     std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto delegate = Delegate::find(name, call_.call, limit);
    if (!delegate) return delegate.error();
    const auto added = delegate->add(call_.call);
    return added ? CniError(Code::kInternal, "it did not fail") : added.error();
  }

  test::TempDir folder_;
  CallOf call_{R"({"cniVersion":"1.0.0","name":"n","type":"flannel"})"};
};

TEST_F(CniDelegate, WhatIsWrongIsSaid) {
  write_plugin("garbage", "echo '<html>'");
  write_plugin("silent", "exit 3");
  write_plugin("wordy", "echo no more; exit 1");
  write_plugin("refusing", R"(echo '{"code":11,"msg":"later","details":"busy"}'; exit 1)");
  must(write_file_atomically(folder_.path() + "/not-executable", "", 0644));
  must(make_directories(folder_.path() + "/folder"));
  const struct {
    std::string plugin;
    Code code;
    std::string message;
  } cases[] = {
      {"garbage", Code::kDecodingFailure, "garbage gave no result"},
      {"silent", Code::kInternal, "netplugin failed with no error message: "},
      {"wordy", Code::kInternal, "netplugin failed: \"no more\""},
      {"refusing", Code::kTryAgainLater, "later"},
      {"not-executable", Code::kTryAgainLater, "Permission denied"},
      {"folder", Code::kInternal, "failed to find plugin \"folder\" in path"},
      {"absent", Code::kInternal, "failed to find plugin \"absent\" in path [/nonexistent "},
      {"../sh", Code::kInternal, "invalid plugin name: ../sh"},
      {"", Code::kInternal, "no plugin name provided"},
  };
  for (const auto& [plugin, code, message] : cases) {
    const CniError error = add_fails(plugin);
    EXPECT_EQ(error.code, code) << plugin << ": " << error.message;
    EXPECT_NE(error.message.find(message), std::string::npos) << plugin << ": " << error.message;
  }
}

TEST_F(CniDelegate, OneThatHangsIsEnded) {
  write_plugin("hanging", "echo $$ > \"" + folder_.path() + "/pid\"; exec sleep 1000");
  const CniError error = add_fails("hanging", std::chrono::seconds(2));
  EXPECT_EQ(error.code, Code::kTryAgainLater);
  EXPECT_NE(error.message.find("hanging did not end within 2000 ms"), std::string::npos)
      << error.message;
  const std::string pid = must(read_file(folder_.path() + "/pid"));
  EXPECT_NE(::access(("/proc/" + pid.substr(0, pid.find('\n'))).c_str(), F_OK), 0);
}

}  // namespace
}  // namespace weft::cni
