#include <catch2/catch.hpp>

#include "core/metrics.h"
