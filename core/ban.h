// Bans as values: asked for, kept, stored, listed.
#pragma once
#include <optional>
#include <string>
#include <variant>

#include "core/clock.h"
#include "core/ids.h"
#include "core/limits.h"

namespace overlayd {

// Whom a ban keeps out: a node wherever it is, or whoever calls from, or would be dialled in, a range of addresses.
using BanSubject = std::variant<NodeId, Subnet>;

// What an operator says of a ban.
struct BanTerms {
  std::string reason{};                             // at most limits::kBanReasonBytesMax; may be empty
  std::string set_by{};                             // who asks for it, at most limits::kBanSetByBytesMax; may be empty
  std::optional<std::chrono::seconds> lasts_for{};  // absent: until it is lifted
};

struct Ban {
  BanSubject subject;
  std::string reason{};
  std::string set_by{};
  UnixTime made{};
  std::optional<UnixTime> ends{};  // absent: never
  std::uint64_t hits = 0;          // links refused or dropped because of it
  std::optional<UnixTime> last_hit{};
  bool operator==(const Ban&) const = default;
};

}  // namespace overlayd
