#include "daemon/resolver.h"

#include <spdlog/spdlog.h>

#include <mutex>
#include <thread>

#include "daemon/addresses.h"

namespace overlayd::daemon {

Result<std::vector<asio::ip::address>> look_up_name(const std::string& host) {
  asio::io_context context;  // nothing of it runs; the resolver wants one
  asio::ip::tcp::resolver resolver(context);
  asio::error_code error;
  const auto results = resolver.resolve(host, "", error);
  if (error) return Failure{error.message()};
  std::vector<asio::ip::address> addresses;
  for (const auto& result : results) addresses.push_back(result.endpoint().address());
  return addresses;
}

struct Resolver::Letterbox {
  explicit Letterbox(asio::io_context& home) : context(&home) {}

  std::mutex mutex;
  asio::io_context* context;  // null: nobody looks into it any more
};

Resolver::Resolver(asio::io_context& context, std::vector<PeerName> names, Submit submit, ResolverOptions options)
    : options_(std::move(options)),
      timer_(context),
      submit_(std::move(submit)),
      letterbox_(std::make_shared<Letterbox>(context)) {
  for (PeerName& name : names) {
    Entry entry{.name = std::move(name)};
    asio::error_code not_literal;
    const asio::ip::address literal = asio::ip::make_address(entry.name.host, not_literal);
    entry.is_literal = !not_literal;
    if (entry.is_literal) entry.addresses = {to_peer_address({literal, entry.name.port})};
    entries_.push_back(std::move(entry));
  }
}

Resolver::~Resolver() { stop(); }

void Resolver::start() {
  if (entries_.empty()) return;
  has_failed_ = false;
  submit_all();
  resolve(0);
}

void Resolver::stop() {
  timer_.cancel();
  const std::lock_guard lock(letterbox_->mutex);
  letterbox_->context = nullptr;
}

void Resolver::begin_round() {
  if (letterbox_->context == nullptr) return;
  has_failed_ = false;
  is_told_ = false;
  resolve(0);
}

// One name after another: nobody waits for them, and a slow resolver is not flooded.
void Resolver::resolve(std::size_t index) {
  while (index < entries_.size() && entries_[index].is_literal) ++index;
  if (index == entries_.size()) return end_round();
  const auto look_up = [this, box = letterbox_, lookup = options_.lookup, host = entries_[index].name.host, index] {
    Result<std::vector<asio::ip::address>> answer = Failure{"the lookup ended in an exception"};
    try {
      answer = lookup(host);
    } catch (const std::exception& error) {
      answer = Failure{error.what()};
    }
    const std::lock_guard lock(box->mutex);
    if (box->context == nullptr) return;
    asio::post(*box->context, [this, box, index, answer = std::move(answer)] {
      if (box->context != nullptr) on_answer(index, answer);
    });
  };
  try {
    std::thread(look_up).detach();
  } catch (const std::system_error& error) {
    on_answer(index, Failure{std::string("no thread for it: ") + error.what()});
  }
}

void Resolver::on_answer(std::size_t index, const Result<std::vector<asio::ip::address>>& answer) {
  Entry& entry = entries_[index];
  if (!answer || answer.value().empty()) {
    has_failed_ = true;
    spdlog::warn("cannot resolve peer name {}: {}; check peers.known, peers.preferred and DNS", entry.name.host,
                 answer ? "it has no address" : answer.error());
  } else {
    const bool is_first = entry.addresses.empty();
    entry.addresses.clear();
    for (const asio::ip::address& address : answer.value()) {
      if (entry.addresses.size() == kAddressesPerNameMax) break;
      entry.addresses.push_back(to_peer_address({address, entry.name.port}));
    }
    is_told_ = false;
    if (is_first) submit_all();
  }
  resolve(index + 1);
}

void Resolver::end_round() {
  if (!is_told_) submit_all();
  const bool is_done = !has_failed_ && is_told_;
  failed_rounds_ = is_done ? 0 : failed_rounds_ + 1;
  const Duration wait =
      is_done ? options_.period : std::min<Duration>(options_.retry * failed_rounds_, options_.period);
  timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(wait));
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error) begin_round();
  });
}

void Resolver::submit_all() {
  PeersResolved found;
  for (const Entry& entry : entries_) {
    auto& list = entry.name.is_preferred ? found.preferred : found.known;
    list.insert(list.end(), entry.addresses.begin(), entry.addresses.end());
  }
  const bool has_found = !found.known.empty() || !found.preferred.empty();
  is_told_ = !has_found || submit_(std::move(found));
}

}  // namespace overlayd::daemon
