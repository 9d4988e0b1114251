// From a TOML file and `--set` overrides to a Config, or to everything that is wrong with them.
//
// Rule 1.  All problems are collected, in the order of their lines, file before overrides, relations last. Rationale:
//          an operator mends a file once, not once per mistake. (A TOML syntax error ends the reading: one problem.)
// Rule 2.  A problem names where and what: "overlayd.toml:12: listen.port: must be 1..65535, is 99999", or
//          "--set listen.port: must be …".
// Rule 3.  Overrides win over the file, later ones over earlier ones; both over the defaults of schema.h. A mistake in
//          the file stays a problem even if an override replaces it.
// Limits:  kDocumentBytesMax for the file; ranges of schema.h for each value.
// Not here: whether files, groups and addresses named exist (see seed_file.h and the daemon).
#pragma once
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace overlayd::config {

struct LoadOutcome {
  Config config;  // complete only if ok()
  std::vector<std::string> problems;

  [[nodiscard]] bool ok() const { return problems.empty(); }
  // One problem a line, each line ended.
  [[nodiscard]] std::string report() const;
  // A problem with the value of `key` that only shows later (an unreadable seed, a socket in use), in the form of
  // rule 2.
  [[nodiscard]] std::string at(std::string_view key, std::string_view message) const;
  [[nodiscard]] bool is_set(std::string_view key) const { return origins.find(key) != origins.end(); }

  std::string filename;
  std::map<std::string, std::string, std::less<>>
      origins;  // key → "FILE:LINE: KEY" or "--set KEY"; absent: the default
};

// `overrides` are "section.key=value". Strings need no quotes there, and lists may be words separated by commas.
[[nodiscard]] LoadOutcome load_text(std::string_view text, std::string filename,
                                    std::span<const std::string> overrides = {});
// An empty path: no file, the defaults and the overrides.
[[nodiscard]] LoadOutcome load(const std::string& path, std::span<const std::string> overrides = {});

}  // namespace overlayd::config
