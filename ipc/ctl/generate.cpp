#include "ipc/ctl/generate.h"

#include "core/crypto/strkey.h"

namespace overlayd::ipc::ctl {
namespace {

void write_record(std::ostream& out, const Bytes& bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size()) | 0x8000'0000U;
  for (int shift = 24; shift >= 0; shift -= 8) out.put(static_cast<char>(length >> shift & 0xff));
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// `fields` are those of the JSON form that stand before the envelope; none of them needs escaping.
void write_item(std::ostream& out, OutputForm form, const std::string& fields, const Bytes& envelope) {
  switch (form) {
    case OutputForm::kJson: out << '{' << fields << R"(,"envelope":")" << to_base64(envelope) << "\"}\n"; break;
    case OutputForm::kBase64: out << to_base64(envelope) << '\n'; break;
    case OutputForm::kXdr: write_record(out, envelope); break;
  }
}

void write_transactions(const GenerateOptions& options, const NetworkId& network, std::ostream& out) {
  TransactionGenerator generator(options.seed, network);
  for (std::uint64_t i = 0; i < options.count && out; ++i) {
    const GeneratedTransaction made = generator.next();
    const std::string fields =
        R"("kind":")" + std::string(made.kind) + R"(","hash":")" + to_hex(made.hash.view()) + '"';
    write_item(out, options.form, fields, made.envelope);
  }
}

void write_scp(const GenerateOptions& options, const NetworkId& network, std::ostream& out) {
  ScpGenerator generator(
      {.seed = options.seed, .network = network, .nodes = options.nodes, .first_slot = options.first_slot});
  for (std::uint64_t i = 0; i < options.count && out; ++i) {
    const GeneratedScp made = generator.next();
    const std::string fields = R"("slot":)" + std::to_string(made.slot) + R"(,"node":")" +
                               crypto::encode_node_id(made.node) + R"(","statement":")" + std::string(made.statement) +
                               R"(","hash":")" + to_hex(made.hash.view()) + '"';
    write_item(out, options.form, fields, made.envelope);
  }
}

}  // namespace

std::optional<OutputForm> to_output_form(std::string_view name) {
  if (name == "json") return OutputForm::kJson;
  if (name == "base64") return OutputForm::kBase64;
  if (name == "xdr") return OutputForm::kXdr;
  return std::nullopt;
}

Result<Done> generate(const GenerateOptions& options, std::ostream& out) {
  if (options.nodes < 1 || options.nodes > kScpNodesMax)
    return Failure{"--nodes must be 1 to " + std::to_string(kScpNodesMax)};
  if (options.count > kGenerateCountMax) return Failure{"--count must be at most " + std::to_string(kGenerateCountMax)};
  crypto::init();
  const NetworkId network = crypto::network_id(options.network);
  if (options.is_scp)
    write_scp(options, network, out);
  else
    write_transactions(options, network, out);
  out.flush();
  if (!out) return Failure{"cannot write the output"};
  return Done{};
}

}  // namespace overlayd::ipc::ctl
