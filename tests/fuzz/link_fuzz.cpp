#include "tests/fuzz/link_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  overlayd::fuzz_link({data, size});
  return 0;
}
