// What the overlay has posted to one network thread and the thread has not worked off yet, per link. Worked off: its
// connection has taken it, and counts it in its write queue until it is written, sealed or not.
//
// Words.  A send *weighs* what its link will write: body, head and MAC. Shared bodies count for every link they go to.
// Rule 1. A send that would bring its own link over the limit is taken out of its batch, and so is every later send to
//         that link: it is *refused* until forgotten, because a stream with a gap is worth nothing.
//         A transaction set over the limit is left out alone, and its link goes on: the peer asks somebody else.
// Rule 2. No link is refused for what others have waiting. Rationale: one peer that asks for much and reads nothing
//         must not cost honest peers their links, so there is no bound over all links that could do it.
// Limits. `link_bytes_max` per link, as much again as its write queue may hold: together links × 2 × the limit, of
//         bodies that are mostly shared. One entry per link with sends waiting or refused.
#pragma once
#include <atomic>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/outputs.h"

namespace overlayd::daemon {

class SendBacklog {
 public:
  explicit SendBacklog(std::size_t link_bytes_max) : link_bytes_max_(link_bytes_max) {}
  SendBacklog(const SendBacklog&) = delete;
  SendBacklog& operator=(const SendBacklog&) = delete;

  // Any thread. Takes out what is refused and counts what stays as waiting. Returns the links that became refused; it
  //             names a link once, until that is forgotten.
  [[nodiscard]] std::vector<PeerId> admit(Outputs& outputs);
  // The sends of an admitted batch were worked off.
  void release(const Outputs& outputs);
  // The link is gone. What still waits for it stays counted until released.
  void forget(PeerId peer);

  // A transaction set was left out later on the way.
  void count_left_out() { refused_total_.fetch_add(1, std::memory_order_relaxed); }
  // Sends taken out, or left out, since the start.
  [[nodiscard]] std::uint64_t refused_total() const { return refused_total_.load(std::memory_order_relaxed); }
  // Entries held.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    std::size_t bytes = 0;
    bool is_refused = false;
  };

  const std::size_t link_bytes_max_;
  mutable std::mutex mutex_;
  std::unordered_map<PeerId, Entry> links_;
  std::atomic<std::uint64_t> refused_total_{0};
};

}  // namespace overlayd::daemon
