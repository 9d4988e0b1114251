#include "ipc/event_log.h"

#include <algorithm>

#include "core/wire/message.h"

namespace overlayd::ipc {

std::size_t event_bytes(const LoggedEvent& event) {
  std::size_t bytes = limits::kEventOverheadBytes;
  if (event.message) bytes += event.message->size();
  if (event.peer) bytes += sizeof(PublishPeer) + event.peer->detail.size();
  if (event.item) bytes += sizeof(PublishItem) + (event.item->message ? event.item->message->size() : 0);
  if (event.scp_state_request) bytes += sizeof(PublishScpStateRequest);
  if (event.survey) bytes += sizeof(SurveyStatus) + event.survey->why.size();
  return bytes;
}

EventLog::EventLog(const EventLogOptions& options) : options_(options) {}

std::uint64_t EventLog::append_message(Topic topic, std::int64_t arrival_unix_nanos, const NodeId& from,
                                       MessagePtr message) {
  return append(
      {.topic = topic, .arrival_unix_nanos = arrival_unix_nanos, .from = from, .message = std::move(message)});
}

std::uint64_t EventLog::append_peer(std::int64_t arrival_unix_nanos, PublishPeer peer) {
  const NodeId node = peer.node;
  return append({.topic = Topic::kPeers,
                 .arrival_unix_nanos = arrival_unix_nanos,
                 .from = node,
                 .peer = std::make_shared<const PublishPeer>(std::move(peer))});
}

std::uint64_t EventLog::append_item(std::int64_t arrival_unix_nanos, PublishItem item) {
  const NodeId node = item.from;
  return append({.topic = Topic::kItems,
                 .arrival_unix_nanos = arrival_unix_nanos,
                 .from = node,
                 .item = std::make_shared<const PublishItem>(std::move(item))});
}

std::uint64_t EventLog::append_scp_state_request(std::int64_t arrival_unix_nanos,
                                                 const PublishScpStateRequest& request) {
  return append({.topic = Topic::kScpStateRequests,
                 .arrival_unix_nanos = arrival_unix_nanos,
                 .from = request.from,
                 .scp_state_request = std::make_shared<const PublishScpStateRequest>(request)});
}

std::uint64_t EventLog::append_survey(std::int64_t arrival_unix_nanos, const SurveyStatus& status) {
  return append({.topic = Topic::kSurvey,
                 .arrival_unix_nanos = arrival_unix_nanos,
                 .survey = std::make_shared<const SurveyStatus>(status)});
}

std::uint64_t EventLog::append(LoggedEvent event) {
  const std::size_t index = topic_index(event.topic);
  std::vector<LoggedEvent> evicted;  // freed after the lock: a last reference may free a large message
  const std::lock_guard lock(mutex_);
  Lane& lane = lanes_[index];
  const std::uint64_t ordinal = lane.next_ordinal++;
  event.ordinal = ordinal;
  event.bytes_before = lane.published_bytes;
  const std::size_t bytes = event_bytes(event);
  lane.bytes += bytes;
  lane.published_bytes += bytes;
  lane.events.push_back(std::move(event));
  while (lane.bytes > options_.bytes_max[index]) {
    lane.bytes -= event_bytes(lane.events.front());
    evicted.push_back(std::move(lane.events.front()));
    lane.events.pop_front();
    ++lane.first_ordinal;
  }
  return ordinal;
}

Result<EventLog::Cursor> EventLog::attach(const std::vector<Topic>& topics,
                                          const std::vector<std::uint64_t>& resume_after) const {
  Cursor cursor;
  const std::lock_guard lock(mutex_);
  for (const Topic topic : topics) cursor.next[topic_index(topic)] = lanes_[topic_index(topic)].next_ordinal;
  std::array<bool, kTopicCount> is_resumed{};
  for (const std::uint64_t sequence : resume_after) {
    const std::uint64_t number = sequence / kSequenceTopicFactor;
    const std::uint64_t ordinal = sequence % kSequenceTopicFactor;
    if (number < 1 || number > kTopicCount) {
      return Failure{"resume_after: " + std::to_string(sequence) + " is not the sequence number of any event"};
    }
    const std::size_t index = number - 1;
    if (!cursor.next[index]) {
      return Failure{"resume_after: " + std::to_string(sequence) + " belongs to a topic that is not in topics"};
    }
    if (is_resumed[index]) {
      return Failure{"resume_after: " + std::to_string(sequence) + " is the second number of its topic"};
    }
    if (ordinal >= lanes_[index].next_ordinal) {
      return Failure{"resume_after: " + std::to_string(sequence) + " was not given to any event yet"};
    }
    is_resumed[index] = true;
    cursor.next[index] = ordinal + 1;
  }
  return cursor;
}

EventLog::Batch EventLog::read(Cursor& cursor, const ReadLimits& limits) const {
  static constexpr std::array<Topic, kTopicCount> kReadOrder{Topic::kScp,    Topic::kPeers, Topic::kScpStateRequests,
                                                             Topic::kSurvey, Topic::kItems, Topic::kTransactions};
  Batch batch;
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);
  for (const Topic topic : kReadOrder) {
    auto& next = cursor.next[topic_index(topic)];
    if (next && !read_lane(lanes_[topic_index(topic)], topic, *next, limits, bytes, batch)) break;
  }
  return batch;
}

bool EventLog::read_lane(const Lane& lane, Topic topic, std::uint64_t& next, const ReadLimits& limits,
                         std::size_t& bytes, Batch& batch) {
  if (next < lane.first_ordinal) {
    batch.gaps.push_back({.topic = topic, .from_ordinal = next, .to_ordinal = lane.first_ordinal - 1});
    next = lane.first_ordinal;
  }
  for (; next < lane.next_ordinal; ++next) {
    const LoggedEvent& event = lane.events[next - lane.first_ordinal];
    const std::size_t size = event_bytes(event);
    const bool is_first = batch.events.empty();
    if (!is_first && (batch.events.size() >= limits.events_max || bytes + size > limits.bytes_max)) return false;
    bytes += size;
    batch.events.push_back(event);
  }
  return true;
}

std::optional<std::uint64_t> EventLog::taken_bytes(const Cursor& cursor, Topic topic) const {
  const std::optional<std::uint64_t> next = cursor.next[topic_index(topic)];
  if (!next) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const Lane& lane = lanes_[topic_index(topic)];
  const std::uint64_t ordinal = std::max(*next, lane.first_ordinal);
  if (ordinal >= lane.next_ordinal) return lane.published_bytes;
  return lane.events[ordinal - lane.first_ordinal].bytes_before;
}

TopicCounts EventLog::counts(Topic topic) const {
  const std::lock_guard lock(mutex_);
  const Lane& lane = lanes_[topic_index(topic)];
  return {.published = lane.next_ordinal - 1,
          .evicted = lane.first_ordinal - 1,
          .held_events = lane.events.size(),
          .held_bytes = lane.bytes};
}

void EventLog::check_invariants() const {
  const std::lock_guard lock(mutex_);
  for (std::size_t index = 0; index < kTopicCount; ++index) {
    const Lane& lane = lanes_[index];
    OVERLAYD_CHECK(lane.next_ordinal - lane.first_ordinal == lane.events.size());
    std::size_t bytes = 0;
    std::uint64_t ordinal = lane.first_ordinal;
    for (const LoggedEvent& event : lane.events) {
      OVERLAYD_CHECK(event.ordinal == ordinal++);
      OVERLAYD_CHECK(event.bytes_before == lane.published_bytes - lane.bytes + bytes);
      bytes += event_bytes(event);
    }
    OVERLAYD_CHECK(bytes == lane.bytes);
    OVERLAYD_CHECK(bytes <= options_.bytes_max[index]);
  }
}

}  // namespace overlayd::ipc
