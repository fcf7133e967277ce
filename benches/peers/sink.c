/* A minimal receiver: it reads each request completely and responds with 200, on one thread, over
 * persistent connections, so that the sender is measured and not the receiver.
 *
 *     sink PORT CERTIFICATE KEY
 *
 * One port takes HTTP/1.1 and HTTP/2, each with and without TLS: the first bytes of a connection tell
 * which. GET /count over plain HTTP/1.1 returns "requests bytes encrypted http2": the requests so far,
 * without itself, the bytes of their bodies, and how many of the requests came over TLS and over
 * HTTP/2. It verifies nothing and trusts its senders: use it only for this comparison. Linux only. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 4096, BUFFER = 32 * 1024, EVENTS = 256, WAIT = -2 };
enum { DATA = 0, HEADERS = 1, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
enum { END_STREAM = 1, ACK = 1, FRAME_HEAD = 9, WINDOW = 0x7fffffff, MOST_UNCREDITED = 1 << 29 };

enum protocol { UNKNOWN, HTTP1, HTTP2 };

struct connection {
    int begun;
    SSL *tls; /* NULL on a plain connection. */
    enum protocol protocol;
    size_t uncredited; /* Bytes that HTTP/2's window of the connection has lost. */
    size_t filled;
    char buffer[BUFFER];
};

/* Frames that answer one read. A response takes less than four times the bytes of the shortest frame. */
struct frames {
    size_t length;
    char bytes[4 * BUFFER];
};

static struct connection *connections[MOST_CONNECTIONS];
static unsigned long long requests, body_bytes, encrypted, http2;
static SSL_CTX *tls_settings;

static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
static const char PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static void count_request(const struct connection *connection) {
    requests += 1;
    encrypted += connection->tls != NULL;
    http2 += connection->protocol == HTTP2;
}

static int write_all(int socket, struct connection *connection, const char *bytes, size_t length) {
    if (connection->tls) return SSL_write(connection->tls, bytes, length) == (int)length;
    return send(socket, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* The Content-Length in a zero-terminated head; 0 if it is missing. */
static size_t content_length(const char *head) {
    const char *line = strcasestr(head, "\r\ncontent-length:");
    return line ? strtoul(line + strlen("\r\ncontent-length:"), NULL, 10) : 0;
}

static int respond(int socket, struct connection *connection, const char *head, size_t length) {
    if (memcmp(head, "GET /count ", 11) != 0) {
        count_request(connection);
        body_bytes += length;
        return write_all(socket, connection, OK, sizeof OK - 1);
    }
    char counts[96], text[160];
    int size = snprintf(counts, sizeof counts, "%llu %llu %llu %llu", requests, body_bytes, encrypted, http2);
    size = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, counts);
    return write_all(socket, connection, text, size);
}

/* Answers all complete HTTP/1.1 requests; returns the bytes that they take, or -1 to close. */
static ssize_t respond_http1(int socket, struct connection *connection) {
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
        if (!respond(socket, connection, begin, length)) return -1;
        begin = body + length;
    }
    return begin - connection->buffer;
}

static void add_frame(struct frames *frames, int type, int flags, const char *stream,
                      const char *payload, size_t length) {
    char *place = frames->bytes + frames->length;
    char head[5] = {0, length >> 8, length, type, flags};
    memcpy(place, head, sizeof head);
    memcpy(place + sizeof head, stream, 4);
    memcpy(place + FRAME_HEAD, payload, length);
    frames->length += FRAME_HEAD + length;
}

static void add_window_update(struct frames *frames, size_t credit) {
    char payload[4] = {credit >> 24, credit >> 16, credit >> 8, credit};
    add_frame(frames, WINDOW_UPDATE, 0, "\0\0\0\0", payload, sizeof payload);
}

/* Windows are as large as possible, so that no sender waits for one. */
static void add_settings(struct frames *frames) {
    static const char INITIAL_WINDOW[] = {0, 4, 0x7f, (char)0xff, (char)0xff, (char)0xff};
    add_frame(frames, SETTINGS, 0, "\0\0\0\0", INITIAL_WINDOW, sizeof INITIAL_WINDOW);
    add_window_update(frames, WINDOW - 65535);
}

static void add_response(struct frames *frames, const char *stream) {
    /* `:status: 200` is in HPACK's static table; `content-length: 2` is not added to the dynamic one. */
    static const char HEAD[] = {(char)0x88, 0x0f, 0x0d, 1, '2'};
    add_frame(frames, HEADERS, 4, stream, HEAD, sizeof HEAD);
    add_frame(frames, DATA, END_STREAM, stream, "{}", 2);
}

/* Answers all complete frames; returns the bytes that they take, or -1 to close. Nothing in a header
 * block matters here, so none is decoded. */
static ssize_t respond_http2(int socket, struct connection *connection, size_t skipped) {
    static struct frames frames;
    frames.length = 0;
    if (skipped) add_settings(&frames);
    char *begin = connection->buffer + skipped;
    char *end = connection->buffer + connection->filled;
    while (end - begin >= FRAME_HEAD) {
        const unsigned char *head = (unsigned char *)begin;
        size_t length = head[0] << 16 | head[1] << 8 | head[2];
        int type = head[3], flags = head[4];
        if ((size_t)(end - begin) < FRAME_HEAD + length) break;
        if (type == GOAWAY) return -1;
        if (type == SETTINGS && !(flags & ACK)) add_frame(&frames, SETTINGS, ACK, begin + 5, "", 0);
        if (type == PING && !(flags & ACK) && length == 8)
            add_frame(&frames, PING, ACK, begin + 5, begin + FRAME_HEAD, length);
        if (type == DATA) {
            body_bytes += length;
            connection->uncredited += length;
        }
        if ((type == DATA || type == HEADERS) && flags & END_STREAM) {
            count_request(connection);
            add_response(&frames, begin + 5);
        }
        begin += FRAME_HEAD + length;
    }
    if (connection->uncredited >= MOST_UNCREDITED) {
        add_window_update(&frames, connection->uncredited);
        connection->uncredited = 0;
    }
    if (frames.length && !write_all(socket, connection, frames.bytes, frames.length)) return -1;
    return begin - connection->buffer;
}

/* Answers what is complete in the buffer; returns 0 to close the connection. */
static int respond_all(int socket, struct connection *connection) {
    size_t preface = sizeof PREFACE - 1, skipped = 0;
    if (connection->protocol == UNKNOWN) {
        size_t known = connection->filled < preface ? connection->filled : preface;
        if (memcmp(connection->buffer, PREFACE, known) != 0) connection->protocol = HTTP1;
        else if (known < preface) return 1;
        else connection->protocol = HTTP2, skipped = preface;
    }
    ssize_t done = connection->protocol == HTTP2 ? respond_http2(socket, connection, skipped)
                                                 : respond_http1(socket, connection);
    if (done < 0) return 0;
    connection->filled -= done;
    if (connection->filled >= BUFFER - 1) return 0;
    if (done) memmove(connection->buffer, connection->buffer + done, connection->filled);
    return 1;
}

static ssize_t receive(int socket, struct connection *connection, char *buffer, size_t room) {
    if (!connection->tls) return recv(socket, buffer, room, 0);
    ERR_clear_error();
    int count = SSL_read(connection->tls, buffer, room);
    if (count > 0) return count;
    int error = SSL_get_error(connection->tls, count);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? WAIT : 0;
}

/* Starts TLS if the first byte is that of a handshake. */
static int begin(int socket, struct connection *connection) {
    char first;
    if (recv(socket, &first, 1, MSG_PEEK) != 1) return 0;
    connection->begun = 1;
    if (first != 0x16) return 1;
    connection->tls = SSL_new(tls_settings);
    if (!connection->tls || !SSL_set_fd(connection->tls, socket)) return 0;
    SSL_set_accept_state(connection->tls);
    return 1;
}

static int read_some(int socket) {
    struct connection *connection = connections[socket];
    if (!connection->begun && !begin(socket, connection)) return 0;
    do {
        /* Leave one byte for the zero byte of content_length. */
        size_t room = BUFFER - 1 - connection->filled;
        ssize_t count = receive(socket, connection, connection->buffer + connection->filled, room);
        if (count == WAIT) return 1;
        if (count <= 0) return 0;
        connection->filled += count;
        if (!respond_all(socket, connection)) return 0;
    } while (connection->tls && SSL_has_pending(connection->tls));
    return 1;
}

static void close_one(int socket) {
    SSL_free(connections[socket]->tls);
    connections[socket]->tls = NULL;
    close(socket);
}

static void accept_one(int poll, int listener) {
    int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (socket < 0) return;
    if (socket >= MOST_CONNECTIONS) {
        close(socket);
        return;
    }
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!connections[socket]) connections[socket] = malloc(sizeof *connections[socket]);
    if (!connections[socket]) exit(3);
    memset(connections[socket], 0, offsetof(struct connection, buffer));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
    epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
}

/* Selects HTTP/2 if the sender offers it. */
static int select_protocol(SSL *tls, const unsigned char **selected, unsigned char *length,
                           const unsigned char *offered, unsigned int offered_length, void *unused) {
    (void)tls, (void)unused;
    static const unsigned char KNOWN[] = "\2h2\10http/1.1";
    int found = SSL_select_next_proto((unsigned char **)selected, length, KNOWN, sizeof KNOWN - 1, offered,
                                      offered_length);
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* TLS 1.3 with the cipher that OpenSSL and rustls prefer. */
static SSL_CTX *settings_of_tls(const char *certificate, const char *key) {
    SSL_CTX *settings = SSL_CTX_new(TLS_server_method());
    if (!settings || !SSL_CTX_set_min_proto_version(settings, TLS1_3_VERSION) ||
        !SSL_CTX_set_ciphersuites(settings, "TLS_AES_256_GCM_SHA384") ||
        SSL_CTX_use_certificate_file(settings, certificate, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(settings, key, SSL_FILETYPE_PEM) != 1)
        return NULL;
    SSL_CTX_set_alpn_select_cb(settings, select_protocol, NULL);
    SSL_CTX_set_read_ahead(settings, 1); /* One system call for all records that are there. */
    return settings;
}

int main(int count, char **arguments) {
    if (count != 4) return fprintf(stderr, "usage: sink PORT CERTIFICATE KEY\n"), 2;
    tls_settings = settings_of_tls(arguments[2], arguments[3]);
    if (!tls_settings) return fprintf(stderr, "sink: can't use the certificate or key\n"), 3;
    signal(SIGPIPE, SIG_IGN);
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
            else if (!read_some(socket)) close_one(socket);
        }
    }
}
