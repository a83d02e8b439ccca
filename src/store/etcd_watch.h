// etcd_watch.h: follows the leases in etcd with one watch stream.
//
// All leases are read at a revision R and every change from R+1 on is streamed. When the
// stream breaks it is opened again where it was, after 100 ms doubling to 5 s; the view stays
// meanwhile and health() says why. Where etcd has forgotten what comes next (compaction), or
// sent what cannot be read, or has gone back in time (restored from a backup), everything is
// read anew. The view is never made of less than a complete reading.
#pragma once

#include <stop_token>
#include <thread>

#include "store/breakable_stream.h"
#include "store/etcd_client.h"
#include "store/etcd_leases.h"
#include "store/lease_store.h"
#include "store/lease_table.h"

namespace weft {

class EtcdWatch : public LeaseWatch {
 public:
  /// `client` must outlive the watch.
  EtcdWatch(EtcdClient& client, EtcdLayout layout, LeaseStore::Changed changed);

  std::shared_ptr<const LeaseView> view() const override { return table_.view(); }
  Status health() const override { return table_.health().get(); }
  void reconnect() override { stream_.break_off(); }

 private:
  void run(const std::stop_token& stop);
  Status read_everything(const std::stop_token& stop);
  Status follow(const std::stop_token& stop);
  Status apply(const std::vector<EtcdWatchMessage>& messages);
  Status check(const EtcdWatchMessage& message);
  void edit(const std::vector<EtcdWatchMessage>& messages);
  void report(Status health);

  EtcdClient& client_;
  const EtcdLayout layout_;
  const LeaseStore::Changed changed_;
  LeaseTable table_;
  BreakableStream stream_;
  // Of the thread alone:
  bool complete_ = false;      // table_ is what etcd had at revision_
  bool followed_ = false;      // etcd has accepted the watch of this stream
  std::int64_t revision_ = 0;  // everything up to here is in table_
  std::jthread thread_;        // last, so that it is joined before the rest is gone
};

}  // namespace weft
