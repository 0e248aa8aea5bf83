#include "agent/tail/stream_labels.h"

#include "agent/relabel/labels.h"
#include "forwarders/loki/labels.h"

namespace tideover::tail {

Stream StreamLabels::of(const Container& container, Output output) const {
  relabel::Labels labels;
  const auto add = [&](const char* name, std::string value) { relabel::set(labels, name, std::move(value)); };
  add("namespace", container.namespace_name);
  add("pod", container.pod);
  add("container", container.name);
  add("stream", std::string(to_string(output)));
  add("node", node_);
  add("cluster", cluster_);
  add("job", container.namespace_name + "/" + container.name);
  add("__meta_kubernetes_namespace", container.namespace_name);
  add("__meta_kubernetes_pod_name", container.pod);
  add("__meta_kubernetes_pod_uid", container.uid);
  add("__meta_kubernetes_pod_container_name", container.name);
  add("__meta_kubernetes_pod_node_name", node_);
  Stream stream;
  stream.dropped = !relabel::relabel(rules_, labels);
  if (stream.dropped) return stream;
  if (!labels.contains("node")) add("node", node_);
  std::vector<loki::Label> kept;
  for (const auto& [name, value] : labels)
    if (!name.starts_with("__")) kept.push_back({name, value});
  stream.dropped = kept.empty();
  if (!stream.dropped) stream.labels = loki::label_string(kept);
  return stream;
}

}  // namespace tideover::tail
