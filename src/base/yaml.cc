#include "base/yaml.h"

#include <charconv>

#include <yaml-cpp/yaml.h>

namespace weft {
namespace {

// Deeper than any manifest, and far from the end of the stack.
constexpr int kDeepest = 64;

std::string at_line(const YAML::Mark& mark) {
  return "line " + std::to_string(mark.line + 1);
}

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

Result<Json> convert(const YAML::Node& node, int depth);

Result<Json> convert_map(const YAML::Node& node, int depth) {
  Json object = Json::object();
  for (const auto& member : node) {
    if (!member.first.IsScalar()) return fail(at_line(member.first.Mark()) + ": a key is no word");
    const std::string& key = member.first.Scalar();
    if (object.contains(key))
      return fail(at_line(member.first.Mark()) + ": the key \"" + key + "\" is there twice");
    ASSIGN_OR_RETURN(object[key], convert(member.second, depth + 1));
  }
  return object;
}

Result<Json> convert(const YAML::Node& node, int depth) {
  if (depth > kDeepest) return fail(at_line(node.Mark()) + ": nested too deeply");
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      // yaml-cpp tags a quoted scalar "!" and a plain one "?".
      return node.Tag() == "!" ? Json(node.Scalar()) : plain_scalar(node.Scalar());
    case YAML::NodeType::Sequence: {
      Json array = Json::array();
      for (const auto& element : node) {
        ASSIGN_OR_RETURN(Json value, convert(element, depth + 1));
        array.push_back(std::move(value));
      }
      return array;
    }
    case YAML::NodeType::Map:
      return convert_map(node, depth);
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      break;
  }
  return Json(nullptr);
}

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
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(std::string(text));
  } catch (const YAML::Exception& exception) {
    return fail(at_line(exception.mark) + ": " + exception.msg);
  }
  std::vector<Json> values;
  for (const auto& document : documents) {
    ASSIGN_OR_RETURN(Json value, convert(document, 0));
    if (!value.is_null()) values.push_back(std::move(value));
  }
  return values;
}

std::string print_yaml(const Json& value) {
  YAML::Emitter out;
  emit(out, value);
  return std::string(out.c_str()) + "\n";
}

}  // namespace weft
