#include <catch2/catch.hpp>

#include "core/ids.h"
