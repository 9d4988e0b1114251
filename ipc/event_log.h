// What subscribers have still to be told: six logs, one per topic, each bounded in bytes.
//
// Words.   The *ordinal* of an event counts the events of its topic from 1, without a hole. Its *sequence number* is
//          topic × 10^15 + ordinal: unique over all topics, below 2^53, and it tells the topic.
//          A *cursor* is one reader's place: for each topic it wants, the ordinal it must have next.
// Rule 1.  append gives an event the next ordinal of its topic.
// Rule 2.  When the events of a topic hold more bytes than its limit, its oldest leave until they fit again. An event
//          larger than the whole limit leaves at once; it still has its number.
//          Rationale: topics are bounded apart, so that a storm of transactions never costs an SCP envelope.
// Rule 3.  read gives, for each topic of the cursor, events in the order of their ordinals, and before them a Gap of
//          those that left before the reader came. The cursor moves past both. So, for every reader and topic:
//          delivered + counted in Gaps = published since it was attached.
//          taken_bytes tells how far a reader has come, in bytes: what others may publish without costing it an event.
// Rule 4.  read takes SCP events first, then peers', requests for SCP state, surveys, items, and transactions last.
// Limits.  EventLogOptions; one read is bounded in events and in bytes, and always moves if anything waits.
// Sharing. Events are shared, not copied. All methods may be called from any thread; none waits for a reader.
// Not here: waking readers (overlay_service), what an event looks like on the wire (convert).
#pragma once
#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/limits.h"
#include "core/outputs.h"
#include "core/result.h"
#include "ipc/sequence.h"

namespace overlayd::ipc {

// Numbers of the public contract.
enum class Topic : std::uint8_t {
  kScp = 1,
  kTransactions = 2,
  kPeers = 3,
  kItems = 4,
  kScpStateRequests = 5,
  kSurvey = 6
};
inline constexpr std::size_t kTopicCount = 6;
[[nodiscard]] constexpr std::size_t topic_index(Topic topic) { return static_cast<std::size_t>(topic) - 1; }
[[nodiscard]] constexpr Topic topic_at(std::size_t index) { return static_cast<Topic>(index + 1); }

static_assert((kTopicCount + 1) * kSequenceTopicFactor < std::uint64_t{1} << 53,
              "JSON readers must hold a sequence number");

[[nodiscard]] constexpr std::uint64_t to_sequence(Topic topic, std::uint64_t ordinal) {
  return static_cast<std::uint64_t>(topic) * kSequenceTopicFactor + ordinal;
}

struct LoggedEvent {
  Topic topic = Topic::kScp;
  std::uint64_t ordinal = 0;
  std::int64_t arrival_unix_nanos = 0;
  NodeId from{};
  MessagePtr message{};                                               // topics scp and transactions
  std::shared_ptr<const PublishPeer> peer{};                          // topic peers
  std::shared_ptr<const PublishItem> item{};                          // topic items
  std::shared_ptr<const PublishScpStateRequest> scp_state_request{};  // topic scp_state_requests
  std::shared_ptr<const SurveyStatus> survey{};                       // topic survey
  std::uint64_t bytes_before = 0;                                     // of its topic's events published before it

  [[nodiscard]] std::uint64_t sequence() const { return to_sequence(topic, ordinal); }
};

struct LoggedGap {
  Topic topic = Topic::kScp;
  std::uint64_t from_ordinal = 0;  // both included
  std::uint64_t to_ordinal = 0;
  [[nodiscard]] std::uint64_t count() const { return to_ordinal - from_ordinal + 1; }
};

struct EventLogOptions {
  // By topic_index. What counts is the StellarMessage, if there is one, what else the event holds by itself, and
  // limits::kEventOverheadBytes.
  std::array<std::size_t, kTopicCount> bytes_max{
      limits::kEventLogScpBytesMax,   limits::kEventLogTransactionsBytesMax,     limits::kEventLogPeersBytesMax,
      limits::kEventLogItemsBytesMax, limits::kEventLogScpStateRequestsBytesMax, limits::kEventLogSurveyBytesMax};
};

struct TopicCounts {
  std::uint64_t published = 0;  // since the start
  std::uint64_t evicted = 0;    // of those, dropped because of the bound
  std::size_t held_events = 0;
  std::size_t held_bytes = 0;
};

class EventLog {
 public:
  // One reader's place. A topic it does not want has no value.
  struct Cursor {
    std::array<std::optional<std::uint64_t>, kTopicCount> next;
  };
  struct ReadLimits {
    std::size_t events_max = limits::kEventBatchMax;
    std::size_t bytes_max = limits::kEventBatchBytesMax;  // exceeded only by a single event that is larger by itself
  };
  struct Batch {
    std::vector<LoggedGap> gaps;
    std::vector<LoggedEvent> events;
    [[nodiscard]] bool is_empty() const { return gaps.empty() && events.empty(); }
  };

  explicit EventLog(const EventLogOptions& options);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // The event's ordinal.
  std::uint64_t append_message(Topic topic, std::int64_t arrival_unix_nanos, const NodeId& from, MessagePtr message);
  std::uint64_t append_peer(std::int64_t arrival_unix_nanos, PublishPeer peer);
  std::uint64_t append_item(std::int64_t arrival_unix_nanos, PublishItem item);
  std::uint64_t append_scp_state_request(std::int64_t arrival_unix_nanos, const PublishScpStateRequest& request);
  std::uint64_t append_survey(std::int64_t arrival_unix_nanos, const SurveyStatus& status);

  // A cursor for `topics` that starts with the next event of each; for a topic with a number in `resume_after`
  // (sequence numbers) with the event after that one. Refuses a number that is of no topic asked for, of a topic named
  // before, or not given out yet. topic × 10^15 resumes with the first event the log ever had.
  [[nodiscard]] Result<Cursor> attach(const std::vector<Topic>& topics,
                                      const std::vector<std::uint64_t>& resume_after) const;

  // Empty when the reader has everything.
  [[nodiscard]] Batch read(Cursor& cursor, const ReadLimits& limits) const;

  // Bytes of the topic's events, since the start, before the one that the reader must have next; of one it lost, as if
  // it had it. Nothing for a topic it does not want. As long as not more than this and bytes_max have been published,
  // the reader loses nothing.
  [[nodiscard]] std::optional<std::uint64_t> taken_bytes(const Cursor& cursor, Topic topic) const;

  [[nodiscard]] TopicCounts counts(Topic topic) const;
  [[nodiscard]] std::size_t bytes_max(Topic topic) const { return options_.bytes_max[topic_index(topic)]; }
  // Recomputes what is cached; for tests.
  void check_invariants() const;

 private:
  struct Lane {
    std::deque<LoggedEvent> events;  // ordinals first_ordinal, first_ordinal + 1, ...
    std::uint64_t first_ordinal = 1;
    std::uint64_t next_ordinal = 1;
    std::size_t bytes = 0;
    std::uint64_t published_bytes = 0;
  };
  std::uint64_t append(LoggedEvent event);
  // False: the batch is full.
  static bool read_lane(const Lane& lane, Topic topic, std::uint64_t& next, const ReadLimits& limits,
                        std::size_t& bytes, Batch& batch);

  const EventLogOptions options_;
  mutable std::mutex mutex_;
  std::array<Lane, kTopicCount> lanes_;
};

// What an event counts against its topic's limit.
[[nodiscard]] std::size_t event_bytes(const LoggedEvent& event);

}  // namespace overlayd::ipc
