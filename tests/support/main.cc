#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#include <cstdlib>

namespace {

// A test means the same in a pod as anywhere: configurations take the host's name for the node's, and under
// Kubernetes the agent refuses that.
[[maybe_unused]] const int kNoKubernetes = ::unsetenv("KUBERNETES_SERVICE_HOST");

}  // namespace
