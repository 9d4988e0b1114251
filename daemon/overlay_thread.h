// The one thread that owns all state shared by peers: takes letters from the inbox, drives the core, routes what it
// puts out, and keeps its one deadline.
//
// Rule 1. Inputs are handled in the order of the inbox, in slices of at most kSliceInputsMax; outputs leave after each
//         slice. Rationale: under a full queue the first answer must not wait for the last input.
//         Inputs of the operator come first in every slice. Rationale: a full queue of peers must not hold them up.
//         Then come SCP messages (received, verified, broadcast), which overtake all other inputs, also those of their own
//         link. Rationale: SCP never waits behind transactions. No peer that keeps the rules can be hurt by it: it sends
//         SCP messages only after we have handled its AUTH and granted credit.
// Rule 2. One `now` per slice: rules of core see time stand still while they work.
// Rule 3. advance() runs in every slice in which it is due, so no load can starve a timer; questions of clients are
//         answered between slices.
// Limits. What was taken from the inbox and waits here stays below kInputQueueMax inputs besides the last batch taken;
//         above half of that no more is taken, so that the inbox fills up and refuses.
// Rule 4. An exception is our own mistake: it is logged and the process aborts. Nothing else could be trusted after it.
#pragma once
#include <atomic>
#include <deque>
#include <thread>

#include "daemon/overlay_inbox.h"

namespace overlayd::daemon {

inline constexpr std::size_t kSliceInputsMax = 256;

class OverlayThread {
 public:
  // All three must outlive it.
  OverlayThread(OverlayInbox& inbox, OverlayCore& core, OutputSink& sink);
  ~OverlayThread();  // stops
  OverlayThread(const OverlayThread&) = delete;
  OverlayThread& operator=(const OverlayThread&) = delete;

  void start();
  // Finishes the slice it is in and joins; letters not taken yet are lost.
  void stop();
  // Any thread: when the slice being worked on began; never() while the thread waits.
  [[nodiscard]] Instant busy_since() const { return Instant(Duration(busy_since_.load(std::memory_order_relaxed))); }

 private:
  void run();
  // An InputBatch being worked off: urgent ones first, which were handled when it was taken.
  struct Letter {
    InputBatch batch;
    std::size_t next = 0;
  };

  void turn();
  void take_letters();
  void handle(const Input& input);
  void begin_slice();
  void obey_operator();
  void end_slice();
  void answer_queries();

  OverlayInbox& inbox_;
  OverlayCore& core_;
  OutputSink& sink_;
  std::vector<InputBatch> batches_;  // scratch of take_letters
  std::deque<Letter> letters_;
  std::size_t waiting_inputs_ = 0;  // of letters_, not handled yet
  std::vector<InputBatch> operator_batches_;
  std::vector<OverlayInbox::Query> queries_;
  Outputs outputs_;
  Now now_;
  std::int64_t arrival_unix_nanos_ = 0;
  std::size_t slice_inputs_ = 0;
  std::atomic<std::int64_t> busy_since_{Instant::never().since_start().count()};
  std::thread thread_;
};

}  // namespace overlayd::daemon
