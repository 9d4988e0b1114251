// The rules of item_fetcher.h and tracker.h over two lists, in which every count is counted when it is asked for. Same calls as ItemFetcher; advance follows what that one chose and stops the process where the rules
// did not allow it. Ids are fuzz::numbered_id's, kept as their numbers.
#pragma once
#include <list>

#include "core/fetch/item_fetcher.h"
#include "tests/fuzz/commands.h"

namespace overlayd::fuzz {

// Of a numbered id; that of the zero id is 0 as well, so number none of them 0.
template <typename Id>
std::uint64_t number_of(const Id& id) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i < 16; ++i) number = number << 8 | id.bytes[i];
  return number;
}

class NaiveFetcher {
 public:
  using Want = fetch::ItemFetcher::Want;
  using Found = fetch::ItemFetcher::Found;

  NaiveFetcher() { set_query_limit(seconds(60), 5); }

  void on_peer(PeerId peer) { peers_.try_emplace(peer); }
  void on_latency(PeerId peer, Duration latency);
  void on_peer_gone(PeerId peer, Instant now);
  void set_query_limit(Duration window, std::uint32_t per_second);

  void need(const fetch::WaitingEnvelope& envelope, std::span<const ItemId> lacking, Instant now);
  void on_sender(const FloodHash& envelope, PeerId from);
  void forget(const FloodHash& envelope);
  Want want(const ItemId& item, std::uint64_t slot, std::span<const PeerId> holders, Instant now);
  bool cancel(const ItemId& item);
  std::optional<Found> on_item(const ItemId& item, PeerId from, Instant now);
  void on_dont_have(PeerId peer, const ItemId& item, Instant now);
  void set_window(std::uint64_t lowest, std::uint64_t highest, std::uint64_t kept, std::uint64_t current);
  // `batch` is what the real one made of the same call.
  void advance(Instant now, const fetch::FetchBatch& batch);

  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::size_t searches() const { return searches_.size(); }
  [[nodiscard]] std::size_t waiting() const { return envelopes_.size(); }
  [[nodiscard]] bool is_searched(const ItemId& item) const;
  [[nodiscard]] std::vector<ItemId> items() const;
  // Who is asked for it now.
  [[nodiscard]] std::optional<PeerId> awaited(const ItemId& item) const;

  FetchMetrics metrics;

 private:
  struct Envelope {
    std::uint64_t hash = 0;
    std::uint64_t node = 0;
    fetch::Reference reference;
    std::vector<PeerId> senders;
    std::vector<ItemId> lacking;
  };
  struct Client {
    std::uint64_t slot = 0;
    std::vector<PeerId> holders;
  };
  // In the order in which they began.
  struct Search {
    ItemId item;
    std::uint64_t link = 0;
    std::uint64_t node = 0;
    bool is_shared = false;
    std::vector<std::uint64_t> waiting{};
    std::optional<Client> client{};
    // tracker.h
    Instant started;
    Instant due;
    std::map<PeerId, bool> asked{};  // in this round; as a sender?
    bool has_asked_mute = false;
    bool is_put_off = false;
    std::optional<PeerId> awaited{};
    std::uint32_t asked_count = 0;
    std::uint32_t rounds = 0;
  };
  // How long all that was asked still counts.
  struct Spent {
    Instant all;
    std::map<std::uint64_t, Instant> by_node{};
  };
  struct Peer {
    std::uint32_t band = 0;
    std::uint32_t unanswered = 0;
    std::array<Spent, kItemKindCount> spent{};
    std::array<std::vector<Instant>, kItemKindCount> asked{};  // of this query limit
  };
  struct Choice {
    std::vector<PeerId> peers;  // any of them
    bool is_put_off = false;
  };

  Search* find(const ItemId& item);
  Envelope* find(std::uint64_t hash);
  [[nodiscard]] bool may_begin(std::uint64_t link, std::uint64_t node) const;
  bool make_room(std::uint64_t link);
  Search* search_for(const ItemId& item, std::uint64_t link, std::uint64_t node, Instant now);
  static void share(Search& search, Instant now);
  void end_search(const ItemId& item);
  void erase_record(std::uint64_t hash);
  void erase_envelope(std::uint64_t hash);
  void bound_waiting(std::uint64_t node);
  void stop_if_unwanted(const ItemId& item);

  [[nodiscard]] bool is_sender(const Search& search, PeerId peer);
  [[nodiscard]] bool is_spent(const Peer& peer, const Search& search, Instant now) const;
  [[nodiscard]] Choice choices(const Search& search, Instant now);
  void ask(Search& search, PeerId peer, Instant now);
  void spend(Peer& peer, const Search& search, Instant now);

  std::list<Search> searches_;
  std::list<Envelope> envelopes_;  // in the order in which they came
  // Where they are in the lists; without these a run with thousands takes seconds.
  std::map<ItemId, std::list<Search>::iterator> search_at_;
  std::map<std::uint64_t, std::list<Envelope>::iterator> envelope_at_;
  std::map<PeerId, Peer> peers_;
  Duration window_{0};
  std::int64_t answered_ = 0;
  bool has_limit_changed_ = false;
};

}  // namespace overlayd::fuzz
