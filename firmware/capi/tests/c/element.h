/* A software secure element in a process of its own: `specie element --flash FILE`. */
#ifndef ELEMENT_H
#define ELEMENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct element {
    const char *program;
    const char *flash;
    pid_t process;
    int to;
    int from;
    /* So many more commands, and it is killed before it answers the one after; negative: it lives. */
    long killed_after;
};

/* An element that is started at its first command. */
void element_prepare(struct element *element, const char *program, const char *flash);

/* Sends a command and waits for the answer. An element that was killed is started anew at the next command. */
int32_t element_transmit(struct element *element, const uint8_t *command, size_t length, uint8_t *answer,
                         size_t capacity, size_t *answer_length);

/* Takes its power. */
void element_kill(struct element *element);

#endif
