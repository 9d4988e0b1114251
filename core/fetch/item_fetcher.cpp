#include "core/fetch/item_fetcher.h"

#include <algorithm>
#include <unordered_set>

#include "core/check.h"

namespace overlayd::fetch {

ItemFetcher::ItemFetcher(Random& random, FetchMetrics& metrics) : random_(random), metrics_(metrics) {
  set_query_limit(limits::kCloseTime * limits::kSlotsToRemember, limits::kQueriesPerSecond);
}

// --- peers --------------------------------------------------------------------------------------------------------

void ItemFetcher::on_latency(PeerId peer, Duration latency) {
  const auto found = peers_.find(peer);
  if (found != peers_.end()) found->second.band = static_cast<std::uint32_t>(latency / limits::kLatencyBand);
}

void ItemFetcher::set_query_limit(Duration window, std::uint32_t per_second) {
  const std::int64_t answered = std::max<std::int64_t>(10, window / seconds(1) * per_second);
  questions_max_ = answered * 2 / 5;
  question_cost_ = window / (answered / 2);
}

void ItemFetcher::on_peer_gone(PeerId peer, Instant now) {
  if (peers_.erase(peer) == 0) return;
  for (auto& [item, search] : searches_) {
    const Instant before = search.tracker.due();
    if (search.tracker.on_peer_gone(peer, now)) set_due(item, before, search.tracker.due());
  }
}

// --- what waits ---------------------------------------------------------------------------------------------------

void ItemFetcher::need(const WaitingEnvelope& envelope, std::span<const ItemId> lacking, Instant now) {
  if (lacking.empty() || envelopes_.contains(envelope.hash)) return;
  bound_waiting(envelope.reference.node);
  if (envelopes_.size() >= limits::kWaitingMax) {
    ++metrics_.envelopes_refused;
    return;
  }
  std::vector<ItemId> wanted;
  auto at = lacking.begin();
  for (; at != lacking.end() && wanted.size() < kLackingMax; ++at)
    if (std::ranges::find(wanted, *at) == wanted.end()) wanted.push_back(*at);
  metrics_.trackers_refused += static_cast<std::uint64_t>(lacking.end() - at);
  // All searches first: to begin one may end another, which must not be one that this envelope waits in already.
  for (const ItemId& item : wanted) search_for(item, envelope.from_node, envelope.reference.node, now);
  Envelope record{envelope.reference, next_ordinal_++, {}, {}};
  if (!envelope.from.is_local()) record.senders.push_back(envelope.from);
  for (const ItemId& item : wanted)
    if (wait_for(item, envelope, now)) record.lacking.push_back(item);
  if (record.lacking.empty()) {
    ++metrics_.envelopes_refused;
    return;
  }
  by_node_[envelope.reference.node].emplace(record.ordinal, envelope.hash);
  envelopes_.emplace(envelope.hash, std::move(record));
}

bool ItemFetcher::wait_for(const ItemId& item, const WaitingEnvelope& envelope, Instant now) {
  const auto found = searches_.find(item);
  if (found == searches_.end() || found->second.waiting.size() >= limits::kWaitingPerTrackerMax) return false;
  if (found->second.node != envelope.reference.node) share(item, found->second, now);
  found->second.waiting.push_back(envelope.hash);
  return true;
}

void ItemFetcher::bound_waiting(const NodeId& node) {
  const auto of_node = by_node_.find(node);
  if (of_node == by_node_.end() || of_node->second.size() < limits::kWaitingPerNodeMax) return;
  ++metrics_.envelopes_refused;
  erase_envelope(envelopes_.find(of_node->second.begin()->second));
}

void ItemFetcher::on_sender(const FloodHash& envelope, PeerId from) {
  const auto found = envelopes_.find(envelope);
  if (found == envelopes_.end()) return;
  std::vector<PeerId>& senders = found->second.senders;
  if (senders.size() >= limits::kSendersPerEnvelopeMax)
    std::erase_if(senders, [&](PeerId sender) { return !peers_.contains(sender); });
  if (senders.size() < limits::kSendersPerEnvelopeMax && std::ranges::find(senders, from) == senders.end())
    senders.push_back(from);
}

void ItemFetcher::forget(const FloodHash& envelope) {
  if (const auto found = envelopes_.find(envelope); found != envelopes_.end()) erase_envelope(found);
}

ItemFetcher::Want ItemFetcher::want(const ItemId& item, std::uint64_t slot, std::span<const PeerId> holders,
                                    Instant now) {
  const auto found = searches_.find(item);
  const bool is_begun = found == searches_.end();
  if (!is_begun && found->second.client) {
    found->second.client = ClientWait{std::max(slot, found->second.client->slot), {holders.begin(), holders.end()}};
    return Want::kJoined;
  }
  if (client_fetches_ >= limits::kClientFetchesMax) {
    ++metrics_.trackers_refused;
    return Want::kRefused;
  }
  Search* search = search_for(item, {}, {}, now);
  if (search == nullptr) return Want::kRefused;
  ++client_fetches_;
  share(item, *search, now);
  search->client = ClientWait{slot, {holders.begin(), holders.end()}};
  return is_begun ? Want::kBegun : Want::kJoined;
}

bool ItemFetcher::cancel(const ItemId& item) {
  const auto found = searches_.find(item);
  if (found == searches_.end() || !found->second.client) return false;
  found->second.client.reset();
  --client_fetches_;
  stop_if_unwanted(found);
  return true;
}

// --- the bounds ---------------------------------------------------------------------------------------------------

ItemFetcher::Search* ItemFetcher::search_for(const ItemId& item, const NodeId& link, const NodeId& node, Instant now) {
  if (const auto found = searches_.find(item); found != searches_.end()) return &found->second;
  if (!has_share(link, node) || !make_room(link)) {
    ++metrics_.trackers_refused;
    return nullptr;
  }
  const Ordinal ordinal = next_ordinal_++;
  Search& search = searches_.emplace(item, Search{Tracker(now), ordinal, link, node}).first->second;
  due_.emplace(search.tracker.due(), item);
  Account& account = accounts_[link];
  account.searches.emplace(ordinal, item);
  account.unshared.emplace(ordinal, item);
  ++unshared_by_node_[node];
  return &search;
}

bool ItemFetcher::has_share(const NodeId& link, const NodeId& node) const {
  if (node.is_zero() && link.is_zero()) return true;  // a client's; kClientFetchesMax bounds them
  const auto of_node = unshared_by_node_.find(node);
  if (of_node != unshared_by_node_.end() && of_node->second >= limits::kTrackersPerNodeMax) return false;
  const auto account = accounts_.find(link);
  return link.is_zero() || account == accounts_.end() || account->second.searches.size() < limits::kTrackersPerLinkMax;
}

bool ItemFetcher::make_room(const NodeId& link) {
  if (link.is_zero() && searches_.size() < limits::kTrackersMax) return true;
  if (searches_.size() - client_fetches_ < limits::kTrackersMax - limits::kClientFetchesMax) return true;
  // What clients wait for never yields; nothing yields to a link that has as many itself.
  const auto unshared = [](const auto& of) { return of.first.is_zero() ? 0 : of.second.unshared.size(); };
  const auto all = [](const auto& of) { return of.first.is_zero() ? 0 : of.second.searches.size(); };
  const auto own = accounts_.find(link);
  const auto yield = [&](const auto& count, auto Account::*searches) {
    const auto most = std::ranges::max_element(accounts_, {}, count);
    if (count(*most) <= (own == accounts_.end() ? 0 : count(*own))) return false;
    for (const auto& [ordinal, item] : most->second.*searches) {
      const auto found = searches_.find(item);
      if (found->second.client) continue;
      ++metrics_.trackers_evicted;
      end_search(found);
      return true;
    }
    return false;
  };
  return yield(unshared, &Account::unshared) || yield(all, &Account::searches);
}

void ItemFetcher::share(const ItemId& item, Search& search, Instant now) {
  if (search.is_shared) return;
  uncount_unshared(item, search);
  search.is_shared = true;
  const Instant before = search.tracker.due();
  search.tracker.try_again(now);
  set_due(item, before, search.tracker.due());
}

void ItemFetcher::uncount_unshared(const ItemId& item, const Search& search) {
  accounts_.at(search.link).unshared.erase({search.ordinal, item});
  const auto of_node = unshared_by_node_.find(search.node);
  if (--of_node->second == 0) unshared_by_node_.erase(of_node);
}

// --- the end of a search ------------------------------------------------------------------------------------------

std::optional<ItemFetcher::Found> ItemFetcher::on_item(const ItemId& item, PeerId from, Instant now) {
  const auto found = searches_.find(item);
  if (found == searches_.end()) return std::nullopt;
  on_answer(from);
  const Search& search = found->second;
  Found result{now - search.tracker.started(), search.tracker.asked_count(), search.tracker.rounds(), {}, {}};
  if (search.client) result.client_slot = search.client->slot;
  for (const FloodHash& hash : search.waiting) result.references.push_back(envelopes_.at(hash).reference);
  metrics_.delay.observe(result.searched_for);
  end_search(found);
  return result;
}

void ItemFetcher::end_search(Searches::iterator at) {
  const ItemId item = at->first;
  Search& search = at->second;
  for (const FloodHash& hash : search.waiting) {
    const auto envelope = envelopes_.find(hash);
    std::erase(envelope->second.lacking, item);
    if (envelope->second.lacking.empty()) erase_record(envelope);
  }
  if (!search.is_shared) uncount_unshared(item, search);
  const auto account = accounts_.find(search.link);
  account->second.searches.erase({search.ordinal, item});
  if (account->second.searches.empty()) accounts_.erase(account);
  if (search.client) --client_fetches_;
  due_.erase({search.tracker.due(), item});
  searches_.erase(at);
}

void ItemFetcher::stop_if_unwanted(Searches::iterator at) {
  if (!at->second.waiting.empty() || at->second.client) return;
  ++metrics_.abandoned;
  end_search(at);
}

void ItemFetcher::erase_record(Envelopes::iterator at) {
  const auto of_node = by_node_.find(at->second.reference.node);
  of_node->second.erase({at->second.ordinal, at->first});
  if (of_node->second.empty()) by_node_.erase(of_node);
  envelopes_.erase(at);
}

void ItemFetcher::erase_envelope(Envelopes::iterator at) {
  const FloodHash hash = at->first;
  const std::vector<ItemId> lacking = std::move(at->second.lacking);
  erase_record(at);
  for (const ItemId& item : lacking) {
    const auto search = searches_.find(item);
    std::erase(search->second.waiting, hash);
    stop_if_unwanted(search);
  }
}

void ItemFetcher::set_window(const SlotWindow& window, std::uint64_t current) {
  std::vector<FloodHash> over;
  for (const auto& [hash, envelope] : envelopes_)
    if (!window.contains(envelope.reference.slot)) over.push_back(hash);
  for (const FloodHash& hash : over) erase_envelope(envelopes_.find(hash));
  std::vector<ItemId> cancelled;
  for (auto& [item, search] : searches_) {
    if (!search.client) continue;
    if (search.client->slot == 0) search.client->slot = current;
    if (!window.contains(search.client->slot)) cancelled.push_back(item);
  }
  for (const ItemId& item : cancelled) cancel(item);
}

// --- asking -------------------------------------------------------------------------------------------------------

void ItemFetcher::set_due(const ItemId& item, Instant before, Instant after) {
  due_.erase({before, item});
  due_.emplace(after, item);
}

void ItemFetcher::on_dont_have(PeerId peer, const ItemId& item, Instant now) {
  const auto found = searches_.find(item);
  if (found == searches_.end()) return;
  const Instant before = found->second.tracker.due();
  if (!found->second.tracker.on_dont_have(peer, now)) return;
  ++metrics_.dont_have;
  on_answer(peer);
  set_due(item, before, now);
}

void ItemFetcher::on_answer(PeerId peer) {
  if (const auto found = peers_.find(peer); found != peers_.end()) found->second.unanswered = 0;
}

void ItemFetcher::advance(Instant now, FetchBatch& batch) {
  for (std::size_t i = 0; i < kFetchStepMax && !due_.empty() && due_.begin()->first <= now; ++i) {
    const ItemId item = due_.begin()->second;
    ask_next(item, searches_.at(item), now, batch);
  }
}

void ItemFetcher::ask_next(const ItemId& item, Search& search, Instant now, FetchBatch& batch) {
  Tracker& tracker = search.tracker;
  const Instant before = tracker.due();
  if (const auto silent = tracker.awaited()) {
    ++metrics_.timeouts;
    if (const auto peer = peers_.find(*silent); peer != peers_.end()) ++peer->second.unanswered;
  }
  const std::uint32_t rounds_before = tracker.rounds();
  const auto peer = tracker.next(candidates(item, search, now), random_, now);
  set_due(item, before, tracker.due());
  if (peer) {
    ++metrics_.asked;
    spend(peers_.at(*peer), item.kind, search, now);
    batch.questions.push_back({*peer, item});
  } else if (tracker.rounds() != rounds_before) {
    ++metrics_.rounds;
    batch.missing.push_back({item, now - tracker.started(), tracker.asked_count(), tracker.rounds()});
  }
}

std::vector<Candidate> ItemFetcher::candidates(const ItemId& item, const Search& search, Instant now) const {
  std::unordered_set<PeerId> senders;
  if (search.client) senders.insert(search.client->holders.begin(), search.client->holders.end());
  for (const FloodHash& hash : search.waiting) {
    const Envelope& envelope = envelopes_.at(hash);
    senders.insert(envelope.senders.begin(), envelope.senders.end());
  }
  std::vector<Candidate> candidates;
  candidates.reserve(peers_.size());
  for (const auto& [id, peer] : peers_)
    candidates.push_back({.peer = id,
                          .band = peer.band,
                          .is_sender = senders.contains(id),
                          .is_mute = peer.unanswered >= kUnansweredMax,
                          .is_spent = is_spent(peer, item.kind, search, now)});
  return candidates;
}

bool ItemFetcher::is_spent(const Peer& peer, ItemKind kind, const Search& search, Instant now) const {
  const Spending& spending = peer.spending[static_cast<std::size_t>(kind)];
  const auto is_over = [&](Instant until, Duration cost, std::int64_t max) {
    return std::max(until, now) + cost > now + cost * max;
  };
  if (search.is_shared) return is_over(spending.until, question_cost_, questions_max_);
  if (is_over(spending.until, question_cost_, questions_max_ * 2 / 3)) return true;
  const auto of_node = spending.unshared.find(search.node);
  return of_node != spending.unshared.end() &&
         is_over(of_node->second, question_cost_ * kNodeShare, std::max<std::int64_t>(1, questions_max_ / kNodeShare));
}

void ItemFetcher::spend(Peer& peer, ItemKind kind, const Search& search, Instant now) {
  Spending& spending = peer.spending[static_cast<std::size_t>(kind)];
  spending.until = std::max(spending.until, now) + question_cost_;
  if (search.is_shared) return;
  // Those that count no longer go once there are more than can count.
  if (spending.unshared.size() > static_cast<std::size_t>(questions_max_) * 2)
    std::erase_if(spending.unshared, [&](const auto& of_node) { return of_node.second <= now; });
  Instant& until = spending.unshared[search.node];
  until = std::max(until, now) + question_cost_ * kNodeShare;
}

void ItemFetcher::check_invariants() const {
  std::size_t waits = 0;
  std::size_t clients = 0;
  for (const auto& [item, search] : searches_) {
    OVERLAYD_CHECK(!search.waiting.empty() || search.client);
    OVERLAYD_CHECK(due_.contains({search.tracker.due(), item}));
    OVERLAYD_CHECK(accounts_.at(search.link).unshared.contains({search.ordinal, item}) != search.is_shared);
    waits += search.waiting.size();
    clients += search.client ? 1 : 0;
  }
  OVERLAYD_CHECK(due_.size() == searches_.size() && clients == client_fetches_);
  for (const auto& [hash, envelope] : envelopes_) {
    OVERLAYD_CHECK(!envelope.lacking.empty());
    OVERLAYD_CHECK(by_node_.at(envelope.reference.node).contains({envelope.ordinal, hash}));
    waits -= envelope.lacking.size();
  }
  OVERLAYD_CHECK(waits == 0);
  std::size_t on_account = 0;
  for (const auto& [link, account] : accounts_) on_account += account.searches.size();
  OVERLAYD_CHECK(on_account == searches_.size() && searches_.size() <= limits::kTrackersMax);
}

}  // namespace overlayd::fetch
