#include "overlay/udp/datagram_batch.h"

namespace weft::overlay::udp {
namespace {

// Every datagram of the message but the last is of its full size.
bool is_open(const Datagrams& message) {
  return message.bytes == std::uint32_t{message.datagram_size} * message.count;
}

bool takes(const Datagrams& message, const UdpAddress& to, std::size_t size) {
  return message.to == to && size <= message.datagram_size && is_open(message) &&
         message.count < DatagramBatch::kMostDatagrams &&
         message.bytes + size <= DatagramBatch::kMostBytes;
}

}  // namespace

void DatagramBatch::begin_datagram(const UdpAddress& to, std::size_t size) {
  if (messages_ == 0 || !takes(list_[messages_ - 1], to, size))
    list_[messages_++] = {.to = to,
                          .slices = {&pieces_[slices_], 0},
                          .datagram_size = static_cast<std::uint16_t>(size)};
  Datagrams& message = list_[messages_ - 1];
  ++message.count;
  message.bytes += static_cast<std::uint32_t>(size);
}

void DatagramBatch::add_slice(Bytes bytes) {
  pieces_[slices_++] = {.iov_base = bytes.data(), .iov_len = bytes.size()};
  auto& slices = list_[messages_ - 1].slices;
  slices = {slices.data(), slices.size() + 1};
}

void DatagramBatch::add(const UdpAddress& to, Bytes packet) {
  begin_datagram(to, packet.size());
  add_slice(packet);
}

void DatagramBatch::add(const UdpAddress& to, Bytes header, Bytes payload) {
  begin_datagram(to, header.size() + payload.size());
  add_slice(header);
  add_slice(payload);
}

}  // namespace weft::overlay::udp
