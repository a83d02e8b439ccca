// memory.h: pages given back to the kernel by a daemon that has just done much and will do
// little.
#pragma once

namespace weft {

/// Gives back the pages of freed heap. A pass over 5,000 peers builds megabytes of tables and
/// frees them between what stays; without this the heap would keep their pages. It takes a tenth
/// of a millisecond where little was freed.
void trim_heap();

/// Unmaps this program's code and constants. What runs again is mapped again from the page cache
/// by a minor fault; what only the start needed (parsing flags, reading certificates, a TLS
/// handshake) no longer counts as the process's memory. The kernel maps 16 pages around each
/// fault, so most of the text is mapped by then. Breakpoints of a debugger are lost by it.
void unmap_code();

}  // namespace weft
