// The file that holds the node's secret seed: read by the daemon, made by `overlayctl keygen`.
//
// Rules.   The file is a regular one and grants nothing to group and others (0600 or less). Rationale: who reads the
//          seed is the node. Only files directly in `credentials_directory` are taken as they are: systemd keeps that
//          directory to the service, and shows an access list as group bits. Making a file never overwrites one: a lost
//          seed is a lost identity.
// Errors:  a sentence with the path and what to do. No message, log or copy ever holds the contents; buffers are wiped.
#pragma once
#include <string>

#include "core/crypto/secret.h"
#include "core/result.h"

namespace overlayd::config {

inline constexpr std::size_t kSeedFileBytesMax = 1024;  // a strkey is 56; the rest is white space

[[nodiscard]] Result<crypto::Secret<32>> read_seed_file(const std::string& path,
                                                        const std::string& credentials_directory = {});
// Mode 0600, on disk when this returns; a file half written is removed again.
[[nodiscard]] Result<Done> write_seed_file(const std::string& path, const crypto::Secret<32>& seed);

}  // namespace overlayd::config
