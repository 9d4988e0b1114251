#include "tests/fuzz/item_fetcher_model.h"

#include "tests/fuzz/commands.h"
#include "tests/fuzz/item_fetcher_naive.h"

namespace overlayd {
namespace {

using fetch::FetchBatch;
using fuzz::Commands;
using fuzz::NaiveFetcher;

constexpr std::uint64_t kItems = 12;
constexpr std::uint64_t kRareItems = 80;
constexpr std::uint64_t kEnvelopes = 24;
constexpr std::uint64_t kNodes = 5;
constexpr std::uint64_t kLinks = 4;  // fewer than peers: some come back under their former node id
constexpr std::size_t kPeersMax = 20;
constexpr std::uint64_t kFirstSlot = 8;
constexpr std::uint64_t kSlots = 6;
// From here on numbers are used once.
constexpr std::uint64_t kFirstUnique = 10'000;
constexpr std::uint64_t kFirstLink = 1'000;
constexpr std::size_t kFloodsMax = 5;  // of one run, so that it stays short; of most runs none

ItemId item_of(ItemKind kind, std::uint64_t number) { return {kind, fuzz::numbered_id<ItemHash>(number)}; }
FloodHash envelope_of(std::uint64_t number) { return fuzz::numbered_id<FloodHash>(number); }
NodeId node_of(std::uint64_t number) { return fuzz::numbered_id<NodeId>(number); }

class FetcherRun {
 public:
  FetcherRun(Commands& commands, std::uint8_t kind)
      : commands_(commands),
        is_crowded_(kind == kCrowdedFetchRun),
        floods_left_(kind % 4 == 0 || is_crowded_ ? kFloodsMax : 0) {}

  void run() {
    if (commands_.take_flag()) change_query_limit();
    for (std::size_t count = 1 + commands_.take_below(kPeersMax); count > 0; --count) join();
    if (is_crowded_) crowd();
    while (!commands_.is_over()) {
      step();
      check();
    }
    end();
  }

 private:
  void step() {
    switch (commands_.take_below(32)) {
      case 0: return join();
      case 1: return leave();
      case 2: return change_latency();
      case 3: return change_window();
      case 4:
        if (commands_.take_byte() % 8 == 0) change_query_limit();
        return;
      case 5:
      case 6:
      case 7:
      case 8:
      case 9: return need(1 + commands_.take_below(3));
      case 10: return need(commands_.take_below(200));
      case 11:
      case 12: return add_sender();
      case 13: return forget();
      case 14:
      case 15: return want();
      case 16: return cancel();
      case 17:
      case 18: return receive();
      case 19:
      case 20:
      case 21:
      case 22: return refuse();
      case 23: return flood();
      case 24: return wait();
      default: return pass_time();
    }
  }

  // --- what the commands name

  ItemId take_item() {
    const ItemKind kind = commands_.take_flag() ? ItemKind::kQuorumSet : ItemKind::kTxSet;
    return item_of(kind, 1 + commands_.take_below(kItems));
  }
  std::vector<ItemId> take_items(std::size_t count) {
    std::vector<ItemId> items;
    // More than the small space holds, so that an envelope lacks too many; some of them twice.
    for (; count > 0; --count) {
      const std::uint64_t number = 1 + kItems + commands_.take_below(kRareItems);
      items.push_back(items.size() < 8 ? take_item() : item_of(ItemKind::kTxSet, number));
    }
    return items;
  }
  // One that is there; local if there is none, or sometimes.
  PeerId take_peer() {
    if (peers_.empty() || commands_.take_byte() % 16 == 0) return {};
    return peers_[commands_.take_below(peers_.size())];
  }
  static NodeId link_of(PeerId peer) { return peer.is_local() ? NodeId{} : node_of(kFirstLink + peer.value % kLinks); }
  std::uint64_t take_slot() { return kFirstSlot + commands_.take_below(kSlots); }
  fetch::WaitingEnvelope take_envelope() {
    const std::uint64_t number = 1 + commands_.take_below(kEnvelopes);
    const PeerId from = take_peer();
    return {envelope_of(number), {take_slot(), node_of(1 + commands_.take_below(kNodes))}, from, link_of(from)};
  }

  // --- peers

  void join() {
    if (peers_.size() >= kPeersMax) return;
    const PeerId peer{++last_peer_};
    peers_.push_back(peer);
    real_.on_peer(peer);
    model_.on_peer(peer);
  }
  void leave() {
    if (peers_.empty()) return;
    const auto at = peers_.begin() + static_cast<std::ptrdiff_t>(commands_.take_below(peers_.size()));
    real_.on_peer_gone(*at, now_);
    model_.on_peer_gone(*at, now_);
    peers_.erase(at);
  }
  void change_latency() {
    const PeerId peer = take_peer();
    const Duration latency = commands_.take_duration();
    real_.on_latency(peer, latency);
    model_.on_latency(peer, latency);
  }
  void change_query_limit() {
    static constexpr std::array<Duration, 6> kWindows{seconds(60), seconds(60),         seconds(30),
                                                      seconds(5),  milliseconds(1'999), milliseconds(500)};
    static constexpr std::array<std::uint32_t, 4> kRates{5, 1, 2, 40};
    const Duration window = commands_.take_one_of(kWindows);
    const std::uint32_t rate = commands_.take_one_of(kRates);
    real_.set_query_limit(window, rate);
    model_.set_query_limit(window, rate);
  }

  // --- what waits

  void need(std::size_t count) {
    const fetch::WaitingEnvelope envelope = take_envelope();
    need(envelope, take_items(count));
  }
  void need(const fetch::WaitingEnvelope& envelope, const std::vector<ItemId>& items) {
    real_.need(envelope, items, now_);
    model_.need(envelope, items, now_);
  }
  void add_sender() {
    const FloodHash envelope = envelope_of(1 + commands_.take_below(kEnvelopes));
    const std::size_t first = commands_.take_below(kPeersMax);
    // Mostly one, sometimes all there are.
    std::size_t count = commands_.take_byte() % 4 == 0 ? kPeersMax : 1;
    for (std::size_t i = first; count > 0 && i < peers_.size(); ++i, --count) {
      real_.on_sender(envelope, peers_[i]);
      model_.on_sender(envelope, peers_[i]);
    }
  }
  void forget() {
    const FloodHash envelope = envelope_of(1 + commands_.take_below(kEnvelopes));
    real_.forget(envelope);
    model_.forget(envelope);
  }
  void want() {
    const ItemId item = take_item();
    const std::uint64_t slot = commands_.take_flag() ? take_slot() : 0;
    std::vector<PeerId> holders;
    for (std::size_t count = commands_.take_below(3); count > 0; --count) holders.push_back(take_peer());
    OVERLAYD_CHECK(real_.want(item, slot, holders, now_) == model_.want(item, slot, holders, now_));
  }
  void cancel() {
    const ItemId item = take_item();
    OVERLAYD_CHECK(real_.cancel(item) == model_.cancel(item));
  }
  void change_window() {
    const std::uint64_t lowest = kFirstSlot + commands_.take_below(3);
    set_window(lowest, lowest + 1 + commands_.take_below(kSlots), commands_.take_flag() ? take_slot() : 0);
  }
  void set_window(std::uint64_t lowest, std::uint64_t highest, std::uint64_t kept) {
    real_.set_window({lowest, highest, kept}, lowest);
    model_.set_window(lowest, highest, kept, lowest);
  }

  // Many envelopes at once: each of an item of its own, all of one, or for clients.
  void flood() {
    if (floods_left_ == 0) return;
    --floods_left_;
    const PeerId from = take_peer();
    const std::uint64_t node = commands_.take_flag() ? 1 + commands_.take_below(kNodes) : next_unique_++;
    const std::size_t count = commands_.take_below(256) * 3;
    switch (commands_.take_below(4)) {
      case 0: {
        const ItemId item = take_item();
        for (std::size_t i = 0; i < count; ++i) {
          const std::uint64_t number = next_unique_++;
          need({envelope_of(number), {take_slot(), node_of(number % 7 == 0 ? node : number)}, from, link_of(from)},
               {item});
        }
        return;
      }
      case 1: return flood_clients(count);
      default: flood_unique(from, link_of(from), node, count);
    }
  }
  void flood_unique(PeerId from, const NodeId& link, std::uint64_t node, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t number = next_unique_++;
      need({envelope_of(number), {kFirstSlot + number % kSlots, node_of(node)}, from, link},
           {item_of(ItemKind::kTxSet, number)});
    }
  }
  void flood_clients(std::size_t count) {
    for (; count > 0; --count) {
      const ItemId item = item_of(ItemKind::kQuorumSet, next_unique_++);
      OVERLAYD_CHECK(real_.want(item, kFirstSlot, {}, now_) == model_.want(item, kFirstSlot, {}, now_));
    }
  }
  // Nearly as many searches as rules 7 and 8 let there be, of each kind; more of those whom no peer stands for.
  void crowd() {
    flood_clients(limits::kClientFetchesMax - 2);
    for (std::uint64_t i = 0; i < 28; ++i)
      flood_unique(PeerId{1 + i % 4}, node_of(kFirstLink + (kLinks + i) % 8), 2 * kFirstLink + i,
                   limits::kTrackersPerNodeMax);
    OVERLAYD_CHECK(real_.searches() > limits::kTrackersMax - 64);
    check();
  }

  // --- answers

  // One that is searched for, mostly.
  ItemId take_searched() {
    const std::vector<ItemId> items = model_.items();
    if (items.empty() || commands_.take_byte() % 8 == 0) return take_item();
    return items[(commands_.take_byte() * std::size_t{256} + commands_.take_byte()) % items.size()];
  }
  void receive() {
    const ItemId item = take_searched();
    const PeerId from = take_peer();
    const auto found = real_.on_item(item, from, now_);
    const auto expected = model_.on_item(item, from, now_);
    OVERLAYD_CHECK(found.has_value() == expected.has_value());
    if (!found) return;
    OVERLAYD_CHECK(found->searched_for == expected->searched_for && found->peers_asked == expected->peers_asked &&
                   found->rounds == expected->rounds && found->references.size() == expected->references.size());
    for (std::size_t i = 0; i < found->references.size(); ++i)
      OVERLAYD_CHECK(found->references[i].slot == expected->references[i].slot &&
                     found->references[i].node == expected->references[i].node);
  }
  // Mostly by the one that was asked.
  void refuse() {
    const ItemId item = take_searched();
    const PeerId peer = commands_.take_byte() % 8 == 0 ? take_peer() : model_.awaited(item).value_or(PeerId{});
    real_.on_dont_have(peer, item, now_);
    model_.on_dont_have(peer, item, now_);
  }

  // --- time

  void pass_time() {
    const std::size_t choice = commands_.take_below(4);
    if (choice == 0) return await_due();
    if (choice < 3) now_ = now_ + commands_.take_duration();
    advance();
  }
  // As the daemon does when nothing else happens.
  void await_due() {
    if (real_.next_deadline().is_never()) return;
    now_ = std::max(now_, real_.next_deadline());
    advance();
  }
  // Many rounds in vain.
  void wait() {
    const std::size_t steps_max = real_.searches() > 200 ? 4 : 64;
    for (std::size_t steps = commands_.take_below(steps_max); steps > 0; --steps) await_due();
  }
  void advance() {
    FetchBatch batch{.questions = {{PeerId{1}, {}}}, .missing = {}};  // the real one appends
    real_.advance(now_, batch);
    batch.questions.erase(batch.questions.begin());
    model_.advance(now_, batch);
    for (const FetchBatch::Question& question : batch.questions) {
      OVERLAYD_CHECK(std::find(peers_.begin(), peers_.end(), question.peer) != peers_.end());
      OVERLAYD_CHECK(real_.is_searched(question.item));
    }
    for (const FetchBatch::Missing& missing : batch.missing) OVERLAYD_CHECK(real_.is_searched(missing.item));
  }

  // --- comparing

  void check() {
    OVERLAYD_CHECK(real_.searches() == model_.searches() && real_.waiting() == model_.waiting());
    OVERLAYD_CHECK(real_.next_deadline() == model_.next_deadline());
    OVERLAYD_CHECK(metrics_.asked == model_.metrics.asked && metrics_.dont_have == model_.metrics.dont_have);
    OVERLAYD_CHECK(metrics_.timeouts == model_.metrics.timeouts && metrics_.rounds == model_.metrics.rounds);
    OVERLAYD_CHECK(metrics_.abandoned == model_.metrics.abandoned);
    OVERLAYD_CHECK(metrics_.trackers_refused == model_.metrics.trackers_refused);
    OVERLAYD_CHECK(metrics_.trackers_evicted == model_.metrics.trackers_evicted);
    OVERLAYD_CHECK(metrics_.envelopes_refused == model_.metrics.envelopes_refused);
    // With many searches only now and then.
    if (real_.searches() > 200 && ++unchecked_ % 16 != 0) return;
    for (const ItemId& item : model_.items()) OVERLAYD_CHECK(real_.is_searched(item));
    real_.check_invariants();
  }

  // Nothing is left when nothing waits.
  void end() {
    while (!peers_.empty()) leave();
    set_window(1, 1, 0);
    for (const ItemId& item : model_.items()) OVERLAYD_CHECK(real_.cancel(item) && model_.cancel(item));
    check();
    real_.check_invariants();
    OVERLAYD_CHECK(real_.searches() == 0 && real_.waiting() == 0 && real_.next_deadline().is_never());
  }

  Commands& commands_;
  const bool is_crowded_;
  std::size_t floods_left_;
  Instant now_ = fuzz::kFuzzStart;
  std::vector<PeerId> peers_;
  std::uint64_t last_peer_ = 0;
  std::uint64_t next_unique_ = kFirstUnique;
  std::size_t unchecked_ = 0;
  Random random_{7};
  FetchMetrics metrics_;
  fetch::ItemFetcher real_{random_, metrics_};
  NaiveFetcher model_;
};

}  // namespace

void fuzz_item_fetcher(ByteView input) {
  if (input.empty()) return;
  Commands commands(input.subspan(1));
  FetcherRun(commands, input[0]).run();
}

}  // namespace overlayd
