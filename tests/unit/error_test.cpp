#include "core/error.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace overlayd;

namespace {

struct Row {
  DropReason reason;
  std::optional<ErrorCode> code;
  std::string_view text;
};

// What peers see, as stellar-core sends it.
const std::vector<Row> kOnTheWire{
    {DropReason::kFrameMalformed, ErrorCode::kData, "received corrupt XDR"},
    {DropReason::kAuthSequence, ErrorCode::kAuth, "unexpected auth sequence"},
    {DropReason::kAuthKeyZero, ErrorCode::kAuth, "receive mac key is zero"},
    {DropReason::kAuthMac, ErrorCode::kAuth, "unexpected MAC"},
    {DropReason::kWrongProtocolVersion, ErrorCode::kConf, "wrong protocol version"},
    {DropReason::kConnectingToSelf, ErrorCode::kConf, "connecting to self"},
    {DropReason::kWrongNetwork, ErrorCode::kConf, "wrong network passphrase"},
    {DropReason::kBadAddress, ErrorCode::kConf, "bad address"},
    {DropReason::kAlreadyConnected, ErrorCode::kConf, "already-connected peer: "},
    {DropReason::kAuthOutOfOrder, ErrorCode::kMisc, "out-of-order AUTH message"},
    {DropReason::kFlowControlBytesDisabled, ErrorCode::kConf, "flow control bytes disabled"},
    {DropReason::kPeerRejected, ErrorCode::kLoad, "peer rejected"},
    {DropReason::kSurveySignature, ErrorCode::kMisc, "Survey has invalid signature"},
    {DropReason::kPreferredSelected, ErrorCode::kLoad, "preferred peer selected instead"},
    {DropReason::kOutOfSync, ErrorCode::kLoad, "random disconnect due to out of sync"},
    {DropReason::kShutdown, ErrorCode::kMisc, "shutdown"},
};

// Drops that say nothing to the peer.
const std::vector<DropReason> kSilent{DropReason::kFrameEmpty,
                                      DropReason::kFrameTooLarge,
                                      DropReason::kHelloUnexpected,
                                      DropReason::kAuthCertInvalid,
                                      DropReason::kBanned,
                                      DropReason::kBeforeHandshake,
                                      DropReason::kPeersUnexpected,
                                      DropReason::kPeersTwice,
                                      DropReason::kSendMoreUnexpected,
                                      DropReason::kSendMoreInvalid,
                                      DropReason::kCapacityOverflow,
                                      DropReason::kOverCapacity,
                                      DropReason::kIdle,
                                      DropReason::kAuthTimeout,
                                      DropReason::kNoCredit,
                                      DropReason::kStraggling};

}  // namespace

TEST_CASE("error texts and codes are stellar-core's", "[error]") {
  for (const Row& row : kOnTheWire) {
    INFO(row.text);
    CHECK(drop_reason_info(row.reason).code == row.code);
    CHECK(drop_reason_info(row.reason).text == row.text);
  }
}

TEST_CASE("silent drops have no code", "[error]") {
  for (const DropReason reason : kSilent) {
    INFO(drop_reason_info(reason).label);
    CHECK_FALSE(drop_reason_info(reason).code.has_value());
  }
}

TEST_CASE("drop texts of protocol rules without a message are stellar-core's log texts", "[error]") {
  CHECK(drop_reason_info(DropReason::kAuthCertInvalid).text == "failed to verify auth cert");
  CHECK(drop_reason_info(DropReason::kBanned).text == "node is banned");
  CHECK(drop_reason_info(DropReason::kCapacityOverflow).text == "Peer capacity overflow");
  CHECK(drop_reason_info(DropReason::kOverCapacity).text == "unexpected flood message, peer at capacity");
  CHECK(drop_reason_info(DropReason::kNoCredit).text == "idle timeout (no new flood requests)");
  CHECK(drop_reason_info(DropReason::kStraggling).text == "straggling (cannot keep up)");
}

TEST_CASE("every reason has a text that fits ERROR_MSG and a label of its own in snake_case", "[error]") {
  std::set<std::string> labels;
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    const DropReasonInfo& info = drop_reason_info(static_cast<DropReason>(i));
    CHECK(static_cast<std::size_t>(info.reason) == i);
    CHECK_FALSE(info.text.empty());
    CHECK(info.text.size() <= 100 - 5);  // room for the five characters of an already connected node
    REQUIRE_FALSE(info.label.empty());
    CHECK(info.label.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    labels.emplace(info.label);
  }
  CHECK(labels.size() == kDropReasonCount);
}

TEST_CASE("error codes have the protocol's names and numbers", "[error]") {
  CHECK(error_code_name(0) == "ERR_MISC");
  CHECK(error_code_name(1) == "ERR_DATA");
  CHECK(error_code_name(2) == "ERR_CONF");
  CHECK(error_code_name(3) == "ERR_AUTH");
  CHECK(error_code_name(4) == "ERR_LOAD");
  CHECK(error_code_name(static_cast<std::int32_t>(ErrorCode::kAuth)) == "ERR_AUTH");
  for (const std::int32_t code : {-1, 5, INT32_MIN, INT32_MAX}) CHECK(error_code_name(code) == "UNKNOWN");
}

TEST_CASE("advice is for reasons an operator can act on, one line each", "[error]") {
  CHECK(drop_reason_advice(DropReason::kStraggling) == drop_reason_advice(DropReason::kNoCredit));
  CHECK(drop_reason_advice(DropReason::kNoPendingSlot).find("peers.max_pending") != std::string_view::npos);
  CHECK(drop_reason_advice(DropReason::kAddressLimit).find("peers.max_inbound_per_ip") != std::string_view::npos);
  CHECK(drop_reason_advice(DropReason::kDialFailed) ==
        "check the address and firewalls; what is in the book is tried again after its back-off");
  CHECK(drop_reason_advice(DropReason::kPeerRejected).find("preferred_only") != std::string_view::npos);
  CHECK(drop_reason_advice(DropReason::kAuthCertInvalid).find("network.passphrase") != std::string_view::npos);
  CHECK(drop_reason_advice(DropReason::kClosedByRemote).empty());
  CHECK(drop_reason_advice(DropReason::kFrameEmpty).empty());
}
