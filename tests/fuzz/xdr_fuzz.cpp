// Any bytes as a StellarMessage: validation ends, agrees with the one-pass parse, and what it accepts can be hashed, read
// through every view and shown as JSON.
#include "core/check.h"
#include "core/wire/message.h"
#include "core/xdr/json.h"
#include "core/xdr/view.h"

using namespace overlayd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const xdr::Validation validation = xdr::validate(xdr::Type::kStellarMessage, bytes);
  const wire::Message::Parsed parsed = wire::Message::parse(bytes, {});
  OVERLAYD_CHECK(validation.ok() == (parsed.message != nullptr));
  if (!validation.ok()) {
    OVERLAYD_CHECK(validation.offset <= size && !validation.text().empty());
    return 0;
  }
  OVERLAYD_CHECK(!xdr::to_json(xdr::Type::kStellarMessage, bytes).empty());
  switch (parsed.message->type()) {
    case wire::MessageType::kTransaction:
      OVERLAYD_CHECK(xdr::read_transaction_envelope(parsed.message->body()).has_value());
      break;
    case wire::MessageType::kScpMessage: {
      const auto envelope = xdr::read_scp_envelope(parsed.message->body());
      OVERLAYD_CHECK(envelope.has_value());
      envelope->for_each_value([](ByteView value) { static_cast<void>(xdr::read_stellar_value(value)); });
      OVERLAYD_CHECK(!xdr::is_newer_statement(*envelope, *envelope));
      break;
    }
    default: break;
  }
  return 0;
}
