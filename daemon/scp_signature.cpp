#include "daemon/scp_signature.h"

#include "core/crypto/keys.h"
#include "core/xdr/view.h"

namespace overlayd::daemon {
namespace {

constexpr std::array<std::uint8_t, 4> kEnvelopeTypeScp{0, 0, 0, 1};

}  // namespace

bool is_scp_signature_valid(const wire::Message& message, const NetworkId& network) {
  const auto envelope = xdr::read_scp_envelope(message.body());
  if (!envelope) return false;
  Bytes signed_bytes;
  signed_bytes.reserve(network.bytes.size() + kEnvelopeTypeScp.size() + envelope->statement.size());
  for (const ByteView part : {ByteView(network.bytes), ByteView(kEnvelopeTypeScp), envelope->statement})
    signed_bytes.insert(signed_bytes.end(), part.begin(), part.end());
  return crypto::verify(envelope->node, signed_bytes, envelope->signature);
}

}  // namespace overlayd::daemon
