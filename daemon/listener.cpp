#include "daemon/listener.h"

#include <spdlog/spdlog.h>

#include "core/book/address.h"
#include "daemon/addresses.h"

namespace overlayd::daemon {
namespace {

Failure explain(const std::string& where, const asio::error_code& error) {
  std::string advice;
  if (error == asio::error::address_in_use)
    advice = "; another process listens there: stop it or set listen.port";
  else if (error == asio::error::access_denied)
    advice = "; ports below 1024 need privileges: set listen.port";
  else if (error == std::errc::address_not_available || error == std::errc::invalid_argument)
    advice = "; this machine has no such address: set listen.address";
  return {"cannot listen on " + where + ": " + error.message() + advice};
}

}  // namespace

Listener::Listener(asio::io_context& context, ConnectionPool& pool)
    : pool_(pool), acceptor_(context), backoff_(context) {}

Result<Done> Listener::listen(const std::string& address, std::uint16_t port) {
  asio::error_code error;
  const asio::ip::address ip = asio::ip::make_address(address, error);
  if (error) return explain(address, error);
  const asio::ip::tcp::endpoint endpoint(ip, port);
  const std::string where = book::display_text(to_peer_address(endpoint));
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && ip.is_v6()) acceptor_.set_option(asio::ip::v6_only(!ip.is_unspecified()), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(kListenBacklog, error);
  if (error) return explain(where, error);
  accept();
  return Done{};
}

void Listener::stop() {
  asio::error_code ignored;
  backoff_.cancel();
  acceptor_.close(ignored);
}

PeerAddress Listener::local() const {
  asio::error_code ignored;
  return to_peer_address(acceptor_.local_endpoint(ignored));
}

void Listener::accept() {
  const PeerId peer = pool_.next_accepted();
  NetworkThread& thread = pool_.thread(pool_.index_of(peer));
  acceptor_.async_accept(thread.context(), [this, peer](const asio::error_code& error, asio::ip::tcp::socket socket) {
    on_accept(error, peer, std::move(socket));
  });
}

void Listener::on_accept(const asio::error_code& error, PeerId peer, asio::ip::tcp::socket socket) {
  if (!acceptor_.is_open()) return;
  if (error) {
    ++failed_total_;
    if (failed_total_ % 100 == 1)
      spdlog::warn("cannot accept connections: {}; raise the limit of open files if this lasts", error.message());
    backoff_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(kAcceptBackoff));
    backoff_.async_wait([this](const asio::error_code& stopped) {
      if (!stopped) accept();
    });
    return;
  }
  asio::error_code gone;
  const asio::ip::tcp::endpoint remote = socket.remote_endpoint(gone);
  if (!pool_.has_room())
    ++refused_total_;
  else if (!gone)
    pool_.thread(pool_.index_of(peer)).adopt(peer, std::move(socket), to_peer_address(remote));
  accept();
}

}  // namespace overlayd::daemon
