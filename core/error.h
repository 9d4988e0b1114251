// Why a connection ends, in one table: reason, ERROR_MSG code (or none: the drop is silent on the wire), the exact
// text, and the label that log, metrics and RPC share. Texts and codes are stellar-core's (src/overlay/Peer.cpp,
// TCPPeer.cpp, OverlayManagerImpl.cpp, commit a9b8613).
//
// Policy for errors in core:
//   input from peers    a DropReason; the connection ends, nothing else is harmed
//   input from callers  Result<T> (result.h) with a sentence naming the field
//   our own mistakes    OVERLAYD_CHECK (check.h), on in every build
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace overlayd {

// ErrorCode of Stellar-overlay.x.
enum class ErrorCode : std::int32_t { kMisc = 0, kData = 1, kConf = 2, kAuth = 3, kLoad = 4 };

// "ERR_MISC" and so on; "UNKNOWN" for a number that is none of them.
[[nodiscard]] std::string_view error_code_name(std::int32_t code);

enum class DropReason : std::uint8_t {
  // framing and authentication
  kFrameEmpty,
  kFrameTooLarge,
  kFrameMalformed,
  kAuthSequence,
  kAuthKeyZero,
  kAuthMac,
  // handshake
  kHelloUnexpected,
  kAuthCertInvalid,
  kBanned,
  kCoolingDown,
  kWrongProtocolVersion,
  kConnectingToSelf,
  kWrongNetwork,
  kBadAddress,
  kAlreadyConnected,
  kAuthOutOfOrder,
  kFlowControlBytesDisabled,
  kPeerRejected,
  kBeforeHandshake,
  // messages
  kPeersUnexpected,
  kPeersTwice,
  kSendMoreUnexpected,
  kSendMoreInvalid,
  kCapacityOverflow,
  kOverCapacity,
  kSurveySignature,
  // slots and timers
  kPreferredSelected,
  kOutOfSync,
  kIdle,
  kAuthTimeout,
  kNoCredit,
  kStraggling,
  kNoPendingSlot,
  kAddressLimit,
  kWriteQueueFull,
  // ends that are nobody's fault
  kShutdown,
  kOperator,
  kClosedByRemote,
  kErrorFromRemote,
  kSocketError,
  kDialFailed,
};
inline constexpr std::size_t kDropReasonCount = static_cast<std::size_t>(DropReason::kDialFailed) + 1;

struct DropReasonInfo {
  DropReason reason;
  std::optional<ErrorCode> code;  // absent: no ERROR_MSG is sent
  std::string_view text;          // sent as it stands when there is a code; kAlreadyConnected appends the short node id
  std::string_view label;         // snake_case, stable: metric label, log field, RPC value
};

[[nodiscard]] const DropReasonInfo& drop_reason_info(DropReason reason);
// What an operator can do about links that end for this reason; empty if there is nothing. For log and RPC.
[[nodiscard]] std::string_view drop_reason_advice(DropReason reason);

}  // namespace overlayd
