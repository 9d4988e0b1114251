// The one signature check of an overlay that is too dear for the overlay thread.
#pragma once
#include "core/wire/message.h"

namespace overlayd::daemon {

// Whether the SCP_MESSAGE is signed by the node it names: Ed25519 over network id, int32 1 (ENVELOPE_TYPE_SCP) and the
// statement's XDR, unhashed. Source: HerderImpl::verifyEnvelope, stellar-core commit a9b8613.
[[nodiscard]] bool is_scp_signature_valid(const wire::Message& message, const NetworkId& network);

}  // namespace overlayd::daemon
