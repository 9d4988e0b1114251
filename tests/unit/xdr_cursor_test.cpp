#include <catch2/catch.hpp>

#include "core/ids.h"
#include "core/xdr/reader.h"
#include "core/xdr/writer.h"

using namespace overlayd;
using xdr::Reader;
using xdr::Writer;

TEST_CASE("what the writer writes the reader reads", "[xdr_cursor]") {
  std::array<std::uint8_t, 32> key{};
  key[31] = 9;
  const Bytes bytes =
      Writer().u32(0xfffffffe).i32(-5).u64(0x0102030405060708).fixed(key).text("abcde").public_key(key).take();
  CHECK(bytes.size() == 4 + 4 + 8 + 32 + 12 + 36);
  CHECK(Bytes(bytes.begin() + 8, bytes.begin() + 16) == Bytes{1, 2, 3, 4, 5, 6, 7, 8});

  Reader reader(bytes);
  CHECK(reader.u32() == 0xfffffffe);
  CHECK(reader.i32() == -5);
  CHECK(reader.u64() == 0x0102030405060708);
  CHECK(reader.array<32>() == key);
  CHECK(reader.variable(5).size() == 5);
  CHECK_FALSE(reader.at_end());
  CHECK(reader.public_key<NodeId>().bytes == key);
  CHECK(reader.at_end());
  CHECK(reader.remaining() == 0);
}

TEST_CASE("a reader that failed stays failed", "[xdr_cursor]") {
  const Bytes bytes{0, 0, 0, 1, 0, 0};
  Reader reader(bytes);
  CHECK(reader.u64() == 0x100000000);
  CHECK_FALSE(reader.ok());
  CHECK(reader.u32() == 0);
  CHECK(reader.fixed(0).empty());
  CHECK(reader.remaining() == 0);
  CHECK_FALSE(reader.at_end());
}

TEST_CASE("a reader refuses lengths, counts and flags out of bounds", "[xdr_cursor]") {
  const auto reads = [](const Bytes& bytes, auto read) {
    Reader reader(bytes);
    static_cast<void>(read(reader));
    return reader.ok();
  };
  const Bytes three{0, 0, 0, 3, 1, 2, 3, 0};
  CHECK(reads(three, [](Reader& r) { return r.variable(3); }));
  CHECK_FALSE(reads(three, [](Reader& r) { return r.variable(2); }));
  CHECK_FALSE(reads({0, 0, 0, 3, 1, 2, 3, 1}, [](Reader& r) { return r.variable(3); }));
  CHECK_FALSE(reads({0, 0, 0, 3, 1, 2, 3}, [](Reader& r) { return r.variable(3); }));
  CHECK_FALSE(reads({0xff, 0xff, 0xff, 0xff, 1}, [](Reader& r) { return r.variable(0xffffffff); }));
  CHECK(reads({0, 0, 0, 1, 1, 2, 3, 4}, [](Reader& r) { return r.count(1, 4); }));
  CHECK_FALSE(reads({0, 0, 0, 2, 1, 2, 3, 4}, [](Reader& r) { return r.count(9, 4); }));
  CHECK_FALSE(reads({0, 0, 0, 2, 1, 2, 3, 4}, [](Reader& r) { return r.count(1, 1); }));
  CHECK(reads({0, 0, 0, 1}, [](Reader& r) { return r.optional(); }));
  CHECK_FALSE(reads({0, 0, 0, 2}, [](Reader& r) { return r.optional(); }));
}

TEST_CASE("padding is written as zeros", "[xdr_cursor]") {
  CHECK(Writer().text("").take() == Bytes{0, 0, 0, 0});
  CHECK(Writer().text("a").take() == Bytes{0, 0, 0, 1, 'a', 0, 0, 0});
  CHECK(Writer().text("abcd").take() == Bytes{0, 0, 0, 4, 'a', 'b', 'c', 'd'});
}
