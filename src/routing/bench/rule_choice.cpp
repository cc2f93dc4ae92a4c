// What Listener::choose() costs among 1, 100 and 10 000 rules, for the ways in which people write
// many rules. Requests ask for rules all over the list; a line's ratio is to the same way with one
// rule. Build and run: ninja bench_rule_choice && taskset -c 1 src/routing/bench_rule_choice
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "routing/rule_list.hpp"
#include "routing/snapshot.hpp"

namespace {

using weir::model::Condition;
using weir::model::ConditionField;

constexpr std::size_t requests = 4096;
constexpr int rounds = 15;

struct Way {
  std::string_view name;
  std::function<std::vector<Condition>(std::size_t)> rule;
  std::function<std::pair<std::string, std::string>(std::size_t)> host_and_path;
  // The request's X-Tenant, its query's "tenant", its method or its client's address says the
  // number.
  enum class By { path, tenant, query, method, client } by = By::path;
};

Condition condition(ConditionField field, std::string value) {
  Condition out;
  out.field = field;
  out.values = {std::move(value)};
  return out;
}
Condition path(std::string value) {
  return condition(ConditionField::path_pattern, std::move(value));
}
Condition host(std::string value) {
  return condition(ConditionField::host_header, std::move(value));
}

Condition regex(ConditionField field, std::string value) {
  Condition out;
  out.field = field;
  out.regex_values = {std::move(value)};
  return out;
}
Condition tenant(std::string value) {
  Condition out = condition(ConditionField::http_header, std::move(value));
  out.http_header_name = "X-Tenant";
  return out;
}

// Numbers of one length, so that all sizes ask for equally long texts.
std::string number(std::size_t n) { return fmt::format("{:05}", n); }

Condition pair(std::string value) {
  Condition out;
  out.field = ConditionField::query_string;
  out.query = {{"tenant", std::move(value)}};
  return out;
}
std::string address(std::size_t n, int host) {
  return fmt::format("10.{}.{}.{}", n / 200, n % 200, host);
}
std::pair<std::string, std::string> same_place(std::size_t) { return {"example.com", "/items/7"}; }

std::vector<Way> ways() {
  return {
      {"path /service-N", [](std::size_t n) { return std::vector{path("/service-" + number(n))}; },
       [](std::size_t n) { return std::pair("example.com", "/service-" + number(n)); }},
      {"path /service-N/*",
       [](std::size_t n) { return std::vector{path("/service-" + number(n) + "/*")}; },
       [](std::size_t n) {
         return std::pair("example.com", "/service-" + number(n) + "/items/7");
       }},
      {"host N.example.com",
       [](std::size_t n) { return std::vector{host(number(n) + ".example.com")}; },
       [](std::size_t n) { return std::pair(number(n) + ".example.com", "/items/7"); }},
      {"host *.N.example.com",
       [](std::size_t n) { return std::vector{host("*." + number(n) + ".example.com")}; },
       [](std::size_t n) { return std::pair("www." + number(n) + ".example.com", "/items/7"); }},
      {"host N and path /api/*",
       [](std::size_t n) {
         return std::vector{host(number(n) + ".example.com"), path("/api/*")};
       },
       [](std::size_t n) { return std::pair(number(n) + ".example.com", "/api/items"); }},
      {"header X-Tenant: N", [](std::size_t n) { return std::vector{tenant(number(n))}; },
       same_place, Way::By::tenant},
      {"query tenant=N", [](std::size_t n) { return std::vector{pair(number(n))}; }, same_place,
       Way::By::query},
      {"path /items/* and query tenant=N",
       [](std::size_t n) {
         return std::vector{path("/items/*"), pair(number(n))};
       },
       same_place, Way::By::query},
      {"path /items/* and header N",
       [](std::size_t n) {
         return std::vector{path("/items/*"), tenant(number(n))};
       },
       same_place, Way::By::tenant},
      {"method M-N",
       [](std::size_t n) {
         return std::vector{condition(ConditionField::http_request_method, "M-" + number(n))};
       },
       same_place, Way::By::method},
      {"source-ip 10.x.y.0/24",
       [](std::size_t n) {
         return std::vector{condition(ConditionField::source_ip, address(n, 0) + "/24")};
       },
       same_place, Way::By::client},
      {"path regex ^/s-N/[0-9]+$",
       [](std::size_t n) {
         return std::vector{regex(ConditionField::path_pattern, "^/s-" + number(n) + "/[0-9]+$")};
       },
       [](std::size_t n) { return std::pair("example.com", "/s-" + number(n) + "/77"); }},
      {"path regex -N\\.(jpg|png)$",
       [](std::size_t n) {
         return std::vector{regex(ConditionField::path_pattern, "-" + number(n) + "\\.(jpg|png)$")};
       },
       [](std::size_t n) { return std::pair("example.com", "/img/photo-" + number(n) + ".jpg"); }},
      {"host regex ^[a-z]+\\.N\\.com$",
       [](std::size_t n) {
         return std::vector{
             regex(ConditionField::host_header, "^[a-z]+\\." + number(n) + "\\.com$")};
       },
       [](std::size_t n) { return std::pair("www." + number(n) + ".com", "/items/7"); }},
      {"path *-N.jpg", [](std::size_t n) { return std::vector{path("*-" + number(n) + ".jpg")}; },
       [](std::size_t n) { return std::pair("example.com", "/img/photo-" + number(n) + ".jpg"); }},
  };
}

weir::routing::Listener make_listener(const Way& way, std::size_t rules) {
  weir::routing::Listener out;
  std::vector<weir::routing::RulePtr> all;
  for (std::size_t n = 0; n < rules; ++n) {
    all.push_back(std::make_shared<weir::routing::Rule>(
        weir::routing::Rule{number(n),
                            static_cast<int>(n) + 1,
                            weir::routing::Forward{},
                            {},
                            std::make_shared<const std::vector<Condition>>(way.rule(n))}));
  }
  out.rules = std::make_shared<weir::routing::RuleList>(std::move(all), nullptr);
  return out;
}

std::string detail(Way::By by, std::size_t n) {
  switch (by) {
    case Way::By::path:
      return {};
    case Way::By::tenant:
      return number(n);
    case Way::By::query:
      return "page=3&tenant=" + number(n) + "&sort=asc";
    case Way::By::method:
      return "M-" + number(n);
    case Way::By::client:
      return address(n, 7);
  }
  return {};
}

// Median over the rounds of nanoseconds for one choice.
double measure(const Way& way, std::size_t rules) {
  const weir::routing::Listener listener = make_listener(way, rules);
  std::mt19937 random(1);
  std::vector<std::pair<std::string, std::string>> texts(requests);
  std::vector<std::string> details(requests);
  std::vector<weir::http::RequestHead> heads(requests);
  for (std::size_t i = 0; i < requests; ++i) {
    const std::size_t wanted = random() % rules;
    texts[i] = way.host_and_path(wanted);
    heads[i].authority = texts[i].first;
    heads[i].path = texts[i].second;
    heads[i].method_text = "GET";
    details[i] = detail(way.by, wanted);
    if (way.by == Way::By::tenant) heads[i].headers.push_back({"X-Tenant", details[i]});
    if (way.by == Way::By::method) heads[i].method_text = details[i];
    if (way.by == Way::By::query) heads[i].query = details[i];
    heads[i].has_query = way.by == Way::By::query;
  }
  std::vector<double> seen;
  for (int round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < requests; ++i) {
      const std::string_view client = way.by == Way::By::client ? details[i] : "192.0.2.1";
      if (listener.choose({heads[i], client}).priority == 0) std::abort();
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    seen.push_back(took.count() / static_cast<double>(requests));
  }
  std::ranges::nth_element(seen, seen.begin() + rounds / 2);
  return seen[rounds / 2];
}

}  // namespace

int main() {
  fmt::print("{:<34}{:>10}{:>10}{:>10}{:>14}\n", "ns a choice", "1 rule", "100", "10 000",
             "10 000 to 1");
  for (const Way& way : ways()) {
    const double one = measure(way, 1), hundred = measure(way, 100), many = measure(way, 10'000);
    fmt::print("{:<34}{:>10.1f}{:>10.1f}{:>10.1f}{:>14.2f}\n", way.name, one, hundred, many,
               many / one);
  }
}
