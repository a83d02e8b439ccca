// fresh_netns.h: a test fixture that stands in a network namespace of its own.
//
// The namespace belongs to the test's thread and goes away with it and its last socket: no
// names, no clean-up, any number side by side.
#pragma once

#include <sched.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "kernel/netns.h"
#include "kernel/rtnetlink.h"
#include "support/must.h"

namespace weft::test {

/// Calls `body` on a thread in a network namespace of its own, with loopback up.
template <class Body>
void in_fresh_netns(Body body) {
  std::thread([&] {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << std::strerror(errno) << " (run the tests as root)";
    auto rtnetlink = kernel::Rtnetlink::open();
    ASSERT_TRUE(rtnetlink) << rtnetlink.error().text();
    const auto loopback = rtnetlink->link("lo");
    ASSERT_TRUE(loopback && *loopback);
    ASSERT_TRUE(rtnetlink->change((*loopback)->index, {.up = true}));
    body(*rtnetlink);
  }).join();
}

}  // namespace weft::test
