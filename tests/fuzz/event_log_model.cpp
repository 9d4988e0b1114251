#include "tests/fuzz/event_log_model.h"

#include "core/crypto/keys.h"
#include "core/wire/message.h"
#include "ipc/event_log.h"
#include "tests/fuzz/commands.h"
#include "tests/support/messages.h"

namespace overlayd {
namespace {

using fuzz::Commands;
using ipc::EventLog;
using ipc::kTopicCount;
using ipc::LoggedEvent;
using ipc::LoggedGap;
using ipc::Topic;

// What was published of one topic, with nothing forgotten; `held` says how many of the last are still there.
struct TopicModel {
  struct Event {
    std::int64_t arrival;
    std::size_t bytes;
    NodeId from;
    MessagePtr message;
    std::string detail;        // of a peer event
    std::uint32_t number = 0;  // of an item or a request for SCP state
  };
  std::vector<Event> published;
  std::size_t held = 0;

  void publish(Event event, std::size_t bytes_max) {
    published.push_back(std::move(event));
    ++held;
    while (held_bytes() > bytes_max) --held;
  }
  [[nodiscard]] std::size_t held_bytes() const {
    std::size_t bytes = 0;
    for (std::size_t i = first_held(); i < published.size(); ++i) bytes += published[i].bytes;
    return bytes;
  }
  // By place in `published`; the ordinal is one more.
  [[nodiscard]] std::size_t first_held() const { return published.size() - held; }
};

// One reader and what it was told.
struct Reader {
  EventLog::Cursor cursor;
  std::array<std::optional<std::uint64_t>, kTopicCount> attached_at;  // ordinal that comes first
  std::array<std::uint64_t, kTopicCount> told{};                      // delivered and in gaps
};

std::array<MessagePtr, 6> make_messages() {
  crypto::init();
  return {test::make_transaction({}, 1),
          test::make_transaction({}, 2, 1000),
          test::make_upload({}, 3, 5000),
          test::make_scp({}, {.node = test::make_node(1)}),
          test::make_scp({}, {.node = test::make_node(2), .slot = 2}),
          test::make_scp({}, {.node = test::make_node(3), .value_bytes = 3000})};
}

ipc::EventLogOptions take_options(Commands& commands) {
  static constexpr std::array<std::size_t, 8> kBytesMax{0, 1, 500, 1'200, 2'500, 7'000, 30'000, 1'000'000};
  ipc::EventLogOptions options;
  for (std::size_t& bytes : options.bytes_max) bytes = commands.take_one_of(kBytesMax);
  return options;
}

class LogRun {
 public:
  explicit LogRun(Commands& commands) : commands_(commands), options_(take_options(commands)), real_(options_) {}

  void run() {
    while (!commands_.is_over()) {
      step();
      check();
    }
    for (Reader& reader : readers_) {
      while (!read(reader, {.events_max = 3, .bytes_max = 5'000}).is_empty()) continue;
      for (std::size_t index = 0; index < kTopicCount; ++index) {
        if (!reader.attached_at[index]) continue;
        OVERLAYD_CHECK(reader.told[index] == topics_[index].published.size() + 1 - *reader.attached_at[index]);
      }
    }
  }

 private:
  static constexpr std::size_t kReadersMax = 5;

  void step() {
    switch (commands_.take_below(13)) {
      case 0:
      case 1:
      case 2:
      case 3: return publish_message();
      case 4: return publish_peer();
      case 5: return attach();
      case 6:
      case 7: return publish_item();
      case 8: return publish_scp_state_request();
      case 9: return publish_survey();
      default: return read();
    }
  }

  void publish_message() {
    const Topic topic = commands_.take_flag() ? Topic::kScp : Topic::kTransactions;
    static const std::array<MessagePtr, 6> kMessages = make_messages();
    const MessagePtr& message = commands_.take_one_of(kMessages);
    const NodeId from = test::make_node(commands_.take_below(4));
    const std::size_t count = 1 + commands_.take_below(4);
    for (std::size_t i = 0; i < count; ++i) {
      publish(topic, {++arrival_, 128 + message->size(), from, message, {}, 0});
      OVERLAYD_CHECK(real_.append_message(topic, arrival_, from, message) == topic_of(topic).published.size());
    }
  }
  void publish_peer() {
    PublishPeer peer;
    peer.node = test::make_node(commands_.take_below(4));
    peer.detail = std::string(commands_.take_byte() * std::size_t{8}, 'x');
    publish(Topic::kPeers,
            {++arrival_, 128 + sizeof(PublishPeer) + peer.detail.size(), peer.node, nullptr, peer.detail, 0});
    OVERLAYD_CHECK(real_.append_peer(arrival_, peer) == topic_of(Topic::kPeers).published.size());
  }
  // One that arrived, or one that is missing and so has no message.
  void publish_item() {
    static const std::array<MessagePtr, 6> kMessages = make_messages();
    PublishItem item;
    item.from = test::make_node(commands_.take_below(4));
    item.peers_asked = commands_.take_byte();
    if (commands_.take_flag()) item.message = commands_.take_one_of(kMessages);
    const std::size_t bytes = 128 + sizeof(PublishItem) + (item.message ? item.message->size() : 0);
    publish(Topic::kItems, {++arrival_, bytes, item.from, item.message, {}, item.peers_asked});
    OVERLAYD_CHECK(real_.append_item(arrival_, item) == topic_of(Topic::kItems).published.size());
  }
  void publish_scp_state_request() {
    PublishScpStateRequest request;
    request.from = test::make_node(commands_.take_below(4));
    request.from_ledger = commands_.take_byte();
    publish(Topic::kScpStateRequests,
            {++arrival_, 128 + sizeof(PublishScpStateRequest), request.from, nullptr, {}, request.from_ledger});
    OVERLAYD_CHECK(real_.append_scp_state_request(arrival_, request) ==
                   topic_of(Topic::kScpStateRequests).published.size());
  }
  void publish_survey() {
    SurveyStatus status;
    status.nonce = commands_.take_byte();
    status.why = std::string(commands_.take_byte(), 'x');
    publish(Topic::kSurvey,
            {++arrival_, 128 + sizeof(SurveyStatus) + status.why.size(), NodeId{}, nullptr, status.why, status.nonce});
    OVERLAYD_CHECK(real_.append_survey(arrival_, status) == topic_of(Topic::kSurvey).published.size());
  }
  void publish(Topic topic, TopicModel::Event event) {
    topic_of(topic).publish(std::move(event), options_.bytes_max[topic_index(topic)]);
  }
  TopicModel& topic_of(Topic topic) { return topics_[topic_index(topic)]; }

  // Any topics, some of them more than once, resumed after numbers that may be of no event.
  void attach() {
    std::vector<Topic> topics;
    for (std::size_t count = commands_.take_below(8); count > 0; --count)
      topics.push_back(ipc::topic_at(commands_.take_below(kTopicCount)));
    std::vector<std::uint64_t> resume_after;
    for (std::size_t count = commands_.take_below(4); count > 0; --count) {
      const std::uint64_t number = commands_.take_below(kTopicCount + 2);
      resume_after.push_back(number * ipc::kSequenceTopicFactor + take_ordinal(number));
    }
    Reader reader;
    const auto attached = real_.attach(topics, resume_after);
    OVERLAYD_CHECK(attached.ok() == may_attach(topics, resume_after, reader));
    if (!attached) {
      OVERLAYD_CHECK(!attached.error().empty());
      return;
    }
    reader.cursor = attached.value();
    OVERLAYD_CHECK(reader.cursor.next == reader.attached_at);
    if (readers_.size() < kReadersMax)
      readers_.push_back(reader);
    else
      readers_[commands_.take_below(kReadersMax)] = reader;
  }
  // Mostly one that was given out.
  std::uint64_t take_ordinal(std::uint64_t topic_number) {
    const std::uint64_t byte = commands_.take_byte();
    if (byte >= 250) return ipc::kSequenceTopicFactor - 1 - (byte - 250);
    if (topic_number < 1 || topic_number > kTopicCount) return byte;
    return byte % (topics_[topic_number - 1].published.size() + 2);
  }
  bool may_attach(const std::vector<Topic>& topics, const std::vector<std::uint64_t>& resume_after, Reader& reader) {
    for (const Topic topic : topics) reader.attached_at[topic_index(topic)] = topic_of(topic).published.size() + 1;
    std::set<std::size_t> resumed;
    for (const std::uint64_t sequence : resume_after) {
      std::size_t index = 0;
      while (index < kTopicCount && sequence / ipc::kSequenceTopicFactor != index + 1) ++index;
      if (index == kTopicCount || !reader.attached_at[index] || !resumed.insert(index).second) return false;
      const std::uint64_t ordinal = sequence % ipc::kSequenceTopicFactor;
      if (ordinal > topics_[index].published.size()) return false;
      reader.attached_at[index] = ordinal + 1;
    }
    return true;
  }

  void read() {
    if (readers_.empty()) return;
    static constexpr std::array<std::size_t, 6> kEventsMax{1, 2, 3, 10, 100, 1000};
    static constexpr std::array<std::size_t, 6> kBytesMax{0, 1, 600, 2'000, 10'000, 1'000'000};
    Reader& reader = readers_[commands_.take_below(readers_.size())];
    const std::size_t events_max = commands_.take_one_of(kEventsMax);
    read(reader, {.events_max = events_max, .bytes_max = commands_.take_one_of(kBytesMax)});
  }
  EventLog::Batch read(Reader& reader, const EventLog::ReadLimits& limits) {
    const EventLog::Cursor before = reader.cursor;
    const EventLog::Batch batch = real_.read(reader.cursor, limits);
    check_order(batch);
    for (const LoggedGap& gap : batch.gaps) on_gap(reader, before, gap);
    std::size_t bytes = 0;
    for (const LoggedEvent& event : batch.events) {
      on_event(reader, event);
      bytes += topic_of(event.topic).published[event.ordinal - 1].bytes;
    }
    OVERLAYD_CHECK(batch.events.size() <= limits.events_max);
    OVERLAYD_CHECK(bytes <= limits.bytes_max || batch.events.size() == 1);
    for (std::size_t index = 0; index < kTopicCount; ++index) {
      OVERLAYD_CHECK(reader.cursor.next[index].has_value() == reader.attached_at[index].has_value());
      if (reader.attached_at[index])
        OVERLAYD_CHECK(*reader.cursor.next[index] == *reader.attached_at[index] + reader.told[index]);
    }
    check_fullness(reader, batch, bytes, limits);
    return batch;
  }
  // SCP first, then peers, requests for SCP state, surveys, items, transactions.
  static void check_order(const EventLog::Batch& batch) {
    static constexpr std::array<int, kTopicCount> kRank{0, 5, 1, 4, 2, 3};
    const auto rank = [](const auto& item) { return kRank[topic_index(item.topic)]; };
    const auto is_before = [&](const auto& a, const auto& b) { return rank(a) < rank(b); };
    OVERLAYD_CHECK(std::is_sorted(batch.events.begin(), batch.events.end(), is_before));
    OVERLAYD_CHECK(std::is_sorted(batch.gaps.begin(), batch.gaps.end(), is_before));
  }
  // From what the reader must have next to the last that left.
  void on_gap(Reader& reader, const EventLog::Cursor& before, const LoggedGap& gap) {
    const std::size_t index = topic_index(gap.topic);
    OVERLAYD_CHECK(reader.attached_at[index] && before.next[index] == gap.from_ordinal);
    OVERLAYD_CHECK(gap.from_ordinal == *reader.attached_at[index] + reader.told[index]);
    OVERLAYD_CHECK(gap.to_ordinal >= gap.from_ordinal && gap.to_ordinal == topics_[index].first_held());
    OVERLAYD_CHECK(gap.count() == gap.to_ordinal - gap.from_ordinal + 1);
    reader.told[index] += gap.count();
  }
  void on_event(Reader& reader, const LoggedEvent& event) {
    const std::size_t index = topic_index(event.topic);
    OVERLAYD_CHECK(reader.attached_at[index].has_value());
    OVERLAYD_CHECK(event.ordinal == *reader.attached_at[index] + reader.told[index]);
    OVERLAYD_CHECK(event.ordinal > topics_[index].first_held());
    OVERLAYD_CHECK(event.sequence() == (index + 1) * ipc::kSequenceTopicFactor + event.ordinal);
    const TopicModel::Event& published = topics_[index].published.at(event.ordinal - 1);
    OVERLAYD_CHECK(event.arrival_unix_nanos == published.arrival && event.from == published.from);
    OVERLAYD_CHECK((event.item ? event.item->message : event.message) == published.message);
    OVERLAYD_CHECK((event.item != nullptr) == (event.topic == Topic::kItems));
    if (event.item) OVERLAYD_CHECK(event.item->peers_asked == published.number);
    OVERLAYD_CHECK((event.scp_state_request != nullptr) == (event.topic == Topic::kScpStateRequests));
    if (event.scp_state_request) OVERLAYD_CHECK(event.scp_state_request->from_ledger == published.number);
    OVERLAYD_CHECK((event.survey != nullptr) == (event.topic == Topic::kSurvey));
    if (event.survey) OVERLAYD_CHECK(event.survey->nonce == published.number && event.survey->why == published.detail);
    OVERLAYD_CHECK((event.peer != nullptr) == (event.topic == Topic::kPeers));
    if (event.peer) OVERLAYD_CHECK(event.peer->detail == published.detail);
    OVERLAYD_CHECK(ipc::event_bytes(event) == published.bytes);
    ++reader.told[index];
  }
  // A read leaves something only if the next event does not fit any more.
  void check_fullness(const Reader& reader, const EventLog::Batch& batch, std::size_t bytes,
                      const EventLog::ReadLimits& limits) {
    for (const Topic topic :
         {Topic::kScp, Topic::kPeers, Topic::kScpStateRequests, Topic::kSurvey, Topic::kItems, Topic::kTransactions}) {
      const auto& next = reader.cursor.next[topic_index(topic)];
      if (!next || *next > topic_of(topic).published.size()) continue;
      OVERLAYD_CHECK(!batch.events.empty());
      if (batch.events.size() >= limits.events_max) return;
      // It was the first topic that stopped the read, so a gap before its next event was told.
      OVERLAYD_CHECK(*next > topic_of(topic).first_held());
      OVERLAYD_CHECK(bytes + topic_of(topic).published[*next - 1].bytes > limits.bytes_max);
      return;
    }
  }

  void check() {
    real_.check_invariants();
    for (std::size_t index = 0; index < kTopicCount; ++index) {
      const ipc::TopicCounts counts = real_.counts(ipc::topic_at(index));
      OVERLAYD_CHECK(counts.published == topics_[index].published.size());
      OVERLAYD_CHECK(counts.evicted == topics_[index].first_held());
      OVERLAYD_CHECK(counts.held_events == topics_[index].held);
      OVERLAYD_CHECK(counts.held_bytes == topics_[index].held_bytes());
      OVERLAYD_CHECK(counts.held_bytes <= options_.bytes_max[index]);
      OVERLAYD_CHECK(real_.bytes_max(ipc::topic_at(index)) == options_.bytes_max[index]);
    }
  }

  Commands& commands_;
  const ipc::EventLogOptions options_;
  EventLog real_;
  std::array<TopicModel, kTopicCount> topics_;
  std::vector<Reader> readers_;
  std::int64_t arrival_ = 0;
};

}  // namespace

void fuzz_event_log(ByteView input) {
  Commands commands(input);
  LogRun(commands).run();
}

}  // namespace overlayd
