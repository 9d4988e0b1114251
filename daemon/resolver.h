// Turns the configured peer names into addresses, off the overlay thread, and submits them as PeersResolved.
//
// Rule 1. All names are resolved at the start and every 600 s, one after another; after a round in which a name failed the
//         next comes after n × 10 s, n the number of such rounds in a row, at most 600 s.
// Rule 2. Each round ends in one submission of all addresses; a name that failed keeps those it had. Rationale: a broken
//         resolver must not make a preferred peer an ordinary one.
// Rule 3. (ours) What has no address yet is submitted once it has one, and IP literals at the start: they need no resolver.
//         Rationale: a name server that does not answer takes half a minute a name; the other peers must not wait for it.
// Rule 4. Every lookup has a thread of its own, at most one at a time, and nobody waits for it: getaddrinfo cannot be
//         broken off, and at stop an unanswered question must hold up neither the links nor the process. That is why it
//         is not asio's async_resolve: its thread is joined when the context goes.
// Limits. kAddressesPerNameMax addresses of one name; what is more is left out.
// Threads. All but lookups on the context's thread.
// Source: OverlayManagerImpl::triggerPeerResolution, stellar-core commit a9b8613; the cap on n is ours.
#pragma once
#include <asio.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/inputs.h"
#include "core/result.h"

namespace overlayd::daemon {

inline constexpr std::size_t kAddressesPerNameMax = 16;   // ours
inline constexpr Duration kResolvePeriod = seconds(600);  // OverlayManagerImpl::PEER_IP_RESOLVE_DELAY
inline constexpr Duration kResolveRetry = seconds(10);    // PEER_IP_RESOLVE_RETRY_DELAY

struct PeerName {
  std::string host;
  std::uint16_t port = 0;
  bool is_preferred = false;
};

// All addresses of a name, or why there are none. May block for as long as it likes, and outlive the Resolver and main.
using Lookup = std::function<Result<std::vector<asio::ip::address>>(const std::string& host)>;
// The system's: /etc/hosts, DNS.
[[nodiscard]] Result<std::vector<asio::ip::address>> look_up_name(const std::string& host);

struct ResolverOptions {
  Lookup lookup = look_up_name;
  Duration period = kResolvePeriod;
  Duration retry = kResolveRetry;
};

class Resolver {
 public:
  // `submit` is called on the context's thread; false means that the overlay had no room: tried again like a failure.
  using Submit = std::function<bool(PeersResolved)>;
  Resolver(asio::io_context& context, std::vector<PeerName> names, Submit submit, ResolverOptions options = {});
  ~Resolver();  // stops
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  void start();
  void stop();

 private:
  struct Entry {
    PeerName name;
    bool is_literal = false;
    std::vector<PeerAddress> addresses{};
  };
  struct Letterbox;  // where a lookup leaves its answer; stays when the Resolver goes

  void begin_round();
  void resolve(std::size_t index);
  void on_answer(std::size_t index, const Result<std::vector<asio::ip::address>>& answer);
  void end_round();
  void submit_all();

  const ResolverOptions options_;
  asio::steady_timer timer_;
  std::vector<Entry> entries_;
  const Submit submit_;
  const std::shared_ptr<Letterbox> letterbox_;
  bool is_told_ = false;  // the overlay has what this round found so far
  bool has_failed_ = false;
  std::uint32_t failed_rounds_ = 0;
};

}  // namespace overlayd::daemon
