#include "auth/oidc.hpp"

#include <openssl/ecdsa.h>
#include <openssl/rand.h>

#include <algorithm>

#include "auth/base64url.hpp"
#include "auth/claims.hpp"
#include "auth/json_object.hpp"
#include "auth/token.hpp"
#include "base/assert.hpp"

namespace weir::auth {
namespace {

using nlohmann::json;

constexpr std::int64_t access_seconds_default = 3600;
constexpr std::int64_t access_seconds_max = std::int64_t{30} * 24 * 3600;
constexpr std::size_t number_bytes = 32;  // of a signature with P-256

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(digits[byte >> 4U]);
    out.push_back(digits[byte & 15U]);
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

void append_pair(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form.push_back('&');
  form.append(percent_encoded(name)).append("=").append(percent_encoded(value));
}

std::string client_form(const model::OidcAction& action, std::string_view grant) {
  std::string form;
  append_pair(form, "grant_type", grant);
  append_pair(form, "client_id", action.client_id);
  append_pair(form, "client_secret", action.client_secret);
  return form;
}

std::optional<std::int64_t> whole_member(const json& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > std::uint64_t{INT64_MAX})
    return std::nullopt;
  return found->get<std::int64_t>();
}

// A value that goes on in a header field.
bool is_field_text(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

bool is_for(const json& claims, const std::string& client_id) {
  const auto audience = claims.find("aud");
  if (audience == claims.end()) return false;
  if (audience->is_string()) return audience->get_ref<const std::string&>() == client_id;
  return audience->is_array() && std::ranges::find(*audience, json(client_id)) != audience->end();
}

std::unexpected<Error> bad_tokens(std::string message) {
  return fail("AuthInvalidTokenResponse", std::move(message));
}

// The access token and what comes with it.
Status take_tokens(Session& session, const json& answer, std::int64_t unix_seconds) {
  const auto access = text_member(answer, "access_token");
  if (!access || !is_field_text(*access)) return bad_tokens("there is no access token");
  session.access_token = *access;
  // Without rotation a provider leaves the refresh token out.
  if (auto refresh = text_member(answer, "refresh_token")) session.refresh_token = *refresh;
  const std::int64_t seconds = whole_member(answer, "expires_in").value_or(access_seconds_default);
  session.access_ends_at = unix_seconds + std::clamp(seconds, std::int64_t{0}, access_seconds_max);
  return {};
}

std::string padded_base64url(std::string_view bytes) {
  std::string out = base64url_encode(bytes);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

// Both numbers, one after the other (RFC 7518 §3.4).
std::string es256(std::string_view text, EVP_PKEY& key) {
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  std::string der(128, '\0');
  std::size_t size = der.size();
  const bool is_signed =
      context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, &key) == 1 &&
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size,
                     bytes_of(text), text.size()) == 1;
  WEIR_ASSERT(is_signed);
  const unsigned char* at = bytes_of(der);
  const std::unique_ptr<ECDSA_SIG, Free> both(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  WEIR_ASSERT(both != nullptr);
  std::string out(2 * number_bytes, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(both.get()), to, number_bytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(both.get()), to + number_bytes, number_bytes);
  return out;
}

}  // namespace

std::string random_nonce() {
  std::string bytes(16, '\0');
  const bool is_random = RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), 16) == 1;
  WEIR_ASSERT(is_random);
  return base64url_encode(bytes);
}

std::string state_of(const Login& login, std::string_view scope, std::span<const SealingKey> keys) {
  // The request's bytes may be no UTF-8.
  const json text = {
      {"nonce", login.nonce}, {"url", base64url_encode(login.return_to)}, {"at", login.begun_at}};
  return seal(text.dump(), {"state", scope}, keys);
}

std::optional<Login> login_of(std::string_view state, std::string_view scope,
                              std::string_view nonce, std::int64_t unix_seconds,
                              std::span<const SealingKey> keys) {
  const auto text = open(state, {"state", scope}, keys);
  if (!text) return std::nullopt;
  const auto object = parse_object(*text);
  if (!object) return std::nullopt;
  Login login;
  login.nonce = text_member(*object, "nonce").value_or("");
  login.return_to = base64url_decode(text_member(*object, "url").value_or("")).value_or("");
  login.begun_at = whole_member(*object, "at").value_or(0);
  if (login.nonce.empty() || login.nonce != nonce || login.return_to.empty()) return std::nullopt;
  if (login.begun_at > unix_seconds || unix_seconds - login.begun_at > login_seconds_max)
    return std::nullopt;
  return login;
}

std::string authorization_url(const model::OidcAction& action, std::string_view redirect_uri,
                              std::string_view state) {
  std::string query;
  append_pair(query, "client_id", action.client_id);
  append_pair(query, "redirect_uri", redirect_uri);
  append_pair(query, "response_type", "code");
  append_pair(query, "scope", action.scope);
  append_pair(query, "state", state);
  for (const auto& [name, value] : action.extra_parameters) append_pair(query, name, value);
  const char joint = action.authorization_endpoint.contains('?') ? '&' : '?';
  return action.authorization_endpoint + joint + query;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  std::optional<std::string_view> found;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      if (found || equals == std::string_view::npos) return std::nullopt;
      found = pair.substr(equals + 1);
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return found ? percent_decoded(*found) : std::nullopt;
}

std::string code_form(const model::OidcAction& action, std::string_view code,
                      std::string_view redirect_uri) {
  std::string form = client_form(action, "authorization_code");
  append_pair(form, "code", code);
  append_pair(form, "redirect_uri", redirect_uri);
  return form;
}

std::string refresh_form(const model::OidcAction& action, std::string_view refresh_token) {
  std::string form = client_form(action, "refresh_token");
  append_pair(form, "refresh_token", refresh_token);
  return form;
}

Result<Session> session_from_tokens(std::string_view answer, const model::OidcAction& action,
                                    std::int64_t unix_seconds) {
  const auto object = parse_object(answer);
  if (!object) return bad_tokens("the answer is no JSON object");
  Session session;
  if (auto taken = take_tokens(session, *object, unix_seconds); !taken)
    return std::unexpected(taken.error());
  const auto identity = Token::parse(text_member(*object, "id_token").value_or(""));
  if (!identity) return fail("AuthInvalidIdToken", "there is no identity token");
  const model::JwtValidationAction expected{{}, action.issuer, {}};
  if (!fault_of_claims(identity->claims, expected, unix_seconds).empty() ||
      !is_for(identity->claims, action.client_id))
    return fail("AuthInvalidIdToken", "the identity token is of another issuer, client or time");
  session.subject = text_member(identity->claims, "sub").value_or("");
  if (!is_field_text(session.subject))
    return fail("AuthInvalidIdToken", "the identity token has no subject");
  session.ends_at = unix_seconds + action.session_timeout_seconds;
  return session;
}

Result<Session> refreshed(Session session, std::string_view answer, std::int64_t unix_seconds) {
  const auto object = parse_object(answer);
  if (!object) return bad_tokens("the answer is no JSON object");
  if (auto taken = take_tokens(session, *object, unix_seconds); !taken)
    return std::unexpected(taken.error());
  return session;
}

Result<Session> with_claims(Session session, std::string_view answer) {
  const auto object = parse_object(answer);
  if (!object) return fail("AuthInvalidUserinfoResponse", "the answer is no JSON object");
  if (text_member(*object, "sub") != session.subject)
    return fail("AuthInvalidUserinfoResponse", "the claims are of another subject");
  session.claims = answer;
  if (text_of(session).size() > session_bytes_max)
    return fail("AuthUserinfoResponseSizeExceeded", "tokens and claims are larger than 11 KB");
  return session;
}

std::string text_of(const Session& session) {
  const json text = {{"sub", session.subject},
                     {"access", session.access_token},
                     {"refresh", session.refresh_token},
                     {"claims", session.claims},
                     {"access_ends", session.access_ends_at},
                     {"ends", session.ends_at}};
  return text.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Session> session_of(std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return std::nullopt;
  const auto ends = whole_member(*object, "ends");
  const auto access_ends = whole_member(*object, "access_ends");
  Session session{text_member(*object, "sub").value_or(""),
                  text_member(*object, "access").value_or(""),
                  text_member(*object, "refresh").value_or(""),
                  text_member(*object, "claims").value_or(""),
                  access_ends.value_or(0),
                  ends.value_or(0)};
  if (session.subject.empty() || session.access_token.empty() || !ends || !access_ends)
    return std::nullopt;
  return session;
}

std::string signed_claims(const Session& session, const model::OidcAction& action,
                          const Signer& signer) {
  const json header = {{"typ", "JWT"},
                       {"alg", "ES256"},
                       {"kid", signer.key_id},
                       {"signer", signer.arn},
                       {"iss", action.issuer},
                       {"client", action.client_id},
                       {"exp", session.access_ends_at}};
  json claims = parse_object(session.claims).value_or(json::object());
  claims["exp"] = session.access_ends_at;
  claims["iss"] = action.issuer;
  const auto replace = json::error_handler_t::replace;
  const std::string text = padded_base64url(header.dump(-1, ' ', false, replace)) + "." +
                           padded_base64url(claims.dump(-1, ' ', false, replace));
  return text + "." + padded_base64url(es256(text, signer.key));
}

}  // namespace weir::auth
