// pending_queries.h: queries whose answers are not there yet.
//
// The table has a bound: however many clients ask for what nobody answers, it does not grow beyond.
// A query is kept as it was read, with who asked; when what it waits for has come, it is taken out
// and put to the plugins again from the first one on.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "dns/client.h"
#include "dns/name.h"
#include "dns/query.h"

namespace weft::dns {

struct PendingQuery {
  PendingQuery() = default;
  PendingQuery(const PendingQuery& other) { *this = other; }
  PendingQuery& operator=(const PendingQuery& other);

  /// Keeps a copy of the question beside the query, which refers to it.
  void set_query(const Query& from);

  Query query = {};
  Client client = {};
  std::chrono::steady_clock::time_point asked = {};
  std::uint32_t passed = 0;  ///< see Exchange

 private:
  std::array<char, kLongestName + 4> question_;
};

class PendingQueries {
 public:
  using Id = std::uint32_t;

  explicit PendingQueries(std::uint32_t most) : most_(most) {}

  /// Nothing when the table is full.
  std::optional<Id> keep(const Query& query, const Client& client,
                         std::chrono::steady_clock::time_point asked, std::uint32_t passed);
  /// REQUIRES an id that keep() gave and that has not been taken.
  PendingQuery take(Id id);

  std::uint32_t size() const { return size_; }

 private:
  struct Place {
    PendingQuery query;
    Id next_free = 0;
  };
  static constexpr Id kNone = 0xffffffff;

  std::uint32_t most_;
  std::uint32_t size_ = 0;
  Id first_free_ = kNone;
  std::deque<Place> places_;  // as many as were ever needed at a time
};

}  // namespace weft::dns
