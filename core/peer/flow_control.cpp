#include "core/peer/flow_control.h"

#include "core/wire/message.h"
#include "core/wire/message_rules.h"

namespace overlayd::peer {
namespace {

InboundCreditOptions with_window_for(std::uint32_t max_tx_size, InboundCreditOptions options) {
  options.flood.bytes = initial_flood_bytes(max_tx_size, options);
  return options;
}

}  // namespace

FlowControl::FlowControl(Instant now, std::uint32_t max_tx_size, const InboundCreditOptions& credit,
                         FlowControlMetrics& metrics)
    : inbound_(with_window_for(max_tx_size, credit)),
      queue_(metrics),
      metrics_(metrics),
      blocked_since_(now),
      max_tx_size_(max_tx_size) {}

std::optional<DropReason> FlowControl::begin(bool is_flood, std::uint64_t bytes) {
  return inbound_.lock(is_flood, bytes);
}

std::optional<Credit> FlowControl::end(bool is_flood, std::uint64_t bytes) { return inbound_.release(is_flood, bytes); }

bool FlowControl::take_pause(Instant now) {
  if (paused_since_ || inbound_.can_read()) return false;
  paused_since_ = now;
  ++metrics_.reads_paused;
  return true;
}

bool FlowControl::take_resume(Instant now) {
  if (!paused_since_ || !inbound_.can_read()) return false;
  metrics_.reads_throttled += now - *paused_since_;
  paused_since_.reset();
  return true;
}

std::optional<DropReason> FlowControl::on_grant(Credit credit) {
  if (const auto reason = outbound_.grant(credit)) return reason;
  if (queue_.empty()) blocked_since_.reset();
  return std::nullopt;
}

bool FlowControl::take_at_once(const wire::Message& message, const SendQueueLimits& limits) {
  // SCP messages go through the queue, where those of old slots are dropped.
  if (message.type() == wire::MessageType::kScpMessage) return false;
  if (!queue_.empty() || message.size() > limits.max_tx_size || !outbound_.has_for(message.size())) return false;
  outbound_.spend(message.size());
  blocked_since_.reset();
  queue_.note_undelayed(*wire::message_rule(message.type()).queue);
  return true;
}

void FlowControl::queue(MessagePtr message, Instant now, const SendQueueLimits& limits) {
  queue_.push(std::move(message), now, limits);
}

void FlowControl::take_sendable(Instant now, std::vector<MessagePtr>& out) {
  const std::size_t before = out.size();
  if (!queue_.take(outbound_, now, out)) {
    if (out.size() > before) blocked_since_.reset();
  } else if (out.size() > before || !blocked_since_) {
    blocked_since_ = now;
  }
}

std::optional<Credit> FlowControl::on_max_tx_size(std::uint32_t max_tx_size) {
  if (max_tx_size <= max_tx_size_) return std::nullopt;
  const std::uint64_t growth = max_tx_size - max_tx_size_;
  max_tx_size_ = max_tx_size;
  inbound_.grow(growth);
  return Credit{0, growth};
}

Instant FlowControl::no_credit_deadline() const {
  return blocked_since_ ? *blocked_since_ + limits::kNoCreditTimeout : Instant::never();
}

}  // namespace overlayd::peer
