// Result<T>: a value, or a sentence that says what the caller did wrong and what to do about it.
// For callers' faults (RPC arguments, files, flags). Peers' faults are DropReasons (error.h); our own are CHECKs.
#pragma once
#include <string>
#include <utility>
#include <variant>

#include "core/check.h"

namespace overlayd {

struct Failure {
  std::string message;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}            // NOLINT: a Result is its value
  Result(Failure failure) : held_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const T& value() const& {
    OVERLAYD_CHECK(ok());
    return std::get<0>(held_);
  }
  [[nodiscard]] T& value() & {
    OVERLAYD_CHECK(ok());
    return std::get<0>(held_);
  }
  [[nodiscard]] T&& value() && {
    OVERLAYD_CHECK(ok());
    return std::get<0>(std::move(held_));
  }
  [[nodiscard]] const std::string& error() const {
    OVERLAYD_CHECK(!ok());
    return std::get<1>(held_).message;
  }

 private:
  std::variant<T, Failure> held_;
};

// What a function returns that can fail and has nothing else to say.
struct Done {};

}  // namespace overlayd
