// Turns the configured peer names into addresses, off the overlay thread, and submits them as PeersResolved.
//
// Rule 1. All names are resolved at the start and every 600 s; after a round in which a name failed the next comes
//         after n × 10 s, n the number of such rounds in a row, at most 600 s.
// Rule 2. A round that found anything replaces the former lists as a whole; a name that failed keeps the addresses
//         it had. Rationale: a broken resolver must not make a preferred peer an ordinary one.
// Rule 3. IP literals need no resolver and never fail.
// Limits. kAddressesPerNameMax addresses of one name; what is more is left out.
// Source: OverlayManagerImpl::triggerPeerResolution, stellar-core commit a9b8613; the cap on n is ours.
#pragma once
#include <asio.hpp>
#include <functional>
#include <string>
#include <vector>

#include "core/inputs.h"

namespace overlayd::daemon {

inline constexpr std::size_t kAddressesPerNameMax = 16;   // ours
inline constexpr Duration kResolvePeriod = seconds(600);  // OverlayManagerImpl::PEER_IP_RESOLVE_DELAY
inline constexpr Duration kResolveRetry = seconds(10);    // PEER_IP_RESOLVE_RETRY_DELAY

struct PeerName {
  std::string host;
  std::uint16_t port = 0;
  bool is_preferred = false;
};

class Resolver {
 public:
  // `submit` is called on the context's thread; false means that the overlay had no room: tried again like a failure.
  using Submit = std::function<bool(PeersResolved)>;
  Resolver(asio::io_context& context, std::vector<PeerName> names, Submit submit);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  void start();
  void stop();

 private:
  struct Entry {
    PeerName name;
    std::vector<PeerAddress> addresses;
  };
  void begin_round();
  void resolve(std::size_t index);
  void end_round();

  asio::ip::tcp::resolver resolver_;
  asio::steady_timer timer_;
  std::vector<Entry> entries_;
  const Submit submit_;
  bool has_failed_ = false;
  bool is_stopped_ = false;
  std::uint32_t failed_rounds_ = 0;
};

}  // namespace overlayd::daemon
