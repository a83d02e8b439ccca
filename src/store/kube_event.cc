#include "store/kube_event.h"

#include "base/json.h"

namespace weft {

Status post_event(const KubeClient& client, const KubeEvent& event, UnixSeconds now,
                  const std::stop_token& stop) {
  const std::string time = print_time(now);
  const std::string ns = event.ns.empty() ? "default" : event.ns;
  Json object = {{"apiVersion", "v1"}, {"kind", event.kind}, {"name", event.name}};
  if (!event.ns.empty()) object["namespace"] = event.ns;
  object["uid"] = event.uid;
  const Json body = {{"metadata", {{"generateName", event.name + "."}, {"namespace", ns}}},
                     {"involvedObject", object},
                     {"reason", event.reason},
                     {"message", event.message},
                     {"type", event.warning ? "Warning" : "Normal"},
                     {"source", {{"component", event.component}, {"host", event.host}}},
                     {"firstTimestamp", time},
                     {"lastTimestamp", time},
                     {"count", 1}};
  ASSIGN_OR_RETURN(
      const std::string ignored,
      client.call(
          {.method = "POST", .path = "/api/v1/namespaces/" + ns + "/events", .body = to_text(body)},
          stop));
  return {};
}

}  // namespace weft
