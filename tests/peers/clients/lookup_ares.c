/* lookup_ares NAME: the same as lookup_libc, by c-ares. */
#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/select.h>

static int code = 2;

static void print(void* unused, int status, int timeouts, struct ares_addrinfo* found) {
  (void)unused;
  (void)timeouts;
  code = status == ARES_SUCCESS ? 0 : status == ARES_ENOTFOUND || status == ARES_ENODATA ? 1 : 2;
  if (status != ARES_SUCCESS) {
    fprintf(stderr, "%s\n", ares_strerror(status));
    return;
  }
  for (const struct ares_addrinfo_node* each = found->nodes; each != NULL; each = each->ai_next) {
    char text[INET_ADDRSTRLEN];
    const struct sockaddr_in* address = (const struct sockaddr_in*)each->ai_addr;
    puts(inet_ntop(AF_INET, &address->sin_addr, text, sizeof text));
  }
  ares_freeaddrinfo(found);
}

int main(int count, char** words) {
  ares_channel channel;
  const struct ares_addrinfo_hints hints = {.ai_family = AF_INET};
  if (count != 2 || ares_library_init(ARES_LIB_INIT_ALL) != 0 || ares_init(&channel) != 0) return 2;
  ares_getaddrinfo(channel, words[1], NULL, &hints, print, NULL);
  for (;;) {
    fd_set reading, writing;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    const int most = ares_fds(channel, &reading, &writing);
    if (most == 0) break;
    struct timeval room, *wait = ares_timeout(channel, NULL, &room);
    select(most, &reading, &writing, NULL, wait);
    ares_process(channel, &reading, &writing);
  }
  ares_destroy(channel);
  return code;
}
