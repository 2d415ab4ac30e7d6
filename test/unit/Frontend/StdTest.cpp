//===- StdTest.cpp - the library computes what its comments say -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckText.h"
#include "ProgramEvaluator.h"

using namespace heed;
using test::Tensor;

namespace {

/// Numbers between -1 and 1 that look random and are the same every time.
Tensor numbers(std::vector<int64_t> shape, int seed = 1) {
  Tensor tensor{std::move(shape), {}};
  int64_t count = 1;
  for (int64_t extent : tensor.shape)
    count *= extent;
  for (int64_t i = 0; i < count; ++i)
    tensor.data.push_back(
        std::sin(static_cast<double>(12.9898 * static_cast<double>(i + 1) * seed)));
  return tensor;
}

Tensor run(const std::string &text, const std::vector<Tensor> &arguments,
           std::vector<int64_t> sizes = {3}, std::map<std::string, Tensor> weights = {}) {
  SourceManager sources;
  DiagnosticEngine diagnostics(sources);
  uint32_t file = sources.addBuffer("test.heed", "use std\nsize n\n" + text);
  auto program = parseAndCheck(sources, file, nullptr, nullptr, diagnostics);
  EXPECT_TRUE(program) << diagnostics.render();
  if (!program || program->functions.empty())
    return {};
  test::ProgramEvaluator evaluator(*program, std::move(weights));
  return evaluator.run(program->functions[0], arguments, sizes);
}

void expectNear(const Tensor &found, const std::vector<double> &expected) {
  ASSERT_EQ(found.data.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(found.data[i], expected[i], 1e-9) << "element " << i;
}

TEST(Std, RmsNorm) {
  Tensor x = numbers({3, 4}), w = numbers({4}, 2);
  std::vector<double> expected;
  for (int i = 0; i < 3; ++i) {
    double squares = 0;
    for (int c = 0; c < 4; ++c)
      squares += x.at({i, c}) * x.at({i, c});
    for (int c = 0; c < 4; ++c)
      expected.push_back(x.at({i, c}) / std::sqrt(squares / 4 + 1e-5) * w.at({c}));
  }
  expectNear(run("fn f(x: [n, 4], w: [4]) -> [n, 4] { return rms_norm(x, w, 1e-5) }", {x, w}),
             expected);
}

TEST(Std, LayerNorm) {
  Tensor x = numbers({3, 4}), w = numbers({4}, 2), b = numbers({4}, 3);
  std::vector<double> expected;
  for (int i = 0; i < 3; ++i) {
    double mean = 0, variance = 0;
    for (int c = 0; c < 4; ++c)
      mean += x.at({i, c}) / 4;
    for (int c = 0; c < 4; ++c)
      variance += (x.at({i, c}) - mean) * (x.at({i, c}) - mean) / 4;
    for (int c = 0; c < 4; ++c)
      expected.push_back((x.at({i, c}) - mean) / std::sqrt(variance + 1e-5) * w.at({c}) +
                         b.at({c}));
  }
  expectNear(run("fn f(x: [n, 4], w: [4], b: [4]) -> [n, 4] { return layer_norm(x, w, b, 1e-5) }",
                 {x, w, b}),
             expected);
}

TEST(Std, Activations) {
  Tensor x = numbers({3});
  std::vector<double> silu, gelu, erf, cap;
  for (double v : x.data) {
    silu.push_back(v / (1 + std::exp(-v)));
    gelu.push_back(v / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))));
    erf.push_back(v / 2 * (1 + std::erf(v / std::sqrt(2))));
    cap.push_back(5 * std::tanh(v / 5));
  }
  expectNear(run("fn f(x: [n]) -> [n] { return silu(x) }", {x}), silu);
  expectNear(run("fn f(x: [n]) -> [n] { y[i] = silu(x[i]); return y }", {x}), silu);
  expectNear(run("fn f(x: [n]) -> [n] { y[i] = x[i] * sigmoid(x[i]); return y }", {x}), silu);
  expectNear(run("fn f(x: [n]) -> [n] { return gelu(x) }", {x}), gelu);
  expectNear(run("fn f(x: [n]) -> [n] { return gelu_erf(x) }", {x}), erf);
  expectNear(run("fn f(x: [n]) -> [n] { return softcap(x, 5) }", {x}), cap);
}

/// Rows turned by i * theta^(-2p/d) in the pairs that `first` and `second` give.
template <typename First, typename Second>
std::vector<double> rotated(const Tensor &x, First first, Second second) {
  std::vector<double> expected(x.data.size());
  int64_t rows = x.shape[0], d = x.shape[1];
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t p = 0; p < d / 2; ++p) {
      double angle = static_cast<double>(i) * std::pow(100.0, -2.0 * double(p) / double(d));
      double a = x.at({i, first(p)}), b = x.at({i, second(p)});
      expected[size_t(i * d + first(p))] = a * std::cos(angle) - b * std::sin(angle);
      expected[size_t(i * d + second(p))] = b * std::cos(angle) + a * std::sin(angle);
    }
  return expected;
}

TEST(Std, Rope) {
  Tensor x = numbers({3, 6});
  expectNear(run("fn f(x: [n, 6]) -> [n, 6] { return rope(x, 100.0) }", {x}),
             rotated(x, [](int64_t p) { return 2 * p; }, [](int64_t p) { return 2 * p + 1; }));
  expectNear(run("fn f(x: [n, 6]) -> [n, 6] { return rope_half(x, 100.0) }", {x}),
             rotated(x, [](int64_t p) { return p; }, [](int64_t p) { return p + 3; }));
}

TEST(Std, RopeIsMappedOverHeads) {
  Tensor x = numbers({2, 3, 6});
  std::vector<double> expected;
  for (int64_t h = 0; h < 2; ++h) {
    Tensor head{{3, 6}, {x.data.begin() + h * 18, x.data.begin() + (h + 1) * 18}};
    std::vector<double> turned =
        rotated(head, [](int64_t p) { return 2 * p; }, [](int64_t p) { return 2 * p + 1; });
    expected.insert(expected.end(), turned.begin(), turned.end());
  }
  expectNear(run("fn f(x: [2, n, 6]) -> [2, n, 6] { return rope(x, 100.0) }", {x}), expected);
  expectNear(run("fn f(x: [2, n, 6]) -> [2, n, 6] {\n"
                 "  y[h, i, k] = rope(1.0 * x[h, i, k], 100.0); return y }",
                 {x}),
             expected);
}

TEST(Std, SwigluAndLinear) {
  Tensor x = numbers({3, 2}), gate = numbers({4, 2}, 2), up = numbers({4, 2}, 3),
         down = numbers({2, 4}, 5);
  std::vector<double> expected;
  for (int i = 0; i < 3; ++i)
    for (int o = 0; o < 2; ++o) {
      double sum = 0;
      for (int e = 0; e < 4; ++e) {
        double g = gate.at({e, 0}) * x.at({i, 0}) + gate.at({e, 1}) * x.at({i, 1});
        double u = up.at({e, 0}) * x.at({i, 0}) + up.at({e, 1}) * x.at({i, 1});
        sum += down.at({o, e}) * g / (1 + std::exp(-g)) * u;
      }
      expected.push_back(sum);
    }
  std::string head = "fn f(x: [n, 2], g: [4, 2], u: [4, 2], w: [2, 4]) -> [n, 2] { ";
  expectNear(run(head + "return swiglu(x, g, u, w) }", {x, gate, up, down}), expected);
  expectNear(
      run(head + "return linear(silu(linear(x, g)) * linear(x, u), w) }", {x, gate, up, down}),
      expected);
}

TEST(Std, AttentionIsCausalAndItsSibling) {
  Tensor q = numbers({3, 2}), k = numbers({3, 2}, 2), v = numbers({3, 2}, 3);
  auto expected = [&](bool causal) {
    std::vector<double> rows;
    for (int i = 0; i < 3; ++i) {
      double total = 0, out[2] = {0, 0};
      for (int j = 0; j < (causal ? i + 1 : 3); ++j) {
        double weight =
            std::exp((q.at({i, 0}) * k.at({j, 0}) + q.at({i, 1}) * k.at({j, 1})) / std::sqrt(2));
        total += weight;
        out[0] += weight * v.at({j, 0});
        out[1] += weight * v.at({j, 1});
      }
      rows.push_back(out[0] / total);
      rows.push_back(out[1] / total);
    }
    return rows;
  };
  std::string head = "fn f(q: [n, 2], k: [n, 2], v: [n, 2]) -> [n, 2] { ";
  expectNear(run(head + "return attention(q, k, v) }", {q, k, v}), expected(true));
  expectNear(run(head + "return attention_full(q, k, v) }", {q, k, v}), expected(false));
}

TEST(Std, Alibi) {
  Tensor s = numbers({2, 3, 3});
  std::vector<double> expected;
  for (int h = 0; h < 2; ++h)
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j)
        expected.push_back(s.at({h, i, j}) + std::pow(2.0, -8.0 * (h + 1) / 2) * (j - i));
  expectNear(run("fn f(s: [2, n, n]) -> [2, n, n] { return alibi(s) }", {s}), expected);
}

TEST(Language, ARowWithNothingVisibleIsZeros) {
  Tensor s = numbers({3, 3});
  Tensor a = run("fn f(s: [n, n]) -> [n, n] {\n"
                 "  a[i, j] = softmax[j] s[i, j] where j < i\n  return a }",
                 {s});
  EXPECT_EQ(a.data[0] + a.data[1] + a.data[2], 0);
  EXPECT_EQ(a.data[3], 1);
}

TEST(Language, LoopsCarryWhatTheyAssign) {
  Tensor x = numbers({3});
  std::vector<double> expected;
  for (double v : x.data)
    expected.push_back(((v * 2 + 0) * 2 + 1) * 2 + 2);
  expectNear(
      run("fn f(x: [n]) -> [n] { for l in 3 { y = 2 * x; x = y + float(l) }\n return x }", {x}),
      expected);
}

TEST(Language, LoopsInsideMappedFunctions) {
  Tensor x = numbers({2, 3}), w = numbers({3}, 2);
  std::vector<double> expected;
  for (int h = 0; h < 2; ++h)
    for (int i = 0; i < 3; ++i)
      expected.push_back(1 + 2 * x.at({h, i}));
  expectNear(run("fn g(x: [m]) -> [m] {\n  a = 1.0\n  y[i] = 0.0 * x[i] + a\n"
                 "  for l in 2 { y[i] += x[i] }\n  return y }\n"
                 "fn f(x: [2, n]) -> [2, n] { return g(x) }",
                 {x}),
             expected);
}

TEST(Language, IndicesOutsideAnAxisAreClamped) {
  Tensor x{{3}, {1, 2, 3}};
  expectNear(run("fn f(x: [n]) -> [n] { y[i < n] = x[i - 1] + 10 * x[i + 1]; return y }", {x}),
             {1 + 20, 1 + 30, 2 + 30});
  Tensor t{{3}, {-5, 1, 900}};
  expectNear(run("fn f(t: int[n], x: [3]) -> [n] { y[i] = x[t[i]]; return y }", {t, x}), {1, 2, 3});
}

TEST(Language, MaskedReductions) {
  Tensor x{{3}, {1, 2, 3}};
  expectNear(
      run("fn f(x: [n]) -> [n] { y[i < n] = (sum[j] x[j] where j < i) + max[j] x[j] where j <= i\n"
          "  return y }",
          {x}),
      {0 + 1, 1 + 2, 3 + 3});
}

} // namespace
