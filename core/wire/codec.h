// From bytes of a stream to frames, without any I/O.
//
// Words.   A *frame* is a record mark (4 bytes: the low 31 bits are the length of the body, the top bit is ignored on
//          receipt and 1 on what we send) and a *body*: AuthenticatedMessage = u32 version 0 · u64 sequence ·
//          StellarMessage · MAC (32).
// Use.     Read from the socket into writable(), commit() what arrived, call next() until it says NeedMore. A Frame is
//          a view into the buffer: it is valid until the next call of writable() or feed().
// Rule 1.  A length is judged as soon as its mark is complete, before room is made for the body: 0 is kFrameEmpty; more
//          than 4,096 before set_authenticated(), more than 16 MiB after it, is kFrameTooLarge; less than 48, or not a
//          multiple of 4, is kFrameMalformed (no XDR value can have it).
// Rule 2.  A complete body whose version is not 0 is kFrameMalformed.
// Rule 3.  A fault is final: every later next() returns it again, what still arrives is thrown away.
//          Rationale: there is no way to find the next mark.
// Rule 4.  The buffer grows with what has arrived, never with what was announced: it holds kBufferBytes, and if that is
//          full with one incomplete frame, four times as much (but not more than the frame needs), and so on.
//          Rationale: a mark costs a peer 4 bytes, 16 MiB would cost us 4 million times that. Growing by 4 copies at
//          most a third of a frame.
// Rule 5.  Once everything was taken, a grown buffer is given back.
// Not here: the MAC (peer/mac_stream), whether the StellarMessage is valid XDR (xdr/validate).
// Source:  stellar-core TCPPeer::getIncomingMsgLength, commit a9b8613.
#pragma once
#include <algorithm>
#include <memory>
#include <optional>
#include <variant>

#include "core/bytes.h"
#include "core/error.h"
#include "core/limits.h"

namespace overlayd::wire {

inline constexpr std::size_t kSealedHeadBytes = limits::kRecordMarkBytes + limits::kAuthHeadBytes;
// A StellarMessage has at least its type.
inline constexpr std::size_t kFrameBodyDecodableMin = limits::kAuthHeadBytes + 4 + limits::kMacBytes;

// What stands before a StellarMessage of `message_bytes` on the wire: record mark, version, sequence.
// `message_bytes` is at most limits::kMessageBytesMax.
[[nodiscard]] std::array<std::uint8_t, kSealedHeadBytes> frame_head(std::size_t message_bytes, std::uint64_t sequence);

// A complete body of at least kFrameBodyDecodableMin bytes and version 0.
class Frame {
 public:
  explicit Frame(ByteView body) : body_(body) {}

  [[nodiscard]] ByteView body() const { return body_; }
  [[nodiscard]] std::uint64_t sequence() const;
  [[nodiscard]] ByteView message() const {
    return body_.subspan(limits::kAuthHeadBytes, body_.size() - limits::kAuthHeadBytes - limits::kMacBytes);
  }
  // The number in front of the message; it may be none of MessageType's.
  [[nodiscard]] std::int32_t message_type() const;
  // What the MAC is computed over: sequence and message, which are neighbours.
  [[nodiscard]] ByteView authenticated() const { return body_.subspan(4, body_.size() - 4 - limits::kMacBytes); }
  [[nodiscard]] ByteView mac() const { return body_.last(limits::kMacBytes); }

 private:
  ByteView body_;
};

// A resource: one per connection, on the connection's thread.
class FrameDecoder {
 public:
  // Room of an idle connection; large enough for some fifty ordinary messages a read.
  static constexpr std::size_t kBufferBytes = 16'384;

  struct NeedMore {};
  using Next = std::variant<NeedMore, Frame, DropReason>;

  FrameDecoder();
  FrameDecoder(const FrameDecoder&) = delete;
  FrameDecoder& operator=(const FrameDecoder&) = delete;

  // Raises the limit to 16 MiB for every frame whose mark has not been judged yet. Call it before anything is sent that
  // invites large answers.
  void set_authenticated() { body_bytes_max_ = limits::kFrameBodyMax; }

  // Free room at the end of the buffer, at least one byte. Ends the validity of the last Frame. When the buffer is
  // full, next() must have said NeedMore.
  [[nodiscard]] std::span<std::uint8_t> writable();
  // `n` bytes at the start of the last writable() were filled.
  void commit(std::size_t n);
  // Both in one for bytes that lie elsewhere: takes as many as writable() has room for and returns the others.
  [[nodiscard]] ByteView feed(ByteView bytes);
  // The next frame, if it is complete.
  [[nodiscard]] Next next();

  // The memory that the last frame lies in, if the frame has it to itself, as every frame over kBufferBytes has; else
  // null. The frame stays valid as long as that memory: a large message is received once and never copied.
  [[nodiscard]] std::unique_ptr<std::uint8_t[]> take_buffer();

  // The frame that next() has judged the mark of and found incomplete: its bytes with the mark, 0 if there is none; and
  // those of it that are here. Valid as a Frame is.
  [[nodiscard]] std::size_t frame_bytes() const { return frame_bytes_; }
  [[nodiscard]] ByteView partial() const { return {buffer_.get() + begin_, std::min(frame_bytes_, end_ - begin_)}; }
  [[nodiscard]] std::size_t buffered() const { return end_ - begin_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  [[nodiscard]] std::optional<DropReason> judge_length(std::size_t body_bytes) const;
  void move_to(std::size_t capacity);

  std::size_t body_bytes_max_ = limits::kFrameBodyUnauthenticatedMax;
  std::size_t capacity_ = kBufferBytes;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t begin_ = 0;        // start of the first frame not taken
  std::size_t end_ = 0;          // end of what was received
  std::size_t frame_bytes_ = 0;  // mark and body of the frame at begin_, once its mark was judged; else 0
  std::optional<DropReason> fault_;
};

}  // namespace overlayd::wire
