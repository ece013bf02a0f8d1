#include "element.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* What is returned where the element does not answer. */
static const int32_t GONE = -4;

void element_prepare(struct element *element, const char *program, const char *flash) {
    signal(SIGPIPE, SIG_IGN);
    *element = (struct element){.program = program, .flash = flash, .process = -1, .killed_after = -1};
}

static void start(struct element *element) {
    int in[2], out[2];
    CHECK(pipe(in) == 0 && pipe(out) == 0);
    element->process = fork();
    CHECK(element->process >= 0);
    if (element->process == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        for (int file = 3; file < 64; file++) {
            close(file);
        }
        execl(element->program, element->program, "element", "--flash", element->flash, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    element->to = in[1];
    element->from = out[0];
}

static bool write_all(int file, const uint8_t *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(file, bytes, length);
        if (written <= 0) {
            return false;
        }
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

static bool read_all(int file, uint8_t *bytes, size_t length) {
    while (length > 0) {
        ssize_t count = read(file, bytes, length);
        if (count <= 0) {
            return false;
        }
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

void element_kill(struct element *element) {
    if (element->process > 0) {
        close(element->to);
        close(element->from);
        kill(element->process, SIGKILL);
        waitpid(element->process, NULL, 0);
        element->process = -1;
    }
}

int32_t element_transmit(struct element *element, const uint8_t *command, size_t length, uint8_t *answer,
                         size_t capacity, size_t *answer_length) {
    if (element->process < 0) {
        start(element);
    }
    uint8_t head[2] = {(uint8_t)(length >> 8), (uint8_t)length};
    bool sent = write_all(element->to, head, 2) && write_all(element->to, command, length);
    if (element->killed_after == 0) {
        element->killed_after = -1;
        sent = false;
    } else if (element->killed_after > 0) {
        element->killed_after--;
    }
    if (!sent || !read_all(element->from, head, 2)) {
        element_kill(element);
        return GONE;
    }
    size_t expected = (size_t)head[0] << 8 | head[1];
    CHECK(expected <= capacity);
    if (!read_all(element->from, answer, expected)) {
        element_kill(element);
        return GONE;
    }
    *answer_length = expected;
    return 0;
}
