#include "ipc/ctl/scp_builder.h"

#include <set>
#include <string>

#include "core/check.h"
#include "core/crypto/hash.h"

namespace overlayd::ipc::ctl {
namespace {

constexpr std::int32_t kEnvelopeTypeScp = 1;
constexpr std::int32_t kEnvelopeTypeScpValue = 4;
constexpr std::uint32_t kMessageScp = 11;
constexpr std::uint64_t kGenesisTime = 1'700'000'000;

enum Statement : std::uint32_t { kPrepare = 0, kConfirm = 1, kExternalize = 2, kNominate = 3 };

void write_ballot(xdr::Writer& out, std::uint32_t counter, const Bytes& value) { out.u32(counter).variable(value); }

void write_hash(Random& random, std::span<std::uint8_t, 32> out) {
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random.below(256));
}

}  // namespace

ScpGenerator::ScpGenerator(const ScpGeneratorOptions& options)
    : random_(options.seed), network_(options.network), first_slot_(options.first_slot) {
  OVERLAYD_CHECK(options.nodes >= 1 && options.nodes <= kScpNodesMax);
  crypto::init();
  write_hash(random_, quorum_set_hash_);
  nodes_.reserve(options.nodes);
  for (std::uint32_t i = 0; i < options.nodes; ++i) {
    xdr::Writer material;
    material.text("generated node").u64(options.seed).u32(i);
    nodes_.push_back(crypto::NodeKey::from_seed(crypto::Secret<32>(crypto::sha256(material.bytes()))));
  }
}

GeneratedScp ScpGenerator::next() {
  const crypto::NodeKey& key = nodes_[made_ % nodes_.size()];
  GeneratedScp made;
  made.slot = first_slot_ + made_ / nodes_.size();
  made.node = key.id();
  xdr::Writer statement;
  statement.public_key(key.id().view()).u64(made.slot);
  made.statement = write_pledges(statement, key, made.slot);
  ++made_;

  xdr::Writer to_sign;
  to_sign.fixed(network_.view()).i32(kEnvelopeTypeScp).fixed(statement.bytes());
  xdr::Writer message;
  message.u32(kMessageScp).fixed(statement.bytes()).variable(key.sign(to_sign.bytes()));
  made.hash = {crypto::blake2b_256(message.bytes())};
  made.envelope.assign(message.bytes().begin() + 4, message.bytes().end());
  return made;
}

std::string_view ScpGenerator::write_pledges(xdr::Writer& out, const crypto::NodeKey& key, std::uint64_t slot) {
  const auto counter = static_cast<std::uint32_t>(random_.between(1, 4));
  switch ((made_ + made_ / nodes_.size()) % 4) {
    case 0:
      out.u32(kNominate);
      write_nomination(out, key, slot);
      return "nominate";
    case 1: {
      const Bytes value = make_value(key, slot);
      out.u32(kPrepare).fixed(quorum_set_hash_);
      write_ballot(out, counter, value);
      const bool is_prepared = random_.below(2) == 0;
      out.u32(is_prepared ? 1 : 0);
      if (is_prepared) write_ballot(out, counter, value);
      out.u32(0).u32(is_prepared ? 1 : 0).u32(is_prepared ? counter : 0);
      return "prepare";
    }
    case 2:
      out.u32(kConfirm);
      write_ballot(out, counter, make_value(key, slot));
      out.u32(counter).u32(1).u32(counter).fixed(quorum_set_hash_);
      return "confirm";
    default:
      out.u32(kExternalize);
      write_ballot(out, counter, make_value(key, slot));
      out.u32(counter).fixed(quorum_set_hash_);
      return "externalize";
  }
}

void ScpGenerator::write_nomination(xdr::Writer& out, const crypto::NodeKey& key, std::uint64_t slot) {
  std::set<std::string> votes;  // in the order of their bytes, as stellar-core wants them
  for (std::uint64_t left = random_.between(1, 3); left > 0; --left) {
    const Bytes value = make_value(key, slot);
    votes.emplace(value.begin(), value.end());
  }
  out.fixed(quorum_set_hash_).u32(static_cast<std::uint32_t>(votes.size()));
  for (const std::string& vote : votes) out.text(vote);
  const bool has_accepted = random_.below(2) == 0;
  out.u32(has_accepted ? 1 : 0);
  if (has_accepted) out.text(*votes.begin());
}

Bytes ScpGenerator::make_value(const crypto::NodeKey& key, std::uint64_t slot) {
  std::array<std::uint8_t, 32> tx_set_hash;
  write_hash(random_, tx_set_hash);
  const std::uint64_t close_time = kGenesisTime + slot * 5;
  xdr::Writer to_sign;
  to_sign.fixed(network_.view()).i32(kEnvelopeTypeScpValue).fixed(tx_set_hash).u64(close_time);
  xdr::Writer value;
  value.fixed(tx_set_hash).u64(close_time);
  const bool has_upgrade = random_.below(8) == 0;
  value.u32(has_upgrade ? 1 : 0);
  if (has_upgrade) value.variable(xdr::Writer().u32(2).u32(100).bytes());  // LEDGER_UPGRADE_BASE_FEE to 100
  value.u32(1).public_key(key.id().view()).variable(key.sign(to_sign.bytes()));
  return value.take();
}

}  // namespace overlayd::ipc::ctl
