// query_log.h: answers as lines of the log: the plugins `log` and `errors`.
#pragma once

#include <string>

#include "base/log.h"
#include "dns/plugin.h"
#include "dns/plugin_options.h"

namespace weft::dns {

/// The line of one answer in a format of CoreDNS's: "{remote}:{port} - {>id} ...". A word that is
/// not known stays as it is.
std::string log_line(const std::string& format, const Answered& answered);

class LogObserver : public Observer {
 public:
  /// `options.zones` are those of the block where the plugin names none.
  explicit LogObserver(LogOptions options);
  void answered(const Answered& answered) override;

 private:
  LogOptions options_;
};

/// Tells of failures with their reason; of the same reason now and then.
class ErrorsObserver : public Observer {
 public:
  void answered(const Answered& answered) override;

 private:
  RateLimit told_{std::chrono::seconds(10)};
};

}  // namespace weft::dns
