// late_close.h: sockets to nf_tables, closed together and late.
//
// When a socket to nf_tables is closed, the kernel waits until rules that were removed in its
// namespace are out of use, for some ten milliseconds, and lets no other transaction in meanwhile.
// Who removes several things, one after the other, waits once and not each time if nothing is
// closed before the end; and hardly at all if other work took as long.
#pragma once

#include <vector>

#include "base/fd.h"

namespace weft::kernel {

/// While one lives, the sockets of every Nftables that ends in this thread stay open. Where several
/// are nested, the outermost one closes them.
class LateClose {
 public:
  LateClose();
  ~LateClose();
  LateClose(const LateClose&) = delete;
  LateClose& operator=(const LateClose&) = delete;

  /// Closes a socket, now or late.
  static void close(Fd socket);

 private:
  LateClose* outer_;
  std::vector<Fd> sockets_;
};

}  // namespace weft::kernel
