#include "base/yaml.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace weft {
namespace {

// Deeper than any manifest, and far from the end of the stack.
constexpr int kDeepest = 64;

// What aliases may add to a text, in values; a dozen lines of aliases of aliases would fill the
// memory.
constexpr std::size_t kMostFromAliases = 100'000;

template <class Number>
bool parse_whole(const std::string& text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

Json plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  std::int64_t whole = 0;
  if (parse_whole(text, whole)) return whole;
  double fraction = 0;
  const bool numeric = text.find_first_not_of("+-.0123456789eE") == std::string::npos;
  if (numeric && parse_whole(text, fraction)) return fraction;
  return text;
}

struct Extent {
  std::size_t values = 1;
  int levels = 0;
};

Extent extent_of(const Json& value) {
  Extent whole;
  if (!value.is_structured()) return whole;
  for (const Json& member : value) {
    const Extent part = extent_of(member);
    whole.values += part.values;
    whole.levels = std::max(whole.levels, part.levels);
  }
  ++whole.levels;
  return whole;
}

// Makes values of what the parser reads, and says with the parser's own exception what it refuses.
class Builder final : public YAML::EventHandler {
 public:
  std::vector<Json> take_documents() && { return std::move(documents_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp reads nothing where no value can begin, and would for ever find a document there.
    if (mark.pos == document_at_) throw YAML::ParserException(mark, "no value begins like this");
    document_at_ = mark.pos;
    anchored_.clear();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(mark, anchor, nullptr);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    // yaml-cpp tags a quoted scalar "!" and a plain one "?".
    Json value = tag == "!" || tag == "tag:yaml.org,2002:str" ? Json(text) : plain_scalar(text);
    if (awaits_key()) {
      set_key(mark, text);
      keep(anchor, value);
    } else {
      finish(mark, anchor, std::move(value));
    }
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) throw YAML::ParserException(mark, "an alias holds itself");
    const Extent extent = extent_of(found->second);
    if (extent.values > left_for_aliases_)
      throw YAML::ParserException(mark, "aliases make too much of this text");
    left_for_aliases_ -= extent.values;
    refuse_deeper(mark, extent.levels);
    finish(mark, YAML::NullAnchor, found->second);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, anchor, Json::array());
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, anchor, Json::object());
  }
  void OnMapEnd() override { close(); }

 private:
  // A sequence or a map that has not ended.
  struct Open {
    YAML::Mark mark;
    YAML::anchor_t anchor;
    Json value;
    std::optional<std::string> key;  // of the member to come
  };

  bool awaits_key() const {
    return !open_.empty() && open_.back().value.is_object() && !open_.back().key;
  }

  void set_key(const YAML::Mark& mark, const std::string& key) {
    if (open_.back().value.contains(key))
      throw YAML::ParserException(mark, "the key \"" + key + "\" is there twice");
    open_.back().key = key;
  }

  void refuse_deeper(const YAML::Mark& mark, int levels) const {
    if (static_cast<int>(open_.size()) + levels > kDeepest)
      throw YAML::ParserException(mark, "nested too deeply");
  }

  void keep(YAML::anchor_t anchor, const Json& value) {
    if (anchor != YAML::NullAnchor) anchored_[anchor] = value;
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Json value) {
    if (awaits_key()) throw YAML::ParserException(mark, "a key is no word");
    refuse_deeper(mark, 1);
    open_.push_back({.mark = mark, .anchor = anchor, .value = std::move(value), .key = {}});
  }

  void close() {
    Open ended = std::move(open_.back());
    open_.pop_back();
    finish(ended.mark, ended.anchor, std::move(ended.value));
  }

  void finish(const YAML::Mark& mark, YAML::anchor_t anchor, Json value) {
    if (awaits_key()) throw YAML::ParserException(mark, "a key is no word");
    keep(anchor, value);
    if (open_.empty()) {
      if (!value.is_null()) documents_.push_back(std::move(value));
    } else if (Open& parent = open_.back(); parent.key) {
      parent.value[*std::exchange(parent.key, std::nullopt)] = std::move(value);
    } else {
      parent.value.push_back(std::move(value));
    }
  }

  std::vector<Json> documents_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Json> anchored_;  // of this document
  std::size_t left_for_aliases_ = kMostFromAliases;
  int document_at_ = -1;
};

// Texts that would be read as something else are quoted.
void emit(YAML::Emitter& out, const Json& value) {
  if (value.is_object()) {
    out << YAML::BeginMap;
    for (const auto& [key, member] : value.items()) {
      out << YAML::Key << key << YAML::Value;
      emit(out, member);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    out << YAML::BeginSeq;
    for (const auto& element : value) emit(out, element);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (!plain_scalar(text).is_string()) out << YAML::DoubleQuoted;
    out << text;
  } else {
    // A scalar of JSON is one of YAML.
    out << YAML::Node(YAML::Load(value.dump()));
  }
}

}  // namespace

Result<std::vector<Json>> parse_yaml(std::string_view text) {
  Builder builder;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) continue;
  } catch (const YAML::Exception& exception) {
    return fail("line " + std::to_string(exception.mark.line + 1) + ": " + exception.msg);
  }
  return std::move(builder).take_documents();
}

std::string print_yaml(const Json& value) {
  YAML::Emitter out;
  emit(out, value);
  return std::string(out.c_str()) + "\n";
}

}  // namespace weft
