#include "daemon/resolver.h"

#include <spdlog/spdlog.h>

#include "daemon/addresses.h"

namespace overlayd::daemon {

Resolver::Resolver(asio::io_context& context, std::vector<PeerName> names, Submit submit)
    : resolver_(context), timer_(context), submit_(std::move(submit)) {
  for (PeerName& name : names) entries_.push_back({.name = std::move(name), .addresses = {}});
}

void Resolver::start() {
  if (!entries_.empty()) begin_round();
}

void Resolver::stop() {
  is_stopped_ = true;
  resolver_.cancel();
  timer_.cancel();
}

void Resolver::begin_round() {
  has_failed_ = false;
  resolve(0);
}

// One name after another: nobody waits for them, and a slow resolver is not flooded.
void Resolver::resolve(std::size_t index) {
  if (is_stopped_) return;
  if (index == entries_.size()) return end_round();
  Entry& entry = entries_[index];
  asio::error_code not_literal;
  const asio::ip::address literal = asio::ip::make_address(entry.name.host, not_literal);
  if (!not_literal) {
    entry.addresses = {to_peer_address({literal, entry.name.port})};
    return resolve(index + 1);
  }
  resolver_.async_resolve(
      entry.name.host, std::to_string(entry.name.port), asio::ip::resolver_base::numeric_service,
      [this, index](const asio::error_code& error, const asio::ip::tcp::resolver::results_type& results) {
        Entry& resolved = entries_[index];
        if (error) {
          has_failed_ = true;
          spdlog::warn("cannot resolve peer name {}: {}; check peers.known, peers.preferred and DNS",
                       resolved.name.host, error.message());
        } else {
          resolved.addresses.clear();
          for (const auto& result : results) {
            if (resolved.addresses.size() == kAddressesPerNameMax) break;
            resolved.addresses.push_back(to_peer_address(result.endpoint()));
          }
        }
        resolve(index + 1);
      });
}

void Resolver::end_round() {
  PeersResolved found;
  for (const Entry& entry : entries_) {
    auto& list = entry.name.is_preferred ? found.preferred : found.known;
    list.insert(list.end(), entry.addresses.begin(), entry.addresses.end());
  }
  const bool has_found = !found.known.empty() || !found.preferred.empty();
  if (has_found && !submit_(std::move(found))) has_failed_ = true;
  failed_rounds_ = has_failed_ ? failed_rounds_ + 1 : 0;
  const Duration wait =
      has_failed_ ? std::min<Duration>(kResolveRetry * failed_rounds_, kResolvePeriod) : kResolvePeriod;
  timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(wait));
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error && !is_stopped_) begin_round();
  });
}

}  // namespace overlayd::daemon
