#include "tests/sim/sim_links.h"

#include <algorithm>

#include "core/check.h"
#include "core/wire/message.h"

namespace overlayd::sim {
namespace {

constexpr Duration kProgressPeriod = seconds(1);

std::size_t bytes_of(const MessagePtr& message) { return message->size() + limits::kFrameOverheadBytes; }

// One seed per link and direction, the same whatever other links there are.
std::uint64_t jitter_seed(std::uint64_t seed, std::size_t from, std::size_t to, std::uint64_t nth) {
  std::uint64_t mixed = seed;
  for (const std::uint64_t part : {std::uint64_t{from}, std::uint64_t{to}, nth}) mixed = Random(mixed ^ part).next();
  return mixed;
}

}  // namespace

WireCount WireCounts::total() const {
  WireCount total;
  for (const WireCount& count : counts_) total += count;
  return total;
}

WireCounts& WireCounts::operator+=(const WireCounts& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  return *this;
}

WireCounts& WireCounts::operator-=(const WireCounts& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] -= other.counts_[i];
  return *this;
}

SimLinks::SimLinks(const LinkModel& model, std::uint64_t seed, EventQueue& events, Give give)
    : model_(model), seed_(seed), events_(events), give_(std::move(give)) {}

void SimLinks::add_node() { nodes_.emplace_back(); }

std::optional<EndIndex> SimLinks::find(const Place& place) const {
  const auto& ends = nodes_.at(place.node).ends;
  const auto found = ends.find(place.peer);
  return found == ends.end() ? std::nullopt : std::optional(found->second);
}

EndIndex SimLinks::add_end(const Place& place, Instant now) {
  const EndIndex index = static_cast<EndIndex>(ends_.size());
  End& end = ends_.emplace_back();
  end.place = place;
  end.open_index = open_.size();
  end.last_read = end.last_write = now;
  open_.push_back(index);
  nodes_.at(place.node).ends.emplace(place.peer, index);
  return index;
}

void SimLinks::open(const Place& dialler, const Place& acceptor, Instant now) {
  const std::uint64_t nth = nodes_.at(dialler.node).links++;
  const EndIndex from = add_end(dialler, now);
  const EndIndex to = add_end(acceptor, now);
  ends_[from].other = to;
  ends_[to].other = from;
  ends_[from].jitter = Random(jitter_seed(seed_, dialler.node, acceptor.node, 2 * nth));
  ends_[to].jitter = Random(jitter_seed(seed_, dialler.node, acceptor.node, 2 * nth + 1));
}

// --- out ----------------------------------------------------------------------------------------------------------

bool SimLinks::has_room(const End& end, std::size_t bytes) const {
  return end.unread_bytes == 0 || end.unread_bytes + bytes <= model_.buffer_bytes;
}

void SimLinks::send(const Place& from, const MessagePtr& message, Instant now) {
  const auto index = find(from);
  if (!index || ends_[*index].is_write_broken) return;
  End& end = ends_[*index];
  note_progress(*index, now);
  if (end.waiting.empty() && has_room(end, bytes_of(message))) return put_on_wire(end, message, now);
  if (end.waiting_bytes + bytes_of(message) > limits::kWriteQueueBytesMax) {
    end.is_write_broken = true;
    return tell(from, LinkFaulted{from.peer, DropReason::kWriteQueueFull, ""}, now);
  }
  end.waiting.push_back({message, now});
  end.waiting_bytes += bytes_of(message);
}

void SimLinks::put_on_wire(End& end, const MessagePtr& message, Instant now) {
  const std::size_t bytes = bytes_of(message);
  nodes_[end.place.node].sent[message->type()] += {1, bytes};
  end.unread_bytes += bytes;
  end.last_write = now;
  Instant departs = std::max(now, end.free_at);
  if (model_.bytes_per_second > 0) {
    departs = departs + Duration(bytes * 1'000'000'000ULL / model_.bytes_per_second);
    end.free_at = departs;
  }
  const auto spread = static_cast<std::uint64_t>(model_.jitter.count());
  const Duration jitter(spread == 0 ? 0 : static_cast<std::int64_t>(end.jitter.below(spread + 1)));
  end.last_arrival = std::max(departs + model_.latency + jitter, end.last_arrival);
  events_.push(end.last_arrival, Delivery{end.other, message});
}

void SimLinks::pump(End& end, Instant now) {
  while (!end.waiting.empty() && has_room(end, bytes_of(end.waiting.front().message))) {
    const MessagePtr message = std::move(end.waiting.front().message);
    end.waiting.pop_front();
    end.waiting_bytes -= bytes_of(message);
    put_on_wire(end, message, now);
  }
}

// --- in -----------------------------------------------------------------------------------------------------------

void SimLinks::arrive(const Delivery& delivery, Instant now) {
  End& end = ends_[delivery.end];
  if (!end.is_open) return lose(delivery.message);
  if (end.is_reading && end.unread.empty()) return read_one(end, delivery.message, now);
  end.unread.push_back(delivery.message);
}

void SimLinks::read_one(End& end, const MessagePtr& message, Instant now) {
  nodes_[end.place.node].read[message->type()] += {1, bytes_of(message)};
  end.last_read = now;
  End& other = ends_[end.other];
  note_progress(other.other, now);
  other.unread_bytes -= bytes_of(message);
  if (!other.waiting.empty() && other.is_open) {
    pump(other, now);
    note_progress(end.other, now);
  }
  give_(end.place.node, MessageReceived{end.place.peer, message, message->type() == wire::MessageType::kHello});
}

void SimLinks::pause(const Place& place) {
  if (const auto index = find(place)) ends_[*index].is_reading = false;
}

void SimLinks::resume(const Place& place, Instant now) {
  const auto index = find(place);
  if (!index || ends_[*index].is_reading) return;
  ends_[*index].is_reading = true;
  events_.push(now, Task([this, end = *index, now] { drain(end, now); }));
}

void SimLinks::drain(EndIndex index, Instant now) {
  End& end = ends_[index];
  while (end.is_open && end.is_reading && !end.unread.empty()) {
    const MessagePtr message = std::move(end.unread.front());
    end.unread.pop_front();
    read_one(end, message, now);
  }
  if (end.is_open && end.unread.empty() && end.hung_up) hang_up(index, *end.hung_up, now);
}

// --- progress -----------------------------------------------------------------------------------------------------

void SimLinks::note_progress(EndIndex index, Instant now) {
  if (std::exchange(ends_[index].is_progress_due, true)) return;
  events_.push(now + kProgressPeriod, Task([this, index] { tell_progress(index); }));
}

void SimLinks::tell_progress(EndIndex index) {
  End& end = ends_[index];
  end.is_progress_due = false;
  if (!end.is_open) return;
  const Instant oldest = end.waiting.empty() ? Instant::never() : end.waiting.front().handed_over;
  give_(end.place.node, LinkProgress{end.place.peer, end.last_read, end.last_write, oldest});
}

// --- the end ------------------------------------------------------------------------------------------------------

void SimLinks::tell(const Place& place, Input input, Instant at) {
  events_.push(at, Task([this, node = place.node, life = nodes_.at(place.node).life, input = std::move(input)] {
                 if (nodes_[node].life == life) give_(node, input);
               }));
}

void SimLinks::lose(const MessagePtr& message) { lost_[message->type()] += {1, bytes_of(message)}; }

void SimLinks::detach(End& end) {
  OVERLAYD_CHECK(end.is_open);
  end.is_open = false;
  for (const Waiting& waiting : end.waiting) lose(waiting.message);
  for (const MessagePtr& message : end.unread) lose(message);
  end.waiting.clear();
  end.unread.clear();
  nodes_[end.place.node].ends.erase(end.place.peer);
  const EndIndex last = open_.back();
  open_[end.open_index] = last;
  ends_[last].open_index = end.open_index;
  open_.pop_back();
}

void SimLinks::close(const Place& place, const Close& close, Instant now) {
  const auto index = find(place);
  if (!index) return;
  End& end = ends_[*index];
  if (close.error && end.waiting.empty() && !end.is_write_broken) put_on_wire(end, close.error, now);
  detach(end);
  hang_up(end.other, DropReason::kClosedByRemote, std::max(now + model_.latency, end.last_arrival));
  tell(place, LinkClosed{place.peer, close.reason, ""}, now);
}

void SimLinks::hang_up(EndIndex index, DropReason reason, Instant at) {
  events_.push(at, Task([this, index, reason] {
                 End& end = ends_[index];
                 if (!end.is_open) return;
                 end.hung_up = reason;
                 if (!end.unread.empty()) return;
                 detach(end);
                 give_(end.place.node, LinkClosed{end.place.peer, reason, ""});
               }));
}

void SimLinks::cut(EndIndex index, Instant now) {
  for (const EndIndex side : {index, ends_[index].other}) {
    if (!ends_[side].is_open) continue;
    detach(ends_[side]);
    const Place& place = ends_[side].place;
    tell(place, LinkClosed{place.peer, DropReason::kSocketError, ""}, now);
  }
}

bool SimLinks::cut_random(Random& random, Instant now) {
  if (open_.empty()) return false;
  cut(open_[random.below(open_.size())], now);
  return true;
}

void SimLinks::cut_all(std::size_t node, Instant now) {
  std::vector<EndIndex> own;
  for (const auto& [peer, index] : nodes_.at(node).ends) own.push_back(index);
  std::sort(own.begin(), own.end());  // in the order in which they were opened
  for (const EndIndex index : own)
    if (ends_[index].is_open) cut(index, now);
  ++nodes_.at(node).life;
}

}  // namespace overlayd::sim
