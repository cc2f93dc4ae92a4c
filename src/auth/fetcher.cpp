#include "auth/fetcher.hpp"

#include <curl/curl.h>
#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <list>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace weir::auth {
namespace {

constexpr long connections_max = 64;
constexpr std::string_view max_age = "max-age=";

// curl's handles are all void.
struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Transfer {
  Fetch what;
  std::function<void(Fetched)> done;
  Fetched result;
  std::unique_ptr<curl_slist, FreeList> headers;
  std::unique_ptr<CURL, FreeEasy> easy;  // before what it points to
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  if (transfer.result.body.size() + size > transfer.what.bytes_max) {
    transfer.result.end = Fetched::End::too_large;
    return 0;  // ends the transfer
  }
  transfer.result.body.append(data, size);
  return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* to) {
  std::string line(data, size);
  std::ranges::transform(line, line.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  const std::size_t at = line.find(max_age);
  if (!line.starts_with("cache-control:") || at == std::string::npos) return size;
  std::int64_t seconds = 0;
  const char* begin = line.data() + at + max_age.size();
  if (std::from_chars(begin, line.data() + line.size(), seconds).ec == std::errc{} && seconds >= 0)
    static_cast<Transfer*>(to)->result.max_age_seconds = seconds;
  return size;
}

void set_up(Transfer& transfer, const std::string& ca_file) {
  CURL* easy = transfer.easy.get();
  curl_easy_setopt(easy, CURLOPT_URL, transfer.what.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(Fetcher::time_limit_ms));
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  for (const std::string& header : transfer.what.headers)
    transfer.headers.reset(curl_slist_append(transfer.headers.release(), header.c_str()));
  if (transfer.headers) curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers.get());
  if (transfer.what.form.empty()) return;
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(transfer.what.form.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer.what.form.c_str());
}

void end(Transfer& transfer, CURLcode code) {
  Fetched& result = transfer.result;
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    result.end = Fetched::End::answered;
    result.status = static_cast<int>(status);
  } else {
    if (code == CURLE_OPERATION_TIMEDOUT) result.end = Fetched::End::timed_out;
    result.cause = curl_easy_strerror(code);
  }
  transfer.done(std::move(result));
}

}  // namespace

class Fetcher::Transfers {
 public:
  explicit Transfers(std::string ca_file) : ca_file_(std::move(ca_file)) {
    static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(once);
    multi_.reset(curl_multi_init());
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, connections_max);
  }

  ~Transfers() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    curl_multi_wakeup(multi_.get());
    if (thread_.joinable()) thread_.join();
    for (Transfer& each : running_) curl_multi_remove_handle(multi_.get(), each.easy.get());
  }

  void add(Fetch what, std::function<void(Fetched)> done) {
    {
      const std::lock_guard lock(mutex_);
      if (under_way_ < under_way_max) {
        ++under_way_;
        arrived_.emplace_back();
        arrived_.back().what = std::move(what);
        arrived_.back().done = std::move(done);
        if (!thread_.joinable()) {
          thread_ = std::thread([this] { run(); });
          pthread_setname_np(thread_.native_handle(), "fetcher");
        }
        curl_multi_wakeup(multi_.get());
        return;
      }
    }
    Fetched refused;
    refused.cause = "too many requests to identity providers are under way";
    done(std::move(refused));
  }

 private:
  void run() {
    while (take_arrived()) {
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      end_finished();
      curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
    }
  }

  // False: it is over.
  bool take_arrived() {
    std::list<Transfer> arrived;
    {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) return false;
      arrived.swap(arrived_);
    }
    for (Transfer& each : arrived) {
      each.easy.reset(curl_easy_init());
      set_up(each, ca_file_);
      curl_multi_add_handle(multi_.get(), each.easy.get());
    }
    running_.splice(running_.end(), arrived);
    return true;
  }

  void end_finished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode code = message->data.result;  // the message goes with its handle
      Transfer* transfer = nullptr;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
      curl_multi_remove_handle(multi_.get(), easy);
      {
        const std::lock_guard lock(mutex_);
        --under_way_;
      }
      end(*transfer, code);
      running_.remove_if([transfer](const Transfer& each) { return &each == transfer; });
    }
  }

  std::string ca_file_;
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::list<Transfer> running_;  // the thread's
  std::mutex mutex_;             // of what follows
  std::list<Transfer> arrived_;
  std::size_t under_way_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

Fetcher::Fetcher(std::string ca_file)
    : transfers_(std::make_unique<Transfers>(std::move(ca_file))) {}
Fetcher::~Fetcher() = default;

void Fetcher::fetch(Fetch what, std::function<void(Fetched)> done) {
  transfers_->add(std::move(what), std::move(done));
}

}  // namespace weir::auth
