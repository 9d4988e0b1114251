#include "core/error.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"

namespace overlayd {
namespace {

using enum DropReason;
using enum ErrorCode;
constexpr std::nullopt_t kSilent = std::nullopt;

constexpr std::array<DropReasonInfo, kDropReasonCount> kTable{{
    {kFrameEmpty, kSilent, "error during read", "frame_empty"},
    {kFrameTooLarge, kSilent, "error during read", "frame_too_large"},
    {kFrameMalformed, kData, "received corrupt XDR", "frame_malformed"},
    {kAuthSequence, kAuth, "unexpected auth sequence", "auth_sequence"},
    {kAuthKeyZero, kAuth, "receive mac key is zero", "auth_key_zero"},
    {kAuthMac, kAuth, "unexpected MAC", "auth_mac"},
    {kHelloUnexpected, kSilent, "received unexpected HELLO", "hello_unexpected"},
    {kAuthCertInvalid, kSilent, "failed to verify auth cert", "auth_cert_invalid"},
    {kBanned, kSilent, "node is banned", "banned"},
    {kCoolingDown, kSilent, "node was dropped a short time ago", "cooling_down"},
    {kWrongProtocolVersion, kConf, "wrong protocol version", "wrong_protocol_version"},
    {kConnectingToSelf, kConf, "connecting to self", "connecting_to_self"},
    {kWrongNetwork, kConf, "wrong network passphrase", "wrong_network"},
    {kBadAddress, kConf, "bad address", "bad_address"},
    {kAlreadyConnected, kConf, "already-connected peer: ", "already_connected"},
    {kAuthOutOfOrder, kMisc, "out-of-order AUTH message", "auth_out_of_order"},
    {kFlowControlBytesDisabled, kConf, "flow control bytes disabled", "flow_control_bytes_disabled"},
    {kPeerRejected, kLoad, "peer rejected", "peer_rejected"},
    {kBeforeHandshake, kSilent, "received message before completed handshake", "before_handshake"},
    {kPeersUnexpected, kSilent, "received PEERS", "peers_unexpected"},
    {kPeersTwice, kSilent, "too many msgs PEERS", "peers_twice"},
    {kSendMoreUnexpected, kSilent, "unexpected message type SEND_MORE", "send_more_unexpected"},
    {kSendMoreInvalid, kSilent, "invalid message SEND_MORE_EXTENDED", "send_more_invalid"},
    {kCapacityOverflow, kSilent, "Peer capacity overflow", "capacity_overflow"},
    {kOverCapacity, kSilent, "unexpected flood message, peer at capacity", "over_capacity"},
    {kSurveySignature, kMisc, "Survey has invalid signature", "survey_signature"},
    {kPreferredSelected, kLoad, "preferred peer selected instead", "preferred_selected"},
    {kOutOfSync, kLoad, "random disconnect due to out of sync", "out_of_sync"},
    {kIdle, kSilent, "idle timeout", "idle"},
    {kAuthTimeout, kSilent, "idle timeout", "auth_timeout"},
    {kNoCredit, kSilent, "idle timeout (no new flood requests)", "no_credit"},
    {kStraggling, kSilent, "straggling (cannot keep up)", "straggling"},
    {kNoPendingSlot, kSilent, "all pending connections are taken", "no_pending_slot"},
    {kAddressLimit, kSilent, "too many connections from this address", "address_limit"},
    {kWriteQueueFull, kSilent, "straggling (cannot keep up)", "write_queue_full"},
    {kShutdown, kMisc, "shutdown", "shutdown"},
    {kOperator, kMisc, "dropped by operator", "operator"},
    {kClosedByRemote, kSilent, "connection closed by peer", "closed_by_remote"},
    {kErrorFromRemote, kSilent, "peer sent an error", "error_from_remote"},
    {kSocketError, kSilent, "socket error", "socket_error"},
    {kDialFailed, kSilent, "unable to connect", "dial_failed"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i)
    if (static_cast<std::size_t>(kTable[i].reason) != i) return false;
  return true;
}
static_assert(in_order(), "one row per DropReason, in the order of the enum");

constexpr std::string_view kNoRoom =
    "no slot was free, or only preferred peers are taken: see peers.max_inbound, target_outbound and preferred_only";
constexpr std::string_view kSlowReader = "it reads too slowly; if many do, check our upload bandwidth";
constexpr std::array<std::pair<DropReason, std::string_view>, 12> kAdvice{{
    {kAuthCertInvalid, "it may be of another network; if many are, check network.passphrase and this machine's clock"},
    {kBanned, "`overlayctl bans` lists the bans, `overlayctl unban` lifts one"},
    {kWrongProtocolVersion, "its versions and ours do not overlap: check overlay.min_version"},
    {kConnectingToSelf, "remove our own address from peers.known"},
    {kWrongNetwork, "it is of another network: check network.preset and network.passphrase"},
    {kPeerRejected, kNoRoom},
    {kNoCredit, kSlowReader},
    {kStraggling, kSlowReader},
    {kNoPendingSlot, "raise peers.max_pending if the machine can take more"},
    {kAddressLimit, "if these are honest, raise peers.max_inbound_per_ip or peers.max_inbound_per_subnet"},
    {kWriteQueueFull, kSlowReader},
    {kDialFailed, "check the address and firewalls; what is in the book is tried again after its back-off"},
}};

constexpr std::array<std::string_view, 5> kCodeNames{"ERR_MISC", "ERR_DATA", "ERR_CONF", "ERR_AUTH", "ERR_LOAD"};

}  // namespace

const DropReasonInfo& drop_reason_info(DropReason reason) {
  const auto row = static_cast<std::size_t>(reason);
  OVERLAYD_CHECK(row < kTable.size());
  return kTable[row];
}

std::string_view drop_reason_advice(DropReason reason) {
  const auto* found = std::ranges::find(kAdvice, reason, &std::pair<DropReason, std::string_view>::first);
  return found == kAdvice.end() ? std::string_view{} : found->second;
}

std::string_view error_code_name(std::int32_t code) {
  return code >= 0 && static_cast<std::size_t>(code) < kCodeNames.size() ? kCodeNames[static_cast<std::size_t>(code)]
                                                                         : "UNKNOWN";
}

}  // namespace overlayd
