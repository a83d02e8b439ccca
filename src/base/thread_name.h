// thread_name.h: for whom a thread works, as ps, top and the log show it.
//
// The kernel gives a new thread the name of the one that makes it. So whoever names the first
// thread of a part of a program has named all of its threads.
#pragma once

#include <string>

namespace weft {

/// Of the calling thread.
std::string thread_name();
/// At most 15 bytes of it count.
void set_thread_name(const std::string& name);

}  // namespace weft
