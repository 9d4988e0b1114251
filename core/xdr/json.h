// XDR as JSON text, for people and their tools. The shape is that of Rust's stellar-xdr, so that the same tools read
// both: field names and enumerators in snake_case, enumerators without the words they all begin with; a union is
// {"arm": value}, or "arm" where the arm is void, named by its discriminant (v0, v1, … for integers); 64-bit integers
// are decimal strings; typedefs of opaque, and all of variable size, are hex; unnamed opaque[n] is an array of numbers;
// strings escape what is not printable ASCII. Departures: of the key texts only Ed25519 keys ("G…") are made, with the
// caller's help, other addresses keep their structure; 128- and 256-bit integers keep theirs too.
// Not for the hot path: it allocates, and recurses at most as deep as validate allows.
#pragma once
#include "core/xdr/schema.h"

namespace overlayd::xdr {

struct JsonOptions {
  // The text of an Ed25519 public key (32 bytes); without it keys are hex.
  std::string (*key_text)(ByteView key) = nullptr;
};

// Empty if `bytes` is not valid XDR of the type.
[[nodiscard]] std::string to_json(Type type, ByteView bytes, JsonOptions options = {});

// How the JSON names an enumerator or a union's discriminant: "credit_alphanum4", "v1". Empty if it has no such value.
[[nodiscard]] std::string json_name(Type enum_or_union, std::int32_t value);

// Everything in the schema with a name, for those who want to know or to fuzz:
// all named types, in the order of the schema;
[[nodiscard]] std::vector<std::string> type_names();
// a dictionary for libFuzzer: every enumerator, discriminant and bound, as the four bytes they are on the wire.
[[nodiscard]] std::string fuzz_dictionary();

}  // namespace overlayd::xdr
