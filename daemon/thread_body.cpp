#include "daemon/thread_body.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace overlayd::daemon {
namespace {

[[noreturn]] void die(const std::string& name, const char* what) {
  spdlog::critical("thread {} failed: {}; the process stops, please report this", name, what);
  spdlog::shutdown();  // the logger is asynchronous: what is queued must reach the operator
  std::abort();
}

}  // namespace

void run_thread_body(const std::string& name, const std::function<void()>& body) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  try {
    body();
  } catch (const std::exception& error) {
    die(name, error.what());
  } catch (...) {
    die(name, "unknown exception");
  }
}

}  // namespace overlayd::daemon
