// CHECK stops the process when one of our own invariants is broken, in every build. Never for input from outside:
// a peer's fault is a DropReason, a caller's fault a Result.
#pragma once

namespace overlayd {
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
}

#define OVERLAYD_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::overlayd::check_failed(#expression, __FILE__, __LINE__))
