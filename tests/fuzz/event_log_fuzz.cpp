#include "tests/fuzz/event_log_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  overlayd::fuzz_event_log({data, size});
  return 0;
}
