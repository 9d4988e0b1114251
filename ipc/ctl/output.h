// How overlayctl shows things: JSON and tables share these.
#pragma once
#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace overlayd::ipc::ctl {

using Json = nlohmann::ordered_json;

// One object on one line of standard output.
void print_json(const Json& value);
// Columns padded to their widest cell; the first row is the head.
void print_table(const std::vector<std::vector<std::string>>& rows);
// What print_table prints.
[[nodiscard]] std::string table_text(const std::vector<std::vector<std::string>>& rows);

[[nodiscard]] std::string hex(std::string_view bytes);
[[nodiscard]] std::string base64(std::string_view bytes);
// The strkey of a 32-byte node id; empty for anything else.
[[nodiscard]] std::string node_text(std::string_view node_id);
// "1d 2h", "3m 5s", "12 s".
[[nodiscard]] std::string duration_text(std::uint64_t milliseconds);

}  // namespace overlayd::ipc::ctl
