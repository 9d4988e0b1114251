#include <catch2/catch.hpp>

#include "core/error.h"
