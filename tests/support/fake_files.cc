#include "tests/support/fake_files.h"

#include <algorithm>
#include <cstring>

#include "wal/base/invariant.h"

namespace tideover::tail {
namespace {

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

// The lowest free number is given next, as ext4 does within a group.
struct FakeFiles::Inodes {
  std::set<std::uint64_t> free;
  std::uint64_t next = 2;

  std::uint64_t take() {
    if (free.empty()) return next++;
    return free.extract(free.begin()).value();
  }
};

struct FakeFiles::Node {
  Node(std::shared_ptr<Inodes> of, Kind kind_of)
      : inodes(std::move(of)), inode(inodes->take()), kind(kind_of) {}
  ~Node() { inodes->free.insert(inode); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  FileInfo info() const { return {{1, inode}, kind, bytes.size(), modified_ns, links}; }

  std::shared_ptr<Inodes> inodes;
  std::uint64_t inode;
  Kind kind;
  std::string bytes;
  std::int64_t modified_ns = 0;
  std::uint64_t links = 1;
};

class FakeFiles::Opened final : public OpenFile {
 public:
  Opened(FakeFiles& files, NodePtr node) : files_(files), count_(files.open_files_), node_(std::move(node)) {
    ++*count_;
  }
  ~Opened() override { --*count_; }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  Result<FileInfo> info() override { return node_->info(); }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    if (files_.fail_reads_) return fail(Errc::io_error, "the disk says no");
    if (offset >= node_->bytes.size()) return 0;
    const std::size_t count = std::min<std::size_t>(into.size(), node_->bytes.size() - offset);
    std::memcpy(into.data(), node_->bytes.data() + offset, count);
    return count;
  }

 private:
  FakeFiles& files_;
  const std::shared_ptr<std::size_t> count_;
  const NodePtr node_;
};

FakeFiles::FakeFiles() : inodes_(std::make_shared<Inodes>()) { make("", Kind::directory); }
FakeFiles::~FakeFiles() = default;

FakeFiles::NodePtr FakeFiles::find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

void FakeFiles::touch_parent(const std::string& path) {
  const NodePtr parent = find(parent_of(path));
  invariant(parent != nullptr && parent->kind == Kind::directory, "a file's directory exists");
  parent->modified_ns = now_ns_;
}

FakeFiles::NodePtr FakeFiles::make(const std::string& path, Kind kind) {
  if (!path.empty()) touch_parent(path);
  auto node = std::make_shared<Node>(inodes_, kind);
  node->modified_ns = now_ns_;
  names_[path] = node;
  return node;
}

void FakeFiles::unlink(const std::string& path) {
  const auto found = names_.find(path);
  found->second->links = 0;
  names_.erase(found);
}

Result<std::vector<std::string>> FakeFiles::list(const std::string& directory, std::size_t names_max) {
  const NodePtr node = find(directory);
  if (node == nullptr || node->kind != Kind::directory)
    return fail(Errc::not_found, directory + " is no directory");
  std::vector<std::string> names;
  for (auto it = names_.upper_bound(directory + "/"); it != names_.end(); ++it) {
    if (!it->first.starts_with(directory + "/")) break;
    const std::string name = it->first.substr(directory.size() + 1);
    if (name.find('/') != name.npos) continue;
    if (names.size() == names_max) return fail(Errc::too_large, directory + " has too many entries");
    names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<FileInfo> FakeFiles::look(const std::string& path) {
  const NodePtr node = find(path);
  if (node == nullptr) return fail(Errc::not_found, path + " does not exist");
  return node->info();
}

Result<std::unique_ptr<OpenFile>> FakeFiles::open(const std::string& path) {
  NodePtr node = find(path);
  if (node == nullptr) return fail(Errc::not_found, path + " does not exist");
  if (node->kind != Kind::regular) return fail(Errc::bad_input, path + " is not a regular file");
  if (*open_files_ >= open_files_max_) return fail(Errc::unavailable, path + ": too many open files");
  return std::unique_ptr<OpenFile>(std::make_unique<Opened>(*this, std::move(node)));
}

void FakeFiles::make_directories(const std::string& path) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (find(part) == nullptr) make(part, Kind::directory);
    if (at == path.npos) return;
  }
}

void FakeFiles::append(const std::string& path, std::string_view bytes) { writer(path)->write(bytes); }

std::unique_ptr<FakeFiles::Writer> FakeFiles::writer(const std::string& path) {
  NodePtr node = find(path);
  if (node == nullptr) node = make(path, Kind::regular);
  return std::make_unique<Writer>(*this, std::move(node));
}

void FakeFiles::Writer::write(std::string_view bytes) {
  Node& node = *static_cast<Node*>(node_.get());
  node.bytes += bytes;
  node.modified_ns = files_.now_ns_;
}

void FakeFiles::truncate(const std::string& path, std::size_t size) {
  const NodePtr node = find(path);
  node->bytes.resize(size);
  node->modified_ns = now_ns_;
}

void FakeFiles::rename(const std::string& from, const std::string& to) {
  const NodePtr node = find(from);
  invariant(node != nullptr, "what is renamed exists");
  if (find(to) != nullptr) remove(to);
  std::vector<std::string> moved;
  for (const auto& [name, of] : names_)
    if (name == from || name.starts_with(from + "/")) moved.push_back(name);
  for (const std::string& name : moved) {
    auto entry = names_.extract(name);
    entry.key() = to + name.substr(from.size());
    names_.insert(std::move(entry));
  }
  touch_parent(from);
  touch_parent(to);
}

void FakeFiles::remove(const std::string& path) {
  std::vector<std::string> gone;
  for (const auto& [name, of] : names_)
    if (name == path || name.starts_with(path + "/")) gone.push_back(name);
  for (const std::string& name : gone) unlink(name);
  touch_parent(path);
}

void FakeFiles::make_other(const std::string& path) { make(path, Kind::other); }

bool FakeFiles::exists(const std::string& path) const { return find(path) != nullptr; }

std::string FakeFiles::content(const std::string& path) const {
  const NodePtr node = find(path);
  return node == nullptr ? std::string() : node->bytes;
}

std::size_t FakeFiles::open_files() const { return *open_files_; }

}  // namespace tideover::tail
