// What the files with the schema's rows share. For schema*.cpp only.
#pragma once
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "config/schema.h"

namespace overlayd::config::rows {

inline constexpr std::int64_t kTextMax = 4096;
inline constexpr std::int64_t kListMax = 1000;
inline constexpr std::int64_t kMiB = 1 << 20;

// The rows of [peers]; those of [flood], [flow_control] and [fetch].
[[nodiscard]] std::span<const Key> peers();
[[nodiscard]] std::span<const Key> flood();

std::string store_addresses(const StringList& texts, std::vector<HostPort>& field);
std::string store_node_ids(const StringList& texts, std::vector<NodeId>& field);

// The binding of most rows: the value goes into one field.
template <auto Section, auto Field>
std::string store(Config& config, const Value& value) {
  auto& field = config.*Section.*Field;
  using T = std::remove_reference_t<decltype(field)>;
  if constexpr (std::is_same_v<T, bool>) {
    field = std::get<bool>(value);
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    field = static_cast<T>(std::get<std::int64_t>(value));
  } else if constexpr (std::is_same_v<T, std::vector<HostPort>>) {
    return store_addresses(std::get<StringList>(value), field);
  } else if constexpr (std::is_same_v<T, std::vector<NodeId>>) {
    return store_node_ids(std::get<StringList>(value), field);
  } else {
    field = std::get<std::string>(value);
  }
  return {};
}

}  // namespace overlayd::config::rows
