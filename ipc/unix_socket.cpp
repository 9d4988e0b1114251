#include "ipc/unix_socket.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

namespace overlayd::ipc {
namespace {

std::string error_text(int number) { return std::generic_category().message(number); }

// Whether a process accepts connections at the socket; a failure if that cannot be told.
Result<bool> is_answering(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Failure{"socket " + path + ": " + error_text(errno)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int number = result == 0 ? 0 : errno;
  ::close(fd);
  if (number == 0 || number == EAGAIN) return true;  // EAGAIN: it listens, and its backlog is full
  if (number == ECONNREFUSED || number == ENOENT) return false;
  return Failure{"socket " + path + ": a socket is there already and cannot be tried: " + error_text(number)};
}

}  // namespace

Result<Done> clear_socket_path(const std::string& path) {
  static constexpr std::size_t kPathMax = sizeof(sockaddr_un{}.sun_path) - 1;
  if (path.empty() || path.front() != '/') return Failure{"socket \"" + path + "\": the path must be absolute"};
  if (path.size() > kPathMax) {
    return Failure{"socket " + path + ": the path is longer than the " + std::to_string(kPathMax) +
                   " bytes a socket allows"};
  }
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return Failure{"socket " + path + ": the directory " + directory.string() +
                   " does not exist or cannot be entered; create it, or choose another path"};
  }
  if (::lstat(path.c_str(), &status) != 0) return Done{};
  if (!S_ISSOCK(status.st_mode)) {
    return Failure{"socket " + path + ": a file that is no socket is there; remove it, or choose another path"};
  }
  const auto is_taken = is_answering(path);
  if (!is_taken) return Failure{is_taken.error()};
  if (is_taken.value()) {
    return Failure{"socket " + path + ": another process answers there; stop it, or choose another path"};
  }
  if (::unlink(path.c_str()) != 0) {
    return Failure{"socket " + path + ": a socket left behind cannot be removed: " + error_text(errno)};
  }
  return Done{};
}

Result<Done> set_socket_access(const std::string& path, const std::string& group) {
  static constexpr mode_t kMode = 0660;
  if (!group.empty()) {
    std::vector<char> buffer(16'384);
    struct ::group entry {};
    struct ::group* found = nullptr;
    ::getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) return Failure{"socket " + path + ": there is no group \"" + group + "\""};
    if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) {
      return Failure{"socket " + path + ": cannot be given to group \"" + group + "\": " + error_text(errno) +
                     "; the daemon's user must be a member of it"};
    }
  }
  if (::chmod(path.c_str(), kMode) != 0)
    return Failure{"socket " + path + ": mode 0660 cannot be set: " + error_text(errno)};
  return Done{};
}

PrivateUmask::PrivateUmask() : former_(::umask(0077)) {}
PrivateUmask::~PrivateUmask() { ::umask(former_); }

}  // namespace overlayd::ipc
