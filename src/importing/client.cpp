#include "importing/client.hpp"

#include <curl/curl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <mutex>
#include <string_view>
#include <thread>

#include "aws/description/description.hpp"
#include "base/assert.hpp"
#include "importing/answer.hpp"
#include "importing/signer.hpp"

namespace weir::importing {
namespace {

constexpr long connect_seconds_max = 10;
constexpr long call_seconds_max = 60;
constexpr int attempts_max = 5;
constexpr std::chrono::milliseconds first_pause{500};  // then twice as long each time

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, CurlDeleter>;
using Url = std::unique_ptr<CURLU, CurlDeleter>;
using Headers = std::unique_ptr<curl_slist, CurlDeleter>;

struct Endpoint {
  std::string url;   // as given, with a path
  std::string host;  // as the Host header has it
  std::string path;
};

std::string part_of(const Url& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK || text == nullptr) return {};
  std::string result(text);
  curl_free(text);
  return result;
}

Result<Endpoint> parse_endpoint(const std::string& text) {
  const auto bad = [&] {
    return fail("InvalidEndpoint", fmt::format("'{}' is no URL of an endpoint", text),
                "It is like http://127.0.0.1:4566");
  };
  const Url url(curl_url());
  if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    return bad();
  const auto scheme = part_of(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return bad();
  if (!part_of(url, CURLUPART_USER).empty() || !part_of(url, CURLUPART_QUERY).empty() ||
      !part_of(url, CURLUPART_FRAGMENT).empty())
    return bad();
  Endpoint endpoint{part_of(url, CURLUPART_URL), part_of(url, CURLUPART_HOST),
                    part_of(url, CURLUPART_PATH)};
  const auto port = part_of(url, CURLUPART_PORT);
  if (!port.empty() && port != (scheme == "https" ? "443" : "80")) endpoint.host += ":" + port;
  return endpoint;
}

struct Received {
  std::string body;
  bool is_too_large = false;
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* to) {
  auto& received = *static_cast<Received*>(to);
  if (size * count > answer_bytes_max - received.body.size()) {
    received.is_too_large = true;
    return 0;
  }
  received.body.append(data, size * count);
  return size * count;
}

// The headers of a request, each whole; libcurl adds none of its own that is signed.
Headers headers_of(const std::vector<std::pair<std::string, std::string>>& headers) {
  Headers list;
  for (const auto& [name, value] : headers) {
    list.reset(curl_slist_append(list.release(), fmt::format("{}: {}", name, value).c_str()));
  }
  list.reset(curl_slist_append(list.release(), "Expect:"));
  return list;
}

bool is_to_be_repeated(long status, const Error& error) {
  return status >= 500 || status == 429 || error.code == "Throttling" ||
         error.code == "ThrottlingException" || error.code == "RequestLimitExceeded";
}

std::string hint_for(const Error& error) {
  const std::string_view code = error.code;
  if (code == "AccessDenied" || code == "AccessDeniedException" || code == "UnauthorizedOperation")
    return "The credentials need elasticloadbalancing:Describe* (AWS's policy "
           "ElasticLoadBalancingReadOnly has it).";
  if (code == "ExpiredToken" || code == "ExpiredTokenException")
    return "The temporary credentials have ended: get new ones.";
  if (code == "InvalidClientTokenId" || code == "UnrecognizedClientException")
    return "The endpoint does not know this access key.";
  if (code == "SignatureDoesNotMatch")
    return "The secret is not that of the access key, or the region is another.";
  return error.hint;
}

const aws::Description& description() {
  static const auto parsed = aws::parse_description(aws::embedded_description("elbv2"));
  WEIR_ASSERT(parsed.has_value());
  return **parsed;
}

}  // namespace

struct Client::Parts {
  Settings settings;
  Endpoint endpoint;
  Handle handle;
  std::array<char, CURL_ERROR_SIZE> trouble{};

  struct Answer {
    long status = 0;
    std::string body;
  };

  [[nodiscard]] Result<Answer> send(const std::string& body) {
    const auto timestamp = fmt::format(
        "{:%Y%m%dT%H%M%SZ}",
        fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
    const auto headers =
        headers_of(signed_headers(settings, endpoint.host, endpoint.path, body, timestamp));
    Received received;
    CURL* curl = handle.get();
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
    const auto code = curl_easy_perform(curl);
    if (received.is_too_large) {
      return fail("AnswerTooLarge",
                  fmt::format("{} answered more than {} bytes", endpoint.url, answer_bytes_max));
    }
    if (code != CURLE_OK) {
      return fail("EndpointUnreachable",
                  fmt::format("{}: {}", endpoint.url,
                              trouble[0] != '\0' ? trouble.data() : curl_easy_strerror(code)),
                  "Is this the right region or endpoint URL, and is there a way to it?");
    }
    Answer answer;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    answer.body = std::move(received.body);
    return answer;
  }

  void set_up() {
    CURL* curl = handle.get();
    curl_easy_setopt(curl, CURLOPT_URL, endpoint.url.c_str());
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_seconds_max);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, call_seconds_max);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "weir");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, trouble.data());
    if (!settings.ca_bundle.empty())
      curl_easy_setopt(curl, CURLOPT_CAINFO, settings.ca_bundle.c_str());
  }
};

Client::Client(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::make(Settings settings) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  auto endpoint = parse_endpoint(settings.endpoint);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto parts = std::make_unique<Parts>();
  parts->settings = std::move(settings);
  parts->endpoint = std::move(*endpoint);
  parts->handle.reset(curl_easy_init());
  if (parts->handle == nullptr) return fail("OutOfMemory", "libcurl could not be started");
  parts->set_up();
  return Client(std::move(parts));
}

Result<aws::Value> Client::call(const std::string& action, const CallParameters& parameters) {
  CallParameters all{{"Action", action}, {"Version", description().version}};
  all.insert(all.end(), parameters.begin(), parameters.end());
  const auto body = encode_form(all);
  auto pause = first_pause;
  for (int attempt = 1;; ++attempt, pause *= 2) {
    const auto answer = parts_->send(body);
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 200)
      return read_answer(description().operations.at(action), answer->body);
    auto error = read_refusal(answer->status, answer->body);
    if (attempt == attempts_max || !is_to_be_repeated(answer->status, error)) {
      error.hint = hint_for(error);
      return std::unexpected(std::move(error));
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace weir::importing
