// The phase before the action where its rule asks for a token (reference §3.3 jwt-validation). Keys
// that are known verify at once; else the exchange waits for the fetcher with its head's bytes kept
// aside, and its client is neither read on nor timed out meanwhile.
#include <memory>
#include <optional>
#include <utility>

#include "auth/claims.hpp"
#include "http/header_names.hpp"
#include "http/parser.hpp"
#include "proxy/client_connection.hpp"
#include "proxy/exchange.hpp"
#include "proxy/worker.hpp"

namespace weir::proxy {
namespace {

struct Credentials {
  std::string_view token;
  std::string_view fault;  // empty: there is a token
};

Credentials bearer_token(const http::RequestHead& head) {
  const http::Header* found = nullptr;
  for (const http::Header& header : head.headers) {
    if (!http::is_word<"authorization">(header.name)) continue;
    if (found != nullptr) return {{}, "JWTRequestFormatInvalid"};
    found = &header;
  }
  if (found == nullptr) return {{}, "JWTHeaderNotPresent"};
  constexpr std::size_t scheme_chars = 7;
  if (found->value.size() <= scheme_chars || found->value[scheme_chars - 1] != ' ' ||
      !http::is_word<"bearer">(found->value.substr(0, scheme_chars - 1)))
    return {{}, "JWTRequestFormatInvalid"};
  return {found->value.substr(scheme_chars), {}};
}

}  // namespace

void Exchange::authenticate(const routing::Choice& choice, const http::RequestHead& head) {
  record_.did(telemetry::Executed::authenticate);
  const Credentials credentials = bearer_token(head);
  if (!credentials.fault.empty()) return refuse_token(401, credentials.fault);
  auto token = auth::Token::parse(credentials.token);
  if (!token) return refuse_token(401, "JWTRequestFormatInvalid");
  auth::KeySets* key_sets = worker_.key_sets();
  if (key_sets == nullptr) return refuse_token(500, "JWTValidationInternalError");
  if (const auto answer = key_sets->known(choice.authentication->jwks_endpoint, token->key_id))
    return verify(choice, *token, *answer, head);
  await_keys(choice, std::move(*token), head);
}

void Exchange::await_keys(const routing::Choice& choice, auth::Token token,
                          const http::RequestHead& head) {
  std::string key_id = token.key_id;
  waiting_ =
      std::make_unique<Waiting>(worker_.wait(*this), choice, std::move(token),
                                std::string(client_->bytes_received().substr(0, head.head_bytes)));
  net::Loop* loop = &worker_.loop();
  // The answer finds the exchange by its ticket, or nobody where the client has gone.
  worker_.key_sets()->get(
      choice.authentication->jwks_endpoint, key_id,
      [loop, worker = &worker_, ticket = waiting_->ticket](const auth::KeyAnswer& answer) {
        loop->post([worker, ticket, answer] { worker->on_keys(ticket, answer); });
      });
}

void Exchange::on_keys(const auth::KeyAnswer& answer) {
  const std::unique_ptr<Waiting> waiting = std::move(waiting_);
  ClientConnection& client = *client_;
  touch();
  http::RequestParser parser;
  http::RequestHead& head = worker_.request_head();
  // It has been parsed before.
  if (parser.parse(waiting->head, head) != http::ParseState::done)
    return refuse_token(500, "JWTValidationInternalError");
  verify(waiting->choice, waiting->token, answer, head);
  client.resume_body();
}

void Exchange::verify(const routing::Choice& choice, const auth::Token& token,
                      const auth::KeyAnswer& answer, const http::RequestHead& head) {
  if (!answer.keys) return refuse_token(answer.status, answer.reason);
  if (!auth::verify(token, *answer.keys)) return refuse_token(401, "JWTSignatureValidationError");
  const std::string_view fault =
      auth::fault_of_claims(token.claims, *choice.authentication, worker_.unix_seconds());
  if (!fault.empty()) return refuse_token(401, fault);
  perform(choice, head);
}

void Exchange::refuse_token(int status, std::string_view reason) {
  record_.error_reason = reason;
  record_.is_jwt_refused = true;
  fail(status);
}

}  // namespace weir::proxy
