// Tokens and key sets: the vectors of RFC 7515, every algorithm that is taken, and what attackers
// have tried on others.
#include "auth/token.hpp"

#include <gtest/gtest.h>

#include "auth/base64url.hpp"
#include "auth/json_object.hpp"
#include "signing.hpp"

namespace weir::auth {
namespace {

using test::set_of;

KeySet keys_of(const std::string& keys) {
  auto set = KeySet::parse(set_of(keys));
  EXPECT_TRUE(set) << set.error().message;
  return set ? std::move(*set) : KeySet{};
}

bool is_verified(const std::string& text, const KeySet& keys) {
  const auto token = Token::parse(text);
  return token && verify(*token, keys);
}

TEST(Base64url, HasOneTextForEachValue) {
  EXPECT_EQ(base64url_encode(std::string_view("\x03\xec\xff\xe0\xc1", 5)), "A-z_4ME");
  EXPECT_EQ(base64url_decode("A-z_4ME"), std::string("\x03\xec\xff\xe0\xc1", 5));
  EXPECT_EQ(base64url_decode(""), "");
  for (const char* text : {"A", "A-z_4ME=", "A+z/4ME", "A-z_4MF", "A-z_ 4ME", "Zh"})
    EXPECT_FALSE(base64url_decode(text)) << text;
}

TEST(JsonObject, RepeatedNamesAndDeepNestingAreFaults) {
  EXPECT_TRUE(parse_object(R"({"a":{"b":1},"b":{"b":2}})"));
  EXPECT_FALSE(parse_object(R"({"a":1,"a":2})"));
  EXPECT_FALSE(parse_object(R"({"x":[{"a":1,"\u0061":2}]})"));
  EXPECT_FALSE(parse_object("[]"));
  EXPECT_FALSE(parse_object(R"({"a":1} x)"));
  EXPECT_FALSE(parse_object(R"({"a":)" + std::string(100, '[') + std::string(100, ']') + "}"));
}

// RFC 7515 A.2.
constexpr const char* rfc_rsa_key =
    R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4q)"
    R"(PCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0)"
    R"(LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5)"
    R"(ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp)"
    R"(oQ","e":"AQAB"})";
constexpr const char* rfc_rsa_token =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4"
    "Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xB"
    "ArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1"
    "phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
// RFC 7515 A.3.
constexpr const char* rfc_curve_key =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr const char* rfc_curve_token =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfK"
    "TUJqPP3-Kg6NU1Q";
// RFC 7515 A.5: "alg" is "none".
constexpr const char* rfc_unsecured_token =
    "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvb"
    "S9pc19yb290Ijp0cnVlfQ.";

TEST(Token, VectorsOfTheStandardAreVerified) {
  EXPECT_TRUE(is_verified(rfc_rsa_token, keys_of(rfc_rsa_key)));
  EXPECT_TRUE(is_verified(rfc_curve_token, keys_of(rfc_curve_key)));
  EXPECT_EQ(Token::parse(rfc_rsa_token)->claims["iss"], "joe");
  EXPECT_FALSE(is_verified(rfc_rsa_token, keys_of(rfc_curve_key)));
  EXPECT_FALSE(Token::parse(rfc_unsecured_token));
}

TEST(Token, EveryAlgorithmOfAKeysTypeIsTaken) {
  const KeyPtr rsa = test::rsa_key();
  const KeySet keys = keys_of(test::rsa_json(*rsa, "k"));
  struct Case {
    const char* name;
    const EVP_MD* digest;
    bool is_pss;
  };
  for (const auto& [name, digest, is_pss] :
       {Case{"RS256", EVP_sha256(), false}, Case{"RS384", EVP_sha384(), false},
        Case{"RS512", EVP_sha512(), false}, Case{"PS256", EVP_sha256(), true},
        Case{"PS384", EVP_sha384(), true}, Case{"PS512", EVP_sha512(), true}}) {
    const std::string text =
        test::unsigned_token(R"({"alg":")" + std::string(name) + R"(","kid":"k"})", "{}");
    const std::string signature = test::sign(*rsa, text, digest, is_pss);
    EXPECT_TRUE(is_verified(text + "." + base64url_encode(signature), keys)) << name;
    EXPECT_FALSE(
        is_verified(text + "." + base64url_encode(test::sign(*rsa, text, digest, !is_pss)), keys));
  }
  const KeyPtr curve = test::curve_key("P-384");
  const std::string text = test::unsigned_token(R"({"alg":"ES384"})", "{}");
  EXPECT_TRUE(is_verified(
      text + "." + base64url_encode(test::numbers_of(test::sign(*curve, text, EVP_sha384()), 48)),
      keys_of(test::curve_json(*curve, "c", "P-384", 48))));
}

TEST(Token, NoneAndSymmetricAlgorithmsAreRefusedWhateverTheirBytes) {
  const KeyPtr rsa = test::rsa_key();
  const std::string json = test::rsa_json(*rsa, "k");
  const KeySet keys = keys_of(json);
  for (const char* name : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string text = test::unsigned_token(R"({"alg":")" + std::string(name) + "\"}", "{}");
    EXPECT_FALSE(is_verified(text + ".", keys)) << name;
    EXPECT_FALSE(is_verified(text + ".AA", keys)) << name;
  }
  // The public key's bytes as the secret of an HMAC.
  const std::string text = test::unsigned_token(R"({"alg":"HS256","kid":"k"})", "{}");
  for (const std::string& secret : {json, test::bytes_of(*rsa, OSSL_PKEY_PARAM_RSA_N)}) {
    std::string mac(32, '\0');
    unsigned size = 32;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(mac.data()), &size);
    EXPECT_FALSE(is_verified(text + "." + base64url_encode(mac), keys));
  }
}

TEST(Token, AKeyIsChosenByItsIdAndItsAlgorithm) {
  const KeyPtr mine = test::rsa_key();
  const KeyPtr other = test::rsa_key();
  const KeySet keys = keys_of(test::rsa_json(*mine, "mine") + "," +
                              test::rsa_json(*other, "other", R"(,"alg":"RS512")"));
  EXPECT_TRUE(is_verified(test::rs256(*mine, R"({"alg":"RS256","kid":"mine"})", "{}"), keys));
  EXPECT_TRUE(is_verified(test::rs256(*mine, R"({"alg":"RS256"})", "{}"), keys));
  EXPECT_FALSE(is_verified(test::rs256(*mine, R"({"alg":"RS256","kid":"other"})", "{}"), keys));
  EXPECT_FALSE(is_verified(test::rs256(*mine, R"({"alg":"RS256","kid":"../mine"})", "{}"), keys));
  // Its algorithm is another one.
  EXPECT_FALSE(is_verified(test::rs256(*other, R"({"alg":"RS256","kid":"other"})", "{}"), keys));
}

TEST(Token, AKeyThatItBringsItselfMeansNothing) {
  const KeyPtr mine = test::rsa_key();
  const KeyPtr attacker = test::rsa_key();
  const std::string header =
      R"({"alg":"RS256","jwk":)" + test::rsa_json(*attacker, "mine") + R"(,"kid":"mine"})";
  EXPECT_FALSE(
      is_verified(test::rs256(*attacker, header, "{}"), keys_of(test::rsa_json(*mine, "mine"))));
}

TEST(Token, MalformedOnesAreNone) {
  const KeyPtr rsa = test::rsa_key();
  const KeySet keys = keys_of(test::rsa_json(*rsa, "k"));
  const std::string good = test::rs256(*rsa, R"({"alg":"RS256"})", R"({"sub":"a"})");
  ASSERT_TRUE(is_verified(good, keys));
  for (const std::string& text :
       {good + ".x", good + "=", " " + good, good.substr(0, good.rfind('.')), std::string(".."),
        std::string("."), std::string(),
        test::rs256(*rsa, R"({"alg":"RS256","crit":["exp"],"exp":1})", "{}"),
        test::rs256(*rsa, R"({"alg":"RS256","alg":"RS256"})", "{}"),
        test::rs256(*rsa, R"({"alg":"RS256"})", R"({"iss":"a","iss":"b"})"),
        test::rs256(*rsa, R"({"alg":"RS256","kid":7})", "{}"),
        test::rs256(*rsa, R"({"alg":["RS256"]})", "{}"),
        test::rs256(*rsa, R"({"alg":"RS256"})", "[]"),
        test::rs256(*rsa, R"({"alg":"RS256"})",
                    R"({"a":")" + std::string(Token::chars_max, 'a') + "\"}")})
    EXPECT_FALSE(is_verified(text, keys)) << text.substr(0, 80);
  std::string forged = good;
  forged[forged.find('.') + 3] ^= 1;
  EXPECT_FALSE(is_verified(forged, keys));
}

TEST(KeySet, TakesKeysThatCanVerifyAndNoOthers) {
  const KeyPtr small = test::rsa_key(1024);
  const KeyPtr curve = test::curve_key("P-256");
  std::string off_curve = test::curve_json(*curve, "off", "P-256", 32);
  const std::size_t y = off_curve.find(R"("y":")") + 5;
  off_curve[y] = off_curve[y] == 'A' ? 'B' : 'A';
  const KeySet keys = keys_of(test::rsa_json(*small, "small") + "," + off_curve + "," +
                              test::curve_json(*curve, "named-wrong", "P-384", 32) +
                              R"(,{"kty":"oct","kid":"secret","k":"AAAA"},7,)" +
                              test::curve_json(*curve, "good", "P-256", 32));
  ASSERT_EQ(keys.keys().size(), 1U);
  EXPECT_TRUE(keys.has("good"));
  const KeyPtr rsa = test::rsa_key();
  EXPECT_TRUE(keys_of(test::rsa_json(*rsa, "e", R"(,"use":"enc")")).keys().empty());
}

TEST(KeySet, LimitsAndFaultsHaveTheirCodes) {
  const auto code_of = [](std::string_view text) {
    const auto set = KeySet::parse(text);
    return set ? std::string() : set.error().code;
  };
  EXPECT_EQ(code_of("<html>"), "JWKSResponseInvalid");
  EXPECT_EQ(code_of("{}"), "JWKSResponseInvalid");
  EXPECT_EQ(code_of(R"({"keys":{}})"), "JWKSResponseInvalid");
  EXPECT_EQ(code_of(set_of("1,2,3,4,5,6,7,8,9,10")), "");
  EXPECT_EQ(code_of(set_of("1,2,3,4,5,6,7,8,9,10,11")), "JWKSResponseSizeExceeded");
  EXPECT_EQ(code_of(std::string(KeySet::bytes_max + 1, ' ')), "JWKSResponseSizeExceeded");
}

}  // namespace
}  // namespace weir::auth
