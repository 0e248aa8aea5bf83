// The same for tests.
#pragma once

#include <catch2/catch.hpp>

#include "cmake/precompiled_code.h"
