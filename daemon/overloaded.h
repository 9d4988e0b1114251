// A visitor of a std::variant made of lambdas.
#pragma once

namespace overlayd::daemon {

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

}  // namespace overlayd::daemon
