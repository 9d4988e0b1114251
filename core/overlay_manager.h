// The whole overlay as one object without sockets, threads or clocks: what happened goes in, what should happen comes
// out. Owns every component and is the only place where two of them meet.
//
//   handle(input, now, out)   something happened
//   advance(now, out)         time passed: everything due at or before `now`
//   next_deadline()           when advance is wanted next; never() when nothing is pending
//
// Effects are appended to `out` in the order in which they must be carried out. Inputs of a PeerId that is not open are
// ignored: a link that was dropped may still have messages on their way here.
// `now` may repeat but should not go back; the same inputs at the same times with the same seed give the same outputs.
// Stalls. If advance comes kStallMin or more after its deadline, this process stood still: the peers' timers are put on by
// as much. Rationale: peers that were not heard because nobody listened are not to be dropped all at once.
// Work. UpdateLedger may name 100,000 transactions: they leave the pool kLedgerWorkMax at a time, with kLedgerWorkPause
// between. A further update first finishes the one before.
// Limits: each component's own; links are bounded by the pending and authenticated slots, SCP envelopes that wait for
// their signature by limits::kScpVerifyPendingMax.
#pragma once
#include <map>
#include <memory>
#include <unordered_map>

#include "core/book/admission.h"
#include "core/book/anchors.h"
#include "core/book/ban_manager.h"
#include "core/book/dial_plan.h"
#include "core/book/link_journal.h"
#include "core/book/peer_manager.h"
#include "core/fetch/envelope_items.h"
#include "core/fetch/held_questions.h"
#include "core/fetch/item_fetcher.h"
#include "core/fetch/item_store.h"
#include "core/fetch/scp_state.h"
#include "core/flood/flood_gate.h"
#include "core/flood/signature_cache.h"
#include "core/flood/tx_adverts.h"
#include "core/flood/tx_demands.h"
#include "core/flood/tx_intake.h"
#include "core/flood/tx_pool.h"
#include "core/message_dispatcher.h"
#include "core/overlay_options.h"
#include "core/snapshots.h"
#include "core/survey/survey.h"
#include "core/wire/values.h"
#include "core/xdr/view.h"

namespace overlayd {

inline constexpr std::size_t kLedgerWorkMax = 32;  // transactions in one step: a fraction of a millisecond
// Between steps, so that they take a part of a core only: 100,000 transactions are done in some 3 s.
inline constexpr Duration kLedgerWorkPause = milliseconds(1);

inline constexpr Duration kStallMin = seconds(1);
// How long an address at which we met ourselves counts as ours: a HELLO of ours can be played back to us.
inline constexpr Duration kOwnAddressLifetime = std::chrono::hours(1);

class OverlayManager final : private MessageHandlers {
 public:
  OverlayManager(const OverlayOptions& options, Random& random, const Now& now);
  OverlayManager(const OverlayManager&) = delete;
  OverlayManager& operator=(const OverlayManager&) = delete;
  ~OverlayManager() override;

  void handle(const Input& input, const Now& now, Outputs& out);
  void advance(const Now& now, Outputs& out);
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] StatusSnapshot status(Instant now) const;
  [[nodiscard]] std::vector<PeerSnapshot> peers(Instant now) const;  // ordered by PeerId
  // At most `limit`, the latest first.
  [[nodiscard]] std::vector<ClosedLink> closed_links(std::size_t limit) const { return journal_.latest(limit); }
  [[nodiscard]] PeerExplanation explain(const PeerSubject& subject, const Now& now) const;
  [[nodiscard]] std::vector<KnownPeerSnapshot> known_peers(const Now& now) const;  // ascending by address
  [[nodiscard]] std::vector<Ban> bans(const Now& now) const { return bans_.list(now.unix_time); }
  [[nodiscard]] MessagePtr find_item(const ItemId& id) const;  // null: not held
  [[nodiscard]] SurveyResult survey_result(const Now& now) const { return survey_.result(now.instant); }
  [[nodiscard]] const OverlayMetrics& metrics() const { return metrics_; }
  void check_invariants() const;

 private:
  struct Slots {
    std::uint32_t pending = 0;
    std::uint32_t authenticated = 0;
  };
  struct Dialling {
    PeerAddress address;
    bool is_ordered = false;  // by the operator
    Instant since;
    std::uint32_t failures = 0;  // that the book had then
  };
  struct Ending {
    DropReason reason = DropReason::kOperator;
    std::string detail{};
    bool is_closed = false;                     // the socket is gone already
    bool is_duplicate = false;                  // there is another link to its node
    std::uint32_t failures_before = 0;          // of the address that was dialled
    std::optional<wire::ErrorMessage> error{};  // of kErrorFromRemote
  };
  struct PendingScp {
    MessagePtr message;
    PeerId peer;  // local, and `from` zero: a client
    NodeId from;
    // Other peers that sent it while its signature was checked, at most limits::kSendersPerEnvelopeMax.
    std::vector<PeerId> also_from{};
  };
  // The checkpoint's envelopes go to `peer` after the rest of the state.
  struct DelayedCheckpoint {
    PeerId peer;
    Instant due;
  };
  // What a new ledger has left to do, in steps: pools of a whole network's transactions cannot be gone over between two
  // SCP messages.
  struct LedgerWork {
    std::vector<TxHash> gone;  // applied and banned
    std::size_t gone_done = 0;
    bool is_to_offer = false;  // then `offered` is still to be listed
    std::vector<MessagePtr> offered;
    std::size_t offered_done = 0;
    [[nodiscard]] bool is_done() const {
      return gone_done == gone.size() && !is_to_offer && offered_done == offered.size();
    }
  };

  // links (overlay_manager.cpp)
  void on(const LinkOpened& link, const Now& now, Outputs& out);
  void on(const MessageReceived& received, const Now& now, Outputs& out);
  void on(const LinkFaulted& faulted, const Now& now, Outputs& out);
  void on(const LinkClosed& closed, const Now& now, Outputs& out);
  void on(const LinkProgress& progress, const Now& now, Outputs& out);
  void on(const ScpVerified& verified, const Now& now, Outputs& out);
  void on(const Broadcast& broadcast, const Now& now, Outputs& out);
  void on(const VerdictGiven& given, const Now& now, Outputs& out);
  void on(const TransactionTakers& takers, const Now& now, Outputs& out);
  void on(const ShutDown& shut_down, const Now& now, Outputs& out);

  [[nodiscard]] peer::Peer* find(PeerId id) const;
  [[nodiscard]] Slots slots(Direction direction) const;

  // how links begin and end (overlay_manager_links.cpp)
  void drop(peer::Peer& peer, Ending ending, const Now& now, Outputs& out);
  void drop(PeerId dialled, Ending ending, const Now& now, Outputs& out);
  // False: a slow peer, and as many of them have gone in this tick as may.
  [[nodiscard]] bool may_drop_now(DropReason reason);
  // Why a caller gets no pending slot; another caller may have been dropped for it.
  [[nodiscard]] std::optional<Ending> refuse_caller(const peer::Peer& caller, const PeerAddress& remote, const Now& now,
                                                    Outputs& out);
  [[nodiscard]] bool is_crowded(const peer::Peer& caller) const;
  [[nodiscard]] bool is_possibly_preferred(const PeerAddress& remote) const;
  void note_in_journal(const PeerSnapshot& last, const Ending& ending, const Now& now);
  // What the end of a dial, or of the link it led to, means for the book.
  void note_outbound_end(const PeerAddress& address, const Ending& ending, std::optional<Duration> authenticated_for,
                         const Now& now, Outputs& out);
  // False: where a peer was for long, somebody plays our own HELLO back to us.
  bool add_own_address(const PeerAddress& address, Instant now, Outputs& out);
  // Closes every link and dial of which `is_concerned` says so; how many.
  using LinkPredicate = std::function<bool(const NodeId& node, const PeerAddress& address)>;
  std::uint32_t drop_all(const LinkPredicate& is_concerned, DropReason reason, const Now& now, Outputs& out);

  // handshake and slots (overlay_manager_peers.cpp)
  HandlerResult on_error(const Received& received) override;
  HandlerResult on_hello(const Received& received) override;
  HandlerResult on_auth(const Received& received) override;
  HandlerResult on_peers(const Received& received) override;
  HandlerResult on_send_more_extended(const Received& received) override;
  // The book learns of the address that a HELLO names.
  void note_address(const Received& received);
  // By a ban or a cool-down.
  template <typename Subject>  // NodeId or PeerAddress
  [[nodiscard]] bool is_kept_out(const Subject& subject, const Now& now) const {
    return bans_.find(subject, now.unix_time) != nullptr || bans_.cools_down_for(subject, now.instant) > Duration(0);
  }
  [[nodiscard]] bool accept(peer::Peer& peer, const Now& now, Outputs& out);
  void send_peers(peer::Peer& peer, const Now& now, Outputs& out);
  [[nodiscard]] bool is_preferred(const peer::Peer& peer) const;

  // whom to dial (overlay_manager_book.cpp)
  struct DialRound;
  void on(const PeersResolved& resolved, const Now& now, Outputs& out);
  void tick(const Now& now, Outputs& out);
  [[nodiscard]] DialRound begin_round() const;
  void refresh_anchors(const Now& now, Outputs& out);
  std::size_t dial_anchors(DialRound& round, std::size_t count_max, const Now& now, Outputs& out);
  std::size_t dial_some(DialRound& round, PeerType type, std::size_t count_max, const Now& now, Outputs& out);
  // True if one went.
  bool drop_for_out_of_sync(const book::DialPlan& plan, const Now& now, Outputs& out);
  bool dial(const PeerAddress& address, bool is_ordered, const Now& now, Outputs& out);
  [[nodiscard]] bool is_connected_to(const PeerAddress& address) const;
  // Under which a peer is known: that of its HELLO, and where we dialled it.
  void add_addresses(const peer::Peer& peer, std::set<PeerAddress>& to) const;
  [[nodiscard]] std::set<PeerAddress> authenticated_addresses() const;
  [[nodiscard]] std::uint32_t pending_outbound_free() const;
  // Bound by the limits of its group (dial_plan.h).
  [[nodiscard]] bool is_bound(const PeerAddress& address) const;
  [[nodiscard]] bool is_bound(const peer::Peer& peer) const;
  // Outbound links that are bound; pending ones and dials too if wanted.
  [[nodiscard]] book::GroupCounts count_groups(bool with_pending) const;
  [[nodiscard]] std::uint32_t anchors_waiting() const;

  // the operator (overlay_manager_admin.cpp)
  void on(const ConnectTo& connect, const Now& now, Outputs& out);
  void on(const Disconnect& disconnect, const Now& now, Outputs& out);
  void on(const BanPeers& order, const Now& now, Outputs& out);
  void on(const Unban& order, const Now& now, Outputs& out);
  void on(const BanStored& stored, const Now& now, Outputs& out);
  // False: refused, and answered so.
  bool ban_and_drop(const BanSubject& subject, const BanTerms& terms, RequestId request,
                    const LinkPredicate& is_concerned, const Now& now, Outputs& out);
  [[nodiscard]] std::vector<KnownPeerSnapshot> known_peers(const book::PeerManager::AddressPredicate& is_wanted,
                                                           const Now& now) const;

  // ledgers (overlay_manager_ledger.cpp)
  void on(const LedgerUpdated& updated, const Now& now, Outputs& out);
  // One step.
  void work_on_ledger(Instant now);

  // flooding (overlay_manager_flood.cpp)
  HandlerResult on_scp_message(const Received& received) override;
  HandlerResult on_transaction(const Received& received) override;
  HandlerResult on_flood_advert(const Received& received) override;
  HandlerResult on_flood_demand(const Received& received) override;
  // An envelope that is known, or being checked, came from this peer as well.
  void note_sender(const FloodHash& hash, PeerId peer);
  [[nodiscard]] bool is_plausible(const xdr::ScpEnvelopeView& envelope) const;
  // The signature is good: on to the peers that do not know it, and to the clients.
  void relay_scp(const PendingScp& checked, Instant now, Outputs& out);
  std::uint32_t push_scp(const MessagePtr& message, Instant now, Outputs& out);
  // Marks every authenticated peer as knowing the message; those that did not, in the order of their node ids.
  const std::vector<peer::Peer*>& tell_peers(flood::FloodGate& gate, const FloodHash& hash);
  // How many peers were told of it.
  std::uint32_t advertise(const MessagePtr& transaction, Instant now);
  void advertise_pool_to(peer::Peer& peer, Instant now);
  // How many transactions of the pool are offered at once.
  [[nodiscard]] std::size_t offered_max() const;
  // To the clients, now or when they can take it: then it is held.
  [[nodiscard]] bool publish_or_wait(const Received& received);
  void publish(const flood::TxIntake::Waiting& transaction, Outputs& out);
  void broadcast_scp(const Broadcast& broadcast, const Now& now, RequestAnswer& answer, Outputs& out);
  void broadcast_transaction(const Broadcast& broadcast, const Now& now, RequestAnswer& answer);
  void judge_all(const TxHash& hash, Verdict verdict, const Now& now);
  void judge(const MessagePtr& transaction, Verdict verdict, const Now& now);
  void on_rejected(const wire::Message& transaction);
  // Turns the batches that the flood room filled into FLOOD_ADVERT and FLOOD_DEMAND.
  void flush_flood(Instant now, Outputs& out);
  [[nodiscard]] bool is_demanding() const;

  // items (overlay_manager_fetch.cpp)
  HandlerResult on_get_tx_set(const Received& received) override;
  HandlerResult on_get_scp_quorumset(const Received& received) override;
  HandlerResult on_tx_set(const Received& received) override;
  HandlerResult on_scp_quorumset(const Received& received) override;
  HandlerResult on_dont_have(const Received& received) override;
  void on(const FetchItem& fetch, const Now& now, Outputs& out);
  void on(const CancelFetch& cancel, const Now& now, Outputs& out);
  void on(const PutItem& put, const Now& now, Outputs& out);
  // An envelope that was relayed, or is our own: it is remembered, and what it names is kept or fetched.
  void on_scp_accepted(const PendingScp& accepted, Instant now);
  // Who names the item; ourselves as well, if a client waited for it.
  [[nodiscard]] std::vector<fetch::Reference> references_of(const fetch::ItemFetcher::Found& found) const;
  void answer_query(const Received& received, const ItemId& item);
  void send_dont_have(peer::Peer& peer, const ItemId& item, Instant now, Outputs& out);
  // A search ended with `message`, from `peer` or a client (null). For those who waited: peers whose questions were held,
  // and the clients.
  void on_item_found(const fetch::ItemFetcher::Found& found, const MessagePtr& message, const peer::Peer* peer,
                     Instant now, Outputs& out);
  // Turns what the fetcher wants into GET_TX_SET and GET_SCP_QUORUMSET.
  void flush_fetch(Instant now, Outputs& out);

  // surveys (overlay_manager_survey.cpp)
  HandlerResult on_survey(const Received& received) override;
  void on(const StartSurvey& start, const Now& now, Outputs& out);
  void on(const StopSurvey& stop, const Now& now, Outputs& out);
  void on(const RequestSurvey& request, const Now& now, Outputs& out);
  void on(const RunSurvey& run, const Now& now, Outputs& out);
  void on(const EndSurvey& end, const Now& now, Outputs& out);
  // The answer to our ping of a peer.
  void on_latency(const peer::Peer& peer, Duration latency);
  [[nodiscard]] std::vector<PeerSnapshot> authenticated_links(Instant now) const;
  [[nodiscard]] std::vector<NodeId> authenticated_nodes() const;
  // Sends what the survey room wants broadcast to the peers that do not know it, and tells of a changed status.
  void flush_survey(Instant now, Outputs& out);

  // SCP state (overlay_manager_scp_state.cpp)
  HandlerResult on_get_scp_state(const Received& received) override;
  void on(const RequestScpState& request, const Now& now, Outputs& out);
  void on(const SendScpState& state, const Now& now, Outputs& out);
  void advance_scp_state(Instant now, Outputs& out);
  void ask_scp_state(peer::Peer& peer, std::optional<std::uint32_t> from_ledger, Instant now, Outputs& out);
  [[nodiscard]] std::vector<peer::Peer*> choose_peers(std::size_t count);
  [[nodiscard]] std::optional<std::size_t> find_stale(const std::vector<MessagePtr>& envelopes) const;
  [[nodiscard]] fetch::SlotWindow slot_window() const;
  // What is remembered follows the ledger.
  void move_slot_window(Instant now);

  [[nodiscard]] MessagePtr make_message(Bytes xdr) const;

  OverlayOptions options_;
  Random& random_;
  OverlayMetrics metrics_;
  LedgerView ledger_;
  peer::SendQueueLimits send_limits_;
  MessageDispatcher dispatcher_;
  flood::FloodGate scp_gate_;  // apart, so that no flood of transactions makes SCP messages new again
  flood::FloodGate tx_gate_;
  flood::FloodGate survey_gate_;
  flood::TxAdverts adverts_;
  flood::TxDemands demands_;
  flood::TxPool pool_;
  flood::TxIntake intake_;
  flood::SignatureCache signatures_;
  fetch::ItemStore items_;
  fetch::ScpState scp_state_;
  fetch::ItemFetcher fetcher_;
  fetch::HeldQuestions held_questions_;
  const book::PendingSlots pending_slots_;
  book::PeerManager peer_book_;
  book::BanManager bans_;
  book::Anchors anchors_;
  book::LinkJournal journal_{{}};
  survey::Survey survey_;
  std::vector<MessagePtr> survey_broadcasts_;  // emptied by flush_survey

  std::map<PeerId, std::unique_ptr<peer::Peer>> peers_;  // ordered: iteration reaches outputs
  std::map<NodeId, PeerId> by_node_;                     // authenticated
  std::map<PeerId, Dialling> dialling_;
  std::unordered_map<FloodHash, PendingScp> pending_scp_;
  std::map<PeerId, Dialling> outbound_;         // what the open outbound links were as dials
  std::set<PeerAddress> configured_addresses_;  // known and preferred, as last resolved
  std::set<PeerAddress> preferred_addresses_;
  std::map<PeerAddress, Instant> own_addresses_;  // dials of them ended at ourselves; until when that is believed
  flood::AdvertBatches advert_batches_;           // scratch, emptied by flush_flood
  flood::DemandBatches demand_batches_;
  std::vector<NodeId> nodes_;  // scratch of tell_peers
  std::vector<std::size_t> untold_;
  std::vector<peer::Peer*> untold_peers_;
  fetch::FetchBatch fetch_batch_;                      // scratch, emptied by flush_fetch
  std::deque<DelayedCheckpoint> delayed_checkpoints_;  // one for each link at most; dues rise
  Instant next_state_request_ = Instant::never();      // while out of sync
  LedgerWork ledger_work_;
  Instant ledger_work_due_;  // while there is any
  std::uint64_t next_peer_ = 1;
  Instant started_;
  Instant next_tick_;
  std::optional<Instant> out_of_sync_since_;  // or since the last drop for it
  std::uint32_t slow_drops_left_ = 0;         // in this tick
  bool has_ticked_ = false;
  bool has_takers_ = false;
  bool is_shutting_down_ = false;
};

}  // namespace overlayd
