// For the tests of ipc: a wire between one client and the server that can stop delivering what the server says, as a
// client does that is stopped or hangs.
#pragma once
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace overlayd::ipc::testing {

// Takes one connection at `path` and carries its bytes to and from `server_path`.
class StallingProxy {
 public:
  StallingProxy(const std::string& path, std::string server_path)
      : server_path_(std::move(server_path)), wake_(::eventfd(0, 0)), listener_(make_socket()) {
    const sockaddr_un address = address_of(path);
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    thread_ = std::thread([this] { run(); });
  }
  ~StallingProxy() {
    close();
    ::close(listener_);
    ::close(wake_);
  }
  StallingProxy(const StallingProxy&) = delete;
  StallingProxy& operator=(const StallingProxy&) = delete;

  // Delivers so many bytes more of the server's, and from then on nothing until resume.
  void stall_after(std::size_t bytes) {
    is_stalled_ = false;
    left_ = bytes;
  }
  // Until it does.
  void await_stall() { is_stalled_.wait(false); }
  void resume() {
    left_ = kNoLimit;
    wake();
  }
  // Hangs up on both sides.
  void close() {
    is_closing_ = true;
    wake();
    if (thread_.joinable()) thread_.join();
  }

 private:
  static constexpr std::size_t kNoLimit = SIZE_MAX;

  static int make_socket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }
  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    return address;
  }
  void wake() const {
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake_, &one, sizeof(one)));
  }
  // What was read was written too; false: the connection has ended.
  static bool carry(int from, int to, std::size_t& carried) {
    std::array<char, 65'536> bytes{};
    const ssize_t got = ::read(from, bytes.data(), bytes.size());
    if (got <= 0) return false;
    carried = static_cast<std::size_t>(got);
    for (std::size_t done = 0; done < carried;) {
      const ssize_t sent = ::send(to, bytes.data() + done, carried - done, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      done += static_cast<std::size_t>(sent);
    }
    return true;
  }
  void run() {
    std::array<pollfd, 2> first{pollfd{wake_, POLLIN, 0}, pollfd{listener_, POLLIN, 0}};
    while (!is_closing_ && (first[1].revents & POLLIN) == 0) ::poll(first.data(), first.size(), -1);
    if (is_closing_) return;
    const int client = ::accept(listener_, nullptr, nullptr);
    const int server = make_socket();
    const sockaddr_un address = address_of(server_path_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) serve(client, server);
    ::close(server);
    ::close(client);
  }
  void serve(int client, int server) {
    std::size_t carried = 0;
    while (!is_closing_) {
      const bool is_delivering = left_ > 0;
      std::array<pollfd, 3> ends{pollfd{wake_, POLLIN, 0}, pollfd{client, POLLIN, 0},
                                 pollfd{is_delivering ? server : -1, POLLIN, 0}};
      ::poll(ends.data(), ends.size(), -1);
      std::uint64_t count = 0;
      if ((ends[0].revents & POLLIN) != 0) static_cast<void>(::read(wake_, &count, sizeof(count)));
      if (ends[1].revents != 0 && !carry(client, server, carried)) return;
      if (ends[2].revents == 0) continue;
      if (!carry(server, client, carried)) return;
      if (left_ == kNoLimit) continue;
      left_ -= std::min<std::size_t>(left_, carried);
      if (left_ > 0) continue;
      is_stalled_ = true;
      is_stalled_.notify_all();
    }
  }

  const std::string server_path_;
  const int wake_, listener_;
  std::atomic<bool> is_closing_{false};
  std::atomic<bool> is_stalled_{false};
  std::atomic<std::size_t> left_{kNoLimit};
  std::thread thread_;
};

}  // namespace overlayd::ipc::testing
