// template_text.h: the texts of the plugin `template`: "{{ .Name }} 60 IN A 10.0.0.1".
//
// Of Go's template language the fields that a record can be made of; loops, conditions and
// functions are not served. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::dns {

/// What stands for the fields.
struct TemplateValues {
  std::string name = {};  ///< in small letters, with its final dot
  std::string zone = {};
  std::string type = {};
  std::string remote = {};
  std::vector<std::string> groups = {};         ///< of the match, the whole of it in front
  std::map<std::string, int> group_names = {};  ///< their places
};

class TemplateText {
 public:
  /// Refuses what is not served.
  static Result<TemplateText> parse(std::string_view text);
  std::string expand(const TemplateValues& values) const;

 private:
  struct Part {
    enum class Kind : std::uint8_t { kText, kName, kZone, kClass, kType, kRemote, kGroup, kIndex };
    Kind kind = Kind::kText;
    std::string text = {};  // of kText, and the name of kGroup
    std::size_t index = 0;
  };
  static Result<Part> field(std::string_view expression);
  static std::string value(const Part& part, const TemplateValues& values);

  std::vector<Part> parts_;
};

}  // namespace weft::dns
