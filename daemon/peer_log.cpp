#include "daemon/peer_log.h"

#include <spdlog/spdlog.h>

#include "core/book/address.h"
#include "core/book/ban_manager.h"
#include "core/crypto/strkey.h"
#include "daemon/addresses.h"
#include "daemon/clocks.h"

namespace overlayd::daemon {
namespace {

constexpr std::size_t kLogTextMax = 200;
constexpr std::size_t kAuthenticatedKind = kDropReasonCount;  // after one kind per reason

std::string describe(const PublishPeer& change) {
  const std::string who = change.node.is_zero() ? "unknown node" : crypto::encode_node_id(change.node);
  return who + " at " + book::display_text(change.address) +
         (change.direction == Direction::kInbound ? " (inbound)" : " (outbound)");
}

// Ends of links that an operator need not see unless he looks for them. None of them ends a link whose authentication
// was logged: a full peer that we dial refuses us after it, with an error.
bool is_quiet(DropReason reason) {
  return reason == DropReason::kDialFailed || reason == DropReason::kPeerRejected ||
         reason == DropReason::kAlreadyConnected;
}

}  // namespace

PeerLog::PeerLog() : limiter_(kDropReasonCount + 1) {}

void PeerLog::on_peer(const PublishPeer& change) {
  const bool is_drop = change.change == PeerChange::kDropped;
  const auto left_out =
      limiter_.on_line(is_drop ? static_cast<std::size_t>(change.reason) : kAuthenticatedKind, instant_now());
  if (!left_out) return;
  const std::string more = *left_out > 0 ? " [" + std::to_string(*left_out) + " like this left out]" : "";
  if (!is_drop) return spdlog::info("peer {} authenticated{}", describe(change), more);
  const DropReasonInfo& info = drop_reason_info(change.reason);
  const std::string_view advice = drop_reason_advice(change.reason);
  spdlog::log(is_quiet(change.reason) ? spdlog::level::debug : spdlog::level::info,
              "peer {} dropped: reason={} {}{}{}{}{}{}", describe(change), info.label, info.text,
              change.detail.empty() ? "" : ": ", to_log_text(change.detail), advice.empty() ? "" : "; ", advice, more);
}

void PeerLog::on_ban(const StoreBan& change) {
  const Ban& ban = change.ban;
  if (change.request == RequestId{}) return;
  spdlog::info("ban of {} set{}{}, {}: {} links dropped{}{}", book::subject_text(ban.subject),
               ban.set_by.empty() ? "" : " by ", to_log_text(ban.set_by),
               ban.ends ? "for " + std::to_string(ban.ends->seconds - ban.made.seconds) + " s" : "until it is lifted",
               change.links_dropped, ban.reason.empty() ? "" : "; ", to_log_text(ban.reason));
}

void PeerLog::on_unban(const EraseBan& change) {
  spdlog::info("ban of {} {}", book::subject_text(change.subject),
               change.request == RequestId{} ? "has ended" : "lifted");
}

std::string to_log_text(std::string_view text) {
  std::string clean(text.substr(0, kLogTextMax));
  for (char& c : clean)
    if (c < ' ' || c > '~') c = '?';
  return clean;
}

}  // namespace overlayd::daemon
