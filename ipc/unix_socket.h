// Unix socket files: what must be true of the path before a server binds it, and of the file afterwards.
#pragma once
#include <sys/types.h>

#include <string>

#include "core/result.h"

namespace overlayd::ipc {

// Makes the path free to bind. Removes a socket nobody listens on. Fails, in a sentence that names the path, if the
// path is relative, empty or too long for a socket, if its directory is missing, if somebody answers there, or if the
// file is no socket.
Result<Done> clear_socket_path(const std::string& path);
// Mode 0660 and, unless it is empty, the group.
Result<Done> set_socket_access(const std::string& path, const std::string& group);

// While it lives, files made by this process are the owner's alone. The process's umask is shared by its threads: what
// another thread creates meanwhile is closed to others, never more open.
class PrivateUmask {
 public:
  PrivateUmask();
  ~PrivateUmask();
  PrivateUmask(const PrivateUmask&) = delete;
  PrivateUmask& operator=(const PrivateUmask&) = delete;

 private:
  mode_t former_;
};

}  // namespace overlayd::ipc
