#include "cni/plugins/dhcp_rpc.h"

#include <gtest/gtest.h>

#include "cni/plugins/gob.h"

namespace weft::cni {
namespace {

using gob::id_of;
using gob::Scalar;

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

// type Point struct { X, Y int }; Point{22, 33}: the example of Go's documentation of gob.
const std::string kPoint =
    from_hex("1fff8103010105506f696e7401ff82000102010158010400010159010400000007ff82012c014200");

TEST(Gob, TheExampleOfGosDocumentationIsReadAndWritten) {
  gob::Reader reader;
  reader.feed(kPoint);
  EXPECT_EQ(reader.next().value(), (Json{{"X", 22}, {"Y", 33}}));
  EXPECT_EQ(reader.next().value(), std::nullopt);
  gob::Writer writer;
  const auto point =
      writer.declare_struct("Point", {{"X", id_of(Scalar::kInt)}, {"Y", id_of(Scalar::kInt)}});
  writer.write(point, {{"X", 22}, {"Y", 33}});
  EXPECT_EQ(writer.take(), kPoint);
}

TEST(Gob, ArrivesInPieces) {
  gob::Reader reader;
  for (std::size_t i = 0; i + 1 < kPoint.size(); ++i) {
    reader.feed(kPoint.substr(i, 1));
    EXPECT_EQ(reader.next().value(), std::nullopt) << i;
  }
  reader.feed(kPoint.substr(kPoint.size() - 1));
  EXPECT_EQ(reader.next().value(), (Json{{"X", 22}, {"Y", 33}}));
}

TEST(Gob, EveryKindThatIsWrittenIsRead) {
  gob::Writer writer;
  const auto text = id_of(Scalar::kString);
  const auto inner = writer.declare_struct("Inner", {{"Text", text}});
  const auto list = writer.declare_slice(inner);
  const auto outer = writer.declare_struct("Outer", {{"List", list},
                                                     {"Zero", id_of(Scalar::kInt)},
                                                     {"Negative", id_of(Scalar::kInt)},
                                                     {"Large", id_of(Scalar::kUint)},
                                                     {"Yes", id_of(Scalar::kBool)},
                                                     {"Bytes", id_of(Scalar::kBytes)}});
  const std::string bytes("\0\xff", 2);
  writer.write(outer, {{"List", {{{"Text", "a"}}, Json::object(), {{"Text", "c"}}}},
                       {"Zero", 0},
                       {"Negative", -1000},
                       {"Large", 0xfedcba9876543210U},
                       {"Yes", true},
                       {"Bytes", bytes}});
  gob::Reader reader;
  reader.feed(writer.take());
  // Zero values do not travel.
  EXPECT_EQ(reader.next().value(),
            (Json{{"List", {{{"Text", "a"}}, Json::object(), {{"Text", "c"}}}},
                  {"Negative", -1000},
                  {"Large", 0xfedcba9876543210U},
                  {"Yes", true},
                  {"Bytes", bytes}}));
}

TEST(Gob, WhatIsNoneIsRefused) {
  struct {
    const char* what;
    const char* hex;
  } const cases[] = {
      {"a size without end", "80"},
      {"a size of a gigabyte", "fc40000000"},
      {"a value of a type that nobody declared", "04ff900102"},
      {"a field that the type has not",
       "1fff8103010105506f696e7401ff82000102010158010400010159010400000005ff82070200"},
      {"a struct that does not end",
       "1fff8103010105506f696e7401ff82000102010158010400010159010400000004ff82012c"},
      {"a text longer than the message", "040c000561"},
      // type T []T; T{T{T{...: deeper than anybody nests.
      {"nesting", "0cff81020102ff820001ff82000016ff820001010101010101010101010101010101010101"},
  };
  for (const auto& c : cases) {
    gob::Reader reader;
    reader.feed(from_hex(c.hex));
    EXPECT_FALSE(reader.next()) << c.what;
  }
}

const DhcpCall kCall{.container_id = "c1",
                     .netns = "/run/netns/x",
                     .ifname = "eth0",
                     .args = "A=B",
                     .path = "/opt/cni/bin",
                     .config = R"({"name":"n"})"};

// Both sides with nothing between them.
struct Line {
  DhcpRpcClient client{kDhcpAllocate, kCall};
  DhcpRpcServer server;

  Result<std::optional<DhcpRpcServer::Request>> call() {
    server.feed(client.take());
    const auto early = server.next();
    EXPECT_TRUE(early && !*early);
    // Go's server drops what comes with the CONNECT: the call comes after the greeting.
    EXPECT_EQ(client.receive(server.take()).value(), std::nullopt);
    server.feed(client.take());
    return server.next();
  }
};

TEST(DhcpRpc, ACallAndItsResultGoThrough) {
  Line line;
  const auto request = line.call();
  ASSERT_TRUE(request && *request);
  EXPECT_EQ((*request)->method, kDhcpAllocate);
  EXPECT_EQ((*request)->call, kCall);
  const AddResult result{
      .ips = {{.address = *InterfaceAddress::parse("10.1.2.3/24"),
               .gateway = IpAddress::parse("10.1.2.1")}},
      .routes = {{.destination = Prefix(), .gateway = IpAddress::parse("10.1.2.1"), .priority = 7},
                 {.destination = *Prefix::parse("10.9.0.0/16"), .scope = 253}}};
  line.server.answer(**request, result);
  EXPECT_EQ(line.client.receive(line.server.take()).value(), result);
}

TEST(DhcpRpc, SuccessWithoutAResultAndFailureGoThrough) {
  Line done;
  const auto first = done.call();
  done.server.answer(**first, std::nullopt);
  EXPECT_EQ(done.client.receive(done.server.take()).value(), AddResult());
  Line failed;
  const auto second = failed.call();
  failed.server.refuse(**second, "no more tries");
  const auto answer = failed.client.receive(failed.server.take());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "no more tries");
}

TEST(DhcpRpc, OtherProtocolsAreRefused) {
  DhcpRpcServer server;
  server.feed("GET / HTTP/1.0\r\n\r\n");
  EXPECT_FALSE(server.next());
  DhcpRpcServer endless;
  endless.feed(std::string(10'000, 'x'));
  EXPECT_FALSE(endless.next());
  DhcpRpcClient client(kDhcpRelease, kCall);
  EXPECT_FALSE(client.receive("HTTP/1.0 404 Not Found\r\n\r\n"));
}

// A peer may declare its fields with any type; none of them is taken for another.
TEST(DhcpRpc, FieldsOfOtherTypesAreAbsent) {
  gob::Writer writer;
  const auto number = id_of(Scalar::kInt);
  const auto odd = writer.declare_struct("Request", {{"ServiceMethod", number}, {"Seq", number}});
  writer.write(odd, {{"ServiceMethod", 5}, {"Seq", 6}});
  writer.write(odd, {{"ServiceMethod", 5}, {"Seq", 6}});
  DhcpRpcServer server;
  server.feed("CONNECT /_goRPC_ HTTP/1.0\n\n" + writer.take());
  const auto request = server.next();
  ASSERT_TRUE(request && *request);
  EXPECT_EQ((*request)->method, "");
  EXPECT_EQ((*request)->call, DhcpCall());
}

}  // namespace
}  // namespace weft::cni
