#include "tests/fuzz/flow_control_model.h"

#include <deque>
#include <map>

#include "core/crypto/keys.h"
#include "core/wire/values.h"
#include "tests/fuzz/commands.h"
#include "tests/fuzz/flow_control_naive.h"
#include "tests/support/messages.h"

namespace overlayd {
namespace {

using fuzz::Commands;
using fuzz::FloodItem;
using fuzz::FloodKind;
using peer::Credit;

// --- messages, each made once ---------------------------------------------------------------------------------------

constexpr std::size_t kNodes = 3;
constexpr std::size_t kSlots = 8;
constexpr std::uint64_t kFirstSlot = 60;
constexpr std::size_t kRanks = 6;
// So large that four fill the queue.
constexpr std::size_t kHugeValueBytes = 4 << 20;

FloodItem item_of(MessagePtr message, FloodKind kind) {
  const std::size_t bytes = message->size();
  return {.message = std::move(message), .kind = kind, .bytes = bytes};
}

// Statements are ordered by ballot counter, then by value; the huge value is all zero and comes before the others.
FloodItem make_scp(std::size_t node, std::size_t slot, std::size_t rank, bool is_huge) {
  crypto::init();
  test::ScpFields fields{.node = test::make_node(node), .slot = kFirstSlot + slot};
  fields.ballot_counter = static_cast<std::uint32_t>(1 + rank / 2);
  fields.value = 1 + rank % 2;
  if (is_huge) fields.value_bytes = kHugeValueBytes;
  FloodItem item = item_of(test::make_scp({}, fields), FloodKind::kScp);
  item.node = node;
  item.slot = fields.slot;
  item.rank = fields.ballot_counter * 10 + (is_huge ? 0 : fields.value);
  return item;
}

const FloodItem& scp_item(Commands& commands, bool may_be_huge) {
  static std::map<std::array<std::size_t, 4>, FloodItem> items;
  std::array<std::size_t, 4> key{commands.take_below(kNodes), commands.take_below(kSlots), commands.take_below(kRanks),
                                 may_be_huge && commands.take_flag()};
  // Few of the huge ones: each takes as many bytes as it says.
  if (key[3] != 0) key = {key[0] % 2, 4 + key[1] % 2, key[2] / 2 * 2, 1};
  const auto found = items.find(key);
  if (found != items.end()) return found->second;
  return items.emplace(key, make_scp(key[0], key[1], key[2], key[3] != 0)).first->second;
}

const FloodItem& transaction_item(Commands& commands) {
  static const std::array<FloodItem, 7> kItems = [] {
    crypto::init();
    std::array<FloodItem, 7> items;
    std::size_t i = 0;
    for (const std::size_t wasm_bytes : {100, 3'000, 20'000, 99'000, 102'000, 150'000, 240'000})
      items[i] = item_of(test::make_upload({}, i, wasm_bytes), FloodKind::kTransaction), ++i;
    return items;
  }();
  return commands.take_one_of(kItems);
}

const FloodItem& hashes_item(Commands& commands, FloodKind kind) {
  static const auto kItems = [] {
    std::array<std::array<FloodItem, 5>, 2> items;
    for (const FloodKind each : {FloodKind::kDemand, FloodKind::kAdvert}) {
      std::size_t i = 0;
      for (const std::size_t count : {0, 1, 20, 300, 1000}) {
        const std::vector<TxFullHash> hashes(count);
        Bytes xdr = each == FloodKind::kDemand ? wire::write_flood_demand(hashes) : wire::write_flood_advert(hashes);
        FloodItem& item = items[each == FloodKind::kDemand ? 0 : 1][i++];
        item = item_of(wire::Message::adopt(std::move(xdr), {}), each);
        item.hashes = count;
      }
    }
    return items;
  }();
  return commands.take_one_of(kItems[kind == FloodKind::kDemand ? 0 : 1]);
}

// --- the link -------------------------------------------------------------------------------------------------------

struct Load {
  bool is_flood = false;
  std::uint64_t bytes = 0;
};
using Packet = std::variant<Load, Credit>;

// The one place that makes a FlowControl.
std::unique_ptr<peer::FlowControl> make_flow_control(Instant now, std::uint32_t max_tx_size,
                                                     FlowControlMetrics& metrics) {
  return std::make_unique<peer::FlowControl>(now, max_tx_size, peer::InboundCreditOptions{}, metrics);
}

// One end, and what is on its way from it to the other.
struct End {
  End(Instant now, std::uint32_t max_tx_size)
      : real(make_flow_control(now, max_tx_size, metrics)), model(now, max_tx_size) {
    limits.max_tx_size = max_tx_size;
    sent.emplace_back(real->initial_grant());
  }

  FlowControlMetrics metrics;
  std::unique_ptr<peer::FlowControl> real;
  fuzz::NaiveFlow model;
  peer::SendQueueLimits limits;
  std::vector<Load> processing;
  std::deque<Packet> sent;
  bool is_paused = false;  // reading

  void send(const FloodItem& item, Instant now);
  void queue(const FloodItem& item, Instant now);
  void take_sendable(Instant now);
  // Nothing if the packet was taken.
  std::optional<DropReason> receive(const Packet& packet, Instant now);
  void finish(std::size_t place, Instant now);
  void change_max_tx_size(std::uint32_t max_tx_size);
  void check() const;
};

// As Peer::send does.
void End::send(const FloodItem& item, Instant now) {
  const bool is_taken = real->take_at_once(*item.message, limits);
  OVERLAYD_CHECK(is_taken == model.take_at_once(item, limits));
  if (is_taken) {
    sent.emplace_back(Load{true, item.bytes});
    return;
  }
  queue(item, now);
  take_sendable(now);
}

void End::queue(const FloodItem& item, Instant now) {
  real->queue(item.message, now, limits);
  model.queue(item, limits);
}

void End::take_sendable(Instant now) {
  std::vector<MessagePtr> taken{nullptr};  // the real one appends
  real->take_sendable(now, taken);
  const std::vector<FloodItem> expected = model.take_sendable(now);
  OVERLAYD_CHECK(taken.size() == expected.size() + 1);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    OVERLAYD_CHECK(taken[i + 1] == expected[i].message);
    sent.emplace_back(Load{true, expected[i].bytes});
  }
}

std::optional<DropReason> End::receive(const Packet& packet, Instant now) {
  if (const Credit* const grant = std::get_if<Credit>(&packet)) {
    const auto reason = real->on_grant(*grant);
    OVERLAYD_CHECK(reason == model.on_grant(*grant));
    if (!reason) take_sendable(now);
    return reason;
  }
  const Load& load = std::get<Load>(packet);
  const auto reason = real->begin(load.is_flood, load.bytes);
  OVERLAYD_CHECK(reason == model.begin(load.is_flood, load.bytes));
  if (reason) return reason;
  processing.push_back(load);
  const bool is_to_pause = !is_paused && !model.can_read();
  OVERLAYD_CHECK(real->take_pause(now) == is_to_pause);
  is_paused = is_paused || is_to_pause;
  return std::nullopt;
}

void End::finish(std::size_t place, Instant now) {
  const Load load = processing.at(place);
  processing.erase(processing.begin() + static_cast<std::ptrdiff_t>(place));
  const auto grant = real->end(load.is_flood, load.bytes);
  OVERLAYD_CHECK(grant == model.end(load.is_flood, load.bytes));
  const bool is_to_resume = is_paused && model.can_read();
  OVERLAYD_CHECK(real->take_resume(now) == is_to_resume);
  is_paused = is_paused && !is_to_resume;
  if (grant) sent.emplace_back(*grant);
}

void End::change_max_tx_size(std::uint32_t max_tx_size) {
  limits.max_tx_size = max_tx_size;
  const auto grant = real->on_max_tx_size(max_tx_size);
  OVERLAYD_CHECK(grant == model.on_max_tx_size(max_tx_size));
  if (grant) sent.emplace_back(*grant);
}

void End::check() const {
  real->check_invariants();
  OVERLAYD_CHECK(is_paused == !model.can_read());
  OVERLAYD_CHECK(real->initial_grant() == model.initial_grant());
  OVERLAYD_CHECK(real->outbound_left() == model.outbound_left());
  OVERLAYD_CHECK(real->queued() == model.queued());
  OVERLAYD_CHECK(real->no_credit_deadline() == model.no_credit_deadline());
  for (std::size_t queue = 0; queue < kFloodQueueCount; ++queue)
    OVERLAYD_CHECK(metrics.queues[queue].dropped == model.metrics.queues[queue].dropped);
  OVERLAYD_CHECK(metrics.oversized_transactions == model.metrics.oversized_transactions);
}

constexpr std::array<std::uint32_t, 4> kMaxTxSizes{102'400, 102'400, 160'000, 250'000};

// Honest ends send what credit allows, read while they may and grant what they must: then nobody is ever refused, and
// nothing waits for good. Otherwise anything may arrive.
class LinkRun {
 public:
  explicit LinkRun(Commands& commands) : commands_(commands), is_honest_(commands.take_flag()) { open(); }

  void run() {
    while (!commands_.is_over()) {
      step();
      for (const auto& end : ends_) end->check();
    }
    if (is_honest_) drain();
    for (const auto& end : ends_) {
      // All that waits leaves, which shows every queue's order.
      static_cast<void>(end->receive(Credit{1'000'000, 1}, now_));
      static_cast<void>(end->receive(Credit{0, std::uint64_t{1} << 40}, now_));
      end->check();
    }
  }

 private:
  void open() {
    const std::uint32_t max_tx_size = commands_.take_one_of(kMaxTxSizes);
    for (auto& end : ends_) end = std::make_unique<End>(now_, max_tx_size);
  }

  void step() {
    const std::size_t command = commands_.take_below(20);
    const std::size_t side = commands_.take_flag() ? 1 : 0;
    End& end = *ends_[side];
    switch (command) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: return send(end);
      case 5: return end.queue(take_item(), now_);
      case 6: return end.take_sendable(now_);
      case 7:
      case 8:
      case 9: return deliver(end, *ends_[1 - side], commands_.take_below(40));
      case 10:
      case 11: return finish(end, commands_.take_below(40));
      case 12: return send_control(end);
      case 13:
      case 14: return change_limits(end);
      case 15: return change_max_tx_size();
      case 16: return attack(end);
      default: now_ = now_ + commands_.take_duration(); return;
    }
  }

  const FloodItem& take_item() {
    const auto kind = static_cast<FloodKind>(commands_.take_below(fuzz::kFloodKinds));
    if (kind == FloodKind::kScp) return scp_item(commands_, !is_honest_);
    return kind == FloodKind::kTransaction ? transaction_item(commands_) : hashes_item(commands_, kind);
  }
  // Many of one kind, so that windows and queues fill.
  void send(End& end) {
    const FloodItem& item = take_item();
    const std::size_t count = item.kind == FloodKind::kScp ? 1 : 1 + commands_.take_below(20);
    for (std::size_t i = 0; i < count; ++i) end.send(item, now_);
  }
  // What does not flood: it spends no credit but takes up the reader.
  void send_control(End& end) {
    static constexpr std::array<std::uint64_t, 4> kBytes{44, 10'000, 600'000, limits::kMessageBytesMax};
    const std::uint64_t bytes = commands_.take_one_of(kBytes);
    for (std::size_t count = 1 + commands_.take_below(30); count > 0; --count)
      end.sent.emplace_back(Load{false, bytes});
  }
  void deliver(End& to, End& from, std::size_t count) {
    for (; count > 0 && !from.sent.empty(); --count) {
      if (is_honest_ && to.is_paused) return;
      const Packet packet = from.sent.front();
      from.sent.pop_front();
      const auto reason = to.receive(packet, now_);
      OVERLAYD_CHECK(!reason || !is_honest_);
      // A refused message or grant leaves everything as it was; mostly the link ends.
      if (reason && commands_.take_byte() % 4 != 0) return open();
    }
  }
  void finish(End& end, std::size_t count) {
    const bool is_last_first = commands_.take_flag();
    for (; count > 0 && !end.processing.empty(); --count)
      end.finish(is_last_first ? end.processing.size() - 1 : 0, now_);
  }

  void change_limits(End& end) {
    static constexpr std::array<std::uint32_t, 6> kOperations{0, 1, 5, 50, 1000, 20'000};
    switch (commands_.take_below(3)) {
      case 0: end.limits.max_tx_set_ops = commands_.take_one_of(kOperations); return;
      case 1: end.limits.lowest_slot = take_slot(); return;
      default: end.limits.checkpoint_slot = take_slot();
    }
  }
  std::uint32_t take_slot() { return static_cast<std::uint32_t>(kFirstSlot - 1 + commands_.take_below(kSlots + 2)); }
  void change_max_tx_size() {
    const std::uint32_t max_tx_size = commands_.take_one_of(kMaxTxSizes);
    for (const auto& end : ends_) end->change_max_tx_size(max_tx_size);
  }

  // A grant or message that no honest peer would send.
  void attack(End& end) {
    if (is_honest_) return;
    static constexpr std::uint64_t kMax = ~std::uint64_t{0};
    static constexpr std::array<std::uint64_t, 8> kAmounts{0, 1, 2, 300, 100'000, 10'000'000, kMax / 2, kMax};
    static constexpr std::array<std::uint64_t, 6> kBytes{0, 4, 200'000, 300'001, 1 << 20, limits::kMessageBytesMax};
    if (commands_.take_flag()) {
      const std::uint64_t messages = commands_.take_one_of(kAmounts);
      static_cast<void>(end.receive(Credit{messages, commands_.take_one_of(kAmounts)}, now_));
      return;
    }
    const Load load{commands_.take_flag(), commands_.take_one_of(kBytes)};
    for (std::size_t count = 1 + commands_.take_below(250); count > 0; --count)
      if (end.receive(load, now_)) return;
  }

  void drain() {
    for (const auto& end : ends_) end->take_sendable(now_);
    const auto is_busy = [](const auto& end) { return !end->sent.empty() || !end->processing.empty(); };
    for (int rounds = 0; is_busy(ends_[0]) || is_busy(ends_[1]); ++rounds) {
      OVERLAYD_CHECK(rounds < 10'000);
      for (const std::size_t side : {0, 1}) {
        deliver(*ends_[side], *ends_[1 - side], 1'000);
        finish(*ends_[side], 1'000);
        ends_[side]->check();
      }
    }
    for (const auto& end : ends_) OVERLAYD_CHECK(end->real->queued() == 0);
  }

  Commands& commands_;
  const bool is_honest_;
  Instant now_ = fuzz::kFuzzStart;
  std::array<std::unique_ptr<End>, 2> ends_;
};

}  // namespace

void fuzz_flow_control(ByteView input) {
  Commands commands(input);
  LinkRun(commands).run();
}

}  // namespace overlayd
