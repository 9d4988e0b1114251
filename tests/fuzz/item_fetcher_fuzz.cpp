#include "tests/fuzz/item_fetcher_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  overlayd::fuzz_item_fetcher({data, size});
  return 0;
}
