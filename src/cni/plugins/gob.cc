#include "cni/plugins/gob.h"

#include <utility>

namespace weft::cni::gob {
namespace {

constexpr std::size_t kLongestMessage = 1U << 20U;
constexpr int kDeepest = 16;
constexpr std::size_t kMostTypes = 100;

std::string unsigned_bytes(std::uint64_t value) {
  if (value < 0x80) return {static_cast<char>(value)};
  std::string bytes;
  for (; value != 0; value >>= 8U) bytes.insert(bytes.begin(), static_cast<char>(value & 0xff));
  return static_cast<char>(-static_cast<int>(bytes.size())) + bytes;
}

std::string signed_bytes(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return unsigned_bytes(value < 0 ? (~bits << 1U) | 1U : bits << 1U);
}

std::string text_bytes(std::string_view text) {
  return unsigned_bytes(text.size()) + std::string(text);
}

bool is_zero(const Json& value) {
  return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_number() && value == 0) || (value.is_boolean() && value == false) ||
         ((value.is_array() || value.is_object()) && value.empty());
}

}  // namespace

// Reads one message from its front; what is read behind its end is zero, and shows in ok().
class Reader::Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }
  std::size_t left() const { return bytes_.size(); }

  std::uint64_t read_unsigned() {
    const auto first = read_byte();
    if (first < 0x80) return first;
    const std::size_t count = 0x100U - first;
    if (count > sizeof(std::uint64_t)) ok_ = false;
    std::uint64_t value = 0;
    for (std::size_t i = 0; ok_ && i < count; ++i) value = value << 8U | read_byte();
    return value;
  }
  std::int64_t read_signed() {
    const std::uint64_t bits = read_unsigned();
    return static_cast<std::int64_t>((bits & 1U) != 0 ? ~(bits >> 1U) : bits >> 1U);
  }
  std::string read_text() {
    const std::uint64_t size = read_unsigned();
    if (size > bytes_.size()) ok_ = false;
    if (!ok_) return {};
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return text;
  }

 private:
  unsigned read_byte() {
    if (bytes_.empty()) ok_ = false;
    if (!ok_) return 0;
    const auto byte = static_cast<unsigned char>(bytes_[0]);
    bytes_.remove_prefix(1);
    return byte;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

Result<std::optional<std::string>> Reader::next_message() {
  Cursor cursor(buffer_);
  const std::uint64_t size = cursor.read_unsigned();
  if (!cursor.ok()) {
    // A first byte says how many follow, at most eight.
    const bool too_many = !buffer_.empty() && static_cast<signed char>(buffer_[0]) < -8;
    if (too_many) return fail("this is no gob");
    return std::nullopt;
  }
  if (size > kLongestMessage)
    return fail("a gob of " + std::to_string(size) + " bytes is too long");
  if (cursor.left() < size) return std::nullopt;
  const std::size_t start = buffer_.size() - cursor.left();
  std::string message = buffer_.substr(start, size);
  buffer_.erase(0, start + size);
  return message;
}

// wireType of Go's type.go: of its fields one is set, which says what kind of type it is.
Status Reader::learn_type(Cursor& cursor, std::int64_t id) {
  constexpr std::int64_t kText = id_of(Scalar::kString);
  constexpr std::int64_t kNumber = id_of(Scalar::kInt);
  static const std::map<std::int64_t, Type> kOfTypes = {
      {16, {.is_struct = true, .fields = {{"ArrayT", 17}, {"SliceT", 19}, {"StructT", 20}}}},
      {17, {.is_struct = true, .fields = {{"Common", 18}, {"Elem", kNumber}, {"Len", kNumber}}}},
      {18, {.is_struct = true, .fields = {{"Name", kText}, {"Id", kNumber}}}},
      {19, {.is_struct = true, .fields = {{"Common", 18}, {"Elem", kNumber}}}},
      {20, {.is_struct = true, .fields = {{"Common", 18}, {"Field", 22}}}},
      {21, {.is_struct = true, .fields = {{"Name", kText}, {"Id", kNumber}}}},
      {22, {.element = 21}},
  };
  Reader reader;
  reader.types_ = kOfTypes;
  ASSIGN_OR_RETURN(const Json description, reader.read_value(cursor, 16, 0));
  Type type;
  if (const Json* structure = find_member(description, "StructT")) {
    type.is_struct = true;
    if (const Json* fields = find_member(*structure, "Field"))
      for (const Json& field : *fields)
        type.fields.push_back(
            {field.value("Name", std::string()), field.value("Id", std::int64_t{0})});
  } else {
    for (const char* kind : {"SliceT", "ArrayT"})
      if (const Json* list = find_member(description, kind))
        type.element = list->value("Elem", std::int64_t{0});
  }
  if (types_.size() >= kMostTypes) return fail("too many types in a gob");
  types_[id] = std::move(type);
  return {};
}

Result<Json> Reader::read_struct(Cursor& cursor, const Type& type, int depth) const {
  Json object = Json::object();
  for (std::size_t next = 0;;) {
    const std::uint64_t delta = cursor.read_unsigned();
    if (!cursor.ok()) return fail("a gob ends too early");
    if (delta == 0) return object;
    if (delta > type.fields.size() - next) return fail("a gob has a field that its type has not");
    next += delta;
    const Field& field = type.fields[next - 1];
    ASSIGN_OR_RETURN(object[field.name], read_value(cursor, field.type, depth + 1));
  }
}

Result<Json> Reader::read_value(Cursor& cursor, std::int64_t type, int depth) const {
  if (depth > kDeepest) return fail("a gob is nested too deeply");
  Json value;
  if (type == id_of(Scalar::kBool)) {
    value = cursor.read_unsigned() != 0;
  } else if (type == id_of(Scalar::kInt)) {
    value = cursor.read_signed();
  } else if (type == id_of(Scalar::kUint)) {
    value = cursor.read_unsigned();
  } else if (type == id_of(Scalar::kBytes) || type == id_of(Scalar::kString)) {
    value = cursor.read_text();
  } else {
    const auto found = types_.find(type);
    if (found == types_.end()) return fail("a gob has a type that is not read here");
    if (found->second.is_struct) return read_struct(cursor, found->second, depth);
    if (found->second.element == 0) return fail("a gob has a type that is not read here");
    value = Json::array();
    const std::uint64_t count = cursor.read_unsigned();
    if (count > cursor.left()) return fail("a gob ends too early");
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(Json element, read_value(cursor, found->second.element, depth + 1));
      value.push_back(std::move(element));
    }
  }
  if (!cursor.ok()) return fail("a gob ends too early");
  return value;
}

Result<std::optional<Json>> Reader::next() {
  for (;;) {
    ASSIGN_OR_RETURN(const auto message, next_message());
    if (!message) return std::nullopt;
    Cursor cursor(*message);
    const std::int64_t id = cursor.read_signed();
    if (!cursor.ok()) return fail("a gob ends too early");
    if (id < 0) {
      if (id == INT64_MIN) return fail("this is no gob");
      RETURN_IF_ERROR(learn_type(cursor, -id));
      continue;
    }
    // What is no struct has a zero in front.
    const auto type = types_.find(id);
    if (type == types_.end() || !type->second.is_struct) (void)cursor.read_unsigned();
    ASSIGN_OR_RETURN(Json value, read_value(cursor, id, 0));
    return value;
  }
}

void Writer::put_message(const std::string& message) {
  output_ += unsigned_bytes(message.size()) + message;
}

// `kind` is the number of the field of wireType that is set.
std::int64_t Writer::add(Type type, std::string_view kind, const std::string& description) {
  const std::int64_t id = next_id_++;
  types_[id] = std::move(type);
  put_message(signed_bytes(-id) + std::string(kind) + description + '\0');
  return id;
}

std::int64_t Writer::declare_struct(const std::string& name, const std::vector<Member>& members) {
  // CommonType with name and number, then the fields; each struct ends with a zero.
  std::string text = "\1\1" + text_bytes(name) + "\1" + signed_bytes(next_id_) + '\0';
  if (!members.empty()) {
    text += "\1" + unsigned_bytes(members.size());
    for (const auto& member : members)
      text += "\1" + text_bytes(member.name) + "\1" + signed_bytes(member.type) + '\0';
  }
  return add({.members = members}, "\3", text + '\0');
}

std::int64_t Writer::declare_slice(std::int64_t element) {
  return add({.element = element}, "\2",
             "\1\2" + signed_bytes(next_id_) + '\0' + "\1" + signed_bytes(element) + '\0');
}

std::string Writer::encode(std::int64_t type, const Json& value) const {
  if (type == id_of(Scalar::kBytes) || type == id_of(Scalar::kString))
    return text_bytes(value.get_ref<const std::string&>());
  if (type == id_of(Scalar::kBool)) return unsigned_bytes(value.get<bool>() ? 1 : 0);
  if (type == id_of(Scalar::kInt)) return signed_bytes(value.get<std::int64_t>());
  if (type == id_of(Scalar::kUint)) return unsigned_bytes(value.get<std::uint64_t>());
  const Type& declared = types_.at(type);
  std::string text;
  if (declared.element != 0) {
    text = unsigned_bytes(value.size());
    for (const Json& element : value) text += encode(declared.element, element);
    return text;
  }
  std::uint64_t delta = 0;
  for (const auto& member : declared.members) {
    ++delta;
    const auto found = value.find(member.name);
    if (found == value.end() || is_zero(*found)) continue;
    text += unsigned_bytes(delta) + encode(member.type, *found);
    delta = 0;
  }
  return text + '\0';
}

void Writer::write(std::int64_t type, const Json& value) {
  put_message(signed_bytes(type) + encode(type, value));
}

}  // namespace weft::cni::gob
