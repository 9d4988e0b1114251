#include "tests/fuzz/flood_gate_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  overlayd::fuzz_flood_gate({data, size});
  return 0;
}
