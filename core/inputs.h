// The closed list of what can happen to an overlay. OverlayManager::handle takes exactly these.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/ban.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/ids.h"
#include "core/local_node.h"

namespace overlayd {

namespace wire {
class Message;
}
// An immutable StellarMessage, held once and shared by every queue, peer and subscriber that needs it.
using MessagePtr = std::shared_ptr<const wire::Message>;

enum class Direction : std::uint8_t { kInbound, kOutbound };

// What an SCP envelope refers to by its hash.
enum class ItemKind : std::uint8_t { kTxSet = 0, kQuorumSet = 1 };
inline constexpr std::size_t kItemKindCount = 2;
struct ItemId {
  ItemKind kind = ItemKind::kTxSet;
  ItemHash hash;
  auto operator<=>(const ItemId&) const = default;
};

// AuthCert of Stellar-overlay.x.
struct AuthCert {
  std::array<std::uint8_t, 32> public_key{};  // X25519
  UnixTime expiration;
  Bytes signature;  // at most 64 bytes; a valid one has exactly 64
};

// --- from the network threads -------------------------------------------------------------------------------------

// A socket is connected (dialled by Output Dial, or accepted). The transport has drawn the nonce and keeps the secrets.
struct LinkOpened {
  PeerId peer;
  PeerAddress remote;
  Direction direction = Direction::kInbound;
  AuthCert local_cert;
  std::array<std::uint8_t, 32> local_nonce{};
};
// A complete message, authenticated and validated by the transport. For HELLO, `is_cert_valid` says whether the
// certificate verified and keys could be derived from it; it is false for every other type.
struct MessageReceived {
  PeerId peer;
  MessagePtr message;
  bool is_cert_valid = false;
};
// The transport refused bytes of this peer and reads no more of it; the link stays until Close is put out for it.
struct LinkFaulted {
  PeerId peer;
  DropReason reason = DropReason::kFrameMalformed;
  std::string detail;  // where decoding failed; for the log and the journal
};
// The socket is gone (or the dial failed). Last input of this PeerId.
struct LinkClosed {
  PeerId peer;
  DropReason reason = DropReason::kClosedByRemote;
  std::string detail;
};
// Sent at most once a second and only after activity.
struct LinkProgress {
  PeerId peer;
  Instant last_read;
  Instant last_write;
  Instant oldest_unwritten = Instant::never();  // when the oldest message still in the write queue was handed over
};
// Answer to Output VerifyScp.
struct ScpVerified {
  FloodHash hash;
  bool is_valid = false;
};

// --- from clients of the API --------------------------------------------------------------------------------------

// Everything with a RequestId is answered with exactly one Output RequestAnswer.

// A TRANSACTION or SCP_MESSAGE of our own.
struct Broadcast {
  RequestId request;
  MessagePtr message;
};
enum class Verdict : std::uint8_t { kAccept, kReject, kBan };
struct VerdictGiven {
  // A transaction with all its envelopes, or one message, whether transaction or SCP envelope, by its flood hash.
  std::variant<TxHash, FloodHash> subject;
  Verdict verdict = Verdict::kAccept;
};
struct LedgerUpdated {
  LedgerView view;
  std::vector<TxHash> applied;
  std::vector<TxHash> banned;
};
// Wait for an item as an envelope of `slot` would (0: the current ledger's); ends in PublishItem, in CancelFetch, or when
// the slot is no longer remembered. kDuplicate: it is held already.
struct FetchItem {
  RequestId request;
  ItemId item;
  std::uint64_t slot = 0;
  std::vector<NodeId> holders{};  // peers to ask first; those that are not connected are passed over
};
// No client waits for it any more; envelopes may. kNotFound: no client did.
struct CancelFetch {
  RequestId request;
  ItemId item;
};
// A TX_SET, GENERALIZED_TX_SET or SCP_QUORUMSET to serve to peers. kDuplicate: it is held already.
struct PutItem {
  RequestId request;
  MessagePtr message;
};
// Ask peers for their SCP state with GET_SCP_STATE. The answer's nodes are those asked; kNotFound: there is no such peer.
struct RequestScpState {
  RequestId request;
  std::optional<NodeId> node{};                // absent: `count` random peers
  std::uint32_t count = 1;                     // of absent `node`
  std::optional<std::uint32_t> from_ledger{};  // absent: what would be asked after AUTH
};
// SCP_MESSAGEs for one peer, in this order: a client's own answer to GET_SCP_STATE. kNotFound: it is not connected.
struct SendScpState {
  RequestId request;
  NodeId node;
  std::vector<MessagePtr> envelopes;
};
// How much of the transaction events the clients that judge them can take.
struct TransactionWindow {
  // Bytes that may be published in all, since the start, each transaction with limits::kEventOverheadBytes; absent: no
  // bound.
  std::optional<std::uint64_t> published_bytes_max{};
  std::uint64_t reserve_bytes = 0;  // with less than this left no transaction is demanded
};
// Whether a client that takes transactions is attached (relay mode "consensus" demands transactions only then), and how
// much it can take; again whenever either has changed.
struct TransactionTakers {
  bool is_attached = false;
  TransactionWindow window{};
};

// --- from the operator --------------------------------------------------------------------------------------------

// Addresses of the configured names, whenever a resolution finished. Replaces the former lists; a preferred address
// that is gone falls back to outbound.
struct PeersResolved {
  std::vector<PeerAddress> known;
  std::vector<PeerAddress> preferred;
};
// Below, a request of 0 stands for nobody who waits for an answer.

// A peer by its node id, or by its address: that of HELLO, or of the dial; port 0 stands for any.
using PeerSubject = std::variant<NodeId, PeerAddress>;

// Dials an address now, whatever the book, the slots and the groups of addresses say; once it is authenticated it needs a
// slot like any other. kDuplicate: there is a link to it, or a dial under way. kRefused: it is banned or cools down, there
// is no pending slot, or the overlay is shutting down. That it is our own shows in the handshake only.
struct ConnectTo {
  PeerAddress address;
  RequestId request{};
};
// Ends all links to a peer. kNotFound: there is none, and nothing else was done. kRefused: it could not be banned, and
// nothing was done.
struct Disconnect {
  PeerSubject peer;
  RequestId request{};
  Duration cool_down{0};          // for so long it is neither dialled nor accepted; at most limits::kCoolDownMax
  std::optional<BanTerms> ban{};  // of its node, of which there must be one; of links without any, of their IP
};
// Bans, and ends the links it concerns. On a subject that is banned the new terms replace the old ones; the hits stay.
// kRefused: there are limits::kBansMax, or it is this very node. Answered once it is on disk (BanStored).
struct BanPeers {
  BanSubject subject;
  BanTerms terms{};
  RequestId request{};
};
// kNotFound: no such ban, by exactly this node or range. Answered once it is on disk.
struct Unban {
  BanSubject subject;
  RequestId request{};
};
// Answer to Output StoreBan or EraseBan with a request.
struct BanStored {
  RequestId request;
  std::uint32_t links_dropped = 0;  // as in the output
  std::string why{};                // it cannot be written; it holds until the process ends. Empty: it is on disk
};
// --- surveys ------------------------------------------------------------------------------------------------------
// Asked for by a client; the surveyor is this node. What is refused is answered kRefused with the reason.

// Begins the collecting phase in the whole network. kRefused: a survey is under way, ours or another's (protocol.md
// section 9: one at a time), or the ledger is not known.
struct StartSurvey {
  RequestId request;
  std::uint32_t nonce = 0;  // 0: one is drawn
};
// Ends the collecting phase of our survey: nodes answer requests from now on. kNotFound: none of ours is collecting.
struct StopSurvey {
  RequestId request;
};
// Queues one request, ahead of those of a run. kDuplicate: one for that node waits or is under way. kNotFound: no survey
// of ours is in its reporting phase.
struct RequestSurvey {
  RequestId request;
  NodeId node;
  std::uint32_t inbound_index = 0;  // the first link to be told of, in each direction
  std::uint32_t outbound_index = 0;
};
// Conducts a whole survey: start, stop after collect_for, then every node that answers and every node they name. Goes on
// with a survey of ours that is collecting or reporting, if there is one. kDuplicate: a run is under way.
struct RunSurvey {
  RequestId request;
  Duration collect_for{0};  // limits::kSurveyCollectMin to kSurveyCollectMax
};
// Asks nobody any more, forgets the key and ends a run. What came in stays. kNotFound: nobody is being asked.
struct EndSurvey {
  RequestId request;
};

// Every peer gets ERR_MISC "shutdown"; new links are refused.
struct ShutDown {};

using Input = std::variant<LinkOpened, MessageReceived, LinkFaulted, LinkClosed, LinkProgress, ScpVerified, Broadcast,
                           VerdictGiven, LedgerUpdated, TransactionTakers, FetchItem, CancelFetch, PutItem,
                           RequestScpState, SendScpState, PeersResolved, ConnectTo, Disconnect, BanPeers, Unban,
                           BanStored, StartSurvey, StopSurvey, RequestSurvey, RunSurvey, EndSurvey, ShutDown>;

}  // namespace overlayd

template <>
struct std::hash<overlayd::ItemId> {
  std::size_t operator()(const overlayd::ItemId& id) const noexcept {
    return std::hash<overlayd::ItemHash>{}(id.hash) ^ static_cast<std::size_t>(id.kind);
  }
};
