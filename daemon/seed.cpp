#include "daemon/seed.h"

#include <cstdlib>
#include <filesystem>

#include "config/seed_file.h"

namespace overlayd::daemon {
namespace {

constexpr std::string_view kKey = "node.seed_file";
constexpr const char* kCredential = "node-seed";

}  // namespace

std::string credentials_directory() {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  return directory == nullptr ? "" : directory;
}

Result<crypto::NodeKey> load_node_key(const config::LoadOutcome& loaded, const std::string& credentials_directory) {
  crypto::init();
  std::string path = loaded.config.node.seed_file;
  if (path.empty() && !credentials_directory.empty()) {
    std::filesystem::path credential = std::filesystem::path(credentials_directory) / kCredential;
    std::error_code error;
    if (std::filesystem::exists(credential, error)) path = credential.string();
  }
  if (path.empty()) {
    return Failure{loaded.at(kKey,
                             "is not set and there is no systemd credential \"node-seed\"; make a seed with "
                             "`overlayctl keygen --output FILE` and name that file")};
  }
  const auto seed = config::read_seed_file(path, credentials_directory);
  if (!seed) return Failure{loaded.at(kKey, seed.error())};
  return crypto::NodeKey::from_seed(seed.value());
}

}  // namespace overlayd::daemon
