#include "ipc/ctl/explanation.h"

#include "ipc/ctl/output.h"
#include "ipc/ctl/peer_text.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;

std::string count_text(std::uint64_t number, const char* one) {
  return std::to_string(number) + " " + one + (number == 1 ? "" : "s");
}

// "read 3s before, written 1s before", and what waited for a second or more: less would read "0s".
std::string last_seen(const v1::Peer& peer, const char* since) {
  std::string text =
      "read " + duration_text(peer.unread_ms()) + since + ", written " + duration_text(peer.unwritten_ms()) + since;
  if (peer.oldest_write_ms() >= 1000)
    text += "; the oldest message had waited " + duration_text(peer.oldest_write_ms()) + " for the socket";
  if (peer.no_credit_ms() >= 1000)
    text += "; flood messages had waited " + duration_text(peer.no_credit_ms()) + " for its credit";
  return text;
}

std::string delays_text(const v1::Peer& peer) {
  std::string text;
  for (const auto& delay : peer.queue_delays())
    text += (text.empty() ? "" : ", ") + delay.queue() + " " + latency_text(true, delay.delay_ms());
  return text;
}

std::string traffic_text(const v1::Peer& peer) {
  return count_text(peer.messages_read(), "message") + " and " + count_text(peer.bytes_read(), "byte") + " read, " +
         count_text(peer.messages_written(), "message") + " and " + count_text(peer.bytes_written(), "byte") +
         " written";
}

void add_line(std::string& out, const std::string& line) { out += "    " + line + "\n"; }

void add_link(std::string& out, const v1::Peer& peer) {
  const bool is_inbound = peer.direction() == v1::DIRECTION_INBOUND;
  out += "  " + peer.address() + (is_inbound ? ", it called us" : ", we called it");
  if (!peer.node_id().empty()) out += ", node " + node_text(peer.node_id());
  out += "\n";
}

void add_open(std::string& out, const v1::ExplainPeerResponse& known) {
  out += known.open().empty() ? "Not connected.\n" : "Connected now:\n";
  for (const v1::Peer& peer : known.open()) {
    add_link(out, peer);
    add_line(out, std::string(peer.is_authenticated() ? "authenticated" : "not authenticated yet") +
                      (peer.is_preferred() ? ", preferred" : "") + ", for " + duration_text(peer.connected_ms()) +
                      (peer.version().empty() ? "" : ", " + peer.version()));
    add_line(out, "latency " + latency_text(peer.has_latency_ms(), peer.latency_ms()) + ", median " +
                      latency_text(peer.has_latency_median_ms(), peer.latency_median_ms()) + ", p99 " +
                      latency_text(peer.has_latency_p99_ms(), peer.latency_p99_ms()));
    add_line(out, traffic_text(peer));
    add_line(out, last_seen(peer, " ago"));
  }
}

std::string reason_text(const v1::ClosedPeer& closed) {
  std::string text;
  switch (closed.closed_by()) {
    case v1::CLOSED_BY_US: text = "we closed it: "; break;
    case v1::CLOSED_BY_REMOTE: text = "it closed the link: "; break;
    default: text = "the network ended it: "; break;
  }
  text += closed.reason_text() + " (" + closed.reason() + ")";
  if (closed.has_timer_ms()) text += ", after a timer of " + duration_text(closed.timer_ms());
  return text;
}

// The detail of an error that was received is that error once more, for the log.
bool is_told_as_error(const v1::ClosedPeer& closed) {
  return closed.has_error_code() && closed.detail() == closed.error_code() + " (" + closed.error_text() + ")";
}

void add_closed(std::string& out, const v1::ExplainPeerResponse& known, std::int64_t now) {
  if (known.closed().empty()) return;
  out += "Links that ended, the latest first:\n";
  for (const v1::ClosedPeer& closed : known.closed()) {
    const v1::Peer& peer = closed.peer();
    add_link(out, peer);
    add_line(out, time_text(closed.closed_unix_seconds()) + " (" + ago_text(closed.closed_unix_seconds(), now) + ") " +
                      reason_text(closed));
    if (closed.has_error_code()) {
      add_line(out, std::string(closed.closed_by() == v1::CLOSED_BY_REMOTE ? "it sent " : "we sent ") +
                        error_or_detail(closed));
    }
    if (!closed.detail().empty() && !is_told_as_error(closed)) add_line(out, "detail: " + closed.detail());
    if (peer.is_authenticated()) {
      add_line(out, "lasted " + duration_text(peer.connected_ms()) + ", " + traffic_text(peer));
      add_line(out, "at the end: " + last_seen(peer, " before"));
      if (!peer.queue_delays().empty()) add_line(out, "last delay of each queue: " + delays_text(peer));
    }
    if (!closed.advice().empty()) add_line(out, "what to do: " + closed.advice());
  }
}

void add_totals(std::string& out, const v1::ExplainPeerResponse& known, std::int64_t now) {
  if (known.totals().empty()) return;
  out += "In all, without the links there are now:\n";
  for (const v1::PeerTotals& totals : known.totals()) {
    out += "  " + node_text(totals.node_id()) + ", last at " + totals.address() + "\n";
    add_line(out, count_text(totals.links(), "link") + ", " + std::to_string(totals.authenticated_links()) +
                      " authenticated, connected for " + duration_text(totals.connected_ms()));
    add_line(out, count_text(totals.messages_read(), "message") + " and " + count_text(totals.bytes_read(), "byte") +
                      " read, " + count_text(totals.messages_written(), "message") + " and " +
                      count_text(totals.bytes_written(), "byte") + " written");
    add_line(out,
             "the last one ended " + ago_text(totals.last_closed_unix_seconds(), now) + ": " + totals.last_reason());
  }
}

void add_book(std::string& out, const v1::ExplainPeerResponse& known, std::int64_t now) {
  out += known.known().empty() ? "The book does not hold it.\n" : "In the book:\n";
  for (const v1::KnownPeer& entry : known.known()) {
    out += "  " + entry.address() + " as " + known_type_text(entry.type());
    if (const std::string marks = marks_text(entry); marks != "-") out += " (" + marks + ")";
    out += ", " + count_text(entry.failures(), "failure") + ", next attempt ";
    out += until_text(entry.next_attempt_unix_seconds(), now) + "\n";
  }
}

void add_bans(std::string& out, const v1::ExplainPeerResponse& known, std::int64_t now) {
  for (const v1::BanEntry& ban : known.bans()) {
    out += "Banned as " + subject_text(ban.subject());
    out += ban.has_ends_unix_seconds() ? ", ends " + until_text(ban.ends_unix_seconds(), now) : ", until it is lifted";
    if (ban.made_unix_seconds() != 0) out += ", made " + time_text(ban.made_unix_seconds());
    if (!ban.set_by().empty()) out += " by " + ban.set_by();
    if (!ban.reason().empty()) out += ": " + ban.reason();
    out += "; " + count_text(ban.hits(), "hit");
    if (ban.has_last_hit_unix_seconds()) out += ", the last " + ago_text(ban.last_hit_unix_seconds(), now);
    out += "\n";
  }
  if (known.cools_down_ms() > 0)
    out += "It is kept away for another " + duration_text(known.cools_down_ms()) + " because of a drop.\n";
}

}  // namespace

bool is_anything_known(const v1::ExplainPeerResponse& known) {
  return !known.open().empty() || !known.closed().empty() || !known.totals().empty() || !known.known().empty() ||
         !known.bans().empty() || known.cools_down_ms() > 0;
}

std::string explanation_text(const std::string& peer, const v1::ExplainPeerResponse& known, std::int64_t now) {
  if (!is_anything_known(known)) return "Nothing is known of " + peer + ".\n";
  std::string out = peer + "\n";
  add_open(out, known);
  add_bans(out, known, now);
  add_closed(out, known, now);
  add_totals(out, known, now);
  add_book(out, known, now);
  return out;
}

}  // namespace overlayd::ipc::ctl
