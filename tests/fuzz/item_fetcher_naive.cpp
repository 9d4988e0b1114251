#include "tests/fuzz/item_fetcher_naive.h"

#include <tuple>

namespace overlayd::fuzz {

using fetch::FetchBatch;

// --- peers ----------------------------------------------------------------------------------------------------------

void NaiveFetcher::on_latency(PeerId peer, Duration latency) {
  if (const auto found = peers_.find(peer); found != peers_.end())
    found->second.band = static_cast<std::uint32_t>(latency / milliseconds(500));
}

void NaiveFetcher::on_peer_gone(PeerId peer, Instant now) {
  if (peers_.erase(peer) == 0) return;
  for (Search& search : searches_) {
    search.asked.erase(peer);
    if (search.awaited != peer) continue;
    search.awaited.reset();
    search.due = now;
  }
}

void NaiveFetcher::set_query_limit(Duration window, std::uint32_t per_second) {
  has_limit_changed_ = answered_ != 0 && !peers_.empty();
  window_ = window;
  answered_ = std::max<std::int64_t>(10, window / seconds(1) * per_second);
}

// --- what waits -----------------------------------------------------------------------------------------------------

NaiveFetcher::Search* NaiveFetcher::find(const ItemId& item) {
  const auto found = search_at_.find(item);
  return found == search_at_.end() ? nullptr : &*found->second;
}

NaiveFetcher::Envelope* NaiveFetcher::find(std::uint64_t hash) {
  const auto found = envelope_at_.find(hash);
  return found == envelope_at_.end() ? nullptr : &*found->second;
}

void NaiveFetcher::need(const fetch::WaitingEnvelope& envelope, std::span<const ItemId> lacking, Instant now) {
  const std::uint64_t hash = number_of(envelope.hash);
  const std::uint64_t node = number_of(envelope.reference.node);
  if (lacking.empty() || find(hash) != nullptr) return;
  bound_waiting(node);
  if (envelopes_.size() >= 20'000) {
    ++metrics.envelopes_refused;
    return;
  }
  std::vector<ItemId> wanted;
  for (const ItemId& item : lacking) {
    if (wanted.size() == 64)
      ++metrics.trackers_refused;
    else if (std::find(wanted.begin(), wanted.end(), item) == wanted.end())
      wanted.push_back(item);
  }
  for (const ItemId& item : wanted) search_for(item, number_of(envelope.from_node), node, now);
  Envelope record{hash, node, envelope.reference, {}, {}};
  if (!envelope.from.is_local()) record.senders.push_back(envelope.from);
  for (const ItemId& item : wanted) {
    Search* const search = find(item);
    if (search == nullptr || search->waiting.size() >= 512) continue;
    if (search->node != node) share(*search, now);
    search->waiting.push_back(hash);
    record.lacking.push_back(item);
  }
  if (record.lacking.empty())
    ++metrics.envelopes_refused;
  else
    envelope_at_[hash] = envelopes_.insert(envelopes_.end(), std::move(record));
}

void NaiveFetcher::bound_waiting(std::uint64_t node) {
  const auto is_of_node = [&](const Envelope& envelope) { return envelope.node == node; };
  if (std::count_if(envelopes_.begin(), envelopes_.end(), is_of_node) < 256) return;
  ++metrics.envelopes_refused;
  erase_envelope(std::find_if(envelopes_.begin(), envelopes_.end(), is_of_node)->hash);
}

void NaiveFetcher::on_sender(const FloodHash& hash, PeerId from) {
  Envelope* const envelope = find(number_of(hash));
  if (envelope == nullptr) return;
  std::vector<PeerId>& senders = envelope->senders;
  if (senders.size() >= 16) std::erase_if(senders, [this](PeerId sender) { return !peers_.contains(sender); });
  if (senders.size() < 16 && std::find(senders.begin(), senders.end(), from) == senders.end()) senders.push_back(from);
}

void NaiveFetcher::forget(const FloodHash& envelope) {
  if (find(number_of(envelope)) != nullptr) erase_envelope(number_of(envelope));
}

NaiveFetcher::Want NaiveFetcher::want(const ItemId& item, std::uint64_t slot, std::span<const PeerId> holders,
                                      Instant now) {
  Search* search = find(item);
  const bool is_begun = search == nullptr;
  const std::vector<PeerId> held(holders.begin(), holders.end());
  if (search != nullptr && search->client) {
    search->client = Client{std::max(slot, search->client->slot), held};
    return Want::kJoined;
  }
  const auto clients =
      std::count_if(searches_.begin(), searches_.end(), [](const Search& of) { return of.client.has_value(); });
  if (clients >= 1'000) {
    ++metrics.trackers_refused;
    return Want::kRefused;
  }
  search = search_for(item, 0, 0, now);
  if (search == nullptr) return Want::kRefused;
  share(*search, now);
  search->client = Client{slot, held};
  return is_begun ? Want::kBegun : Want::kJoined;
}

bool NaiveFetcher::cancel(const ItemId& item) {
  Search* const search = find(item);
  if (search == nullptr || !search->client) return false;
  search->client.reset();
  stop_if_unwanted(item);
  return true;
}

// --- the bounds -----------------------------------------------------------------------------------------------------

NaiveFetcher::Search* NaiveFetcher::search_for(const ItemId& item, std::uint64_t link, std::uint64_t node,
                                               Instant now) {
  if (Search* const search = find(item)) return search;
  if (!may_begin(link, node) || !make_room(link)) {
    ++metrics.trackers_refused;
    return nullptr;
  }
  Search search{.item = item, .link = link, .node = node, .started = now, .due = now};
  const auto at = searches_.insert(searches_.end(), std::move(search));
  search_at_[item] = at;
  return &*at;
}

bool NaiveFetcher::may_begin(std::uint64_t link, std::uint64_t node) const {
  if (link == 0 && node == 0) return true;
  std::size_t of_node = 0;
  std::size_t of_link = 0;
  for (const Search& search : searches_) {
    of_node += search.node == node && !search.is_shared ? 1 : 0;
    of_link += search.link == link ? 1 : 0;
  }
  return of_node < 256 && (link == 0 || of_link < 1'024);
}

bool NaiveFetcher::make_room(std::uint64_t link) {
  std::size_t for_clients = 0;
  for (const Search& search : searches_) for_clients += search.client ? 1 : 0;
  if (link == 0 && searches_.size() < 8'192) return true;
  if (searches_.size() - for_clients < 7'192) return true;
  for (const bool only_unshared : {true, false}) {
    const auto counts = [&](const Search& search) { return search.link != 0 && !(only_unshared && search.is_shared); };
    std::map<std::uint64_t, std::size_t> yields;
    for (const Search& search : searches_)
      if (counts(search)) ++yields[search.link];
    const auto most = std::max_element(yields.begin(), yields.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == yields.end() || (yields.contains(link) && most->second <= yields.at(link))) continue;
    const auto oldest = std::find_if(searches_.begin(), searches_.end(), [&](const Search& search) {
      return search.link == most->first && counts(search) && !search.client;
    });
    if (oldest == searches_.end()) continue;
    ++metrics.trackers_evicted;
    end_search(ItemId(oldest->item));
    return true;
  }
  return false;
}

void NaiveFetcher::share(Search& search, Instant now) {
  if (!search.is_shared && search.is_put_off) search.due = now;
  search.is_shared = true;
}

// --- the end of a search --------------------------------------------------------------------------------------------

std::optional<NaiveFetcher::Found> NaiveFetcher::on_item(const ItemId& item, PeerId from, Instant now) {
  const Search* const search = find(item);
  if (search == nullptr) return std::nullopt;
  if (const auto peer = peers_.find(from); peer != peers_.end()) peer->second.unanswered = 0;
  Found found{now - search->started, search->asked_count, search->rounds, {}};
  for (const std::uint64_t hash : search->waiting) found.references.push_back(find(hash)->reference);
  end_search(item);
  return found;
}

void NaiveFetcher::end_search(const ItemId& item) {
  for (const std::uint64_t hash : find(item)->waiting) {
    std::erase(find(hash)->lacking, item);
    if (find(hash)->lacking.empty()) erase_record(hash);
  }
  searches_.erase(search_at_.at(item));
  search_at_.erase(item);
}

void NaiveFetcher::erase_record(std::uint64_t hash) {
  envelopes_.erase(envelope_at_.at(hash));
  envelope_at_.erase(hash);
}

void NaiveFetcher::stop_if_unwanted(const ItemId& item) {
  const Search* const search = find(item);
  if (!search->waiting.empty() || search->client) return;
  ++metrics.abandoned;
  end_search(item);
}

void NaiveFetcher::erase_envelope(std::uint64_t hash) {
  const std::vector<ItemId> lacking = find(hash)->lacking;
  erase_record(hash);
  for (const ItemId& item : lacking) {
    std::erase(find(item)->waiting, hash);
    stop_if_unwanted(item);
  }
}

void NaiveFetcher::set_window(std::uint64_t lowest, std::uint64_t highest, std::uint64_t kept, std::uint64_t current) {
  const auto is_inside = [&](std::uint64_t slot) {
    return (slot >= lowest && slot <= highest) || (kept != 0 && slot == kept);
  };
  std::vector<std::uint64_t> over;
  for (const Envelope& envelope : envelopes_)
    if (!is_inside(envelope.reference.slot)) over.push_back(envelope.hash);
  for (const std::uint64_t hash : over) erase_envelope(hash);
  std::vector<ItemId> cancelled;
  for (Search& search : searches_) {
    if (!search.client) continue;
    if (search.client->slot == 0) search.client->slot = current;
    if (!is_inside(search.client->slot)) cancelled.push_back(search.item);
  }
  for (const ItemId& item : cancelled) cancel(item);
}

// --- asking ---------------------------------------------------------------------------------------------------------

void NaiveFetcher::on_dont_have(PeerId peer, const ItemId& item, Instant now) {
  Search* const search = find(item);
  if (search == nullptr || search->awaited != peer) return;
  ++metrics.dont_have;
  search->awaited.reset();
  search->due = now;
  peers_.at(peer).unanswered = 0;
}

void NaiveFetcher::advance(Instant now, const FetchBatch& batch) {
  std::size_t questions = 0;
  std::size_t missing = 0;
  for (int steps = 0; steps < 64 && next_deadline() <= now; ++steps) {
    Search& search = *std::min_element(searches_.begin(), searches_.end(), [](const Search& a, const Search& b) {
      return std::tie(a.due, a.item) < std::tie(b.due, b.item);
    });
    if (search.awaited) {
      ++metrics.timeouts;
      ++peers_.at(*search.awaited).unanswered;
      search.awaited.reset();
    }
    const Choice choice = choices(search, now);
    search.is_put_off = choice.is_put_off;
    search.due = now + milliseconds(1'500);
    if (!choice.peers.empty()) {
      OVERLAYD_CHECK(questions < batch.questions.size() && batch.questions[questions].item == search.item);
      const PeerId peer = batch.questions[questions++].peer;
      OVERLAYD_CHECK(std::find(choice.peers.begin(), choice.peers.end(), peer) != choice.peers.end());
      ask(search, peer, now);
    } else if (!choice.is_put_off) {
      ++metrics.rounds;
      search.asked.clear();
      search.has_asked_mute = false;
      search.due = now + milliseconds(1'500) * std::min<std::uint32_t>(10, ++search.rounds);
      OVERLAYD_CHECK(missing < batch.missing.size());
      const FetchBatch::Missing& report = batch.missing[missing++];
      OVERLAYD_CHECK(report.item == search.item && report.searched_for == now - search.started &&
                     report.peers_asked == search.asked_count && report.rounds == search.rounds);
    }
  }
  OVERLAYD_CHECK(questions == batch.questions.size() && missing == batch.missing.size());
}

bool NaiveFetcher::is_sender(const Search& search, PeerId peer) {
  const auto names = [&](const std::vector<PeerId>& peers) {
    return std::find(peers.begin(), peers.end(), peer) != peers.end();
  };
  return (search.client && names(search.client->holders)) ||
         std::any_of(search.waiting.begin(), search.waiting.end(),
                     [&](std::uint64_t hash) { return names(find(hash)->senders); });
}

bool NaiveFetcher::is_spent(const Peer& peer, const Search& search, Instant now) const {
  const Duration cost = window_ / (answered_ / 2);
  const std::int64_t at_once = answered_ * 40 / 100;
  const Spent& spent = peer.spent[static_cast<std::size_t>(search.item.kind)];
  const auto is_full = [now](Instant until, Duration each, std::int64_t count) {
    return std::max(until - now, Duration(0)) + each > each * count;
  };
  if (is_full(spent.all, cost, search.is_shared ? at_once : at_once * 2 / 3)) return true;
  const auto of_node = spent.by_node.find(search.node);
  return !search.is_shared && of_node != spent.by_node.end() &&
         is_full(of_node->second, cost * 6, std::max<std::int64_t>(1, at_once / 6));
}

NaiveFetcher::Choice NaiveFetcher::choices(const Search& search, Instant now) {
  struct Open {
    PeerId peer;
    std::tuple<bool, bool, std::uint32_t> rank;
  };
  std::vector<Open> open;
  bool are_others = false;
  Choice choice{.peers = {}, .is_put_off = peers_.empty()};
  for (const auto& [id, peer] : peers_) {
    const bool is_mute = peer.unanswered >= 2;
    const bool is_sender = this->is_sender(search, id);
    are_others |= !is_mute;
    const auto asked = search.asked.find(id);
    if (asked != search.asked.end() && (asked->second || !is_sender)) continue;
    if (is_spent(peer, search, now))
      choice.is_put_off |= !is_mute || !search.has_asked_mute;
    else
      open.push_back({id, {is_mute, !is_sender, peer.band}});
  }
  std::stable_sort(open.begin(), open.end(), [](const Open& a, const Open& b) { return a.rank < b.rank; });
  for (const Open& of : open) {
    const bool is_one_mute_too_many = std::get<0>(of.rank) && search.has_asked_mute && are_others;
    if (of.rank == open.front().rank && !is_one_mute_too_many) choice.peers.push_back(of.peer);
  }
  if (!choice.peers.empty()) choice.is_put_off = false;
  return choice;
}

void NaiveFetcher::ask(Search& search, PeerId id, Instant now) {
  ++metrics.asked;
  Peer& peer = peers_.at(id);
  search.asked[id] = is_sender(search, id);
  search.has_asked_mute |= peer.unanswered >= 2;
  search.awaited = id;
  ++search.asked_count;
  spend(peer, search, now);
}

void NaiveFetcher::spend(Peer& peer, const Search& search, Instant now) {
  const auto kind = static_cast<std::size_t>(search.item.kind);
  const Duration cost = window_ / (answered_ / 2);
  Spent& spent = peer.spent[kind];
  spent.all = std::max(spent.all, now) + cost;
  if (!search.is_shared) {
    Instant& until = spent.by_node[search.node];
    until = std::max(until, now) + cost * 6;
  }
  // What rule 5 is for: whenever the peer's window began, it answers all of these.
  std::vector<Instant>& asked = peer.asked[kind];
  asked.push_back(now);
  std::erase_if(asked, [&](Instant at) { return now - at >= window_; });
  OVERLAYD_CHECK(has_limit_changed_ || asked.size() <= static_cast<std::size_t>(answered_));
}

// --- what is seen from outside --------------------------------------------------------------------------------------

Instant NaiveFetcher::next_deadline() const {
  Instant next = Instant::never();
  for (const Search& search : searches_) next = std::min(next, search.due);
  return next;
}

bool NaiveFetcher::is_searched(const ItemId& item) const { return search_at_.contains(item); }

std::vector<ItemId> NaiveFetcher::items() const {
  std::vector<ItemId> items;
  for (const Search& search : searches_) items.push_back(search.item);
  return items;
}

std::optional<PeerId> NaiveFetcher::awaited(const ItemId& item) const {
  const auto found = search_at_.find(item);
  return found == search_at_.end() ? std::nullopt : found->second->awaited;
}

}  // namespace overlayd::fuzz
