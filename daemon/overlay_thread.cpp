#include "daemon/overlay_thread.h"

#include <algorithm>

#include "core/wire/message.h"
#include "daemon/clocks.h"
#include "daemon/thread_body.h"

namespace overlayd::daemon {
namespace {

bool is_urgent(const Input& input) {
  const auto is_scp = [](const MessagePtr& message) {
    return message && message->type() == wire::MessageType::kScpMessage;
  };
  if (const auto* received = std::get_if<MessageReceived>(&input)) return is_scp(received->message);
  if (const auto* broadcast = std::get_if<Broadcast>(&input)) return is_scp(broadcast->message);
  return std::holds_alternative<ScpVerified>(input);
}

}  // namespace

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
  take_letters();
  while (!letters_.empty()) {
    Letter& letter = letters_.front();
    while (letter.next < letter.batch.inputs.size()) {
      --waiting_inputs_;
      handle(letter.batch.inputs[letter.next++]);
      if (slice_inputs_ == 0) take_letters();
    }
    if (letter.batch.gauge) letter.batch.gauge->release(letter.batch.inputs.size(), letter.batch.bytes);
    letters_.pop_front();  // the messages it holds go now, not when the last one is done
  }
}

void OverlayThread::take_letters() {
  if (waiting_inputs_ > limits::kInputQueueMax / 2) return;
  if (inbox_.take_inputs(batches_)) sink_.on_input_room();
  for (InputBatch& batch : batches_) {
    const auto others = std::stable_partition(batch.inputs.begin(), batch.inputs.end(), is_urgent);
    const auto urgent = static_cast<std::size_t>(others - batch.inputs.begin());
    waiting_inputs_ += batch.inputs.size() - urgent;
    letters_.push_back({std::move(batch), urgent});
    const std::vector<Input>& inputs = letters_.back().batch.inputs;
    for (std::size_t i = 0; i < urgent; ++i) handle(inputs[i]);
  }
  batches_.clear();
}

void OverlayThread::handle(const Input& input) {
  core_.handle(input, now_, outputs_);
  if (++slice_inputs_ < kSliceInputsMax) return;
  end_slice();
  begin_slice();
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
  for (const OverlayInbox::Query& query : queries_) query(core_, now_);
  queries_.clear();
}

}  // namespace overlayd::daemon
