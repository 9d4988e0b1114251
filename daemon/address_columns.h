// An address from two columns of a table: `ip`, as book::ip_to_string writes it, and `port`. Columns are checked, for
// SQLite's types are only a habit of its own and an operator may have written anything.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/ids.h"

namespace overlayd::daemon {

[[nodiscard]] std::optional<PeerAddress> read_address(const char* ip, std::int64_t port);

}  // namespace overlayd::daemon
