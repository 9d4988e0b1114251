#include "tests/fuzz/tx_demands_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  overlayd::fuzz_tx_demands({data, size});
  return 0;
}
