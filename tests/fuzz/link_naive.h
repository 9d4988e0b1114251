// The rules of codec.h, mac_stream.h, auth.h and secure_link.h over one growing string of bytes.
#pragma once
#include "core/peer/auth.h"
#include "core/wire/values.h"

namespace overlayd::fuzz {

// What the reader of a link is made of.
struct NaiveEnd {
  Direction direction = Direction::kInbound;
  NetworkId network;
  std::shared_ptr<const crypto::EcdhKeyPair> pair;
  peer::Nonce nonce{};
};

// The keys that the reader has after this HELLO; nothing for a public key of low order.
[[nodiscard]] std::optional<peer::LinkKeys> naive_keys(const NaiveEnd& end, const wire::Hello& hello);

class NaiveLink {
 public:
  struct Read {
    std::optional<Bytes> message;
    bool is_cert_valid = false;
    std::optional<DropReason> fault;
    std::size_t frame_bytes = 0;  // with its mark, of what was read
  };

  explicit NaiveLink(NaiveEnd end) : end_(std::move(end)) {}

  void arrive(ByteView bytes) { stream_.insert(stream_.end(), bytes.begin(), bytes.end()); }
  [[nodiscard]] Read next(UnixTime now);
  void on_authenticated() { body_bytes_max_ = limits::kFrameBodyMax; }

  [[nodiscard]] bool has_ended() const { return has_ended_; }
  [[nodiscard]] bool has_keys() const { return keys_.has_value(); }
  [[nodiscard]] const peer::LinkKeys& keys() const { return *keys_; }
  // That arrived and was not read.
  [[nodiscard]] std::size_t unread() const { return stream_.size() - read_; }
  // Of the frame that unread bytes begin, if its mark is here and was found good.
  [[nodiscard]] std::size_t frame_bytes() const { return frame_bytes_; }

 private:
  [[nodiscard]] std::optional<DropReason> judge_mark(std::size_t body_bytes) const;
  [[nodiscard]] std::optional<DropReason> judge_body(ByteView body);
  [[nodiscard]] bool take_hello(ByteView message, UnixTime now);

  const NaiveEnd end_;
  Bytes stream_;
  std::size_t read_ = 0;
  std::size_t frame_bytes_ = 0;
  std::size_t body_bytes_max_ = limits::kFrameBodyUnauthenticatedMax;
  std::optional<peer::LinkKeys> keys_;
  std::uint64_t sequence_ = 0;
  bool has_read_hello_ = false;
  bool has_ended_ = false;
};

}  // namespace overlayd::fuzz
