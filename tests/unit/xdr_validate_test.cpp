#include "core/xdr/validate.h"

#include <atomic>
#include <cstdlib>
#include <new>
#include <set>

#include "core/xdr/writer.h"
#include "tests/unit/xdr_vectors.h"

using namespace overlayd;
using namespace overlayd::xdr;

namespace {

std::atomic<std::size_t> largest_allocation{0};

// Runs `work` and gives the size of the largest block it took from the heap.
template <typename Work>
std::size_t largest_allocation_of(Work work) {
  largest_allocation = 0;
  work();
  return largest_allocation;
}

Bytes repeat(std::initializer_list<std::uint32_t> words, std::size_t times, std::initializer_list<std::uint32_t> last) {
  Writer writer;
  for (std::size_t i = 0; i < times; ++i) {
    for (const std::uint32_t word : words) writer.u32(word);
  }
  for (const std::uint32_t word : last) writer.u32(word);
  return writer.take();
}

Type named(std::string_view name) {
  const auto type = find_type(name);
  REQUIRE(type.has_value());
  return *type;
}

Bytes nested_vectors(std::size_t levels) { return repeat({16, 1, 1}, levels, {1}); }
Bytes nested_maps(std::size_t levels) { return repeat({17, 1, 1, 1}, levels, {1}); }
Bytes nested_nots(std::size_t levels) { return repeat({3, 1}, levels, {0}); }
Bytes nested_ands(std::size_t levels) { return repeat({1, 1}, levels, {0}); }
Bytes nested_quorum_sets(std::size_t levels) { return repeat({1, 0, 1}, levels, {1, 0, 0}); }
// A call of the function "" without arguments of the contract 0…0, then its sub-invocations.
Bytes nested_invocations(std::size_t levels) {
  return repeat({0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, levels, {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
}

struct Nesting {
  const char* type;
  Bytes (*make)(std::size_t levels);
  std::size_t levels_max;  // what stellar-xdr 27 accepts with a depth limit of 500
};
constexpr Nesting kNestings[] = {
    {"SCVal", nested_vectors, 124},
    {"SCVal", nested_maps, 99},
    {"ClaimPredicate", nested_nots, 165},
    {"ClaimPredicate", nested_ands, 248},
    {"SCPQuorumSet", nested_quorum_sets, 248},
    {"SorobanAuthorizedInvocation", nested_invocations, 246},
};

Fault fault_of(Type type, const Bytes& bytes) { return validate(type, bytes).fault; }

}  // namespace

// Not inlined: the compiler would see malloc meet delete.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  std::size_t largest = largest_allocation;
  while (size > largest && !largest_allocation.compare_exchange_weak(largest, size)) {
  }
  return std::malloc(size);
}
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* block = operator new(size, std::nothrow)) return block;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

TEST_CASE("all reference messages are valid", "[xdr_validate]") {
  const auto lines = test::load_messages();
  for (const auto& line : lines) {
    const Bytes xdr = test::base64_of(line, "xdr");
    const Validation validation = validate(Type::kStellarMessage, xdr);
    INFO(line.at("type") << ": " << validation.text());
    CHECK(validation.ok());
    CHECK(validation.offset == line.at("size").get<std::size_t>());
    CHECK(skip(Type::kStellarMessage, xdr) == xdr.size());
  }
  CHECK((lines.empty() || lines.size() == 626));
}

TEST_CASE("all malformed messages are refused with a place and a reason, without an allocation", "[xdr_validate]") {
  const auto lines = test::load_lines(std::string(OVERLAYD_TEST_DATA) + "/vectors/malformed.jsonl");
  REQUIRE(validate(Type::kTimeBounds, Bytes(16)).ok());  // the program is built at first use
  for (const auto& line : lines) {
    const Bytes xdr = test::base64_of(line, "xdr");
    Validation validation;
    const std::size_t largest = largest_allocation_of([&] { validation = validate(Type::kStellarMessage, xdr); });
    INFO(line.at("type") << " " << line.at("why") << ": " << validation.text());
    CHECK_FALSE(validation.ok());
    CHECK(validation.offset <= xdr.size());
    CHECK_FALSE(validation.where.empty());
    CHECK(largest == 0);
  }
  CHECK((lines.empty() || lines.size() == 863));
}

TEST_CASE("every prefix of a message is refused, and every message with something behind it", "[xdr_validate]") {
  std::set<std::string> types;
  for (const auto& line : test::load_messages()) {
    if (!types.insert(line.at("type").get<std::string>()).second) continue;
    Bytes xdr = test::base64_of(line, "xdr");
    for (std::size_t size = 0; size < xdr.size(); ++size) {
      INFO(line.at("type") << " cut to " << size);
      CHECK(validate(Type::kStellarMessage, ByteView(xdr).first(size)).fault == Fault::kTruncated);
    }
    xdr.push_back(0);
    CHECK(fault_of(Type::kStellarMessage, xdr) == Fault::kTrailing);
    CHECK(skip(Type::kStellarMessage, xdr) == xdr.size() - 1);
  }
}

TEST_CASE("each fault is told apart and located", "[xdr_validate]") {
  const Type message = Type::kStellarMessage;
  CHECK(fault_of(message, {}) == Fault::kTruncated);
  CHECK(fault_of(message, repeat({4}, 1, {})) == Fault::kDiscriminant);
  CHECK(fault_of(message, repeat({0xffffffff}, 1, {0, 0})) == Fault::kDiscriminant);
  CHECK(fault_of(named("MuxedAccount"), repeat({1}, 1, {})) == Fault::kDiscriminant);
  CHECK(fault_of(named("ErrorCode"), repeat({5}, 1, {})) == Fault::kEnum);
  CHECK(fault_of(named("MessageType"), repeat({1}, 1, {})) == Fault::kEnum);
  CHECK(fault_of(named("MessageType"), repeat({24}, 1, {})) == Fault::kNone);
  CHECK(fault_of(named("MessageType"), repeat({25}, 1, {})) == Fault::kEnum);
  CHECK(fault_of(named("SurveyMessageCommandType"), repeat({0}, 1, {})) == Fault::kEnum);
  CHECK(fault_of(named("SCVal"), repeat({0, 2}, 1, {})) == Fault::kBool);
  CHECK(fault_of(named("SCVal"), repeat({16, 2}, 1, {0})) == Fault::kOptional);
  CHECK(fault_of(named("SCSymbol"), repeat({33}, 1, {0, 0, 0, 0, 0, 0, 0, 0, 0})) == Fault::kTooLong);
  CHECK(fault_of(named("SCSymbol"), repeat({1}, 1, {0x61000001})) == Fault::kPadding);
  CHECK(fault_of(named("SCSymbol"), repeat({1}, 1, {0x61000000})) == Fault::kNone);

  const Validation validation = validate(named("DontHave"), repeat({1}, 1, {0, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(validation.text() == "unknown enumerator at byte 0, in DontHave.type");
  CHECK(fault_text(Fault::kTruncated) == "truncated");
}

TEST_CASE("any non-zero byte of padding is refused, whatever the length", "[xdr_validate]") {
  for (std::uint32_t length = 0; length <= 8; ++length) {
    const Bytes valid = Writer().variable(Bytes(length, 0xff)).take();
    CHECK(validate(named("Signature"), valid).ok());
    for (std::size_t i = 4 + length; i < valid.size(); ++i) {
      Bytes broken = valid;
      broken[i] = 1;
      CHECK(fault_of(named("Signature"), broken) == Fault::kPadding);
    }
  }
}

TEST_CASE("bounds hold at limit - 1, limit and limit + 1", "[xdr_validate]") {
  for (const std::uint32_t count : {999U, 1000U, 1001U}) {
    Bytes xdr = Writer().u32(18).u32(count).take();
    xdr.resize(8 + 32 * std::size_t{count});
    CHECK(fault_of(Type::kStellarMessage, xdr) == (count <= 1000 ? Fault::kNone : Fault::kTooLong));
  }
  for (const std::uint32_t length : {63'999U, 64'000U, 64'001U}) {
    const Bytes xdr = Writer().variable(Bytes(length)).take();
    CHECK(fault_of(named("EncryptedBody"), xdr) == (length <= 64'000 ? Fault::kNone : Fault::kTooLong));
  }
}

TEST_CASE("a count that the remaining bytes cannot hold is refused at the count", "[xdr_validate]") {
  // 4 billion inner sets, announced in 12 bytes.
  const Validation validation = validate(Type::kScpQuorumSet, repeat({1, 0, 0xffffffff}, 1, {}));
  CHECK(validation.fault == Fault::kTruncated);
  CHECK(validation.offset == 8);
  CHECK(validation.where == "SCPQuorumSet.innerSets");
  CHECK(fault_of(named("SCBytes"), repeat({0xffffffff}, 1, {0})) == Fault::kTruncated);
}

TEST_CASE("nesting is accepted exactly as deep as stellar-xdr accepts it", "[xdr_validate]") {
  for (const Nesting& nesting : kNestings) {
    INFO(nesting.type);
    CHECK(validate(named(nesting.type), nesting.make(nesting.levels_max)).ok());
    CHECK(fault_of(named(nesting.type), nesting.make(nesting.levels_max + 1)) == Fault::kDepth);
  }
}

TEST_CASE("depth bombs are refused early, without recursion or allocation", "[xdr_validate]") {
  static_cast<void>(validate(Type::kStellarValue, {}));  // the first call of a process builds the schema
  for (const Nesting& nesting : kNestings) {
    const Bytes bomb = nesting.make(10'000);
    const Type type = named(nesting.type);
    Validation validation;
    CHECK(largest_allocation_of([&] { validation = validate(type, bomb); }) == 0);
    INFO(nesting.type << ": " << validation.text());
    CHECK(validation.fault == Fault::kDepth);
    CHECK(validation.offset < bomb.size() / 20);
  }
}

TEST_CASE("a caller can ask for less depth but not for more", "[xdr_validate]") {
  CHECK(validate(named("SCVal"), nested_vectors(1), {.depth_max = 7}).ok());
  CHECK(validate(named("SCVal"), nested_vectors(1), {.depth_max = 6}).fault == Fault::kDepth);
  CHECK(validate(named("SCVal"), nested_vectors(125), {.depth_max = 100'000}).fault == Fault::kDepth);
}
