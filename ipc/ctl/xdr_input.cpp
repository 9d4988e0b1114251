#include "ipc/ctl/xdr_input.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iostream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/limits.h"

namespace overlayd::ipc::ctl {
namespace {

constexpr std::size_t kValueBytesMax = limits::kApiMessageBytesMax;
constexpr std::size_t kLineBytesMax = 2 * kValueBytesMax;

Result<Bytes> decode_base64(std::string_view text) {
  auto bytes = from_base64(text);
  if (!bytes) return Failure{"not base64"};
  return std::move(*bytes);
}

// Finds the text under "xdr" or "envelope" of the outermost object without building a document: one of nothing but
// brackets would take a hundred times the line's size.
class FieldFinder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool is_object = false;
  bool is_other_kind = false;  // the field is there, and no string
  std::string field;           // empty: not there
  std::string text;

  bool null() override { return other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(number_integer_t) override { return other(); }
  bool number_unsigned(number_unsigned_t) override { return other(); }
  bool number_float(number_float_t, const string_t&) override { return other(); }
  bool binary(binary_t&) override { return other(); }
  bool string(string_t& value) override {
    if (is_at_field_) text = std::move(value);
    is_at_field_ = false;
    return true;
  }
  bool start_object(std::size_t) override {
    is_object = is_object || depth_ == 0;
    return enter();
  }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    is_at_field_ = depth_ == 1 && is_object && field.empty() && (name == "xdr" || name == "envelope");
    if (is_at_field_) field = name;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool other() {
    is_other_kind = is_other_kind || is_at_field_;
    is_at_field_ = false;
    return true;
  }
  bool enter() {
    ++depth_;
    return other();
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
  bool is_at_field_ = false;
};

Result<Bytes> decode_json(const std::string& line) {
  FieldFinder finder;
  if (!nlohmann::json::sax_parse(line, &finder)) return Failure{"not JSON"};
  if (!finder.is_object) return Failure{"not a JSON object"};
  if (finder.field.empty()) return Failure{"neither a field \"xdr\" nor \"envelope\""};
  if (finder.is_other_kind) return Failure{"field \"" + finder.field + "\" is not a string"};
  auto bytes = decode_base64(finder.text);
  if (!bytes) return Failure{"field \"" + finder.field + "\": " + bytes.error()};
  return bytes;
}

}  // namespace

Result<XdrInput> XdrInput::open(const std::string& path, InputForm form) {
  if (path == "-") return XdrInput(std::cin, "standard input", form);
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*file) return Failure{path + ": cannot be opened: " + std::generic_category().message(errno)};
  if (file->peek() == std::char_traits<char>::eof() && file->bad()) return Failure{path + ": cannot be read"};
  file->clear();
  XdrInput input(*file, path, form);
  input.file_ = std::move(file);
  return input;
}

XdrInput::XdrInput(std::istream& stream, std::string name, InputForm form) : stream_(&stream), name_(std::move(name)) {
  switch (form) {
    case InputForm::kAuto: break;
    case InputForm::kRaw: form_ = Form::kRecords; break;
    case InputForm::kBase64: form_ = Form::kBase64; break;
    case InputForm::kJson: form_ = Form::kJson; break;
  }
}

void XdrInput::detect() {
  int first = stream_->peek();
  while (first == ' ' || first == '\t' || first == '\r' || first == '\n') {
    if (first == '\n') ++line_;
    stream_->get();
    first = stream_->peek();
  }
  if (first == '{') {
    form_ = Form::kJson;
  } else if (first >= 0x80 || (first >= 0 && first <= 8)) {
    form_ = Form::kRecords;
  } else {
    form_ = Form::kBase64;
  }
}

std::optional<XdrItem> XdrInput::next() {
  if (is_over_) return std::nullopt;
  if (form_ == Form::kUnknown) detect();
  XdrItem item;
  if (form_ == Form::kRecords) {
    if (stream_->peek() == std::char_traits<char>::eof()) return std::nullopt;
    item.bytes = read_record();
    is_over_ = !item.bytes.ok();
  } else {
    auto line = read_line();
    if (!line) return std::nullopt;
    item.line = line_;
    if (!line->ok()) {
      item.bytes = Failure{line->error()};
    } else {
      item.bytes = form_ == Form::kJson ? decode_json(line->value()) : decode_base64(line->value());
    }
    if (item.bytes.ok() && item.bytes.value().size() > kValueBytesMax) {
      item.bytes = Failure{"longer than " + std::to_string(kValueBytesMax) + " bytes"};
    }
  }
  item.index = index_++;
  return item;
}

Result<Bytes> XdrInput::read_record() {
  std::array<char, 4> mark{};
  stream_->read(mark.data(), mark.size());
  if (stream_->gcount() != 4) return Failure{"the input ends within a record mark"};
  std::uint32_t number = 0;
  for (const char byte : mark) number = number << 8 | static_cast<std::uint8_t>(byte);
  static constexpr std::uint32_t kLastFragment = 0x8000'0000;
  const std::size_t size = number & ~kLastFragment;
  if (size > kValueBytesMax) {
    return Failure{"a record of " + std::to_string(size) + " bytes, longer than " + std::to_string(kValueBytesMax)};
  }
  // Grows with what arrives: a mark alone must not cost megabytes.
  static constexpr std::size_t kStep = 65'536;
  Bytes bytes;
  while (bytes.size() < size) {
    const std::size_t had = bytes.size();
    const std::size_t wanted = std::min(kStep, size - had);
    bytes.resize(had + wanted);
    stream_->read(reinterpret_cast<char*>(bytes.data()) + had, static_cast<std::streamsize>(wanted));
    const auto got = static_cast<std::size_t>(stream_->gcount());
    if (got == wanted) continue;
    return Failure{"the input ends within a record: " + std::to_string(had + got) + " bytes of " +
                   std::to_string(size)};
  }
  return bytes;
}

std::optional<Result<std::string>> XdrInput::read_line() {
  while (true) {
    std::string line;
    bool is_too_long = false;
    int c = stream_->get();
    if (c == std::char_traits<char>::eof()) return std::nullopt;
    ++line_;
    for (; c != std::char_traits<char>::eof() && c != '\n'; c = stream_->get()) {
      is_too_long = is_too_long || line.size() >= kLineBytesMax;
      if (!is_too_long) line.push_back(static_cast<char>(c));
    }
    if (is_too_long) return Failure{"a line longer than " + std::to_string(kLineBytesMax) + " bytes"};
    const std::size_t last = line.find_last_not_of(" \t\r");
    if (last == std::string::npos) continue;
    line.resize(last + 1);
    return line.substr(line.find_first_not_of(" \t"));
  }
}

std::string XdrInput::where(const XdrItem& item) const {
  if (item.line == 0) return name_ + ": item " + std::to_string(item.index);
  return name_ + ":" + std::to_string(item.line) + " (item " + std::to_string(item.index) + ")";
}

}  // namespace overlayd::ipc::ctl
