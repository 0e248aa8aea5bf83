// Which containers there are on a node, as its directories say.
#include "agent/tail/discovery.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_files.h"

namespace tideover::tail {
namespace {

using Names = std::vector<std::string>;

// Counts what a look costs, and can forbid.
class Watched final : public Files {
 public:
  Result<std::vector<std::string>> list(const std::string& directory, std::size_t names_max) override {
    ++lists;
    if (directory == forbidden) return fail(Errc::io_error, directory + " cannot be listed");
    return inner.list(directory, names_max);
  }
  Result<FileInfo> look(const std::string& path) override {
    ++looks;
    return inner.look(path);
  }
  Result<std::unique_ptr<OpenFile>> open(const std::string& path) override { return inner.open(path); }

  FakeFiles inner;
  std::string forbidden;
  int lists = 0;
  int looks = 0;
};

struct Pods {
  explicit Pods(Discovery::Options options = {"/pods", 100, 100}) : discovery(files, options) {
    files.inner.set_now(now);
    files.inner.make_directories("/pods");
  }
  bool look(std::int64_t seconds = 10) {
    now += seconds * 1'000'000'000;
    files.inner.set_now(now);
    notes.clear();
    files.lists = files.looks = 0;
    return discovery.refresh(now, notes);
  }
  Names names() const {
    Names all;
    for (const auto& [path, container] : discovery.containers()) all.push_back(path);
    return all;
  }

  Watched files;
  Discovery discovery;
  std::int64_t now = 1'000'000'000'000;
  Names notes;
};

TEST_CASE("containers are found by the directories of their pods, as they come and go") {
  Pods pods;
  CHECK_FALSE(pods.look());
  CHECK_FALSE(pods.discovery.there());
  pods.files.inner.make_directories("/pods/shop_web-0_u1/app");
  pods.files.inner.make_directories("/pods/shop_web-0_u1/proxy");
  CHECK(pods.look());
  CHECK(pods.discovery.there());
  CHECK(pods.names() == Names{"shop_web-0_u1/app", "shop_web-0_u1/proxy"});
  CHECK(pods.discovery.containers().at("shop_web-0_u1/app") == Container{"shop", "web-0", "u1", "app"});
  CHECK_FALSE(pods.look());
  pods.files.inner.make_directories("/pods/shop_web-0_u1/late");
  pods.files.inner.make_directories("/pods/db_pg-0_u2/pg");
  CHECK(pods.look());
  CHECK(pods.names() ==
        Names{"db_pg-0_u2/pg", "shop_web-0_u1/app", "shop_web-0_u1/late", "shop_web-0_u1/proxy"});
  pods.files.inner.remove("/pods/shop_web-0_u1/app");
  CHECK(pods.look());
  pods.files.inner.remove("/pods/db_pg-0_u2");
  CHECK(pods.look());
  CHECK(pods.names() == Names{"shop_web-0_u1/late", "shop_web-0_u1/proxy"});
  CHECK(pods.notes.empty());
}

TEST_CASE("what is no directory of kubelet's is nobody's, and links are not followed") {
  Pods pods;
  pods.files.inner.make_directories("/pods/notes/app");
  pods.files.inner.make_directories("/pods/a_b_c_d/app");
  pods.files.inner.append("/pods/a_b_file", "text");
  pods.files.inner.make_other("/pods/a_b_link");
  pods.files.inner.make_directories("/pods/a_b_c/app");
  pods.files.inner.make_other("/pods/a_b_c/link");
  pods.files.inner.append("/pods/a_b_c/file", "text");
  pods.look();
  CHECK(pods.names() == Names{"a_b_c/app"});
  CHECK(pods.notes.empty());
}

TEST_CASE("where nothing has changed a look costs one look at each pod") {
  Pods pods;
  for (const char* pod : {"a_a_1", "b_b_2", "c_c_3"})
    for (const char* container : {"x", "y"})
      pods.files.inner.make_directories(std::string("/pods/") + pod + "/" + container);
  pods.look(1);
  pods.look(1);
  CHECK(pods.files.lists == 4);  // so lately that a change might not show
  pods.look();
  pods.look();
  CHECK(pods.files.lists == 0);
  CHECK(pods.files.looks == 4);
}

TEST_CASE("a change within the tick of a directory's time is found") {
  Pods pods;
  pods.files.inner.make_directories("/pods/a_b_c/first");
  pods.files.inner.set_now(pods.now + 1);
  pods.look(0);
  pods.files.inner.make_directories("/pods/a_b_c/second");  // the time stays
  pods.look(3);
  CHECK(pods.names().size() == 2);
}

TEST_CASE("a directory that cannot be read is said once and tried again, and what is known of it stays") {
  Pods pods;
  const bool root = GENERATE(true, false);
  pods.files.inner.make_directories("/pods/a_b_c/first");
  pods.look();
  pods.files.inner.make_directories("/pods/a_b_c/second");
  pods.files.inner.make_directories("/pods/d_e_f/third");
  pods.files.forbidden = root ? "/pods" : "/pods/a_b_c";
  pods.look();
  CHECK(pods.notes == Names{pods.files.forbidden + " cannot be listed"});
  CHECK(pods.discovery.there() == !root);
  pods.look();
  CHECK(pods.notes.empty());
  CHECK(pods.discovery.containers().contains("a_b_c/first"));
  CHECK(pods.names().size() == 2);
  pods.files.forbidden.clear();
  CHECK(pods.look());
  CHECK(pods.names().size() == 3);
  CHECK(pods.discovery.there());
  pods.files.forbidden = root ? "/pods" : "/pods/a_b_c";
  pods.files.inner.make_directories("/pods/a_b_c/fourth");
  pods.files.inner.make_directories("/pods/g_h_i/fifth");
  pods.look();
  CHECK(pods.notes.size() == 1);  // it was well in between
}

TEST_CASE("what is too many is left out, said once, and the known ones stay") {
  Pods pods({"/pods", 4, 3});
  pods.files.inner.make_directories("/pods/m_m_1/a");
  pods.files.inner.make_directories("/pods/m_m_1/b");
  pods.look();
  pods.files.inner.make_directories("/pods/a_a_1/a");
  pods.files.inner.make_directories("/pods/a_a_1/b");
  pods.look();
  CHECK(pods.names() == Names{"a_a_1/a", "m_m_1/a", "m_m_1/b"});
  CHECK(pods.discovery.left_out() == 1);
  REQUIRE(pods.notes.size() == 1);
  CHECK(pods.notes[0].find("more than 3 containers: those of 1 ") != std::string::npos);
  pods.look();
  CHECK(pods.notes.empty());
  CHECK(pods.discovery.left_out() == 1);
  pods.files.inner.remove("/pods/m_m_1/a");
  pods.look();
  pods.look();
  CHECK(pods.names() == Names{"a_a_1/a", "a_a_1/b", "m_m_1/b"});
  CHECK(pods.discovery.left_out() == 0);
  for (const char* more : {"c", "d", "e", "f"})
    pods.files.inner.make_directories(std::string("/pods/m_m_1/") + more);
  pods.look();
  CHECK(pods.notes == Names{"/pods/m_m_1 has too many entries"});
  CHECK(pods.names() == Names{"a_a_1/a", "a_a_1/b", "m_m_1/b"});
}

}  // namespace
}  // namespace tideover::tail
