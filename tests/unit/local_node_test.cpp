#include <catch2/catch.hpp>

#include "core/local_node.h"
