#include "config/seed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/crypto/keys.h"
#include "core/crypto/strkey.h"

namespace overlayd::config {
namespace {

class Descriptor final {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// Text that is wiped however its scope ends.
struct WipedText {
  std::string text;
  WipedText() = default;
  explicit WipedText(std::string from) : text(std::move(from)) {}
  ~WipedText() { sodium_memzero(text.data(), text.size()); }
  WipedText(const WipedText&) = delete;
  WipedText& operator=(const WipedText&) = delete;
};

Failure failed(const std::string& path, std::string_view what) {
  return Failure{path + ": " + std::string(what) + ": " + std::strerror(errno)};
}

bool is_directly_in(const std::string& path, const std::string& directory) {
  if (directory.empty()) return false;
  std::error_code error;
  const auto parent = std::filesystem::path(path).parent_path();
  return std::filesystem::equivalent(parent.empty() ? "." : parent, directory, error) && !error;
}

Result<Done> check_access(int fd, const std::string& path, const std::string& credentials_directory) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return failed(path, "cannot be examined");
  if (!S_ISREG(status.st_mode)) return Failure{path + ": is not a regular file"};
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0 && !is_directly_in(path, credentials_directory)) {
    return Failure{path + ": others than its owner may use it; run `chmod 600 " + path + '`'};
  }
  return Done{};
}

// Fills `text` with at most its size; returns the number of bytes, or -1.
ssize_t read_all(int fd, std::string& text) {
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t count = ::read(fd, text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(filled);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

Result<crypto::Secret<32>> read_seed_file(const std::string& path, const std::string& credentials_directory) {
  // Without O_NONBLOCK, opening a pipe would wait for its writer for ever.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return failed(path, "cannot be opened");
  if (auto access = check_access(file.get(), path, credentials_directory); !access) return Failure{access.error()};
  WipedText held(std::string(kSeedFileBytesMax + 1, '\0'));
  const ssize_t count = read_all(file.get(), held.text);
  if (count < 0) return failed(path, "cannot be read");
  if (static_cast<std::size_t>(count) > kSeedFileBytesMax) return Failure{path + ": is too long for a seed file"};
  auto seed = crypto::parse_seed(std::string_view(held.text).substr(0, static_cast<std::size_t>(count)));
  if (!seed) return Failure{path + ": holds no seed (S...): " + seed.error()};
  return seed;
}

Result<Done> write_seed_file(const std::string& path, const crypto::Secret<32>& seed) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0 && errno == EEXIST) return Failure{path + ": exists; a seed is never overwritten"};
  if (file.get() < 0) return failed(path, "cannot be created");
  const WipedText strkey(crypto::encode_seed(seed));
  if (!write_all(file.get(), strkey.text) || !write_all(file.get(), "\n") || ::fsync(file.get()) != 0) {
    const Failure failure = failed(path, "cannot be written");
    ::unlink(path.c_str());
    return failure;
  }
  return Done{};
}

}  // namespace overlayd::config
