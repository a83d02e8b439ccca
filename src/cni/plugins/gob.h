// gob.h: Go's gob encoding, as much of it as net/rpc and the structs of the dhcp plugin need.
//
// A stream describes its own types: a struct goes over the wire as pairs of a field's number and
// its value, after a message that names the fields. So both sides only have to agree on names.
// Source: Go's documentation of encoding/gob ("Encoding Details") and its type.go. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft::cni::gob {

/// Reads values out of a stream that arrives in pieces.
class Reader {
 public:
  void feed(std::string_view bytes) { buffer_ += bytes; }
  /// The next value that was sent, with structs as objects and []byte as strings; nothing while
  /// it has not arrived completely. Zero values are absent, as on the wire. Fails for what is no
  /// gob, too large, or of a type that is not read here (maps, interfaces, Go's own encoders).
  Result<std::optional<Json>> next();

 private:
  struct Field {
    std::string name;
    std::int64_t type;
  };
  struct Type {
    bool is_struct = false;
    std::vector<Field> fields = {};  // of a struct
    std::int64_t element = 0;        // of a slice or array
  };
  class Cursor;

  Result<std::optional<std::string>> next_message();
  Status learn_type(Cursor& cursor, std::int64_t id);
  Result<Json> read_value(Cursor& cursor, std::int64_t type, int depth) const;
  Result<Json> read_struct(Cursor& cursor, const Type& type, int depth) const;

  std::string buffer_;
  std::map<std::int64_t, Type> types_;
};

enum class Scalar : std::int64_t { kBool = 1, kInt = 2, kUint = 3, kBytes = 5, kString = 6 };

/// Writes values, and ahead of the first one of a type its description. Types are declared from the
/// inside out; the numbers that declare_*() return name them in the declarations after.
class Writer {
 public:
  struct Member {
    std::string name;
    std::int64_t type;
  };
  std::int64_t declare_struct(const std::string& name, const std::vector<Member>& members);
  std::int64_t declare_slice(std::int64_t element);

  /// A value of a declared struct, out of an object with the members' names.
  void write(std::int64_t type, const Json& value);
  /// What was written since the last call.
  std::string take() { return std::exchange(output_, {}); }

 private:
  struct Type {
    std::vector<Member> members = {};  // of a struct
    std::int64_t element = 0;          // of a slice
  };
  std::int64_t add(Type type, std::string_view kind, const std::string& description);
  std::string encode(std::int64_t type, const Json& value) const;
  void put_message(const std::string& message);

  std::int64_t next_id_ = 65;  // those below are Go's own
  std::map<std::int64_t, Type> types_;
  std::string output_;
};

constexpr std::int64_t id_of(Scalar scalar) {
  return static_cast<std::int64_t>(scalar);
}

}  // namespace weft::cni::gob
