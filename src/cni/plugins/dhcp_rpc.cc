#include "cni/plugins/dhcp_rpc.h"

#include <bit>
#include <utility>

namespace weft::cni {
namespace {

using gob::id_of;
using gob::Scalar;

constexpr std::int64_t kText = id_of(Scalar::kString);
constexpr std::int64_t kBytes = id_of(Scalar::kBytes);
constexpr std::int64_t kInt = id_of(Scalar::kInt);
constexpr std::int64_t kUint = id_of(Scalar::kUint);

constexpr std::string_view kConnect = "CONNECT /_goRPC_ HTTP/1.0\n\n";
constexpr std::string_view kConnected = "HTTP/1.0 200 Connected to Go RPC\n\n";
constexpr std::size_t kLongestGreeting = 8192;

// The head of an HTTP message and what stands behind it; nothing while it is not complete.
std::optional<std::pair<std::string, std::string>> split_greeting(const std::string& text) {
  std::size_t end = std::string::npos;
  std::size_t length = 0;
  for (const std::string_view mark : {"\r\n\r\n", "\n\n"})
    if (const auto found = text.find(mark); found < end) {
      end = found;
      length = mark.size();
    }
  if (end == std::string::npos) return std::nullopt;
  return std::pair(text.substr(0, end), text.substr(end + length));
}

// What the other side has declared may be of any type.
std::string text_of(const Json& json, const char* key) {
  const Json* found = json.is_object() ? find_member(json, key) : nullptr;
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::int64_t> number_of(const Json& json, const char* key) {
  const Json* found = json.is_object() ? find_member(json, key) : nullptr;
  if (found == nullptr || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

std::optional<std::uint32_t> small_number_of(const Json& json, const char* key) {
  const auto number = number_of(json, key);
  if (!number || *number < 0 || *number > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

const Json* list_of(const Json& json, const char* key) {
  const Json* found = json.is_object() ? find_member(json, key) : nullptr;
  return found != nullptr && found->is_array() ? found : nullptr;
}

// net.IP holds 4 bytes, or 16 for either family.
std::optional<IpAddress> address_of(const std::string& bytes) {
  const std::string mapped(std::string(10, '\0') + "\xff\xff");
  return IpAddress::from_bytes(bytes.starts_with(mapped) && bytes.size() == 16
                                   ? std::string_view(bytes).substr(mapped.size())
                                   : std::string_view(bytes));
}

std::optional<InterfaceAddress> network_of(const Json* json) {
  if (json == nullptr || !json->is_object()) return std::nullopt;
  const auto address = address_of(text_of(*json, "IP"));
  std::string mask = text_of(*json, "Mask");
  if (!address) return std::nullopt;
  if (address->is_v4() && mask.size() == 16) mask.erase(0, 12);
  int length = 0;
  for (const char byte : mask) length += std::popcount(static_cast<unsigned char>(byte));
  if (mask.size() != address->bytes().size()) return std::nullopt;
  return InterfaceAddress{.address = *address, .length = static_cast<std::uint8_t>(length)};
}

ResultRoute route_of(const Json& json) {
  ResultRoute route;
  if (!json.is_object()) return route;
  if (const auto network = network_of(find_member(json, "Dst")))
    route.destination = network->network();
  if (const auto gateway = address_of(text_of(json, "GW")); gateway && !gateway->is_unspecified())
    route.gateway = gateway;
  route.mtu = small_number_of(json, "MTU").value_or(0);
  route.advmss = small_number_of(json, "AdvMSS").value_or(0);
  route.priority = small_number_of(json, "Priority").value_or(0);
  route.table = small_number_of(json, "Table");
  route.scope = small_number_of(json, "Scope");
  return route;
}

AddResult result_of(const Json& json) {
  AddResult result;
  if (const Json* ips = list_of(json, "IPs"))
    for (const Json& ip : *ips)
      if (const auto address =
              ip.is_object() ? network_of(find_member(ip, "Address")) : std::nullopt)
        result.ips.push_back({.address = *address, .gateway = address_of(text_of(ip, "Gateway"))});
  if (const Json* routes = list_of(json, "Routes"))
    for (const Json& route : *routes) result.routes.push_back(route_of(route));
  return result;
}

Json as_json(const InterfaceAddress& network) {
  const IpAddress ones = IpAddress::any(network.address.family()).filled(0);
  Json json = Json::object();
  json["IP"] = network.address.bytes();
  json["Mask"] = ones.masked(network.length).bytes();
  return json;
}

Json as_json(const AddResult& result) {
  Json json = Json::object();
  for (const auto& ip : result.ips) {
    Json entry = Json::object();
    entry["Address"] = as_json(ip.address);
    if (ip.gateway) entry["Gateway"] = ip.gateway->bytes();
    json["IPs"].push_back(entry);
  }
  for (const auto& route : result.routes) {
    Json entry = Json::object();
    entry["Dst"] =
        as_json({.address = route.destination.address(), .length = route.destination.length()});
    if (route.gateway) entry["GW"] = route.gateway->bytes();
    entry["Priority"] = route.priority;
    if (route.scope) entry["Scope"] = *route.scope;
    json["Routes"].push_back(entry);
  }
  return json;
}

}  // namespace

DhcpRpcClient::DhcpRpcClient(std::string_view method, const DhcpCall& call) : output_(kConnect) {
  gob::Writer writer;
  const auto head = writer.declare_struct("Request", {{"ServiceMethod", kText}, {"Seq", kUint}});
  writer.write(head, {{"ServiceMethod", method}, {"Seq", 0}});
  const auto args = writer.declare_struct("CmdArgs", {{"ContainerID", kText},
                                                      {"Netns", kText},
                                                      {"IfName", kText},
                                                      {"Args", kText},
                                                      {"Path", kText},
                                                      {"StdinData", kBytes}});
  writer.write(args, {{"ContainerID", call.container_id},
                      {"Netns", call.netns},
                      {"IfName", call.ifname},
                      {"Args", call.args},
                      {"Path", call.path},
                      {"StdinData", call.config}});
  request_ = writer.take();
}

CniResult<std::optional<AddResult>> DhcpRpcClient::receive(std::string_view bytes) {
  if (greeted_) {
    reader_.feed(bytes);
  } else {
    greeting_ += bytes;
    const auto parts = split_greeting(greeting_);
    if (!parts && greeting_.size() <= kLongestGreeting) return std::nullopt;
    if (!parts || parts->first.find(" 200 ") == std::string::npos)
      return refuse("the DHCP daemon answered " + shown(greeting_));
    greeted_ = true;
    output_ += std::exchange(request_, {});
    reader_.feed(parts->second);
  }
  for (;;) {
    ASSIGN_OR_RETURN(const auto value, reader_.next());
    if (!value) return std::nullopt;
    if (answered_) return result_of(*value);
    if (const std::string error = text_of(*value, "Error"); !error.empty()) return refuse(error);
    answered_ = true;
  }
}

void DhcpRpcServer::feed(std::string_view bytes) {
  if (greeted_)
    reader_.feed(bytes);
  else
    greeting_ += bytes;
}

Result<std::optional<DhcpRpcServer::Request>> DhcpRpcServer::next() {
  if (!greeted_) {
    const auto parts = split_greeting(greeting_);
    if (!parts && greeting_.size() <= kLongestGreeting) return std::nullopt;
    if (!parts || !parts->first.starts_with("CONNECT "))
      return fail("this is no call of Go's net/rpc");
    greeted_ = true;
    output_ += kConnected;
    reader_.feed(parts->second);
  }
  for (;;) {
    ASSIGN_OR_RETURN(const auto value, reader_.next());
    if (!value) return std::nullopt;
    const auto text = [&](const char* name) { return text_of(*value, name); };
    if (!head_) {
      head_ = Request{.number = static_cast<std::uint64_t>(number_of(*value, "Seq").value_or(0)),
                      .method = text("ServiceMethod")};
      continue;
    }
    Request request = *std::exchange(head_, std::nullopt);
    request.call = {.container_id = text("ContainerID"),
                    .netns = text("Netns"),
                    .ifname = text("IfName"),
                    .args = text("Args"),
                    .path = text("Path"),
                    .config = text("StdinData")};
    return request;
  }
}

void DhcpRpcServer::declare() {
  if (response_type_ != 0) return;
  response_type_ = writer_.declare_struct(
      "Response", {{"ServiceMethod", kText}, {"Seq", kUint}, {"Error", kText}});
  nothing_type_ = writer_.declare_struct("", {});
  const auto network = writer_.declare_struct("IPNet", {{"IP", kBytes}, {"Mask", kBytes}});
  const auto ip = writer_.declare_struct("IPConfig", {{"Address", network}, {"Gateway", kBytes}});
  const auto route = writer_.declare_struct(
      "Route", {{"Dst", network}, {"GW", kBytes}, {"Priority", kInt}, {"Scope", kInt}});
  const auto ips = writer_.declare_slice(ip);
  const auto routes = writer_.declare_slice(route);
  result_type_ = writer_.declare_struct("Result", {{"IPs", ips}, {"Routes", routes}});
}

void DhcpRpcServer::answer_head(const Request& request, const std::string& error) {
  declare();
  writer_.write(response_type_,
                {{"ServiceMethod", request.method}, {"Seq", request.number}, {"Error", error}});
}

void DhcpRpcServer::answer(const Request& request, const std::optional<AddResult>& result) {
  answer_head(request, "");
  if (result)
    writer_.write(result_type_, as_json(*result));
  else
    writer_.write(nothing_type_, Json::object());
}

void DhcpRpcServer::refuse(const Request& request, const std::string& why) {
  answer_head(request, why);
  writer_.write(nothing_type_, Json::object());
}

std::string DhcpRpcServer::take() {
  output_ += writer_.take();
  return std::exchange(output_, {});
}

}  // namespace weft::cni
