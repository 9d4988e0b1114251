// XDR values from a file or standard input, in the forms people have them. Unless a form is asked for, the first byte
// that is not white space tells it:
//   '{'            JSON lines: an object a line, its string field `xdr` or `envelope` being base64
//   0x80 and up    record-marked XDR: u32 with the length in all but the top bit, then the value. 0x00 to 0x08 too: the
//                  top bit is ignored, as peers do (protocol.md section 1)
//   anything else  base64, one value a line
// Empty lines are skipped, and a CR before the LF. A bad line is an item of its own with the reason, and reading goes
// on; a bad record ends the input, for nothing tells where the next begins. Limits: a value of 17 MiB
// (limits::kApiMessageBytesMax), a line of twice that. Not here: whether the bytes are valid XDR.
#pragma once
#include <fstream>
#include <istream>
#include <memory>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/result.h"

namespace overlayd::ipc::ctl {

enum class InputForm : std::uint8_t { kAuto, kRaw, kBase64, kJson };

struct XdrItem {
  std::size_t index = 0;  // from 0
  std::size_t line = 0;   // from 1; 0 in record-marked input
  Result<Bytes> bytes = Bytes{};
};

class XdrInput {
 public:
  // A path, or "-" for standard input.
  static Result<XdrInput> open(const std::string& path, InputForm form = InputForm::kAuto);
  // Reads from a stream that outlives it.
  XdrInput(std::istream& stream, std::string name, InputForm form = InputForm::kAuto);

  // Nothing: the input is at its end.
  std::optional<XdrItem> next();
  // "transactions.jsonl:12 (item 11)" or "stream.xdr: item 11".
  [[nodiscard]] std::string where(const XdrItem& item) const;
  // Whether reading failed, which is another thing than the end of the input.
  [[nodiscard]] bool is_broken() const { return stream_->bad(); }

 private:
  enum class Form : std::uint8_t { kUnknown, kJson, kRecords, kBase64 };
  void detect();
  [[nodiscard]] Result<Bytes> read_record();
  // The next line with content; nothing at the end. Sets line_.
  [[nodiscard]] std::optional<Result<std::string>> read_line();

  std::unique_ptr<std::ifstream> file_;
  std::istream* stream_;
  std::string name_;
  Form form_ = Form::kUnknown;
  std::size_t index_ = 0;
  std::size_t line_ = 0;
  bool is_over_ = false;
};

}  // namespace overlayd::ipc::ctl
