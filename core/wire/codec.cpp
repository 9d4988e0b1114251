#include "core/wire/codec.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace overlayd::wire {
namespace {

constexpr std::size_t kGrowth = 4;
constexpr std::uint32_t kLastFragment = 0x80000000;

std::uint32_t read_u32(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[0]) << 24 | static_cast<std::uint32_t>(at[1]) << 16 |
         static_cast<std::uint32_t>(at[2]) << 8 | at[3];
}

void write_u32(std::uint8_t* at, std::uint32_t value) {
  at[0] = static_cast<std::uint8_t>(value >> 24);
  at[1] = static_cast<std::uint8_t>(value >> 16);
  at[2] = static_cast<std::uint8_t>(value >> 8);
  at[3] = static_cast<std::uint8_t>(value);
}

}  // namespace

std::array<std::uint8_t, kSealedHeadBytes> frame_head(std::size_t message_bytes, std::uint64_t sequence) {
  OVERLAYD_CHECK(message_bytes <= limits::kMessageBytesMax);
  const std::size_t body_bytes = limits::kAuthHeadBytes + message_bytes + limits::kMacBytes;
  std::array<std::uint8_t, kSealedHeadBytes> head{};
  write_u32(head.data(), kLastFragment | static_cast<std::uint32_t>(body_bytes));
  write_u32(head.data() + 8, static_cast<std::uint32_t>(sequence >> 32));
  write_u32(head.data() + 12, static_cast<std::uint32_t>(sequence));
  return head;
}

std::uint64_t Frame::sequence() const {
  return static_cast<std::uint64_t>(read_u32(body_.data() + 4)) << 32 | read_u32(body_.data() + 8);
}

std::int32_t Frame::message_type() const {
  return static_cast<std::int32_t>(read_u32(body_.data() + limits::kAuthHeadBytes));
}

// for_overwrite: filling the room with zeroes would cost as much as receiving it.
FrameDecoder::FrameDecoder() : buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes)) {}

std::span<std::uint8_t> FrameDecoder::writable() {
  if (begin_ == end_ || fault_) {
    begin_ = end_ = 0;
    if (capacity_ > kBufferBytes) move_to(kBufferBytes);
  } else if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity_) {
    // Full with one incomplete frame: a grown buffer is never larger than its frame, so it is empty once that is taken.
    OVERLAYD_CHECK(frame_bytes_ > capacity_);
    move_to(std::min(frame_bytes_, capacity_ * kGrowth));
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void FrameDecoder::commit(std::size_t n) {
  OVERLAYD_CHECK(n <= capacity_ - end_);
  end_ += n;
}

ByteView FrameDecoder::feed(ByteView bytes) {
  const std::span<std::uint8_t> room = writable();
  const std::size_t n = std::min(room.size(), bytes.size());
  if (n > 0) std::memcpy(room.data(), bytes.data(), n);
  commit(n);
  return bytes.subspan(n);
}

FrameDecoder::Next FrameDecoder::next() {
  if (fault_) return *fault_;
  const std::size_t available = end_ - begin_;
  if (frame_bytes_ == 0) {
    if (available < limits::kRecordMarkBytes) return NeedMore{};
    const std::size_t body_bytes = read_u32(buffer_.get() + begin_) & ~kLastFragment;
    fault_ = judge_length(body_bytes);
    if (fault_) return *fault_;
    frame_bytes_ = limits::kRecordMarkBytes + body_bytes;
  }
  if (available < frame_bytes_) return NeedMore{};

  const ByteView body(buffer_.get() + begin_ + limits::kRecordMarkBytes, frame_bytes_ - limits::kRecordMarkBytes);
  begin_ += frame_bytes_;
  frame_bytes_ = 0;
  if (read_u32(body.data()) != 0) {
    fault_ = DropReason::kFrameMalformed;
    return *fault_;
  }
  return Frame(body);
}

std::unique_ptr<std::uint8_t[]> FrameDecoder::take_buffer() {
  if (capacity_ == kBufferBytes || begin_ != end_) return nullptr;
  auto taken = std::exchange(buffer_, std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes));
  capacity_ = kBufferBytes;
  begin_ = end_ = 0;
  return taken;
}

std::optional<DropReason> FrameDecoder::judge_length(std::size_t body_bytes) const {
  if (body_bytes == 0) return DropReason::kFrameEmpty;
  if (body_bytes > body_bytes_max_) return DropReason::kFrameTooLarge;
  if (body_bytes < kFrameBodyDecodableMin || body_bytes % 4 != 0) return DropReason::kFrameMalformed;
  return std::nullopt;
}

void FrameDecoder::move_to(std::size_t capacity) {
  auto moved = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
  std::memcpy(moved.get(), buffer_.get() + begin_, end_ - begin_);
  buffer_ = std::move(moved);
  end_ -= begin_;
  begin_ = 0;
  capacity_ = capacity;
}

}  // namespace overlayd::wire
