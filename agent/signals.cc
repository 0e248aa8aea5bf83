#include "agent/logs_signal.h"
#include "agent/metrics_signal.h"
#include "agent/signal.h"

namespace tideover {

const SignalKinds& signal_kinds() {
  static const SignalKinds kinds = {MetricsSignal::kind(), LogsSignal::kind()};
  return kinds;
}

SignalKinds wanted(const SignalKinds& kinds, const config::Config& config) {
  SignalKinds on;
  for (const SignalKind& kind : kinds)
    if (kind.wanted(config)) on.push_back(kind);
  return on;
}

}  // namespace tideover
