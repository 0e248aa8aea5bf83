#!/usr/bin/env python3
"""Each check of tidy.py is fed a tree with one fault, and the same tree without it: a check that cannot fail is none."""

import pathlib
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tidy  # noqa: E402

REFERENCE = "| Key | Type |\n|---|---|\n| `metrics.listen` | address |\n| `cluster` \\* | text |\n"


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="tideover-tidy-"))
        self.addCleanup(shutil.rmtree, self.root)

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def found(self, check, *arguments):
        return list(check(tidy.Tree(self.root), *arguments))

    def assert_one(self, check, *arguments, at, says):
        found = self.found(check, *arguments)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(at + ": "), found)
        self.assertIn(says, found[0])

    def test_an_include_against_the_direction(self):
        for source, target in (("wal/a.cc", "forwarders/b.h"), ("wal/a.cc", "agent/b.h"), ("forwarders/x/a.cc", "agent/b.h"),
                               ("agent/a.cc", "tests/support/b.h"), ("wal/base/a.h", "wal/queue.h"), ("agent/a.cc", "b.h"),
                               ("wal/a.cc", "wal/rocks/b.h"), ("forwarders/a.cc", "wal/rocks/b.h")):
            with self.subTest(source=source, target=target):
                self.write(source, f'// a\n#include "{target}"\n')
                self.assert_one(tidy.check_include_direction, at=f"{source}:2", says=f"may not include {target}")
                (self.root / source).unlink()

    def test_an_include_along_the_direction(self):
        self.write("agent/a.cc", '#include "forwarders/b.h"\n#include "wal/base/b.h"\n#include <vector>\n')
        self.write("forwarders/a.cc", '#include "wal/b.h"\n')
        self.write("wal/a.cc", '#include "wal/base/b.h"\n')
        self.write("wal/rocks/a.cc", '#include "wal/b.h"\n#include "wal/rocks/b.h"\n')
        self.write("tests/a.cc", '#include "agent/b.h"\n#include "tests/b.h"\n#include "types.pb.h"\n')
        self.assertEqual(self.found(tidy.check_include_direction), [])

    def test_a_vendor_header_outside_its_file(self):
        for header in ("rocksdb/db.h", "yaml-cpp/yaml.h", "boost/beast/core.hpp", "prometheus/registry.h", "snappy.h", "openssl/ssl.h",
                       "CLI/CLI.hpp", "boost/json/parse.hpp", "boost/url/parse.hpp", "google/protobuf/arena.h", "catch2/catch.hpp"):
            with self.subTest(header=header):
                self.write("agent/x/a.h", f"#include <{header}>\n")
                self.assert_one(tidy.check_vendor_headers, at="agent/x/a.h:1", says=header)

    def test_a_vendor_header_in_its_file(self):
        self.write("wal/rocks/rocks_store.cc", "#include <rocksdb/db.h>\n")
        self.write("agent/config/yaml_tree.cc", "#include <yaml-cpp/parser.h>\n")
        self.assertEqual(self.found(tidy.check_vendor_headers), [])
        self.write("wal/rocks/rocks_store.h", "#include <rocksdb/db.h>\n")  # a header never owns a vendor
        self.assert_one(tidy.check_vendor_headers, at="wal/rocks/rocks_store.h:1", says="rocksdb/db.h")

    def config(self, block, text=""):
        self.write("docs/CONFIG.md", f"# Configuration\n{tidy.KEYS_BEGIN}\n{block}{tidy.KEYS_END}\n{text}")

    def test_a_table_of_keys_that_drifted(self):
        self.config(REFERENCE.replace("address", "adress"))
        self.assert_one(tidy.check_config_documented, REFERENCE, at="docs/CONFIG.md:3", says="differs")

    def test_a_table_of_keys_in_step(self):
        self.config(REFERENCE, "`metrics.listen` is where Prometheus writes to `tideover.yaml`.\n")
        self.assertEqual(self.found(tidy.check_config_documented, REFERENCE), [])

    def test_a_table_of_keys_is_fixed_on_request(self):
        self.config("")
        self.assertEqual(self.found(tidy.check_config_documented, REFERENCE, True), [])
        self.assertEqual(self.found(tidy.check_config_documented, REFERENCE), [])

    def test_a_key_in_the_text_that_does_not_exist(self):
        self.config(REFERENCE, "Set `metrics.lisen`.\n")
        self.assert_one(tidy.check_config_documented, REFERENCE, at="docs/CONFIG.md:8", says="no key metrics.lisen")

    def test_no_document_of_keys(self):
        self.assert_one(tidy.check_config_documented, REFERENCE, at="docs/CONFIG.md:1", says="is missing")
        self.write("docs/CONFIG.md", "# Configuration\n")
        self.assert_one(tidy.check_config_documented, REFERENCE, at="docs/CONFIG.md:1", says="has no block")

    def test_a_metric_that_only_one_side_knows(self):
        self.write("agent/admin/a.cc", '\nadd("tideover_a_total");\n')
        self.assert_one(tidy.check_metrics_documented, at="docs/METRICS.md:1", says="is missing")
        self.write("docs/METRICS.md", "| `tideover_b_total` | counter |\n")
        found = self.found(tidy.check_metrics_documented)
        self.assertEqual(found, ["agent/admin/a.cc:2: tideover_a_total is not in docs/METRICS.md",
                                 "docs/METRICS.md:1: the code has no metric tideover_b_total"])
        self.write("docs/METRICS.md", "| `tideover_a_total` | counter |\n")
        self.assertEqual(self.found(tidy.check_metrics_documented), [])

    def test_a_file_that_is_too_long(self):
        self.write("wal/a.cc", "\n" * 501)
        self.assert_one(tidy.check_file_length, at="wal/a.cc:501", says="501 lines")
        self.write("wal/a.cc", "\n" * 500)
        self.assertEqual(self.found(tidy.check_file_length), [])

    def test_a_banned_word(self):
        for word in tidy.BANNED:
            for path in ("wal/a.cc", "docs/a.md", "CMakeLists.txt"):
                with self.subTest(word=word, path=path):
                    self.write(path, f"\n// {word}: later\n")
                    self.assert_one(tidy.check_banned_words, at=f"{path}:2", says=word)
                    (self.root / path).unlink()
        self.write("wal/a.cc", "// MAXXXL and autodo\n")
        self.assertEqual(self.found(tidy.check_banned_words), [])

    def test_a_changelog_out_of_shape(self):
        good = "# Changelog\n\n## [Unreleased]\n\n### Added\n- a\n\n## [0.1.0] - 2026-01-31\n"
        self.assert_one(tidy.check_changelog, at="CHANGELOG.md:1", says="is missing")
        self.write("CHANGELOG.md", good)
        self.assertEqual(self.found(tidy.check_changelog), [])
        for wrong, right, at in (("# Changes", "# Changelog", 1), ("### New", "### Added", 5), ("## 0.1.0", "## [0.1.0] - 2026-01-31", 8)):
            self.write("CHANGELOG.md", good.replace(right, wrong))
            self.assert_one(tidy.check_changelog, at=f"CHANGELOG.md:{at}", says="")
        self.write("CHANGELOG.md", "# Changelog\n")
        self.assert_one(tidy.check_changelog, at="CHANGELOG.md:1", says="Unreleased")

    def test_a_source_that_nothing_builds(self):
        self.write("wal/CMakeLists.txt", "tideover_library(NAME x SOURCES a.cc base/c.cc ../bench/d.cc)\n")
        for path in ("wal/a.cc", "wal/base/c.cc", "bench/d.cc"):
            self.write(path, "")
        self.assertEqual(self.found(tidy.check_sources_built), [])
        self.write("wal/b.cc", "")
        self.assert_one(tidy.check_sources_built, at="wal/b.cc:1", says="no CMakeLists.txt names it")
        self.write("wal/CMakeLists.txt", "tideover_library(NAME x SOURCES a.cc base/c.cc ../bench/d.cc bb.cc)\n")
        self.assert_one(tidy.check_sources_built, at="wal/b.cc:1", says="no CMakeLists.txt names it")

    @unittest.skipUnless(shutil.which("clang-format-14"), "clang-format-14 is not installed")
    def test_a_file_that_is_not_formatted(self):
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write("wal/a.cc", "int  a;\n")
        self.assert_one(tidy.check_format, "clang-format-14", at="wal/a.cc:1", says="is not formatted")
        self.write("wal/a.cc", "int a;\n")
        self.assertEqual(self.found(tidy.check_format, "clang-format-14"), [])

    def test_every_check_is_run_and_tested(self):
        checks = {name for name in dir(tidy) if name.startswith("check_")}
        run = pathlib.Path(tidy.__file__).read_text(encoding="utf-8").split("def complaints")[1]
        tested = pathlib.Path(__file__).read_text(encoding="utf-8")
        for name in checks:
            self.assertIn(f"yield from {name}(tree", run)
            self.assertIn(f"tidy.{name}", tested)


if __name__ == "__main__":
    unittest.main(verbosity=0)
