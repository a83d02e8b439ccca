#include "dns/inquiry_table.h"

#include <algorithm>
#include <functional>

#include "dns/protocol.h"

namespace weft::dns {
namespace {

constexpr std::uint32_t kNone = Inquiry::kNone;
constexpr std::size_t kTypeAndClass = 4;

// Of a serial number the lower bits count attempts.
constexpr std::uint32_t kSerialStep = 8;

}  // namespace

std::string_view Inquiry::question() const {
  const std::string_view body(message_.data() + kHeaderSize, message_size_ - kHeaderSize);
  return body.substr(0, plain_name_size(body) + kTypeAndClass);
}

bool Inquiry::has_live_attempt() const {
  return std::any_of(attempts.begin(), attempts.begin() + attempt_count,
                     [](const Attempt& each) { return each.channel != nullptr; });
}

InquiryTable::InquiryTable(std::uint32_t capacity)
    : capacity_(capacity), buckets_(std::size_t{capacity} * 2, kNone) {}

std::size_t InquiryTable::bucket_of(const UpstreamGroup& group, std::string_view key) const {
  const std::size_t of_group = std::hash<const void*>{}(&group);
  return (std::hash<std::string_view>{}(key) ^ of_group) % buckets_.size();
}

std::optional<std::uint32_t> InquiryTable::find(const UpstreamGroup& group,
                                                std::string_view key) const {
  for (std::uint32_t place = buckets_[bucket_of(group, key)]; place != kNone;
       place = places_[place].next_in_bucket_)
    if (places_[place].group == &group && places_[place].key() == key) return place;
  return std::nullopt;
}

std::optional<std::uint32_t> InquiryTable::add(UpstreamGroup& group, Inquiry::Kind kind,
                                               std::string_view key, std::string_view message) {
  if (size_ == capacity_) return std::nullopt;
  auto place = static_cast<std::uint32_t>(places_.size());
  if (first_free_ == kNone) {
    places_.emplace_back();
  } else {
    place = first_free_;
    first_free_ = places_[place].next_in_bucket_;
  }
  Inquiry& inquiry = places_[place];
  const std::uint32_t serial = inquiry.serial + kSerialStep;
  inquiry = {};
  inquiry.group = &group;
  inquiry.kind = kind;
  inquiry.serial = serial;
  inquiry.key_size_ = key.size();
  std::copy(key.begin(), key.end(), inquiry.key_.begin());
  inquiry.message_size_ = message.size();
  std::copy(message.begin(), message.end(), inquiry.message_.begin());
  if (kind == Inquiry::Kind::kQuestion) {
    std::uint32_t& bucket = buckets_[bucket_of(group, key)];
    inquiry.next_in_bucket_ = bucket;
    bucket = place;
  }
  inquiry.older_ = youngest_;
  (youngest_ == kNone ? oldest_ : places_[youngest_].younger_) = place;
  youngest_ = place;
  ++size_;
  return place;
}

void InquiryTable::unlink_bucket(std::uint32_t place) {
  const Inquiry& inquiry = places_[place];
  std::uint32_t* link = &buckets_[bucket_of(*inquiry.group, inquiry.key())];
  while (*link != kNone && *link != place) link = &places_[*link].next_in_bucket_;
  if (*link == place) *link = inquiry.next_in_bucket_;
}

void InquiryTable::remove(std::uint32_t place) {
  Inquiry& inquiry = places_[place];
  if (inquiry.kind == Inquiry::Kind::kQuestion) unlink_bucket(place);
  (inquiry.older_ == kNone ? oldest_ : places_[inquiry.older_].younger_) = inquiry.younger_;
  (inquiry.younger_ == kNone ? youngest_ : places_[inquiry.younger_].older_) = inquiry.older_;
  inquiry.group = nullptr;
  inquiry.next_in_bucket_ = first_free_;
  first_free_ = place;
  --size_;
}

Ticket InquiryTable::ticket(std::uint32_t place, unsigned attempt) const {
  return {.place = place, .serial = places_[place].serial + attempt};
}

Inquiry* InquiryTable::find(Ticket ticket) {
  if (ticket.place >= places_.size()) return nullptr;
  Inquiry& inquiry = places_[ticket.place];
  const bool is_it =
      inquiry.group != nullptr && inquiry.serial / kSerialStep == ticket.serial / kSerialStep;
  return is_it ? &inquiry : nullptr;
}

std::optional<std::uint32_t> InquiryTable::oldest() const {
  return oldest_ == kNone ? std::nullopt : std::optional(oldest_);
}

std::optional<std::uint32_t> InquiryTable::younger_than(std::uint32_t place) const {
  const std::uint32_t younger = places_[place].younger_;
  return younger == kNone ? std::nullopt : std::optional(younger);
}

}  // namespace weft::dns
