#include <brotli/decode.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <string>
#include <vector>

#include "traffic/accept_encoding.hpp"
#include "traffic/compression_policy.hpp"
#include "traffic/compressor.hpp"

namespace weir::traffic {
namespace {

Encoding choose(std::string_view accept) {
  static constexpr std::array offered = {Encoding::br, Encoding::zstd, Encoding::gzip};
  AcceptEncoding accepted;
  accepted.add(accept);
  return accepted.best_of(offered);
}

TEST(AcceptEncoding, TheHighestWeightWinsAndAmongEqualsTheFirstOffered) {
  EXPECT_EQ(choose("gzip, deflate, br, zstd"), Encoding::br);
  EXPECT_EQ(choose("gzip"), Encoding::gzip);
  EXPECT_EQ(choose("GZIP;Q=0.8 , Br ; q=0.7"), Encoding::gzip);
  EXPECT_EQ(choose("x-gzip"), Encoding::gzip);
  EXPECT_EQ(choose("*"), Encoding::br);
  EXPECT_EQ(choose("br;q=0, *;q=0.1"), Encoding::zstd);
  EXPECT_EQ(choose("gzip;q=0.5, identity"), Encoding::identity);
  EXPECT_EQ(choose("gzip;q=0.5, identity;q=0.5"), Encoding::gzip);
}

TEST(AcceptEncoding, NothingIsGuessed) {
  for (const char* accept : {"", ",", ";", "deflate", "gzip;q=0", "gzip;q=0.000", "gzip;q=2",
                             "gzip;q=1.001", "gzip;q=0.1234", "gzip;q=", "gzip;q", "gzip;x=1",
                             "gzip;q=.5", "gzip;q=-1", "gz ip", "gzip;q=0.5;x=1", "identity"}) {
    EXPECT_EQ(choose(accept), Encoding::identity) << accept;
  }
}

TEST(CompressionPolicy, KnowsItsTypes) {
  CompressionPolicy policy;
  policy.content_types = {"text/*", "application/json"};
  EXPECT_TRUE(policy.is_for("text/html"));
  EXPECT_TRUE(policy.is_for("Text/HTML ; charset=utf-8"));
  EXPECT_TRUE(policy.is_for("application/json;charset=utf-8"));
  EXPECT_FALSE(policy.is_for("application/json5"));
  EXPECT_FALSE(policy.is_for("text/"));
  EXPECT_FALSE(policy.is_for("image/png"));
  EXPECT_FALSE(policy.is_for(""));
}

// What a reader makes of the bytes that it has got so far; the stream need not have ended.
std::string decoded(Encoding encoding, std::string_view bytes) {
  std::string out(2'000'000, '\0');
  if (encoding == Encoding::gzip) {
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    inflate(&stream, Z_SYNC_FLUSH);
    out.resize(stream.total_out);
    inflateEnd(&stream);
  } else if (encoding == Encoding::br) {
    BrotliDecoderState* state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    std::size_t left = bytes.size();
    const auto* next = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::size_t room = out.size();
    auto* at = reinterpret_cast<std::uint8_t*>(out.data());
    BrotliDecoderDecompressStream(state, &left, &next, &room, &at, nullptr);
    out.resize(out.size() - room);
    BrotliDecoderDestroyInstance(state);
  } else {
    ZSTD_DCtx* context = ZSTD_createDCtx();
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (input.pos < input.size &&
           ZSTD_isError(ZSTD_decompressStream(context, &output, &input)) == 0) {
    }
    out.resize(output.pos);
    ZSTD_freeDCtx(context);
  }
  return out;
}

class CompressorTest : public testing::TestWithParam<Encoding> {};

TEST_P(CompressorTest, EachWriteCanBeReadAtOnceAndTheWholeIsTheSame) {
  const auto compressor = Compressor::create(GetParam());
  ASSERT_NE(compressor, nullptr);
  for (int response = 0; response < 3; ++response) {  // the same one, for one after the other
    std::string sent, received;
    const Compressor::Sink sink = [&](std::string_view bytes) { received += bytes; };
    for (int i = 0; i < 40; ++i) {
      std::string part;
      while (part.size() < static_cast<std::size_t>(i * i * 20))
        part += "line " + std::to_string(i * 7919 + response) + " of a body\n";
      sent += part;
      ASSERT_TRUE(compressor->write(part, sink));
      ASSERT_EQ(decoded(GetParam(), received), sent);
    }
    ASSERT_TRUE(compressor->finish(sink));
    EXPECT_EQ(decoded(GetParam(), received), sent);
    EXPECT_LT(received.size(), sent.size() / 4);
    ASSERT_TRUE(compressor->restart());
  }
}

TEST_P(CompressorTest, WhatCannotBeCompressedGrowsByLittle) {
  const auto compressor = Compressor::create(GetParam());
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 300'000; ++i) {
    state = state * 1664525U + 1013904223U;
    noise.push_back(static_cast<char>(state >> 24U));
  }
  std::string received;
  const Compressor::Sink sink = [&](std::string_view bytes) { received += bytes; };
  ASSERT_TRUE(compressor->write(noise, sink));
  ASSERT_TRUE(compressor->finish(sink));
  EXPECT_EQ(decoded(GetParam(), received), noise);
  EXPECT_LT(received.size(), noise.size() + 1000);
}

INSTANTIATE_TEST_SUITE_P(All, CompressorTest,
                         testing::Values(Encoding::br, Encoding::gzip, Encoding::zstd),
                         [](const auto& test) { return std::string(name_of(test.param)); });

}  // namespace
}  // namespace weir::traffic
