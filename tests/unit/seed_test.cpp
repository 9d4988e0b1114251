#include "daemon/seed.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "config/seed_file.h"
#include "core/crypto/strkey.h"

namespace overlayd::daemon {
namespace {

namespace fs = std::filesystem;

struct Folder {
  std::string path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "overlayd-seed-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path + '/' + name; }
};

crypto::Secret<32> seed_of(std::uint8_t byte) {
  crypto::Secret<32> seed;
  for (auto& b : seed.writable()) b = byte;
  return seed;
}

void write_text(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream(path, std::ios::binary) << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

config::LoadOutcome loaded_with(const std::string& seed_file) {
  return config::load_text("[node]\nseed_file = \"" + seed_file + "\"\n", "overlayd.toml");
}

}  // namespace

TEST_CASE("a seed file that was written reads back, has mode 0600 and holds the strkey", "[seed]") {
  const Folder folder;
  const std::string path = folder.file("seed");
  const mode_t mask = ::umask(0);
  REQUIRE(config::write_seed_file(path, seed_of(7)).ok());
  ::umask(mask);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  std::string text;
  std::getline(std::ifstream(path), text);
  CHECK(text == crypto::encode_seed(seed_of(7)));
  const auto read = config::read_seed_file(path);
  REQUIRE(read.ok());
  CHECK(read.value() == seed_of(7));
}

TEST_CASE("a seed file is never overwritten", "[seed]") {
  const Folder folder;
  const std::string path = folder.file("seed");
  REQUIRE(config::write_seed_file(path, seed_of(7)).ok());
  CHECK(config::write_seed_file(path, seed_of(8)).error() == path + ": exists; a seed is never overwritten");
  CHECK(config::read_seed_file(path).value() == seed_of(7));
  CHECK(!config::write_seed_file(folder.file("absent/seed"), seed_of(8)).ok());
}

TEST_CASE("a seed file that grants anything to others is refused, for each bit of the mode", "[seed]") {
  const Folder folder;
  const std::string path = folder.file("seed");
  const std::string text = crypto::encode_seed(seed_of(1));
  for (const mode_t mode : {0400U, 0600U, 0700U}) {
    write_text(path, text, mode);
    CHECK(config::read_seed_file(path).ok());
    fs::remove(path);
  }
  for (const mode_t bit : {0040U, 0020U, 0010U, 0004U, 0002U, 0001U}) {
    write_text(path, text, 0600U | bit);
    const auto read = config::read_seed_file(path);
    REQUIRE(!read.ok());
    CHECK(read.error() == path + ": others than its owner may use it; run `chmod 600 " + path + '`');
  }
}

TEST_CASE("a file directly in the credentials directory is taken with any mode, one elsewhere is not", "[seed]") {
  const Folder credentials;
  const Folder elsewhere;
  write_text(credentials.file("node-seed"), crypto::encode_seed(seed_of(1)), 0440);
  write_text(elsewhere.file("node-seed"), crypto::encode_seed(seed_of(1)), 0440);
  CHECK(config::read_seed_file(credentials.file("node-seed"), credentials.path).ok());
  CHECK(!config::read_seed_file(credentials.file("node-seed")).ok());
  CHECK(!config::read_seed_file(elsewhere.file("node-seed"), credentials.path).ok());
  CHECK(!config::read_seed_file(credentials.path + "/../" + fs::path(elsewhere.path).filename().string() + "/node-seed",
                                credentials.path)
             .ok());
}

TEST_CASE("what is no seed file is refused without repeating its contents", "[seed]") {
  const Folder folder;
  const std::string path = folder.file("seed");
  const std::string good = crypto::encode_seed(seed_of(1));
  const std::vector<std::string> bad = {
      "", " \n", good + good, good.substr(1), std::string(56, 'S'), good + "\nmore", crypto::encode_node_id({})};
  for (const std::string& text : bad) {
    write_text(path, text, 0600);
    const auto read = config::read_seed_file(path);
    REQUIRE(!read.ok());
    CHECK(read.error().starts_with(path + ": holds no seed (S...): "));
    CHECK((text.size() < 5 || read.error().find(text.substr(0, 20)) == std::string::npos));
  }
  CHECK(config::read_seed_file(folder.path).error() == folder.path + ": is not a regular file");
  CHECK(config::read_seed_file(folder.file("absent")).error() ==
        folder.file("absent") + ": cannot be opened: No such file or directory");
}

TEST_CASE("a seed file of the largest size is read and one byte more is refused", "[seed]") {
  const Folder folder;
  const std::string path = folder.file("seed");
  std::string text = crypto::encode_seed(seed_of(1));
  text.resize(config::kSeedFileBytesMax, ' ');
  write_text(path, text, 0600);
  CHECK(config::read_seed_file(path).ok());
  write_text(path, text + ' ', 0600);
  CHECK(config::read_seed_file(path).error() == path + ": is too long for a seed file");
}

TEST_CASE("a pipe in place of a seed file is refused at once instead of being waited for", "[seed]") {
  const Folder folder;
  REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  CHECK(config::read_seed_file(folder.file("pipe")).error() == folder.file("pipe") + ": is not a regular file");
}

TEST_CASE("the configured seed file comes before the credential, the credential before a refusal", "[seed]") {
  const Folder credentials;
  const Folder folder;
  write_text(credentials.file("node-seed"), crypto::encode_seed(seed_of(1)), 0440);
  REQUIRE(config::write_seed_file(folder.file("seed"), seed_of(2)).ok());
  const auto id_of = [](std::uint8_t byte) { return crypto::NodeKey::from_seed(seed_of(byte)).id(); };
  CHECK(load_node_key(loaded_with(folder.file("seed")), credentials.path).value().id() == id_of(2));
  CHECK(load_node_key(loaded_with(""), credentials.path).value().id() == id_of(1));
  const auto absent = load_node_key(config::load(""), folder.path);
  REQUIRE(!absent.ok());
  CHECK(absent.error().find("overlayctl keygen") != std::string::npos);
  CHECK(!load_node_key(config::load(""), "").ok());
}

TEST_CASE("an unreadable seed is told with file, line and key", "[seed]") {
  CHECK(load_node_key(loaded_with("/nonexistent/seed"), "").error() ==
        "overlayd.toml:2: node.seed_file: /nonexistent/seed: cannot be opened: No such file or directory");
}

}  // namespace overlayd::daemon
