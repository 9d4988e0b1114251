#include "daemon/connection.h"

#include <sys/socket.h>

#include "daemon/addresses.h"
#include "daemon/clocks.h"

namespace overlayd::daemon {

Connection::Connection(LinkServices& services, PeerId peer, Direction direction, asio::ip::tcp::socket socket)
    : services_(services),
      peer_(peer),
      direction_(direction),
      socket_(std::move(socket)),
      timer_(services.context),
      link_(direction, services.network, services.auth, services.entropy),
      progress_{.peer = peer, .last_read = {}, .last_write = {}} {}

void Connection::accept(const PeerAddress& remote) {
  remote_ = remote;
  open();
}

void Connection::dial(const PeerAddress& remote) {
  remote_ = remote;
  state_ = State::kDialling;
  arm_timer(kDialTimeout, &Connection::on_dial_timeout);
  socket_.async_connect(to_endpoint(remote), [self = shared_from_this()](const asio::error_code& error) {
    if (self->state_ != State::kDialling) return;
    self->timer_.cancel();
    if (error) return self->finish(DropReason::kDialFailed, error.message());
    self->open();
  });
}

void Connection::open() {
  state_ = State::kOpen;
  asio::error_code ignored;  // a socket that is already broken shows it on the first read
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.native_non_blocking(true, ignored);
  gauge_ = std::make_shared<ReadGauge>([weak = weak_from_this(), executor = socket_.get_executor()] {
    asio::post(executor, [weak] {
      const auto self = weak.lock();
      if (!self) return;
      self->is_waiting_for_gauge_ = false;
      self->process();
    });
  });
  progress_.last_read = progress_.last_write = instant_now();
  pending_.inputs.emplace_back(LinkOpened{.peer = peer_,
                                          .remote = remote_,
                                          .direction = direction_,
                                          .local_cert = services_.auth.certificate(unix_time_now()),
                                          .local_nonce = link_.local_nonce()});
  process();
}

// --- in ----------------------------------------------------------------------------------------------------------

bool Connection::may_read() const {
  return state_ == State::kOpen && !is_faulted_ && !is_paused_ && !is_waiting_for_gauge_ && !is_queue_full_ &&
         !is_waiting_for_turn_;
}

void Connection::read() {
  const bool is_discarding = state_ == State::kLingering;
  if (is_reading_ || !(may_read() || is_discarding)) return;
  is_reading_ = true;
  const std::span<std::uint8_t> space = is_discarding ? discarded_ : link_.space();
  socket_.async_read_some(
      asio::buffer(space.data(), std::min(space.size(), kReadBytesMax)),
      [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) { self->on_read(error, bytes); });
}

void Connection::on_read(const asio::error_code& error, std::size_t bytes) {
  is_reading_ = false;
  if (state_ == State::kGone) return;
  if (error) {
    if (state_ == State::kOpen && error == asio::error::eof) return finish(DropReason::kClosedByRemote, {});
    if (state_ == State::kOpen) return finish(DropReason::kSocketError, error.message());
    if (state_ == State::kLingering) return finish(close_reason_, {});
    return;  // closing: what is queued may still go out; the write or the timer ends it
  }
  if (state_ != State::kOpen || is_faulted_) return read();  // unwanted, and not committed
  link_.commit(bytes);
  progress_.last_read = instant_now();
  has_progressed_ = true;
  process();
}

void Connection::process() {
  while (may_read()) {
    if (link_.is_bulk_next() && !has_turn_) {
      is_waiting_for_turn_ = true;
      return services_.bulk_turns.ask([weak = weak_from_this()] {
        const auto self = weak.lock();
        return self && self->process_bulk();
      });
    }
    const bool is_drained = decode();
    if (!hand_over() || is_faulted_) return;
    if (is_drained) return read();
    is_waiting_for_gauge_ = gauge_->must_wait();
  }
}

// False: there was no frame to check, or not all of it.
bool Connection::process_bulk() {
  is_waiting_for_turn_ = false;
  has_turn_ = true;
  process();
  return !std::exchange(has_turn_, false);
}

// Frames into pending_. True: no complete frame is left (or none will be read any more); false: the gauge is over.
bool Connection::decode() {
  const UnixTime now = unix_time_now();
  while (!gauge_->is_over(pending_.inputs.size(), pending_.bytes)) {
    LinkRead read = link_.read_next(now);
    if (read.fault || read.message || read.item) has_turn_ = false;
    if (read.fault) {
      is_faulted_ = true;
      pending_.inputs.emplace_back(
          LinkFaulted{.peer = peer_, .reason = read.fault->reason, .detail = std::move(read.fault->detail)});
      return true;
    }
    if (read.item) {
      defer_item(std::move(*read.item));
      continue;
    }
    if (!read.message) return true;
    pending_.bytes += read.message->size();
    pending_.inputs.emplace_back(
        MessageReceived{.peer = peer_, .message = std::move(read.message), .is_cert_valid = read.is_cert_valid});
    if (link_.has_ended()) is_faulted_ = true;
    if (is_faulted_) return true;
  }
  return false;
}

void Connection::defer_item(UnhashedItem item) {
  services_.bulk_turns.ask([weak = weak_from_this(), held = std::make_shared<UnhashedItem>(std::move(item))] {
    const auto self = weak.lock();
    return self && self->take_item(*held);
  });
}

// False: nobody wants it any more.
bool Connection::take_item(UnhashedItem& item) {
  if (state_ != State::kOpen || is_faulted_) return false;
  MessagePtr message = item.make(services_.network);
  pending_.bytes += message->size();
  pending_.inputs.emplace_back(MessageReceived{.peer = peer_, .message = std::move(message), .is_cert_valid = false});
  if (!is_queue_full_) static_cast<void>(hand_over());
  return true;
}

// False: the overlay's queue is full; on_overlay_room() tries again.
bool Connection::hand_over() {
  const std::size_t inputs = pending_.inputs.size();
  if (inputs == 0) return true;
  const std::uint64_t bytes = pending_.bytes;
  // Added before the push: the overlay thread may release it before push returns.
  if (gauge_) gauge_->add(inputs, bytes);
  pending_.gauge = gauge_;
  is_queue_full_ = !services_.inputs.push(pending_, inputs);
  if (!is_queue_full_)
    pending_ = {};
  else if (gauge_)
    gauge_->release(inputs, bytes);
  return !is_queue_full_;
}

void Connection::on_overlay_room() {
  if (!is_queue_full_) return;
  is_queue_full_ = false;
  if (!hand_over()) return;
  if (state_ == State::kGone) return services_.on_gone(peer_);
  process();
}

void Connection::resume_reading() {
  is_paused_ = false;
  process();
}

void Connection::fault(DropReason reason, std::string detail) {
  if (is_faulted_ || state_ != State::kOpen) return;
  is_faulted_ = true;
  pending_.inputs.emplace_back(LinkFaulted{.peer = peer_, .reason = reason, .detail = std::move(detail)});
  static_cast<void>(hand_over());
}

// --- out ---------------------------------------------------------------------------------------------------------

void Connection::send(MessagePtr message) {
  if (state_ != State::kOpen || is_write_broken_) return;
  if (!is_bulk(*message)) return seal(std::move(message), instant_now());
  const bool is_set = is_transaction_set(*message);
  if (is_set && writes_.has_deferred(message)) return services_.sets_left_out();
  has_progressed_ = true;
  if (writes_.defer({.message = std::move(message), .queued = instant_now()})) return;
  if (!is_set) return break_full();
  services_.sets_left_out();
}

void Connection::seal(MessagePtr message, Instant queued) {
  auto frame = link_.seal(std::move(message), queued);
  if (!frame) return fault(DropReason::kAuthKeyZero, "a message to send came before the keys");
  has_progressed_ = true;
  // Its sequence number is spent: nothing after it would be accepted.
  if (!writes_.push(std::move(*frame))) break_full();
}

bool Connection::may_seal_bulk() const { return state_ == State::kOpen && !is_faulted_ && writes_.is_deferred_due(); }

void Connection::ask_bulk_turn() {
  if (is_turn_asked_ || !may_seal_bulk()) return;
  is_turn_asked_ = true;
  services_.bulk_turns.ask([weak = weak_from_this()] {
    const auto self = weak.lock();
    return self && self->seal_bulk();
  });
}

// False: there was nothing to seal any more.
bool Connection::seal_bulk() {
  is_turn_asked_ = false;
  if (!may_seal_bulk()) return false;
  DeferredMessage next = writes_.take_deferred();
  seal(std::move(next.message), next.queued);
  flush();
  return true;
}

void Connection::break_writes() {
  is_write_broken_ = true;
  writes_.drop_deferred();
}

void Connection::break_full() {
  const std::size_t bytes = writes_.bytes();
  break_writes();
  fault(DropReason::kWriteQueueFull, std::to_string(bytes) + " bytes wait to be written");
}

void Connection::refuse_sends() {
  break_writes();
  fault(DropReason::kWriteQueueFull, "more was asked for than its network thread could take");
}

void Connection::flush() {
  if (!is_writing_) write();
  ask_bulk_turn();
}

void Connection::write() {
  if (state_ != State::kOpen && state_ != State::kClosing) return;
  if (!writes_.empty()) {
    const auto& pieces = writes_.gather();
    msghdr header{};
    header.msg_iov = const_cast<iovec*>(pieces.data());
    header.msg_iovlen = pieces.size();
    const ssize_t written = ::sendmsg(socket_.native_handle(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && errno != EAGAIN && errno != EINTR)
      return on_write_error(asio::error_code(errno, asio::system_category()).message());
    if (written > 0) {
      writes_.consume(static_cast<std::size_t>(written));
      progress_.last_write = instant_now();
      has_progressed_ = true;
    }
  }
  if (writes_.empty()) {
    if (state_ == State::kClosing) on_flushed();
    return;
  }
  is_writing_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_write, [self = shared_from_this()](const asio::error_code& error) {
    self->is_writing_ = false;
    if (!error) self->flush();
  });
}

void Connection::on_write_error(const std::string& what) {
  // What the remote said before it hung up is still to be read, its ERROR_MSG perhaps: the read then ends the link.
  if (state_ == State::kOpen && is_reading_)
    break_writes();
  else
    finish(state_ == State::kClosing ? close_reason_ : DropReason::kSocketError, what);
}

// --- the end -----------------------------------------------------------------------------------------------------

void Connection::close(const Close& order) {
  if (state_ == State::kDialling) return finish(order.reason, {});
  if (state_ != State::kOpen) return;
  close_reason_ = order.reason;
  writes_.drop_deferred();
  if (order.error) {
    // Sealed even when other messages no longer are: it carries no sequence number.
    auto frame = link_.seal(order.error, instant_now());
    has_close_error_ = frame && writes_.push(std::move(*frame));
  }
  state_ = State::kClosing;
  arm_timer(limits::kDropFlushTimeout, &Connection::on_close_timeout);
  flush();
}

void Connection::on_flushed() {
  if (!has_close_error_) return finish(close_reason_, {});
  state_ = State::kLingering;
  asio::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  arm_timer(kLingerTimeout, &Connection::on_close_timeout);
  read();
}

void Connection::arm_timer(Duration after, void (Connection::*on_due)()) {
  timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(after));
  timer_.async_wait([self = shared_from_this(), on_due](const asio::error_code& error) {
    if (!error) (self.get()->*on_due)();
  });
}

void Connection::on_dial_timeout() {
  if (state_ == State::kDialling) finish(DropReason::kDialFailed, "no answer within 5 s");
}

void Connection::on_close_timeout() {
  if (state_ == State::kClosing || state_ == State::kLingering) finish(close_reason_, {});
}

void Connection::finish(DropReason reason, std::string detail) {
  if (state_ == State::kGone) return;
  state_ = State::kGone;
  close_socket();
  pending_.inputs.emplace_back(LinkClosed{.peer = peer_, .reason = reason, .detail = std::move(detail)});
  if (hand_over()) services_.on_gone(peer_);
}

void Connection::close_socket() {
  asio::error_code ignored;
  timer_.cancel();
  socket_.close(ignored);
}

void Connection::abandon() {
  state_ = State::kGone;
  close_socket();
}

std::optional<LinkProgress> Connection::take_progress() {
  if (!has_progressed_ || state_ != State::kOpen) return std::nullopt;
  has_progressed_ = false;
  progress_.oldest_unwritten = writes_.oldest();
  return progress_;
}

}  // namespace overlayd::daemon
