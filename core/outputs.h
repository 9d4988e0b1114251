// The closed list of what an overlay can ask for. Components append to an Outputs that the caller owns and reuses;
// the order of effects is the order of the list.
#pragma once
#include <utility>
#include <variant>
#include <vector>

#include "core/inputs.h"
#include "core/survey_values.h"

namespace overlayd {

// --- to the network threads ---------------------------------------------------------------------------------------

// Connect a socket. Ends in LinkOpened or LinkClosed{kDialFailed} with the same PeerId.
struct Dial {
  PeerId peer;
  PeerAddress address;
};
// Frame, authenticate and write. The transport writes in this order. HELLO and ERROR_MSG go out without a MAC.
struct Send {
  PeerId peer;
  MessagePtr message;
};
// The handshake is complete: the transport now takes frames of up to 16 MiB.
struct LinkAuthenticated {
  PeerId peer;
};
// Write `error` (may be empty), flush for at most limits::kDropFlushTimeout, close. LinkClosed still follows.
struct Close {
  PeerId peer;
  DropReason reason = DropReason::kOperator;
  MessagePtr error;
};
struct PauseReading {
  PeerId peer;
};
struct ResumeReading {
  PeerId peer;
};
// Check the signature of an SCP_MESSAGE off the overlay thread; answered with ScpVerified.
struct VerifyScp {
  PeerId from;
  MessagePtr message;
};

// --- to clients ---------------------------------------------------------------------------------------------------

// A message for subscribers: SCP_MESSAGE or TRANSACTION, from a peer.
struct PublishMessage {
  PeerId peer;
  NodeId from;
  MessagePtr message;
};
enum class PeerChange : std::uint8_t { kAuthenticated, kDropped };
struct PublishPeer {
  PeerId peer;
  NodeId node;  // zero if the link ended before HELLO
  PeerAddress address;
  Direction direction = Direction::kInbound;
  PeerChange change = PeerChange::kAuthenticated;
  DropReason reason = DropReason::kShutdown;  // of kDropped
  std::string detail;                         // of kDropped: text of the remote's ERROR_MSG, where decoding failed
};
// Arrived: what a FetchItem or an envelope waited for is held now. Missing: every peer was asked once more in vain; the
// search goes on.
enum class ItemChange : std::uint8_t { kArrived, kMissing };
struct PublishItem {
  ItemId item;
  ItemChange change = ItemChange::kArrived;
  PeerId peer;         // of kArrived; local: a client put it
  NodeId from;         // of kArrived; zero: a client put it
  MessagePtr message;  // of kArrived
  Duration searched_for{0};
  std::uint32_t peers_asked = 0;  // requests sent for it, over all rounds
  std::uint32_t rounds = 0;       // full rounds over all peers, in vain
};
// A peer sent GET_SCP_STATE and had this many of our envelopes in answer.
struct PublishScpStateRequest {
  PeerId peer;
  NodeId from;
  std::uint32_t from_ledger = 0;
  std::uint32_t envelopes_sent = 0;
};
// The survey's status has changed; at most one for each input or advance.
struct PublishSurvey {
  SurveyStatus status;
};
enum class RequestStatus : std::uint8_t { kAccepted, kDuplicate, kRefused, kNotFound };
struct RequestAnswer {
  RequestId request;
  RequestStatus status = RequestStatus::kAccepted;
  std::uint32_t peers_told = 0;     // of Broadcast
  std::uint32_t links_dropped = 0;  // of Disconnect and BanPeers
  std::vector<NodeId> nodes{};      // of RequestScpState
  // Of kRefused. Of kAccepted: a ban, or its end, holds, but could not be written and will not outlive the process.
  std::string why{};
};

// --- to the storage thread ----------------------------------------------------------------------------------------

enum class PeerType : std::uint8_t { kInbound = 0, kOutbound = 1, kPreferred = 2 };
struct PeerRecord {
  PeerAddress address;
  UnixTime next_attempt;
  std::uint32_t failures = 0;
  PeerType type = PeerType::kInbound;
};
struct StorePeer {
  PeerRecord record;
};
struct ErasePeer {
  PeerAddress address;
};
// With a request: to be on disk at once, and answered with BanStored. Without: its hits, written behind like peers.
struct StoreBan {
  Ban ban;
  RequestId request{};
  std::uint32_t links_dropped = 0;
};
// The same; without a request: it has ended.
struct EraseBan {
  BanSubject subject;
  RequestId request{};
};
// All anchors; they replace what was stored. At most limits::kAnchorsMax.
struct StoreAnchors {
  std::vector<PeerAddress> addresses;
};

// A survey of ours, in a form of core's own (survey/survey_record.h): what the next process needs to go on with it, and
// its result. Written behind; at once with `is_new`, and then all that was stored of the one before goes.
struct StoreSurvey {
  Bytes record;
  bool is_new = false;
};
struct StoreSurveyNode {
  NodeId node;
  Bytes record;
};

using Output =
    std::variant<Dial, Send, LinkAuthenticated, Close, PauseReading, ResumeReading, VerifyScp, PublishMessage,
                 PublishPeer, PublishItem, PublishScpStateRequest, PublishSurvey, RequestAnswer, StorePeer, ErasePeer,
                 StoreBan, EraseBan, StoreAnchors, StoreSurvey, StoreSurveyNode>;
using Outputs = std::vector<Output>;

}  // namespace overlayd
