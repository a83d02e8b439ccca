#include "cluster/search_walk.h"

#include <algorithm>

#include "base/text.h"

namespace weft {
namespace {

constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestText = 254;  // with its final dot (RFC 1035, section 2.3.4)
constexpr unsigned kMostDots = 15;

std::string with_final_dot(const std::string& name) {
  return name.ends_with('.') ? name : name + ".";
}

bool fits_question(const std::string& name) {
  const auto labels = split(name, '.');
  return name.size() <= kLongestText &&
         std::all_of(labels.begin(), labels.end(),
                     [](const std::string& label) { return label.size() <= kLongestLabel; });
}

std::string counted(std::size_t dots) {
  return std::to_string(dots) + (dots == 1 ? " dot" : " dots");
}

class Walk {
 public:
  Walk(const ResolvConf& file, const std::string& name)
      : file_(file),
        name_(name),
        dots_(static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'))) {}

  std::vector<NameToTry> names() {
    if (name_.empty()) return {};
    const unsigned ndots = ndots_of(file_);
    const std::string limit = "ndots:" + std::to_string(ndots);
    if (name_.ends_with('.')) {
      add(name_, "as it is: it ends with a dot");
      return names_;
    }
    if (dots_ >= ndots) add_as_is("as it is: it has " + counted(dots_) + ", " + limit);
    for (const std::string& domain : file_.searches) {
      if (domain == ".")
        add_as_is("as it is: the search domain \".\"");
      else if (!add(name_ + "." + with_final_dot(domain), "in " + domain))
        break;
    }
    if (dots_ < ndots && file_.searches.empty())
      add_as_is("as it is: there is no search domain");
    else
      add_as_is("as it is: " + counted(dots_) + ", " + limit + ", after the search");
    return names_;
  }

 private:
  // False when it cannot be asked for.
  bool add(const std::string& name, const std::string& reason) {
    const bool fits = fits_question(name);
    names_.push_back({.name = name, .reason = reason, .is_too_long = !fits});
    return fits;
  }
  void add_as_is(const std::string& reason) {
    if (is_tried_as_is_) return;
    is_tried_as_is_ = true;
    add(name_ + ".", reason);
  }

  const ResolvConf& file_;
  const std::string& name_;
  const std::size_t dots_;
  bool is_tried_as_is_ = false;
  std::vector<NameToTry> names_;
};

}  // namespace

unsigned ndots_of(const ResolvConf& file) {
  constexpr std::string_view kOption = "ndots:";
  std::uint64_t dots = 1;
  for (const std::string& option : file.options)
    if (option.starts_with(kOption))
      dots = parse_number(std::string_view(option).substr(kOption.size())).value_or(dots);
  return static_cast<unsigned>(std::min<std::uint64_t>(dots, kMostDots));
}

std::vector<NameToTry> names_to_try(const ResolvConf& file, const std::string& name) {
  return Walk(file, name).names();
}

}  // namespace weft
