#include "ipc/ctl/output.h"

#include <algorithm>
#include <cstdio>

#include "core/crypto/strkey.h"

namespace overlayd::ipc::ctl {
namespace {

ByteView bytes_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

}  // namespace

void print_json(const Json& value) {
  const std::string line = value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  const std::string text = table_text(rows);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - row[i].size() + 2, ' ');
    }
    text += "\n";
  }
  return text;
}

std::string hex(std::string_view bytes) { return to_hex(bytes_of(bytes)); }

std::string base64(std::string_view bytes) { return to_base64(bytes_of(bytes)); }

std::string node_text(std::string_view node_id) {
  if (node_id.size() != 32) return {};
  return crypto::encode_node_id(NodeId::from(bytes_of(node_id).first<32>()));
}

std::string duration_text(std::uint64_t milliseconds) {
  const std::uint64_t seconds = milliseconds / 1000;
  const std::uint64_t minutes = seconds / 60;
  const std::uint64_t hours = minutes / 60;
  const std::uint64_t days = hours / 24;
  if (days > 0) return std::to_string(days) + "d " + std::to_string(hours % 24) + "h";
  if (hours > 0) return std::to_string(hours) + "h " + std::to_string(minutes % 60) + "m";
  if (minutes > 0) return std::to_string(minutes) + "m " + std::to_string(seconds % 60) + "s";
  return std::to_string(seconds) + "s";
}

}  // namespace overlayd::ipc::ctl
