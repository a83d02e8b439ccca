// full_name.h: names put together out of their parts, on the stack.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "dns/name.h"
#include "dns/service_records.h"

namespace weft::dns {

/// LABEL.NAME.NAMESPACE.svc.ZONE
class FullName {
 public:
  /// `label` stands behind its length, or is empty.
  FullName(std::string_view label, const ServiceRecords& service, const Name& zone) {
    append(label);
    append(service.name_and_namespace());
    append("\3svc");
    append(zone.wire());
  }

  /// Empty when the parts together are longer than a name may be.
  std::string_view wire() const {
    return size_ > bytes_.size() ? std::string_view() : std::string_view(bytes_.data(), size_);
  }

 private:
  void append(std::string_view part) {
    if (size_ + part.size() <= bytes_.size())
      std::copy(part.begin(), part.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += part.size();
  }

  std::array<char, kLongestName> bytes_;
  std::size_t size_ = 0;
};

}  // namespace weft::dns
