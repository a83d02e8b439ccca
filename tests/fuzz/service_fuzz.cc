// Services, EndpointSlices and Nodes as an API server may send them in protobuf and as files may
// hold them: whatever is taken can be planned.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/yaml.h"
#include "service/own_node.h"
#include "service/planned_service.h"
#include "service/stale_flows.h"

namespace {

using namespace weft;
using namespace weft::service;

void plan(const Result<Service>& service, const Result<EndpointSlice>& slice,
          const Result<Node>& node) {
  ServiceBoard board(NodeFacts{.name = "here", .zone = "east"});
  PlanOptions options;
  if (node) options.node.addresses = own_node(*node).addresses;
  CHECK(options.node.addresses.size() <= 2);
  if (service) board.put(*service);
  if (slice) board.put(*slice);
  // A slice for a Service that there is, whatever its name.
  if (service && slice) {
    EndpointSlice other = *slice;
    other.ns = service->name.ns;
    other.service = service->name.name;
    other.name += "-2";
    board.put(other);
  }
  FlowBook book;
  const auto planned =
      plan_services(board, board.take_changed(), {Family::kIpv4, Family::kIpv6}, options);
  book.note(planned);
  CHECK(book.note(planned).empty());
  for (const auto& each : planned)
    for (const auto& [family, of_family] : each.plans)
      for (const auto& port : of_family.ports)
        for (const auto& front : port.fronts) {
          CHECK(front.port != 0);
          CHECK(front.address.family() == family);
        }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  plan(Service::parse(text), EndpointSlice::parse(text), Node::parse(text, {}));
  const auto documents = parse_yaml(text);
  if (!documents) return 0;
  for (const Json& document : *documents)
    if (document.is_object())
      plan(Service::read(document), EndpointSlice::read(document), Node::read(document));
  return 0;
}
