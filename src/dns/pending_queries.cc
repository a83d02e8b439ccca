#include "dns/pending_queries.h"

#include <algorithm>

#include "base/check.h"

namespace weft::dns {

PendingQuery& PendingQuery::operator=(const PendingQuery& other) {
  if (this == &other) return *this;
  set_query(other.query);
  client = other.client;
  asked = other.asked;
  passed = other.passed;
  return *this;
}

void PendingQuery::set_query(const Query& from) {
  query = from;
  std::copy(from.question.begin(), from.question.end(), question_.begin());
  query.question = {question_.data(), from.question.size()};
  query.name = query.question.substr(0, from.name.size());
}

std::optional<PendingQueries::Id> PendingQueries::keep(const Query& query, const Client& client,
                                                       std::chrono::steady_clock::time_point asked,
                                                       std::uint32_t passed) {
  if (size_ == most_) return std::nullopt;
  auto id = static_cast<Id>(places_.size());
  if (first_free_ == kNone) {
    places_.emplace_back();
  } else {
    id = first_free_;
    first_free_ = places_[id].next_free;
  }
  Place& place = places_[id];
  place.query.set_query(query);
  place.query.client = client;
  place.query.asked = asked;
  place.query.passed = passed;
  ++size_;
  return id;
}

PendingQuery PendingQueries::take(Id id) {
  CHECK(id < places_.size() && size_ > 0);
  Place& place = places_[id];
  place.next_free = first_free_;
  first_free_ = id;
  --size_;
  return place.query;
}

}  // namespace weft::dns
