/* lookup_libc NAME: the addresses of a name, a line each, as the C library finds them. Exit code 1:
 * there is none; 2: it could not be found out. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int count, char** words) {
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  struct addrinfo* found = NULL;
  if (count != 2) return 2;
  const int error = getaddrinfo(words[1], NULL, &hints, &found);
  if (error != 0) {
    fprintf(stderr, "%s\n", gai_strerror(error));
    return error == EAI_AGAIN ? 2 : 1;
  }
  for (const struct addrinfo* each = found; each != NULL; each = each->ai_next) {
    char text[INET_ADDRSTRLEN];
    const struct sockaddr_in* address = (const struct sockaddr_in*)each->ai_addr;
    puts(inet_ntop(AF_INET, &address->sin_addr, text, sizeof text));
  }
  freeaddrinfo(found);
  return 0;
}
