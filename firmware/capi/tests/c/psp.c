#include "psp.h"

#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static int connect_to(const struct psp *psp) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    CHECK(getaddrinfo(psp->host, psp->port, &hints, &found) == 0);
    int line = socket(found->ai_family, found->ai_socktype, 0);
    CHECK(line >= 0);
    CHECK(connect(line, found->ai_addr, found->ai_addrlen) == 0);
    freeaddrinfo(found);
    return line;
}

static void send_all(int line, const void *bytes, size_t length) {
    for (size_t sent = 0; sent < length;) {
        ssize_t count = send(line, (const uint8_t *)bytes + sent, length - sent, 0);
        CHECK(count > 0);
        sent += (size_t)count;
    }
}

/* Everything up to the end, with a zero behind it. */
static uint8_t *receive_all(int line, size_t *length) {
    size_t capacity = 16 * 1024;
    uint8_t *bytes = malloc(capacity);
    *length = 0;
    for (;;) {
        CHECK(bytes != NULL);
        ssize_t count = recv(line, bytes + *length, capacity - *length - 1, 0);
        CHECK(count >= 0);
        *length += (size_t)count;
        if (count == 0) {
            bytes[*length] = 0;
            return bytes;
        }
        if (capacity - *length < 1024) {
            capacity *= 2;
            bytes = realloc(bytes, capacity);
        }
    }
}

struct psp_answer psp_ask(struct psp *psp, const char *method, const char *target, const char *headers,
                          const uint8_t *body, size_t length) {
    bool lost = psp->lost_after == 0;
    psp->lost_after -= psp->lost_after >= 0;
    int line = connect_to(psp);
    char head[2048];
    int head_length =
        snprintf(head, sizeof head,
                 "%s %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n", method,
                 target, psp->host, psp->port, length, headers);
    CHECK(head_length > 0 && (size_t)head_length < sizeof head);
    send_all(line, head, (size_t)head_length);
    send_all(line, body, length);
    size_t received = 0;
    struct psp_answer answer = {0};
    answer.memory = receive_all(line, &received);
    close(line);
    char *end = strstr((char *)answer.memory, "\r\n\r\n");
    CHECK(end != NULL && strncmp((char *)answer.memory, "HTTP/1.1 ", 9) == 0);
    answer.status = (uint16_t)atoi((char *)answer.memory + 9);
    answer.body = (uint8_t *)end + 4;
    answer.length = received - (size_t)(answer.body - answer.memory);
    if (lost) {
        answer.status = 0;
        answer.length = 0;
    }
    return answer;
}
