// What every thread of the daemon starts with.
#pragma once
#include <functional>
#include <string>

namespace overlayd::daemon {

// Names the calling thread (at most 15 characters reach the kernel) and runs `body`. An exception that reaches this
// point is a mistake of ours that no other thread can repair: it is logged with the thread's name and the process
// aborts.
void run_thread_body(const std::string& name, const std::function<void()>& body);

}  // namespace overlayd::daemon
