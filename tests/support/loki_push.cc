#include "tests/support/loki_push.h"

#include <boost/json.hpp>
#include <cctype>
#include <charconv>
#include <fmt/format.h>

namespace tideover::test {
namespace {

std::string bytes(boost::json::string_view text) { return {text.data(), text.size()}; }

std::optional<LokiPairs> pairs_of(const boost::json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return std::nullopt;
  LokiPairs pairs;
  for (const auto& [name, text] : *object) {
    if (!text.is_string()) return std::nullopt;
    pairs.emplace_back(bytes(name), bytes(text.get_string()));
  }
  return pairs;
}

std::optional<LokiEntry> entry_of(const boost::json::value& value) {
  const auto* fields = value.if_array();
  if (fields == nullptr || fields->size() < 2 || fields->size() > 3) return std::nullopt;
  const auto* time = (*fields)[0].if_string();  // a number is refused
  const auto* line = (*fields)[1].if_string();
  if (time == nullptr || line == nullptr) return std::nullopt;
  LokiEntry entry;
  const auto [end, error] = std::from_chars(time->data(), time->data() + time->size(), entry.ns);
  if (error != std::errc{} || end != time->data() + time->size()) return std::nullopt;
  entry.line = bytes(*line);
  if (fields->size() == 3) {
    auto metadata = pairs_of((*fields)[2]);
    if (!metadata) return std::nullopt;
    entry.metadata = *std::move(metadata);
  }
  return entry;
}

std::optional<LokiStream> stream_of(const boost::json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr || !object->contains("stream") || !object->contains("values")) return std::nullopt;
  const auto labels = pairs_of(object->at("stream"));
  const auto* values = object->at("values").if_array();
  if (!labels || values == nullptr) return std::nullopt;
  LokiStream stream{loki_text_of(*labels), {}};
  for (const auto& item : *values) {
    auto entry = entry_of(item);
    if (!entry) return std::nullopt;
    stream.entries.push_back(*std::move(entry));
  }
  return stream;
}

class Labels {
 public:
  explicit Labels(std::string_view text) : text_(text) {}

  std::optional<LokiPairs> read() {
    LokiPairs labels;
    if (!take('{')) return std::nullopt;
    while (!take('}')) {
      if (!labels.empty() && !take(',')) return std::nullopt;
      if (!labels.empty() && take('}')) break;  // a comma at the end is allowed
      std::string label = name();
      if (label.empty() || !take('=')) return std::nullopt;
      auto text = value();
      if (!text) return std::nullopt;
      labels.emplace_back(std::move(label), *std::move(text));
    }
    blanks();
    if (!text_.empty()) return std::nullopt;
    return labels;
  }

 private:
  void blanks() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t')) text_.remove_prefix(1);
  }
  bool take(char c) {
    blanks();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::string name() {
    blanks();
    std::size_t n = 0;
    const auto fits = [this](std::size_t i) {
      const auto c = static_cast<unsigned char>(text_[i]);
      return c == '_' || (c < 0x80 && std::isalpha(c) != 0) || (i > 0 && c < 0x80 && std::isdigit(c) != 0);
    };
    while (n < text_.size() && fits(n)) ++n;
    std::string label(text_.substr(0, n));
    text_.remove_prefix(n);
    return label;
  }
  std::optional<std::string> value() {
    if (!take('"')) return std::nullopt;
    std::string out;
    while (!text_.empty()) {
      const char c = text_.front();
      text_.remove_prefix(1);
      if (c == '"') return out;
      if (c == '\n') return std::nullopt;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (text_.empty()) return std::nullopt;
      const char kind = text_.front();
      text_.remove_prefix(1);
      switch (kind) {
        case 'n': out += '\n'; break;
        case 't': out += '\t'; break;
        case 'r': out += '\r'; break;
        case '\\':
        case '"': out += kind; break;
        case 'x': {
          unsigned n = 0;
          if (text_.size() < 2) return std::nullopt;
          const auto [end, error] = std::from_chars(text_.data(), text_.data() + 2, n, 16);
          if (error != std::errc{} || end != text_.data() + 2) return std::nullopt;
          out += static_cast<char>(n);
          text_.remove_prefix(2);
          break;
        }
        default: return std::nullopt;
      }
    }
    return std::nullopt;
  }

  std::string_view text_;
};

}  // namespace

std::optional<LokiPush> loki_push_of_json(std::string_view text) {
  boost::json::error_code error;
  const auto value = boost::json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return std::nullopt;
  LokiPush push;
  if (!value.get_object().contains("streams")) return push;
  const auto* streams = value.at("streams").if_array();
  if (streams == nullptr) return std::nullopt;
  for (const auto& item : *streams) {
    auto stream = stream_of(item);
    if (!stream) return std::nullopt;
    push.push_back(*std::move(stream));
  }
  return push;
}

std::optional<LokiPairs> loki_labels_of(std::string_view text) { return Labels(text).read(); }

std::string loki_text_of(const LokiPairs& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ", ";
    out += name + "=\"";
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\')
        out += {'\\', c};
      else if (c == '\n')
        out += "\\n";
      else if (c == '\t')
        out += "\\t";
      else if (c == '\r')
        out += "\\r";
      else if (byte < 0x20 || byte == 0x7f)
        out += fmt::format("\\x{:02x}", byte);
      else
        out += c;
    }
    out += '"';
  }
  return out + "}";
}

}  // namespace tideover::test
