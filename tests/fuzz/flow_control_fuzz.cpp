#include "tests/fuzz/flow_control_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  overlayd::fuzz_flow_control({data, size});
  return 0;
}
