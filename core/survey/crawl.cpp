#include "core/survey/crawl.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/survey/survey_limiter.h"

namespace overlayd::survey {
namespace {

const SurveyedLink* find_link(const std::vector<SurveyedLink>& links, const NodeId& node) {
  const auto at = std::ranges::lower_bound(links, node, {}, &SurveyedLink::node);
  return at != links.end() && at->node == node ? &*at : nullptr;
}

bool names(const SurveyNode& namer, const NodeId& node) {
  return find_link(namer.inbound, node) != nullptr || find_link(namer.outbound, node) != nullptr;
}

bool tells_all(const SurveyNode& node) {
  return node.stats && node.inbound.size() >= node.stats->total_inbound &&
         node.outbound.size() >= node.stats->total_outbound;
}

// Ascending by node, each once.
void put_in_order(std::vector<SurveyedLink>& links) {
  std::ranges::stable_sort(links, {}, &SurveyedLink::node);
  const auto is_same = [](const SurveyedLink& a, const SurveyedLink& b) { return a.node == b.node; };
  links.erase(std::unique(links.begin(), links.end(), is_same), links.end());
}

bool has_repeats(std::vector<SurveyedLink> links) {
  std::ranges::sort(links, {}, &SurveyedLink::node);
  return std::ranges::adjacent_find(links, {}, &SurveyedLink::node) != links.end();
}

std::string told_of(const SurveyNode& node) {
  return "it told of " + std::to_string(node.inbound.size()) + " of " + std::to_string(node.stats->total_inbound) +
         " inbound and " + std::to_string(node.outbound.size()) + " of " + std::to_string(node.stats->total_outbound) +
         " outbound links";
}

}  // namespace

// --- nodes --------------------------------------------------------------------------------------------------------

template <typename Change>
void Crawl::change(Entry& entry, Change change) {
  auto changed = std::make_shared<SurveyNode>(*entry.node);
  change(*changed);
  const auto moves = [&](SurveyNodeState state, std::uint32_t& count) {
    if (entry.node->state == state) --count;
    if (changed->state == state) ++count;
  };
  moves(SurveyNodeState::kComplete, complete_);
  moves(SurveyNodeState::kFailed, failed_);
  changed_.insert(changed->node);
  entry.node = std::move(changed);
}

void Crawl::clear() {
  is_following_ = false;
  entries_.clear();
  waiting_.clear();
  by_clients_.clear();
  asked_.clear();
  note_oldest();
  changed_.clear();
  complete_ = failed_ = refused_ = 0;
  links_ = 0;
  links_held_ = 0;
}

Crawl::Entry* Crawl::learn(const NodeId& node, std::uint32_t rank) {
  const auto found = entries_.find(node);
  if (found != entries_.end()) return &found->second;
  if (entries_.size() >= limits::kSurveyNodesMax) return nullptr;
  auto made = std::make_shared<SurveyNode>();
  made->node = node;
  changed_.insert(node);
  Entry& entry = entries_[node];
  entry.node = std::move(made);
  entry.rank = rank;
  entry.ask.node = node;
  return &entry;
}

void Crawl::set_rank(Entry& entry, std::uint32_t rank) {
  const bool is_waiting = waiting_.erase(order_of(entry)) != 0;
  entry.rank = rank;
  if (is_waiting) waiting_.insert(order_of(entry));
}

void Crawl::learn_peers(const NodeId& namer, const std::vector<SurveyedLink>& links, std::size_t first_place) {
  const std::uint64_t base = entries_.at(namer).rank + std::uint64_t{first_place} + 1;
  for (std::size_t i = 0; i < links.size(); ++i) {
    const SurveyedLink& link = links[i];
    const auto rank = static_cast<std::uint32_t>(std::min<std::uint64_t>(base + i, UINT32_MAX));
    Entry* entry = learn(link.node, rank);
    if (entry == nullptr) {
      ++refused_;
      continue;
    }
    if (rank < entry->rank && link.node != self_) set_rank(*entry, rank);
    const std::vector<NodeId>& namers = entry->node->named_by;
    const bool is_news = namers.size() < limits::kSurveyNamersMax && std::ranges::find(namers, namer) == namers.end();
    if (is_news || entry->node->version.empty()) {
      change(*entry, [&](SurveyNode& node) {
        if (is_news) node.named_by.push_back(namer);
        if (node.version.empty()) node.version = link.version;
      });
    }
    if (is_following_ && entry->node->state == SurveyNodeState::kFound) wait(*entry);
  }
}

bool Crawl::is_named(const NodeId& namer, const NodeId& node) const {
  const auto found = entries_.find(namer);
  return found != entries_.end() && names(*found->second.node, node);
}

std::size_t Crawl::add_links(const NodeId& node, const std::vector<SurveyedLink>& links, Direction direction) {
  std::size_t left_out = 0;
  Entry& entry = entries_.at(node);
  change(entry, [&](SurveyNode& changed) {
    std::vector<SurveyedLink>& into = direction == Direction::kInbound ? changed.inbound : changed.outbound;
    const std::size_t before = into.size();
    std::vector<SurveyedLink> added;
    for (const SurveyedLink& link : links) {
      if (find_link(into, link.node) != nullptr) continue;
      if (before + added.size() >= limits::kSurveyLinksMax || links_held_ >= limits::kSurveyTotalLinksMax) {
        ++left_out;
        continue;
      }
      if (!names(changed, link.node) && !is_named(link.node, node)) ++links_;
      ++links_held_;
      added.push_back(link);
    }
    into.insert(into.end(), added.begin(), added.end());
    put_in_order(into);
  });
  return left_out;
}

void Crawl::set_self(const SurveyedNode& stats, const std::vector<SurveyedLink>& inbound,
                     const std::vector<SurveyedLink>& outbound) {
  Entry* self = learn(self_, 0);
  if (self == nullptr) return;
  change(*self, [&](SurveyNode& node) {
    node.stats = stats;
    node.state = SurveyNodeState::kComplete;
  });
  add_links(self_, inbound, Direction::kInbound);
  add_links(self_, outbound, Direction::kOutbound);
  learn_peers(self_, inbound, 0);
  learn_peers(self_, outbound, inbound.size());
}

void Crawl::set_self_lost(const std::string& why) {
  if (Entry* self = learn(self_, 0); self != nullptr) fail(*self, SurveyProblem::kNotAsked, why);
}

void Crawl::add_seeds(const std::vector<NodeId>& peers) {
  for (const NodeId& peer : peers) {
    if (entries_.contains(peer)) continue;
    Entry* entry = learn(peer, 1);
    if (entry != nullptr && is_following_) wait(*entry);
  }
}

void Crawl::load(const std::vector<SurveyNodeRecord>& stored, std::uint32_t ledger) {
  for (const SurveyNodeRecord& record : stored) load_node(record, ledger);
  // Whom they name is stored too, but a disk may have lost it; only now, lest names take the room of what is stored.
  for (const SurveyNodeRecord& record : stored) {
    const SurveyNodePtr loaded = find(record.node.node);
    if (loaded == nullptr) continue;
    learn_peers(loaded->node, loaded->inbound, 0);
    learn_peers(loaded->node, loaded->outbound, loaded->inbound.size());
  }
  changed_.clear();
}

void Crawl::load_node(const SurveyNodeRecord& record, std::uint32_t ledger) {
  const SurveyNode& node = record.node;
  Entry* entry = entries_.contains(node.node) ? nullptr : learn(node.node, record.rank);
  if (entry == nullptr) return;
  change(*entry, [&](SurveyNode& changed) {
    changed = node;
    changed.inbound.clear();
    changed.outbound.clear();
    const bool is_over = node.state == SurveyNodeState::kComplete || node.state == SurveyNodeState::kFailed;
    if (node.state == SurveyNodeState::kAsked) changed.state = SurveyNodeState::kWaiting;
    if (node.node == self_ && !is_over) changed.state = SurveyNodeState::kFound;
  });
  entry->rank = record.rank;
  for (const auto* links : {&node.inbound, &node.outbound}) {
    std::vector<SurveyedLink> ordered = *links;
    put_in_order(ordered);  // a disk may hold anything
    add_links(node.node, ordered, links == &node.inbound ? Direction::kInbound : Direction::kOutbound);
  }
  entry->next_inbound = record.next_inbound;
  entry->next_outbound = record.next_outbound;
  entry->ask = {node.node, record.next_inbound, record.next_outbound};
  entry->has_client_page = true;  // which pages those were is not stored
  entry->ledger = ledger;
  if (entry->node->state == SurveyNodeState::kWaiting) wait(*entry);
}

// --- whom to ask --------------------------------------------------------------------------------------------------

Crawl::Order Crawl::order_of(const Entry& entry) const {
  const std::uint64_t page = std::max(entry.ask.inbound_index, entry.ask.outbound_index);
  return {entry.rank + page + kRetryPlaces * entry.attempts, entry.node->node};
}

void Crawl::wait(Entry& entry) {
  if (entry.node->node == self_) return;
  change(entry, [](SurveyNode& node) { node.state = SurveyNodeState::kWaiting; });
  if (entry.is_of_client)
    by_clients_.push_back(entry.node->node);
  else
    waiting_.insert(order_of(entry));
}

bool Crawl::stop_waiting(const Entry& entry) {
  return waiting_.erase(order_of(entry)) != 0 || std::erase(by_clients_, entry.node->node) != 0;
}

void Crawl::set_following(bool is_following) {
  is_following_ = is_following;
  if (!is_following) return;
  for (auto& [node, entry] : entries_) {
    if (entry.node->state != SurveyNodeState::kFound) continue;
    entry.ask = {node, entry.next_inbound, entry.next_outbound};
    wait(entry);
  }
}

void Crawl::forgive_failed() {
  for (auto& [node, entry] : entries_) {
    if (node == self_ || entry.node->state != SurveyNodeState::kFailed) continue;
    if (entry.node->problem == SurveyProblem::kBad) continue;
    entry.attempts = 0;
    change(entry, [](SurveyNode& changed) {
      changed.state = SurveyNodeState::kFound;
      changed.problem = SurveyProblem::kNone;
      changed.detail.clear();
    });
  }
}

Crawl::Queued Crawl::request(const Ask& ask) {
  // Those that were asked may have to wait again.
  const auto asked_by_clients =
      std::ranges::count_if(asked_, [this](const NodeId& node) { return entries_.at(node).is_of_client; });
  if (by_clients_.size() + static_cast<std::size_t>(asked_by_clients) >= limits::kSurveyQueueMax) return Queued::kFull;
  if (asked_.contains(ask.node) || std::ranges::find(by_clients_, ask.node) != by_clients_.end())
    return Queued::kDuplicate;
  Entry* entry = learn(ask.node, 0);
  if (entry == nullptr) return Queued::kFull;
  waiting_.erase(order_of(*entry));
  entry->ask = ask;
  entry->attempts = 0;
  entry->is_of_client = true;
  change(*entry, [](SurveyNode& node) {
    node.state = SurveyNodeState::kWaiting;
    node.problem = SurveyProblem::kNone;
    node.detail.clear();
  });
  by_clients_.push_back(ask.node);
  return Queued::kQueued;
}

std::optional<Crawl::Ask> Crawl::next(std::uint32_t ledger, Instant now) {
  const auto may_be_asked = [&](const NodeId& node) {
    const Entry& entry = entries_.at(node);
    return entry.node->requests == 0 || entry.ledger != ledger;
  };
  std::optional<NodeId> chosen;
  const auto first = std::ranges::find_if(by_clients_, may_be_asked);
  if (first != by_clients_.end()) {
    chosen = *first;
    by_clients_.erase(first);
  } else {
    const auto at = std::ranges::find_if(waiting_, [&](const Order& order) { return may_be_asked(order.second); });
    if (at == waiting_.end()) return std::nullopt;
    chosen = at->second;
    waiting_.erase(at);
  }
  Entry& entry = entries_.at(*chosen);
  asked_.insert(*chosen);
  ++entry.attempts;
  entry.ledger = ledger;
  entry.asked = now;
  change(entry, [](SurveyNode& node) {
    node.state = SurveyNodeState::kAsked;
    ++node.requests;
  });
  note_oldest();
  return entry.ask;
}

// --- what came of it ----------------------------------------------------------------------------------------------

void Crawl::fail(Entry& entry, SurveyProblem problem, std::string detail) {
  change(entry, [&](SurveyNode& node) {
    // Asked once more by a client, in vain: what it told before is still all there is.
    const bool is_complete = tells_all(node) && problem != SurveyProblem::kBad;
    node.state = is_complete ? SurveyNodeState::kComplete : SurveyNodeState::kFailed;
    node.problem = is_complete ? SurveyProblem::kNone : problem;
    node.detail = std::move(detail);
  });
  entry.is_of_client = false;
}

void Crawl::fail_unanswered(Entry& entry, const std::string& why) {
  if (entry.node->stats) return fail(entry, SurveyProblem::kTruncated, told_of(*entry.node) + "; then " + why);
  if (entry.node->bad_responses > 0)
    return fail(entry, SurveyProblem::kBad, "what it answered cannot be opened or read; then " + why);
  fail(entry, entry.node->requests > 0 ? SurveyProblem::kSilent : SurveyProblem::kNotAsked, why);
}

void Crawl::retry(Entry& entry, SurveyProblem problem, const std::string& detail) {
  if (entry.attempts >= limits::kSurveyAttemptsMax) return fail(entry, problem, detail);
  wait(entry);
}

std::string Crawl::contradiction(const Entry& entry, const wire::SurveyTopology& page) const {
  const SurveyNode& known = *entry.node;
  if (known.stats && *known.stats != page.node) return "it tells other numbers of itself than on a page before";
  for (const auto* links : {&page.inbound, &page.outbound}) {
    const bool is_inbound = links == &page.inbound;
    const std::vector<SurveyedLink>& there = is_inbound ? known.inbound : known.outbound;
    if (has_repeats(*links)) return "it tells of a link twice on one page";
    std::size_t added = 0;
    for (const SurveyedLink& link : *links) {
      if (link.node == known.node) return "it names itself as its peer";
      if (find_link(there, link.node) == nullptr)
        ++added;
      else if (!entry.has_client_page && !entry.is_of_client)
        return "it tells of a link that was on a page before";
    }
    if (there.size() + added > (is_inbound ? page.node.total_inbound : page.node.total_outbound))
      return "it tells of more links than it counts";
  }
  return {};
}

Crawl::Answered Crawl::on_answer(const NodeId& node, std::uint32_t ledger,
                                 const std::optional<wire::SurveyTopology>& topology) {
  const auto found = entries_.find(node);
  if (found == entries_.end() || found->second.ledger != ledger) return Answered::kIgnored;
  Entry& entry = found->second;
  const bool is_late = entry.attempts > 0 && stop_waiting(entry);  // given up while its ledger lasts
  if (asked_.erase(node) == 0 && !is_late) return Answered::kIgnored;
  note_oldest();
  const std::string wrong = topology ? contradiction(entry, *topology) : "it cannot be opened or read";
  if (wrong.empty()) {
    const std::size_t left_out = merge(entry, *topology);
    go_on(entry, *topology, left_out);
    return Answered::kGood;
  }
  change(entry, [](SurveyNode& changed) { ++changed.bad_responses; });
  // What cannot be read says nothing that a good answer would contradict.
  if (topology) {
    fail(entry, SurveyProblem::kBad, "its answer is bad: " + wrong);
  } else {
    retry(entry, SurveyProblem::kBad, "its answer is bad: " + wrong);
  }
  return Answered::kBad;
}

std::size_t Crawl::merge(Entry& entry, const wire::SurveyTopology& page) {
  const NodeId node = entry.node->node;
  const std::size_t places = entry.node->inbound.size() + entry.node->outbound.size();
  change(entry, [&](SurveyNode& changed) { changed.stats = page.node; });
  const std::size_t left_out =
      add_links(node, page.inbound, Direction::kInbound) + add_links(node, page.outbound, Direction::kOutbound);
  learn_peers(node, page.inbound, places);
  learn_peers(node, page.outbound, places + page.inbound.size());
  return left_out;
}

void Crawl::go_on(Entry& entry, const wire::SurveyTopology& page, std::size_t left_out) {
  if (entry.is_of_client) {
    entry.has_client_page = true;
  } else {
    entry.next_inbound += static_cast<std::uint32_t>(page.inbound.size());
    entry.next_outbound += static_cast<std::uint32_t>(page.outbound.size());
  }
  const bool was_of_client = std::exchange(entry.is_of_client, false);
  const auto is_over = [](const std::vector<SurveyedLink>& links, std::uint32_t next, std::uint32_t total) {
    return links.empty() || next >= std::min<std::uint64_t>(total, limits::kSurveyLinksMax);
  };
  const bool was_last = is_over(page.inbound, entry.next_inbound, page.node.total_inbound) &&
                        is_over(page.outbound, entry.next_outbound, page.node.total_outbound);
  entry.attempts = 0;
  entry.ask = {entry.node->node, entry.next_inbound, entry.next_outbound};
  if (tells_all(*entry.node)) {
    change(entry, [](SurveyNode& node) {
      node.state = SurveyNodeState::kComplete;
      node.problem = SurveyProblem::kNone;
      node.detail.clear();
    });
  } else if (left_out > 0) {
    fail(entry, SurveyProblem::kTruncated, told_of(*entry.node) + ", more than are kept");
  } else if (was_of_client ? !is_following_ : was_last) {
    fail(entry, SurveyProblem::kTruncated, told_of(*entry.node));
  } else {
    wait(entry);
  }
}

void Crawl::advance(std::uint32_t ledger, Instant now) {
  std::vector<NodeId> dead;
  for (const NodeId& node : asked_) {
    const Entry& entry = entries_.at(node);
    if (!SurveyLimiter::is_in_window(entry.ledger, ledger) || now - entry.asked >= limits::kSurveyAnswerMax)
      dead.push_back(node);
  }
  for (const NodeId& node : dead) {
    asked_.erase(node);
    Entry& entry = entries_.at(node);
    if (entry.attempts < limits::kSurveyAttemptsMax)
      wait(entry);
    else
      fail_unanswered(entry, "no answer to " + std::to_string(entry.attempts) + " requests");
  }
  note_oldest();
}

void Crawl::note_oldest() {
  oldest_asked_ = Instant::never();
  for (const NodeId& node : asked_) oldest_asked_ = std::min(oldest_asked_, entries_.at(node).asked);
}

void Crawl::end(const std::string& why) {
  is_following_ = false;
  waiting_.clear();
  by_clients_.clear();
  asked_.clear();
  note_oldest();
  for (auto& [node, entry] : entries_) {
    const SurveyNodeState state = entry.node->state;
    if (state != SurveyNodeState::kWaiting && state != SurveyNodeState::kAsked) continue;
    entry.attempts = 0;
    fail_unanswered(entry, why);
  }
}

void Crawl::judge_silent(const std::vector<NodeId>& peers) {
  const auto has_answered = [&](const auto& known) { return known.first != self_ && known.second.node->stats; };
  if (std::ranges::any_of(entries_, has_answered)) return;
  for (const NodeId& peer : peers) {
    const auto found = entries_.find(peer);
    if (found == entries_.end() || found->second.node->problem != SurveyProblem::kSilent) continue;
    fail(found->second, SurveyProblem::kUnpermitted,
         "it was connected all the time and nobody answers: most likely it does not permit this surveyor");
  }
}

}  // namespace overlayd::survey
