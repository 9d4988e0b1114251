#include "tests/fuzz/tx_adverts_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  overlayd::fuzz_tx_adverts({data, size});
  return 0;
}
