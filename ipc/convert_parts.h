// What the converters share. For convert*.cpp only.
#pragma once
#include <overlay/v1/overlay.pb.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/inputs.h"
#include "core/result.h"
#include "core/wire/message_type.h"
#include "core/xdr/schema.h"

namespace overlayd::ipc::parts {

namespace v1 = ::overlay::v1;

inline std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

template <typename Id>
Result<Id> to_id(std::string_view bytes, std::string_view field) {
  if (bytes.size() != 32) {
    return Failure{std::string(field) + ": must be 32 bytes, has " + std::to_string(bytes.size())};
  }
  return Id::from(bytes_of(bytes).first<32>());
}

template <typename Id, typename Field>
Result<std::vector<Id>> to_ids(const Field& field, std::string_view name, std::size_t max) {
  if (static_cast<std::size_t>(field.size()) > max) {
    return Failure{std::string(name) + ": at most " + std::to_string(max) + ", has " + std::to_string(field.size())};
  }
  std::vector<Id> ids;
  ids.reserve(field.size());
  for (const std::string& bytes : field) {
    auto id = to_id<Id>(bytes, std::string(name) + "[" + std::to_string(ids.size()) + "]");
    if (!id) return Failure{id.error()};
    ids.push_back(id.value());
  }
  return ids;
}

// The StellarMessage around `value`, one copy of its bytes; a refusal begins with `field`.
Result<MessagePtr> wrapped(const std::string& value, std::string_view field, xdr::Type type, wire::MessageType as,
                           const NetworkId& network);

// Refuses an SCP envelope whose StellarMessage is over limits::kScpMessageBytesMax; the refusal begins with `field`.
Result<Done> check_scp_size(const wire::Message& message, std::string_view field);

inline v1::Direction to_proto(Direction direction) {
  return direction == Direction::kInbound ? v1::DIRECTION_INBOUND : v1::DIRECTION_OUTBOUND;
}

inline std::uint64_t whole_milliseconds(Duration duration) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<milliseconds>(duration).count()));
}

inline double milliseconds_of(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

}  // namespace overlayd::ipc::parts
