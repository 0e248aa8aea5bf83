#include "forwarders/remote_write/fields_v2.h"

#include <algorithm>

#include "forwarders/remote_write/utf8.h"

namespace tideover::remote_write::v2 {

using wire::kBytes;
using wire::kFixed64;
using wire::kVarint;
using wire::tag_of;

namespace {

// Of a list that nobody needs whole.
bool append_some_refs(std::string_view packed, Refs& out) {
  wire::Reader reader(packed);
  while (!reader.done()) {
    std::uint64_t ref;
    if (!reader.varint(ref)) return false;
    if (out.size() < kRefsKept) out.push_back(static_cast<std::uint32_t>(ref));
  }
  return true;
}

}  // namespace

bool append_refs(std::string_view packed, Refs& out) {
  const std::size_t before = out.size();
  if (before + packed.size() > kRefsKept) return append_some_refs(packed, out);
  out.resize(before + packed.size());  // no reference takes less than a byte
  std::uint32_t* to = out.data() + before;
  wire::Reader reader(packed);
  while (!reader.done()) {
    std::uint64_t ref;
    if (!reader.varint(ref)) return false;
    *to++ = static_cast<std::uint32_t>(ref);
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
  return true;
}

bool read_refs(wire::Reader& reader, std::uint32_t tag, Refs& out) {
  if (wire::type_of(tag) == kVarint) {
    std::uint64_t ref;
    if (!reader.varint(ref)) return false;
    if (out.size() < kRefsKept) out.push_back(static_cast<std::uint32_t>(ref));
    return true;
  }
  std::string_view packed;
  return wire::type_of(tag) == kBytes && reader.bytes(packed) && append_refs(packed, out);
}

bool read_exemplar(std::string_view bytes, Refs& refs) {
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag;
    std::uint64_t number;
    if (!reader.tag(tag)) return false;
    bool read;
    switch (tag) {
      case tag_of(kExemplarLabelsRefs, kVarint):
      case tag_of(kExemplarLabelsRefs, kBytes): read = read_refs(reader, tag, refs); break;
      case tag_of(kExemplarValue, kFixed64): read = reader.fixed64(number); break;
      case tag_of(kExemplarTimestamp, kVarint): read = reader.varint(number); break;
      default: read = wire::field_of(tag) > kExemplarTimestamp && reader.skip(tag);
    }
    if (!read) return false;
  }
  return true;
}

bool read_metadata(std::string_view bytes, Metadata& out) {
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag;
    std::uint64_t number = 0;
    if (!reader.tag(tag)) return false;
    switch (tag) {
      case tag_of(kType, kVarint):
        if (!reader.varint(number)) return false;
        out.type = static_cast<std::uint32_t>(number);
        break;
      case tag_of(kHelpRef, kVarint):
        if (!reader.varint(number)) return false;
        out.help_ref = static_cast<std::uint32_t>(number);
        break;
      case tag_of(kUnitRef, kVarint):
        if (!reader.varint(number)) return false;
        out.unit_ref = static_cast<std::uint32_t>(number);
        break;
      default: {
        const std::uint32_t field = wire::field_of(tag);
        if ((field != 2 && field <= kUnitRef) || !reader.skip(tag)) return false;
      }
    }
  }
  return true;
}

void SymbolTable::clear() {
  symbols_.clear();
  longest_ = 0;
  utf8_ = true;
}

void SymbolTable::add(std::string_view symbol) {
  symbols_.push_back(symbol);
  longest_ = std::max(longest_, symbol.size());
  utf8_ = utf8_ && is_utf8(symbol);
}

bool SymbolTable::read_all(std::string_view raw) {
  clear();
  wire::Reader reader(raw);
  while (!reader.done()) {
    std::uint32_t tag;
    std::string_view symbol;
    if (!reader.tag(tag)) return false;
    if (tag == tag_of(kRequestSymbols, kBytes)) {
      if (!reader.bytes(symbol) || size() == kEntriesMax) return false;
      add(symbol);
    } else if (!reader.skip(tag)) {
      return false;
    }
  }
  return true;
}

void SymbolTable::forget_empty(Metadata& metadata) const {
  for (std::uint32_t* const ref : {&metadata.help_ref, &metadata.unit_ref})
    if (has(*ref) && symbols_[*ref].empty()) *ref = 0;
}

bool SymbolTable::labels(const Refs& refs, LabelList& out) const {
  if (refs.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < refs.size(); i += 2) {
    if (!has(refs[i]) || !has(refs[i + 1])) return false;
    out.add({symbols_[refs[i]], symbols_[refs[i + 1]]});
  }
  return true;
}

bool SymbolTable::labels(std::string_view packed, LabelList& out) const {
  if (packed.size() > kRefsKept) return false;  // too many, or odd in form
  Label* const first = out.room_for(packed.size() / 2);
  Label* label = first;
  wire::Reader reader(packed);
  while (!reader.done()) {
    std::uint64_t name;
    std::uint64_t value;
    if (!reader.varint(name) || !reader.varint(value)) return false;
    if (name >= symbols_.size() || value >= symbols_.size()) return false;
    *label++ = {symbols_[name], symbols_[value]};
  }
  out.grow(static_cast<std::size_t>(label - first));
  return true;
}

}  // namespace tideover::remote_write::v2
