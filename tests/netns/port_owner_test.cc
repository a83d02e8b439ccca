#include "kernel/port_owner.h"

#include "netns/fresh_netns.h"
#include "support/daemon.h"
#include "support/eventually.h"
#include "support/temp_dir.h"

namespace weft::kernel {
namespace {

using test::Daemon;
using test::eventually;

// A program that holds a port of the calling thread's namespace.
Daemon holder(const test::TempDir& folder, const std::string& type, const std::string& family) {
  const std::string address = family == "AF_INET" ? "127.0.0.1" : "::1";
  return Daemon({"python3", "-c",
                 "import socket, time\n"
                 "s = socket.socket(socket." +
                     family + ", socket." + type +
                     ")\n"
                     "s.bind(('" +
                     address +
                     "', 5311))\n"
                     "if s.type == socket.SOCK_STREAM: s.listen()\n"
                     "time.sleep(60)"},
                folder.path() + "/log");
}

TEST(PortOwner, OfEveryProtocolAndFamilyIsNamed) {
  test::in_fresh_netns([](Rtnetlink&) {
    const test::TempDir folder;
    EXPECT_EQ(port_owner(5311), "");
    for (const char* type : {"SOCK_DGRAM", "SOCK_STREAM"})
      for (const char* family : {"AF_INET", "AF_INET6"}) {
        const Daemon daemon = holder(folder, type, family);
        const std::string expected = "python3 (process " + std::to_string(daemon.pid()) + ")";
        EXPECT_TRUE(eventually([&] { return port_owner(5311) == expected; }))
            << type << " " << family << ": " << port_owner(5311) << daemon.said();
      }
    EXPECT_EQ(port_owner(5312), "");
  });
}

}  // namespace
}  // namespace weft::kernel
