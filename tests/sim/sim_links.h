// The transport of a simulation: links that carry whole messages with latency, jitter, bandwidth, back-pressure and
// cuts. Nothing is framed or authenticated here (the transport's own tests do that), but bytes are counted with their
// frames.
//
// Words.   A link has two *ends*, each of one node and known to it by a PeerId. What an end sends is *handed over* by
//          the node, *waits* until the socket has room, is *on the wire*, *arrives*, and is *read*.
// Rule 1.  Messages of one end arrive in the order in which they were handed over. Each takes its time on the wire
//          (bytes_per_second), the latency, and a jitter drawn from a generator of its own for each link and direction.
//          Rationale: a link that is added changes nothing about the others, so that runs with and without it compare.
// Rule 2.  An end that has paused reading reads nothing: what arrives stays in the socket. Once buffer_bytes are on
//          the wire or unread, what is handed over waits; past limits::kWriteQueueBytesMax the node is told
//          (LinkFaulted, kWriteQueueFull) and nothing more is taken, as in the daemon. Room comes back when the remote
//          reads, without a delay of its own.
// Rule 3.  A cut loses what is on the wire, unread or waiting, and both nodes learn of it at once. A close still
//          delivers what is on the wire; what waits is lost, and so is the ERROR_MSG behind it. A remote that does not
//          read does not learn of a close before it does.
// Rule 4.  A node is told of a link's activity (LinkProgress) a second after it began, as by the daemon.
// Rule 5.  What was meant for a process that has died (cut_all) reaches nobody, not even the next one on that node.
#pragma once
#include <deque>
#include <list>
#include <unordered_map>

#include "core/outputs.h"
#include "core/random.h"
#include "core/wire/message_type.h"
#include "tests/sim/event_queue.h"

namespace overlayd::sim {

struct LinkModel {
  Duration latency = milliseconds(50);  // one way
  Duration jitter{0};                   // uniform in [0, jitter], added
  std::uint64_t bytes_per_second = 0;   // each way; 0: no limit
  std::size_t buffer_bytes = 4 << 20;   // sockets of both sides, one way; a message always fits alone
};

// Messages of one type, and their bytes with frames.
struct WireCount {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  WireCount& operator+=(const WireCount& other) {
    messages += other.messages;
    bytes += other.bytes;
    return *this;
  }
  WireCount& operator-=(const WireCount& other) {
    messages -= other.messages;
    bytes -= other.bytes;
    return *this;
  }
};

// By type.
class WireCounts {
 public:
  WireCount& operator[](wire::MessageType type) { return counts_[static_cast<std::size_t>(type)]; }
  const WireCount& operator[](wire::MessageType type) const { return counts_[static_cast<std::size_t>(type)]; }
  [[nodiscard]] WireCount total() const;
  WireCounts& operator+=(const WireCounts& other);
  WireCounts& operator-=(const WireCounts& other);

 private:
  std::array<WireCount, 25> counts_{};  // a type's number is at most 24
};

class SimLinks {
 public:
  // Hands an input to a node, now.
  using Give = std::function<void(std::size_t node, const Input& input)>;
  struct Place {
    std::size_t node = 0;
    PeerId peer;
  };

  SimLinks(const LinkModel& model, std::uint64_t seed, EventQueue& events, Give give);
  SimLinks(const SimLinks&) = delete;
  SimLinks& operator=(const SimLinks&) = delete;

  void add_node();
  // A link exists from now on; nobody is told.
  void open(const Place& dialler, const Place& acceptor, Instant now);
  [[nodiscard]] bool is_open(const Place& place) const { return find(place).has_value(); }
  // What a node asks for. Each does nothing if there is no such link.
  void send(const Place& from, const MessagePtr& message, Instant now);
  void close(const Place& place, const Close& close, Instant now);
  void pause(const Place& place);
  void resume(const Place& place, Instant now);
  // An event that send made.
  void arrive(const Delivery& delivery, Instant now);

  // False if no link is open.
  bool cut_random(Random& random, Instant now);
  // The links of a dead process.
  void cut_all(std::size_t node, Instant now);

  [[nodiscard]] std::size_t open_count() const { return open_.size() / 2; }
  [[nodiscard]] const WireCounts& sent(std::size_t node) const { return nodes_.at(node).sent; }
  [[nodiscard]] const WireCounts& read(std::size_t node) const { return nodes_.at(node).read; }
  // What cuts and closes lost of all links.
  [[nodiscard]] const WireCounts& lost() const { return lost_; }

 private:
  struct Waiting {
    MessagePtr message;
    Instant handed_over;
  };
  struct End {
    Place place;
    EndIndex other = 0;
    std::size_t open_index = 0;  // into open_, while it is open
    bool is_open = true;
    // out
    Random jitter{0};
    Instant free_at;
    Instant last_arrival;
    std::size_t unread_bytes = 0;  // on the wire or in the sockets
    std::list<Waiting> waiting;    // both lists are empty on most links, and cost nothing then
    std::size_t waiting_bytes = 0;
    bool is_write_broken = false;
    // in
    bool is_reading = true;
    std::list<MessagePtr> unread;
    std::optional<DropReason> hung_up;  // to be learned once everything is read
    // progress
    Instant last_read;
    Instant last_write;
    bool is_progress_due = false;
  };
  struct Node {
    std::unordered_map<PeerId, EndIndex> ends;
    WireCounts sent;
    WireCounts read;
    std::uint64_t links = 0;  // dialled so far
    std::uint32_t life = 0;   // processes that died before this one
  };

  [[nodiscard]] std::optional<EndIndex> find(const Place& place) const;
  EndIndex add_end(const Place& place, Instant now);
  [[nodiscard]] bool has_room(const End& end, std::size_t bytes) const;
  void put_on_wire(End& end, const MessagePtr& message, Instant now);
  void pump(End& end, Instant now);
  void read_one(End& end, const MessagePtr& message, Instant now);
  void drain(EndIndex index, Instant now);
  void note_progress(EndIndex index, Instant now);
  void tell_progress(EndIndex index);
  // Rule 5.
  void tell(const Place& place, Input input, Instant at);
  void lose(const MessagePtr& message);
  void detach(End& end);
  // The node learns at `at` that the link is gone.
  void hang_up(EndIndex index, DropReason reason, Instant at);
  void cut(EndIndex index, Instant now);

  LinkModel model_;
  std::uint64_t seed_;
  EventQueue& events_;
  Give give_;
  std::deque<End> ends_;  // never reused: a link that is gone may still have events
  std::vector<EndIndex> open_;
  std::vector<Node> nodes_;
  WireCounts lost_;
};

}  // namespace overlayd::sim
