// Real daemons for tests and benchmarks: each with its own seed, sockets and free loopback port, all in one temporary
// folder.
//
// Promise. Whatever was started is ended and removed on every way out: by stop() and the destructor; on SIGINT, SIGTERM
//          and SIGHUP, or once the time limit has passed, by a guard thread that then ends the program; and should the
//          program be killed, the kernel kills the daemons (the folder stays).
// Errors.  SandboxError: what could not be done, with the daemon's log where there is one.
// Threads. Make the sandbox, and start daemons, on the main thread: the kernel takes its end for the program's.
//          Make it before any other thread exists, so that only the guard gets the signals.
#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace overlayd::daemons {

struct SandboxError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct DaemonProcess {
  std::string name;
  std::string dir;
  std::uint16_t port = 0;
  pid_t pid = 0;

  [[nodiscard]] std::string socket() const { return dir + "/overlayd.sock"; }
  [[nodiscard]] std::string admin_socket() const { return dir + "/admin.sock"; }
  [[nodiscard]] std::string log() const { return dir + "/log"; }
};

// What a daemon has used up, from /proc.
struct Usage {
  double cpu_seconds = 0;  // user and system, since its start
  double rss_mib = 0;
  double peak_rss_mib = 0;  // the most it was since the start
};

struct SandboxOptions {
  std::string bin;  // folder of overlayd
  std::string passphrase;
  std::chrono::seconds limit;  // the whole program's time
};

class DaemonSandbox {
 public:
  explicit DaemonSandbox(SandboxOptions options);
  ~DaemonSandbox();
  DaemonSandbox(const DaemonSandbox&) = delete;
  DaemonSandbox& operator=(const DaemonSandbox&) = delete;

  // A daemon that dials `known` ("host:port", or nobody) and nobody else, with `overrides` ("section.key=value"). Returns
  // before it listens.
  DaemonProcess start(const std::string& name, const std::string& known,
                      const std::vector<std::string>& overrides = {});
  // The same again, in its folder and on its port, once it has ended. Its former log is gone.
  DaemonProcess restart(const DaemonProcess& ended, const std::vector<std::string>& overrides = {});
  // SIGKILL, as a power failure would end it.
  void kill(const DaemonProcess& daemon);
  // Its exit status once it has ended by itself; 128 and the signal if one ended it.
  int wait_ended(const DaemonProcess& daemon, std::chrono::seconds limit);
  [[nodiscard]] static Usage usage(const DaemonProcess& daemon);
  // SIGTERM, six seconds, SIGKILL; then the folder goes. Any thread, any number of times.
  void stop();

 private:
  void guard();
  DaemonProcess launch(DaemonProcess daemon, const std::vector<std::string>& overrides);
  void forget(pid_t pid);

  const SandboxOptions options_;
  std::string dir_;
  std::mutex mutex_;  // of pids_ and dir_
  std::vector<pid_t> pids_;
  std::thread guard_;
};

}  // namespace overlayd::daemons
