#include "core/check.h"

#include <cstdio>
#include <cstdlib>

namespace overlayd {

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "overlayd: broken invariant: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace overlayd
