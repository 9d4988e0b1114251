// Who knows which flooded message, so that nothing is processed twice and nothing is sent to a peer that has it.
//
// Words.   A *record* belongs to one flood hash (BLAKE2b-256 of the StellarMessage): the ledger at which we first had
//          the message, and the set of nodes that know it. A node *knows* a message once it sent it to us or we told
//          it.
// Rule 1.  A message is new when it has no record. Receiving it makes the record and puts the sender in; receiving it
//          again only puts the sender in. Source: Floodgate::addRecord.
// Rule 2.  A node is told at most once: `tell` says yes the first time and marks it, in a record it makes if there is
//          none (a message of our own). Source: Floodgate::broadcast.
// Rule 3.  Nodes are remembered by node id, not by connection. Rationale: a peer that reconnects keeps what it knows,
//          so reconnecting does not buy a second copy of everything. So a peer that leaves needs no call here.
// Rule 4.  A forgotten message is new again. For messages that were discarded after the record was made. Source:
//          Floodgate::forgetRecord.
// Rule 5.  After clear_below(n) the records first seen at a ledger below n count as absent. Source:
//          Floodgate::clearBelow. Their memory goes step by step: 1,024 at once, two with each record made
//          after that. Rationale: a ledger's worth of records freed in one go holds up the SCP messages of that moment.
// Limits.  records_max records (ours); one more evicts the oldest by insertion. Cost: a message from before the
//          eviction counts as new if it comes again. For a transaction the pool usually still knows it; for an SCP
//          envelope or a survey message nobody does, and it is published and relayed once more. So transactions, which
//          anybody can make in numbers, and the other messages are to have a gate each (kFloodScpRecordsMax for the
//          latter): a gate evicts only what is its own. A record takes about 150 bytes while at most 128 nodes are told
//          apart.
//          nodes_max node ids (ours); one more evicts the quarter of them that was named longest ago, from every
//          record. Cost: such a node may be sent a message a second time. A quarter at once, so that the sweep over all
//          records is paid once in many new nodes, each of which had to complete a handshake.
// Not here: which peers are connected, and how a message is sent.
// Source:  stellar-core Floodgate, commit a9b8613; departures from it are marked "ours".
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/flood/insertion_map.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/metrics.h"

namespace overlayd::flood {

struct FloodGateOptions {
  std::size_t records_max = limits::kFloodRecordsMax;
  std::size_t nodes_max = limits::kFloodNodesMax;
};

class FloodGate {
 public:
  FloodGate(const FloodGateOptions& options, FloodGateMetrics& metrics);
  FloodGate(const FloodGate&) = delete;
  FloodGate& operator=(const FloodGate&) = delete;

  // `from` sent the message. True if it is new. Counts unique or duplicate.
  bool on_received(const FloodHash& hash, const NodeId& from, std::uint32_t ledger);
  // A message of our own. True if it is new; counts nothing.
  bool on_local(const FloodHash& hash, std::uint32_t ledger);
  // True if `peer` did not know the message; it now counts as told.
  [[nodiscard]] bool tell(const FloodHash& hash, const NodeId& peer, std::uint32_t ledger);
  // The same for many peers with one lookup of the record: appends to `untold` the indices into `peers` of those that
  // did not know, ascending.
  void tell_all(const FloodHash& hash, std::span<const NodeId> peers, std::uint32_t ledger,
                std::vector<std::size_t>& untold);
  [[nodiscard]] bool is_known(const FloodHash& hash) const { return find(hash) != nullptr; }
  [[nodiscard]] bool is_known_to(const FloodHash& hash, const NodeId& peer) const;
  // False if there was no record.
  bool forget(const FloodHash& hash);
  // The latest call counts, be its ledger lower than that of the one before. Above the ledger of what comes next it
  // would make everything new for ever: the caller's to avoid.
  void clear_below(std::uint32_t ledger);

  // Records in memory.
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  [[nodiscard]] std::size_t node_count() const { return slots_.size(); }
  void check_invariants() const;

 private:
  // A set of node slots. The first 128 nodes live in the record itself; few overlays see more before slots are reused.
  class NodeSet {
   public:
    bool insert(std::uint32_t slot);  // true if it was absent
    [[nodiscard]] bool contains(std::uint32_t slot) const;
    void remove(const std::vector<std::uint64_t>& mask);
    [[nodiscard]] std::uint64_t word(std::size_t index) const;
    [[nodiscard]] std::size_t word_count() const { return near_.size() + far_.size(); }

   private:
    std::uint64_t& word_for(std::uint32_t slot);

    std::array<std::uint64_t, 2> near_{};
    std::vector<std::uint64_t> far_;
  };
  struct Record {
    explicit Record(std::uint32_t first_ledger) : ledger(first_ledger) {}
    std::uint32_t ledger;
    NodeSet nodes;
  };
  struct Node {
    NodeId id;
    std::uint64_t last_named = 0;  // 0: the slot is free
  };

  [[nodiscard]] const Record* find(const FloodHash& hash) const;
  Record& record_of(const FloodHash& hash, std::uint32_t ledger, bool& is_new);
  // Frees at most `count_max` cleared records, oldest first, up to the first that is not cleared.
  void sweep(std::size_t count_max);
  std::uint32_t slot_of(const NodeId& node);
  void evict_nodes();

  FloodGateOptions options_;
  FloodGateMetrics& metrics_;
  InsertionMap<FloodHash, Record> records_;
  std::uint32_t cleared_below_ = 0;
  std::unordered_map<NodeId, std::uint32_t> slots_;
  std::vector<Node> nodes_;                // by slot
  std::vector<std::uint32_t> free_slots_;  // descending: the lowest is taken first, which keeps the sets short
  std::uint64_t named_count_ = 0;
};

}  // namespace overlayd::flood
