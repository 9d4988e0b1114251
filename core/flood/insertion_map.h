// A hash map that remembers the order of insertion: lookups as in std::unordered_map, walking and eviction oldest
// first. It exists so that bounded tables have one eviction rule and no output ever depends on the order of a hash
// table.
//
// Entries never move in memory. An empty map holds no heap memory worth counting; `release_if_empty` gives back buckets
// that a burst left behind. A map made for `entries_max` has all its buckets (8 bytes an entry) from the start. Rationale:
// a large table that grows goes over all its entries in one go, and an SCP message waits for that.
#pragma once
#include <cstddef>
#include <functional>
#include <unordered_map>
#include <utility>

#include "core/check.h"

namespace overlayd::flood {

template <typename Key, typename Value>
class InsertionMap {
 public:
  struct Entry {
    template <typename... Args>
    explicit Entry(Args&&... args) : value(std::forward<Args>(args)...) {}
    const Key* key = nullptr;
    Value value;
    Entry* older = nullptr;
    Entry* newer = nullptr;
  };

  InsertionMap() = default;
  explicit InsertionMap(std::size_t entries_max) { table_.reserve(entries_max + 1); }
  InsertionMap(const InsertionMap&) = delete;
  InsertionMap& operator=(const InsertionMap&) = delete;
  InsertionMap(InsertionMap&&) = delete;
  InsertionMap& operator=(InsertionMap&&) = delete;
  ~InsertionMap() = default;

  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] bool empty() const { return table_.empty(); }
  [[nodiscard]] bool contains(const Key& key) const { return table_.contains(key); }

  [[nodiscard]] Value* find(const Key& key) {
    const auto found = table_.find(key);
    return found == table_.end() ? nullptr : &found->second.value;
  }
  [[nodiscard]] const Value* find(const Key& key) const {
    const auto found = table_.find(key);
    return found == table_.end() ? nullptr : &found->second.value;
  }

  // The value of `key`, made from `args` as the newest entry if it was absent; second: whether it was made.
  template <typename... Args>
  std::pair<Value*, bool> try_insert(const Key& key, Args&&... args) {
    const auto [at, is_new] = table_.try_emplace(key, std::forward<Args>(args)...);
    Entry& entry = at->second;
    if (is_new) {
      entry.key = &at->first;
      entry.older = newest_;
      (newest_ != nullptr ? newest_->newer : oldest_) = &entry;
      newest_ = &entry;
    }
    return {&entry.value, is_new};
  }

  bool erase(const Key& key) {
    const auto found = table_.find(key);
    if (found == table_.end()) return false;
    unlink(found->second);
    table_.erase(found);
    return true;
  }

  // Of a map that is not empty.
  [[nodiscard]] const Key& oldest_key() const {
    OVERLAYD_CHECK(oldest_ != nullptr);
    return *oldest_->key;
  }
  [[nodiscard]] const Value& oldest() const {
    OVERLAYD_CHECK(oldest_ != nullptr);
    return oldest_->value;
  }
  void erase_oldest() {
    const Key key = oldest_key();
    erase(key);
  }

  // Oldest first.
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (Entry* entry = oldest_; entry != nullptr; entry = entry->newer) visit(*entry->key, entry->value);
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Entry* entry = oldest_; entry != nullptr; entry = entry->newer) visit(*entry->key, entry->value);
  }
  // The oldest `count_max` only.
  template <typename Visit>
  void for_each_of_first(std::size_t count_max, Visit&& visit) const {
    for (const Entry* entry = oldest_; entry != nullptr && count_max > 0; entry = entry->newer, --count_max)
      visit(*entry->key, entry->value);
  }
  // Erases from the oldest on while they are unwanted, at most `count_max`.
  template <typename Predicate>
  void erase_oldest_if(std::size_t count_max, Predicate&& is_unwanted) {
    for (; count_max > 0 && oldest_ != nullptr && is_unwanted(oldest_->value); --count_max) erase_oldest();
  }
  // Oldest first; the entry may be gone when `is_unwanted` returns true, never before.
  template <typename Predicate>
  void erase_if(Predicate&& is_unwanted) {
    for (Entry* entry = oldest_; entry != nullptr;) {
      Entry* const next = entry->newer;
      if (is_unwanted(*entry->key, entry->value)) {
        const Key key = *entry->key;
        erase(key);
      }
      entry = next;
    }
  }

  void release_if_empty() {
    if (table_.empty()) Table().swap(table_);
  }

  void check_invariants() const {
    std::size_t count = 0;
    const Entry* before = nullptr;
    for (const Entry* entry = oldest_; entry != nullptr; before = entry, entry = entry->newer) {
      OVERLAYD_CHECK(entry->older == before);
      const auto found = table_.find(*entry->key);
      OVERLAYD_CHECK(found != table_.end() && &found->second == entry);
      ++count;
    }
    OVERLAYD_CHECK(before == newest_);
    OVERLAYD_CHECK(count == table_.size());
  }

 private:
  using Table = std::unordered_map<Key, Entry>;

  void unlink(Entry& entry) {
    (entry.older != nullptr ? entry.older->newer : oldest_) = entry.newer;
    (entry.newer != nullptr ? entry.newer->older : newest_) = entry.older;
  }

  Table table_;
  Entry* oldest_ = nullptr;
  Entry* newest_ = nullptr;
};

}  // namespace overlayd::flood
