/* A minimal receiver: it reads each request completely and responds with 200, on one thread, over
 * persistent connections, so that the sender is measured and not the receiver.
 *
 *     sink PORT
 *
 * GET /count returns "requests bytes": the requests so far, without itself, and the bytes of their
 * bodies. It verifies nothing and trusts its senders: use it only for this comparison. Linux only. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 4096, BUFFER = 16 * 1024, EVENTS = 256 };

struct connection {
    size_t filled;
    char buffer[BUFFER];
};

static struct connection *connections[MOST_CONNECTIONS];
static unsigned long long requests, body_bytes;

static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

/* The Content-Length in a zero-terminated head; 0 if it is missing. */
static size_t content_length(const char *head) {
    const char *line = strcasestr(head, "\r\ncontent-length:");
    return line ? strtoul(line + strlen("\r\ncontent-length:"), NULL, 10) : 0;
}

static int respond(int socket, const char *head, size_t length) {
    char text[128];
    if (memcmp(head, "GET /count ", 11) != 0) {
        requests += 1;
        body_bytes += length;
        return send(socket, OK, sizeof OK - 1, MSG_NOSIGNAL) == sizeof OK - 1;
    }
    char counts[64];
    int size = snprintf(counts, sizeof counts, "%llu %llu", requests, body_bytes);
    size = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, counts);
    return send(socket, text, size, MSG_NOSIGNAL) == size;
}

/* Answers all complete requests in the buffer; returns 0 to close the connection. */
static int respond_all(int socket, struct connection *connection) {
    char *begin = connection->buffer;
    char *end = begin + connection->filled;
    for (;;) {
        char *blank = memmem(begin, end - begin, "\r\n\r\n", 4);
        if (!blank) break;
        char *body = blank + 4;
        char first = *body;
        *body = 0;
        size_t length = content_length(begin);
        *body = first;
        if ((size_t)(end - body) < length) break;
        if (!respond(socket, begin, length)) return 0;
        begin = body + length;
    }
    connection->filled = end - begin;
    if (connection->filled >= BUFFER - 1) return 0;
    if (begin != connection->buffer) memmove(connection->buffer, begin, connection->filled);
    return 1;
}

static int read_some(int socket) {
    struct connection *connection = connections[socket];
    /* Leave one byte for the zero byte of content_length. */
    size_t room = BUFFER - 1 - connection->filled;
    ssize_t count = recv(socket, connection->buffer + connection->filled, room, 0);
    if (count <= 0) return 0;
    connection->filled += count;
    return respond_all(socket, connection);
}

static void accept_one(int poll, int listener) {
    int socket = accept4(listener, NULL, NULL, 0);
    if (socket < 0) return;
    if (socket >= MOST_CONNECTIONS) {
        close(socket);
        return;
    }
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!connections[socket]) connections[socket] = malloc(sizeof *connections[socket]);
    if (!connections[socket]) exit(3);
    connections[socket]->filled = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
    epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
}

int main(int count, char **arguments) {
    if (count != 2) return fprintf(stderr, "usage: sink PORT\n"), 2;
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, poll = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(atoi(arguments[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
        return perror("sink: can't listen"), 3;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int place = 0; place < ready; place++) {
            int socket = events[place].data.fd;
            if (socket == listener) accept_one(poll, listener);
            else if (!read_some(socket)) close(socket);
        }
    }
}
