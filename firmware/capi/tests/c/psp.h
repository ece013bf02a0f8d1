/* The PSP, over HTTP. */
#ifndef PSP_H
#define PSP_H

#include <stddef.h>
#include <stdint.h>

struct psp {
    const char *host;
    const char *port;
    /* So many more requests are answered, and the answer to the one after is lost; negative: none is. */
    long lost_after;
};

struct psp_answer {
    /* 0: none came. */
    uint16_t status;
    uint8_t *body;
    size_t length;
    /* To be freed. */
    uint8_t *memory;
};

/* Sends a request, of which `headers` are whole lines. The answer is the caller's to free. */
struct psp_answer psp_ask(struct psp *psp, const char *method, const char *target, const char *headers,
                          const uint8_t *body, size_t length);

#endif
