#include "daemon/overlay_thread.h"

#include "daemon/clocks.h"
#include "daemon/thread_body.h"

namespace overlayd::daemon {

OverlayThread::OverlayThread(OverlayInbox& inbox, OverlayCore& core, OutputSink& sink)
    : inbox_(inbox), core_(core), sink_(sink) {}

OverlayThread::~OverlayThread() { stop(); }

void OverlayThread::start() {
  thread_ = std::thread([this] { run_thread_body("overlay", [this] { run(); }); });
}

void OverlayThread::stop() {
  inbox_.stop();
  if (thread_.joinable()) thread_.join();
}

void OverlayThread::run() {
  while (inbox_.wait_until(core_.next_deadline())) {
    begin_slice();
    turn();
    end_slice();
    busy_since_.store(Instant::never().since_start().count(), std::memory_order_relaxed);
  }
}

void OverlayThread::turn() {
  const bool was_somebody_refused = inbox_.take_inputs(batches_);
  if (was_somebody_refused) sink_.on_input_room();
  for (InputBatch& batch : batches_) {
    for (const Input& input : batch.inputs) {
      core_.handle(input, now_, outputs_);
      if (++slice_inputs_ < kSliceInputsMax) continue;
      end_slice();
      begin_slice();
    }
    if (batch.gauge) batch.gauge->release(batch.inputs.size(), batch.bytes);
    batch = {};  // the messages it holds go now, not when the last batch is done
  }
  batches_.clear();
}

void OverlayThread::begin_slice() {
  now_ = now();
  arrival_unix_nanos_ = unix_nanos_now();
  slice_inputs_ = 0;
  busy_since_.store(now_.instant.since_start().count(), std::memory_order_relaxed);
  obey_operator();
}

// Not counted in the slice: kOperatorQueueMax bounds them, and the others still get their turn.
void OverlayThread::obey_operator() {
  inbox_.take_operator_inputs(operator_batches_);
  for (const InputBatch& batch : operator_batches_)
    for (const Input& input : batch.inputs) core_.handle(input, now_, outputs_);
  operator_batches_.clear();
}

void OverlayThread::end_slice() {
  if (core_.next_deadline() <= now_.instant) core_.advance(now_, outputs_);
  sink_.route(outputs_, arrival_unix_nanos_);
  answer_queries();
}

void OverlayThread::answer_queries() {
  inbox_.take_queries(queries_);
  for (const OverlayInbox::Query& query : queries_) query(core_, now_.instant);
  queries_.clear();
}

}  // namespace overlayd::daemon
