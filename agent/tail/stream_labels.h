// The labels of a container's two streams: what Loki knows its lines by (DESIGN: namespace, pod, container,
// stream, node, cluster, and job, which is NAMESPACE/CONTAINER).
//
// Rules see these, and what Promtail's rules read (kubernetes_sd_config of prometheus, "pod"), as far as a
// path tells it: __meta_kubernetes_namespace, _pod_name, _pod_uid, _pod_container_name, _pod_node_name.
// Labels that begin with __ are gone afterwards. `node` is put back where rules have removed it: a stream
// that two nodes write to loses what is older than the other's by more than Loki's window (research of logs,
// section 0). Pure.
#pragma once

#include <string>
#include <vector>

#include "agent/relabel/rule.h"
#include "agent/tail/cri_line.h"
#include "agent/tail/pod_path.h"

namespace tideover::tail {

struct Stream {
  bool dropped = false;  // by a rule, or because no label is left
  std::string labels;    // as Loki writes them

  bool operator==(const Stream&) const = default;
};

class StreamLabels {
 public:
  // `node`, `cluster`: empty where they are not known.
  StreamLabels(std::string node, std::string cluster, std::vector<relabel::Rule> rules)
      : node_(std::move(node)), cluster_(std::move(cluster)), rules_(std::move(rules)) {}

  Stream of(const Container& container, Output output) const;

 private:
  std::string node_;
  std::string cluster_;
  std::vector<relabel::Rule> rules_;
};

}  // namespace tideover::tail
