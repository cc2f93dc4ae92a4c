# The cluster app in C++, on port 80, now and at every boot. CLUSTER (1 or 2) is set above.
set -eu
app=/opt/weir/bin/cluster-app
if [ -x $app ]; then
  echo "cluster app: the image has it: $app"
else
  echo "cluster app: compiling it with g++ from apt"
  app=/usr/local/bin/cluster-app
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -qy g++
  cat > /tmp/cluster-app.cpp <<'END_OF_SOURCE'
// The web app of a cluster: "/" says that it is healthy, a path with /cluster1 (the cluster's own
// number) says which instance answers. One thread serves with edge-triggered epoll: all that a
// client has sent is answered by one write. Another thread asks the metadata service who we are;
// requests for the id wait until that is known, "/" never does.
// Build: g++ -O2 -std=c++17 -pthread cluster-app.cpp -o cluster-app
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
using std::string, std::string_view;

struct Connection {
  string in, out;
  size_t skip = 0;  // bytes of a body that are still to come
  enum { head, chunk, trailer } next = head;
  bool close = false, waits = false;
};

static std::atomic<bool> has_id{false};
static string id_page, marker;

// ---- who we are: IMDSv2, else v1

static string ask(const string& line, const string& header) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  const char* other = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  char host[16] = "169.254.169.254";
  unsigned port = 80;
  if (other) sscanf(other, "http://%15[0-9.]:%u", host, &port);
  to.sin_addr.s_addr = inet_addr(host);
  to.sin_port = htons(uint16_t(port));
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval limit{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  string text = line + " HTTP/1.1\r\nHost: imds\r\nConnection: close\r\n" + header + "\r\n\r\n";
  char block[4096];
  ssize_t n = connect(fd, (sockaddr*)&to, sizeof to);
  if (n == 0) n = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  text.clear();
  while (n > 0 && text.size() < 65536 && (n = recv(fd, block, sizeof block, 0)) > 0)
    text.append(block, size_t(n));
  close(fd);
  size_t end = text.find("\r\n\r\n");
  return end == string::npos || text.compare(0, 12, "HTTP/1.1 200") ? "" : text.substr(end + 4);
}

static void find_id() {
  string id;
  for (int tries = 0; tries < 25 && id.empty(); ++tries) {
    if (tries) usleep(tries < 10 ? 50000 : 500000);
    string token = ask("PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60");
    id = ask("GET /latest/meta-data/instance-id",
             token.empty() ? "Accept: */*" : "X-aws-ec2-metadata-token: " + token);
  }
  id_page = "Instance " + (id.empty() ? "unknown" : id) + " is responding now!";
  has_id = true;
}

// ---- HTTP

static size_t answer(Connection& c, const char* status, string_view body, bool is_head = false) {
  c.out.append("HTTP/1.1 ").append(status).append("\r\nContent-Type: text/html; charset=utf-8\r\n");
  if (!strncmp(status, "405", 3)) c.out += "Allow: GET, HEAD\r\n";
  if (c.close) c.out += "Connection: close\r\n";
  c.out += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  if (!is_head) c.out += body;
  return 0;
}

static size_t refuse(Connection& c, const char* status) {
  c.close = true;
  return answer(c, status, "");
}

static void respond(Connection& c, string_view method, string_view path) {
  bool is_head = method == "HEAD";
  if (!is_head && method != "GET")
    answer(c, "405 METHOD NOT ALLOWED", "<h1>Method Not Allowed</h1>\n");
  else if (path != "/" && path.find(marker) == path.npos)
    answer(c, "404 NOT FOUND", "<h1>Not Found</h1>\n", is_head);
  else
    answer(c, "200 OK", path == "/" ? "Healthy!" : id_page, is_head);
}

// If `line` is the header `name`, its value; else nothing.
static const char* value_of(const string& line, const char* name) {
  size_t n = strlen(name);
  if (strncasecmp(line.c_str(), name, n) || line[n] != ':') return nullptr;
  return line.c_str() + n + 1 + strspn(line.c_str() + n + 1, " \t");
}

// Reads a number of at most 15 digits that fills `text`, or is followed by one of `ends`.
static bool number(const char* text, int base, const char* ends, size_t& n) {
  size_t digits = strspn(text, base == 10 ? "0123456789" : "0123456789abcdefABCDEF");
  n = strtoull(text, nullptr, base);
  return digits > 0 && digits < 16 && (!text[digits] || strchr(ends, text[digits]));
}

// A head of `c.in`, from `at` on. Returns its length; 0: wait, or c.close is set.
static size_t read_head(Connection& c, size_t at) {
  size_t end = c.in.find("\r\n\r\n", at);
  if (end == string::npos)
    return c.in.size() - at > 16384 ? refuse(c, "431 REQUEST HEADER FIELDS TOO LARGE") : 0;
  size_t from = c.in.find("\r\n", at);
  string_view line(&c.in[at], from - at);
  size_t space = line.find(' '), last = line.rfind(' ');
  if (space == line.npos || space == 0 || space + 1 >= last || line.find(' ', space + 1) != last ||
      line.size() != last + 9 || line.compare(last, 8, " HTTP/1.") ||
      memchr(&c.in[at], 0, end - at))
    return refuse(c, "400 BAD REQUEST");
  string_view method = line.substr(0, space), path = line.substr(space + 1, last - space - 1);
  path = path.substr(0, path.find('?'));
  if (size_t host = path.find("://"); host != path.npos && path[0] != '/') {
    size_t slash = path.find('/', host + 3);
    path = slash == path.npos ? "/" : path.substr(slash);
  }
  c.waits = !has_id && path.find(marker) != path.npos;
  if (c.waits) return 0;

  size_t length = 0;
  bool has_length = false, chunked = false, close = line.back() == '0';
  while (from < end) {
    size_t to = c.in.find("\r\n", from + 2);
    string header = c.in.substr(from + 2, to - from - 2);
    if (const char* value = value_of(header, "Content-Length")) {
      if (has_length || !number(value, 10, " \t", length)) return refuse(c, "400 BAD REQUEST");
      has_length = true;
    } else if (const char* coding = value_of(header, "Transfer-Encoding")) {
      if (chunked || strcasecmp(coding, "chunked")) return refuse(c, "400 BAD REQUEST");
      chunked = true;
    } else if (const char* option = value_of(header, "Connection")) {
      close = close || !strcasecmp(option, "close");
    }
    from = to;
  }
  if (chunked && has_length) return refuse(c, "400 BAD REQUEST");
  c.close = close;
  c.skip = length;
  c.next = chunked ? c.chunk : c.head;
  respond(c, method, path);
  return end + 4 - at;
}

// A line of a chunked body: a size, or (after size 0) a trailer.
static size_t read_line(Connection& c, size_t at) {
  size_t end = c.in.find('\n', at), size = 0;
  if (end == string::npos) return c.in.size() - at > 4096 ? refuse(c, "400 BAD REQUEST") : 0;
  if (c.next == c.trailer) {
    if (end - at < 2) c.next = c.head;
  } else {
    if (!number(&c.in[at], 16, "; \t\r\n", size)) return refuse(c, "400 BAD REQUEST");
    if (size)
      c.skip = size + 2;
    else
      c.next = c.trailer;
  }
  return end + 1 - at;
}

// Answers all requests that have arrived whole.
static void answer_all(Connection& c) {
  size_t at = 0, n = 1;
  while (at < c.in.size() && n > 0 && !c.close && c.out.size() < 65536) {
    if (c.skip)
      c.skip -= n = std::min(c.skip, c.in.size() - at);
    else if (c.next != c.head)
      n = read_line(c, at);
    else
      n = c.in[at] == '\r' || c.in[at] == '\n' ? 1 : read_head(c, at);
    at += n;
  }
  c.in.erase(0, c.close ? string::npos : at);
}

// Reads, answers and writes until the kernel has nothing more; false: the connection is over.
static bool serve(int fd, Connection& c, bool ended) {
  char block[16384];
  ssize_t n = sizeof block;
  for (;;) {
    if (!c.close) answer_all(c);
    bool is_full = c.out.size() >= 65536;  // then `in` may hold more requests
    while (!c.out.empty()) {
      ssize_t sent = send(fd, c.out.data(), c.out.size(), MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN;
      c.out.erase(0, size_t(sent));
    }
    if (is_full) continue;
    // The client may still send: closing at once would reset what it has not read yet.
    if (c.close) shutdown(fd, SHUT_WR), c.in.clear();
    if (c.waits || (n < ssize_t(sizeof block) && !ended)) return true;
    n = recv(fd, block, sizeof block, 0);
    if (n <= 0) return n < 0 && errno == EAGAIN;
    c.in.append(block, size_t(n));
  }
}

int main(int count, char** values) {
  string cluster = "1", port = "80";
  for (int i = 1; i + 1 < count; i += 2)
    (values[i] == string("--port") ? port : cluster) = values[i + 1];
  marker = "/cluster" + cluster;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(uint16_t(atoi(port.c_str())));
  socklen_t length = sizeof address;
  int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (sockaddr*)&address, length) || listen(listener, 4096))
    return perror("cluster-app: cannot listen"), 1;
  getsockname(listener, (sockaddr*)&address, &length);
  printf("cluster-app: cluster %s on port %d\n", cluster.c_str(), ntohs(address.sin_port));
  fflush(stdout);
  std::thread(find_id).detach();

  int poller = epoll_create1(EPOLL_CLOEXEC);
  std::unordered_map<int, Connection> connections;
  epoll_event event{EPOLLIN, {}}, events[256];
  event.data.fd = listener;
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (bool woken = false;;) {
    int ready = epoll_wait(poller, events, 256, woken ? -1 : 5);
    for (int i = 0; i < ready; ++i) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        if (!serve(fd, connections[fd], events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
          connections.erase(fd), close(fd);
        continue;
      }
      while ((fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.fd = fd;
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
      }
      if (errno != EAGAIN) usleep(1000);  // out of descriptors
    }
    if (woken || !has_id) continue;
    woken = true;
    for (auto& [fd, c] : connections) c.waits = false, serve(fd, c, true);
  }
}
END_OF_SOURCE
  g++ -O2 -std=c++17 -pthread /tmp/cluster-app.cpp -o $app
fi
boot=/var/lib/cloud/scripts/per-boot
[ -d $boot ] || mkdir -p $boot
echo "#!/bin/bash
setsid $app --cluster $CLUSTER --port 80 < /dev/null >> /var/log/cluster-app.log 2>&1 &" > $boot/cluster-app
chmod 755 $boot/cluster-app
$boot/cluster-app
