#include "ipc/ctl/peer_text.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace overlayd::ipc::ctl {

namespace v1 = ::overlay::v1;

Json peer_json(const v1::Peer& peer) {
  Json delays = Json::object();
  for (const auto& delay : peer.queue_delays()) delays[delay.queue()] = delay.delay_ms();
  return {{"node_id", node_text(peer.node_id())},
          {"address", peer.address()},
          {"direction", direction_text(peer.direction())},
          {"authenticated", peer.is_authenticated()},
          {"preferred", peer.is_preferred()},
          {"version", peer.version()},
          {"overlay_version", peer.overlay_version()},
          {"overlay_min_version", peer.overlay_min_version()},
          {"ledger_version", peer.ledger_version()},
          {"connected_ms", peer.connected_ms()},
          {"latency_ms", peer.has_latency_ms() ? Json(peer.latency_ms()) : Json(nullptr)},
          {"messages_read", peer.messages_read()},
          {"messages_written", peer.messages_written()},
          {"bytes_read", peer.bytes_read()},
          {"bytes_written", peer.bytes_written()},
          {"unique_flood_messages", peer.unique_flood_messages()},
          {"duplicate_flood_messages", peer.duplicate_flood_messages()},
          {"unique_flood_bytes", peer.unique_flood_bytes()},
          {"duplicate_flood_bytes", peer.duplicate_flood_bytes()},
          {"unique_fetch_messages", peer.unique_fetch_messages()},
          {"duplicate_fetch_messages", peer.duplicate_fetch_messages()},
          {"unique_fetch_bytes", peer.unique_fetch_bytes()},
          {"duplicate_fetch_bytes", peer.duplicate_fetch_bytes()},
          {"outbound_credit_messages", peer.outbound_credit_messages()},
          {"outbound_credit_bytes", peer.outbound_credit_bytes()},
          {"queued_messages", peer.queued_messages()},
          {"latency_median_ms", peer.has_latency_median_ms() ? Json(peer.latency_median_ms()) : Json(nullptr)},
          {"latency_p99_ms", peer.has_latency_p99_ms() ? Json(peer.latency_p99_ms()) : Json(nullptr)},
          {"unread_ms", peer.unread_ms()},
          {"unwritten_ms", peer.unwritten_ms()},
          {"oldest_write_ms", peer.oldest_write_ms()},
          {"no_credit_ms", peer.no_credit_ms()},
          {"queue_delays_ms", delays}};
}

Json closed_json(const v1::ClosedPeer& closed) {
  return {{"closed_unix_seconds", closed.closed_unix_seconds()},
          {"reason", closed.reason()},
          {"reason_text", closed.reason_text()},
          {"closed_by", closed_by_text(closed.closed_by())},
          {"error_code", closed.has_error_code() ? Json(closed.error_code()) : Json(nullptr)},
          {"error_text", closed.error_text()},
          {"detail", closed.detail()},
          {"timer_ms", closed.has_timer_ms() ? Json(closed.timer_ms()) : Json(nullptr)},
          {"advice", closed.advice()},
          {"peer", peer_json(closed.peer())}};
}

Json totals_json(const v1::PeerTotals& totals) {
  return {{"node_id", node_text(totals.node_id())},
          {"address", totals.address()},
          {"links", totals.links()},
          {"authenticated_links", totals.authenticated_links()},
          {"connected_ms", totals.connected_ms()},
          {"messages_read", totals.messages_read()},
          {"messages_written", totals.messages_written()},
          {"bytes_read", totals.bytes_read()},
          {"bytes_written", totals.bytes_written()},
          {"last_closed_unix_seconds", totals.last_closed_unix_seconds()},
          {"last_reason", totals.last_reason()}};
}

Json known_json(const v1::KnownPeer& known) {
  return {{"address", known.address()},          {"type", known_type_text(known.type())},
          {"failures", known.failures()},        {"next_attempt_unix_seconds", known.next_attempt_unix_seconds()},
          {"configured", known.is_configured()}, {"anchor", known.is_anchor()},
          {"banned", known.is_banned()},         {"connected", known.is_connected()}};
}

Json ban_json(const v1::BanEntry& ban) {
  Json out = Json::object();
  if (ban.subject().has_node_id())
    out["node_id"] = node_text(ban.subject().node_id());
  else
    out["subnet"] = ban.subject().subnet();
  out["reason"] = ban.reason();
  out["set_by"] = ban.set_by();
  out["made_unix_seconds"] = ban.made_unix_seconds();
  out["ends_unix_seconds"] = ban.has_ends_unix_seconds() ? Json(ban.ends_unix_seconds()) : Json(nullptr);
  out["hits"] = ban.hits();
  out["last_hit_unix_seconds"] = ban.has_last_hit_unix_seconds() ? Json(ban.last_hit_unix_seconds()) : Json(nullptr);
  return out;
}

const char* direction_text(v1::Direction direction) {
  return direction == v1::DIRECTION_INBOUND ? "inbound" : "outbound";
}

const char* closed_by_text(v1::ClosedBy by) {
  switch (by) {
    case v1::CLOSED_BY_US: return "us";
    case v1::CLOSED_BY_REMOTE: return "remote";
    case v1::CLOSED_BY_NETWORK: return "network";
    default: return "unknown";
  }
}

const char* known_type_text(v1::KnownPeerType type) {
  switch (type) {
    case v1::KNOWN_PEER_TYPE_INBOUND: return "inbound";
    case v1::KNOWN_PEER_TYPE_OUTBOUND: return "outbound";
    case v1::KNOWN_PEER_TYPE_PREFERRED: return "preferred";
    default: return "unknown";
  }
}

std::string subject_text(const v1::BanSubject& subject) {
  return subject.has_node_id() ? node_text(subject.node_id()) : subject.subnet();
}

std::string node_or_dash(std::string_view node_id) { return node_id.empty() ? "-" : node_text(node_id); }

std::string marks_text(const v1::KnownPeer& known) {
  std::string text;
  const auto add = [&text](bool is_set, const char* mark) {
    if (is_set) text.append(text.empty() ? "" : " ").append(mark);
  };
  add(known.is_configured(), "configured");
  add(known.is_anchor(), "anchor");
  add(known.is_connected(), "connected");
  add(known.is_banned(), "banned");
  return text.empty() ? "-" : text;
}

std::string error_or_detail(const v1::ClosedPeer& closed) {
  if (!closed.has_error_code()) return closed.detail().empty() ? "-" : closed.detail();
  std::string text = closed.error_code();
  if (!closed.error_text().empty()) text.append(" ").append(closed.error_text());
  return text;
}

std::string latency_text(bool is_known, double milliseconds) {
  if (!is_known) return "-";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", milliseconds);
  return text.data();
}

std::int64_t unix_now() { return static_cast<std::int64_t>(std::time(nullptr)); }

std::string time_text(std::int64_t unix_seconds) {
  const auto at = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  if (::gmtime_r(&at, &parts) == nullptr) return std::to_string(unix_seconds);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts);
  return {text.data(), size};
}

std::string until_text(std::int64_t unix_seconds, std::int64_t now) {
  if (unix_seconds <= now) return "due";
  return "in " + duration_text(static_cast<std::uint64_t>(unix_seconds - now) * 1000);
}

std::string ago_text(std::int64_t unix_seconds, std::int64_t now) {
  return duration_text(unix_seconds >= now ? 0 : static_cast<std::uint64_t>(now - unix_seconds) * 1000) + " ago";
}

}  // namespace overlayd::ipc::ctl
