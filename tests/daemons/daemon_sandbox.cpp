#include "tests/daemons/daemon_sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/crypto/keys.h"
#include "core/crypto/strkey.h"

namespace overlayd::daemons {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kEndLimit = 6s;  // five for flushing, one more
constexpr int kGuardSignal = SIGUSR1;

sigset_t guarded_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, kGuardSignal}) sigaddset(&set, signal);
  return set;
}

// Nobody listens on it now; should another program take it first, the daemon says so and the program ends.
std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool is_found = fd >= 0 && bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  if (fd >= 0) close(fd);
  if (!is_found) throw SandboxError("no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

void write_files(const DaemonProcess& daemon, const std::string& passphrase, const std::string& known) {
  const std::string seed_file = daemon.dir + "/seed";
  crypto::SystemEntropy entropy;
  std::array<std::uint8_t, 32> seed{};
  entropy.fill(seed);
  std::ofstream(seed_file) << crypto::encode_seed(crypto::Secret<32>(seed)) << '\n';
  std::filesystem::permissions(seed_file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::ofstream(daemon.dir + "/overlayd.toml")
      << "[node]\nseed_file = " << quoted(seed_file)
      << "\n[network]\npreset = \"standalone\"\npassphrase = " << quoted(passphrase)
      << "\n[listen]\naddress = \"127.0.0.1\"\nport = " << daemon.port << "\n[peers]\nknown = ["
      << (known.empty() ? "" : quoted(known))
      << "]\nallow_private = true\ntarget_outbound = " << (known.empty() ? 0 : 1)
      << "\n[ipc]\nsocket = " << quoted(daemon.socket()) << "\nadmin_socket = " << quoted(daemon.admin_socket())
      << "\n[storage]\ndatabase = " << quoted(daemon.dir + "/overlayd.db") << '\n';
}

// In the child, between fork and exec: nothing but system calls. Never returns.
[[noreturn]] void become(char* const* arguments, const char* log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const sigset_t signals = guarded_signals();
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  const int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(fd, STDOUT_FILENO);
  dup2(fd, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

}  // namespace

DaemonSandbox::DaemonSandbox(SandboxOptions options) : options_(std::move(options)) {
  if (access((options_.bin + "/overlayd").c_str(), X_OK) != 0) throw SandboxError("no overlayd in " + options_.bin);
  crypto::init();
  dir_ = (std::filesystem::temp_directory_path() / "ovl-sandbox.XXXXXX").string();
  if (mkdtemp(dir_.data()) == nullptr) throw SandboxError("cannot make a temporary folder " + dir_);
  const sigset_t signals = guarded_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  guard_ = std::thread([this] { guard(); });
}

DaemonSandbox::~DaemonSandbox() {
  stop();
  pthread_kill(guard_.native_handle(), kGuardSignal);
  guard_.join();
}

void DaemonSandbox::guard() {
  const sigset_t signals = guarded_signals();
  const timespec limit{options_.limit.count(), 0};
  const int signal = sigtimedwait(&signals, nullptr, &limit);
  if (signal == kGuardSignal) return;
  std::fprintf(stderr, signal > 0 ? "sandbox: ended by signal %d\n" : "sandbox: still not done after its time limit\n",
               signal);
  stop();
  std::fflush(nullptr);
  std::_Exit(signal > 0 ? 128 + signal : 1);
}

DaemonProcess DaemonSandbox::start(const std::string& name, const std::string& known,
                                   const std::vector<std::string>& overrides) {
  DaemonProcess daemon{.name = name, .dir = dir_ + '/' + name, .port = free_port()};
  std::filesystem::create_directory(daemon.dir);
  write_files(daemon, options_.passphrase, known);
  return launch(std::move(daemon), overrides);
}

DaemonProcess DaemonSandbox::restart(const DaemonProcess& ended, const std::vector<std::string>& overrides) {
  std::filesystem::remove(ended.log());  // or it would seem to have started already
  return launch(ended, overrides);
}

DaemonProcess DaemonSandbox::launch(DaemonProcess daemon, const std::vector<std::string>& overrides) {
  std::vector<std::string> words{options_.bin + "/overlayd", "--config", daemon.dir + "/overlayd.toml"};
  for (const std::string& override : overrides) words.insert(words.end(), {"--set", override});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log = daemon.log();
  const std::lock_guard lock(mutex_);
  daemon.pid = fork();
  if (daemon.pid == 0) become(arguments.data(), log.c_str());
  if (daemon.pid < 0) throw SandboxError("cannot start overlayd");
  pids_.push_back(daemon.pid);
  return daemon;
}

void DaemonSandbox::kill(const DaemonProcess& daemon) {
  ::kill(daemon.pid, SIGKILL);
  waitpid(daemon.pid, nullptr, 0);
  forget(daemon.pid);
}

int DaemonSandbox::wait_ended(const DaemonProcess& daemon, std::chrono::seconds limit) {
  const auto deadline = Clock::now() + limit;
  int status = 0;
  while (waitpid(daemon.pid, &status, WNOHANG) == 0) {
    if (Clock::now() > deadline) throw SandboxError("the daemon " + daemon.name + " does not end");
    std::this_thread::sleep_for(10ms);
  }
  forget(daemon.pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void DaemonSandbox::forget(pid_t pid) {
  const std::lock_guard lock(mutex_);
  std::erase(pids_, pid);
}

Usage DaemonSandbox::usage(const DaemonProcess& daemon) {
  const std::string proc = "/proc/" + std::to_string(daemon.pid);
  std::ifstream stat(proc + "/stat");
  std::string line;
  std::getline(stat, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) throw SandboxError("the daemon " + daemon.name + " is gone");
  std::istringstream fields(line.substr(name_end + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;  // state to cmajflt: fields 3 to 13 of proc(5)
  double user = 0;
  double system = 0;
  fields >> user >> system;

  std::ifstream memory(proc + "/statm");
  double total_pages = 0;
  double resident_pages = 0;
  memory >> total_pages >> resident_pages;
  const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  std::ifstream status(proc + "/status");
  double peak_kib = 0;
  while (std::getline(status, line) && std::sscanf(line.c_str(), "VmHWM: %lf kB", &peak_kib) != 1) {
  }
  return {.cpu_seconds = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)),
          .rss_mib = resident_pages * page_bytes / (1 << 20),
          .peak_rss_mib = peak_kib / 1024};
}

void DaemonSandbox::stop() {
  const std::lock_guard lock(mutex_);
  for (const pid_t pid : pids_) ::kill(pid, SIGTERM);
  const auto deadline = Clock::now() + kEndLimit;
  for (const pid_t pid : pids_) {
    while (waitpid(pid, nullptr, WNOHANG) == 0) {
      if (Clock::now() > deadline) ::kill(pid, SIGKILL);
      std::this_thread::sleep_for(10ms);
    }
  }
  pids_.clear();
  if (dir_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(dir_, ignored);
  dir_.clear();
}

}  // namespace overlayd::daemons
