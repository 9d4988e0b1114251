// The four survey messages and the body of a response, as values. Words and errors as in values.h.
// All four have the same frame: the type, a signature, and behind it, to the end, what is signed: the XDR of
//   TIME_SLICED_SURVEY_START_COLLECTING, _STOP_COLLECTING   the inner struct, by the surveyor
//   TIME_SLICED_SURVEY_REQUEST    TimeSlicedSurveyRequestMessage, by the surveyor
//   TIME_SLICED_SURVEY_RESPONSE   TimeSlicedSurveyResponseMessage, by the surveyed node
// Source: stellar-core SurveyManager (dropPeerIfSigInvalid and its callers), commit a9b8613.
#pragma once
#include <array>

#include "core/limits.h"
#include "core/survey_values.h"
#include "core/wire/message_type.h"

namespace overlayd::wire {

// START_COLLECTING or STOP_COLLECTING.
struct SurveyCollecting {
  NodeId surveyor;
  std::uint32_t nonce = 0;
  std::uint32_t ledger = 0;
};
struct SurveyRequest {
  NodeId surveyor;
  NodeId surveyed;
  std::uint32_t ledger = 0;
  std::array<std::uint8_t, 32> encryption_key{};  // X25519
  std::uint32_t nonce = 0;
  std::uint32_t inbound_index = 0;  // of the first link to tell of
  std::uint32_t outbound_index = 0;
};
struct SurveyResponse {
  NodeId surveyor;
  NodeId surveyed;
  std::uint32_t ledger = 0;
  Bytes sealed;  // at most limits::kSurveySealedBytesMax: a SurveyTopology for the request's encryption_key
  std::uint32_t nonce = 0;
};

// TopologyResponseBodyV2, in a SurveyResponseBody.
struct SurveyTopology {
  std::vector<SurveyedLink> inbound;  // at most limits::kSurveyLinksPerPage, as written and as read
  std::vector<SurveyedLink> outbound;
  SurveyedNode node;
};

// What is to be signed.
[[nodiscard]] Bytes write_signed_part(const SurveyCollecting& collecting);
[[nodiscard]] Bytes write_signed_part(const SurveyRequest& request);
[[nodiscard]] Bytes write_signed_part(const SurveyResponse& response);
// The StellarMessage around it; `type` is one of the four, `signature` 64 bytes.
[[nodiscard]] Bytes write_survey_message(MessageType type, ByteView signature, ByteView signed_part);

struct SignedSurvey {
  ByteView signature;    // at most 64 bytes; a valid one has exactly 64
  ByteView signed_part;  // both in place: they live as long as the message
};
// Of a survey message that xdr::validate accepted; nothing of any other.
[[nodiscard]] std::optional<SignedSurvey> read_signed(ByteView xdr);
[[nodiscard]] std::optional<SurveyCollecting> read_survey_collecting(ByteView xdr);  // start or stop
[[nodiscard]] std::optional<SurveyRequest> read_survey_request(ByteView xdr);
[[nodiscard]] std::optional<SurveyResponse> read_survey_response(ByteView xdr);

// A SurveyResponseBody. Reading takes bytes of a stranger: nothing if they are not exactly one in canonical XDR.
[[nodiscard]] Bytes write_survey_topology(const SurveyTopology& topology);
[[nodiscard]] std::optional<SurveyTopology> read_survey_topology(ByteView xdr);

}  // namespace overlayd::wire
