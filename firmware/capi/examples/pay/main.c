/* A payer and payee in C, on a Cortex-M4 in QEMU: the owner on UART0, the secure element's chip on UART1, the other
 * device on UART2, noise on UART3. The owner enrols it, has it synchronise, asks to be paid or lets it pay, with the
 * frames of `docs/spec/links.md`; it pays the other device offline. */

#include "board.h"
#include "specie.h"

/* How long a line may take to take a byte, and noise to come, in milliseconds. */
enum { SEND_MS = 100, NOISE_MS = 2000 };

/* Bytes that go out on one line in one turn. */
enum { BYTES_PER_TURN = 64 };

/* The library's memory, for ever. */
static uint8_t arena[43 * 1024] __attribute__((section(".arena"), aligned(8)));

static specie_chip *chip;
static specie_device *device;

/* The library has a defect, or the arena is used up: what was promised is in the flash. A real board restarts. */
static void on_panic(void) {
    board_stop();
}

/* The line to the element's chip. */

static int32_t on_send(void *context, const uint8_t *bytes, size_t length) {
    (void)context;
    for (size_t i = 0; i < length; i++) {
        uint64_t start = board_ms();
        while (!board_ready(ELEMENT)) {
            if (board_ms() - start > SEND_MS) {
                return -1;
            }
        }
        board_put(ELEMENT, bytes[i]);
    }
    return 0;
}

static int32_t on_receive(void *context, uint32_t patience_ms, uint8_t *byte) {
    (void)context;
    uint64_t start = board_ms();
    while (!board_take(ELEMENT, byte)) {
        if (board_ms() - start > patience_ms) {
            return 0;
        }
        board_rest();
    }
    return 1;
}

/* What the library asks for. */

static int32_t on_read(void *context, uint32_t address, uint8_t *bytes, size_t length) {
    (void)context;
    flash_read(address, bytes, length);
    return 0;
}

static int32_t on_program(void *context, uint32_t address, const uint8_t *bytes, size_t length) {
    (void)context;
    flash_program(address, bytes, length);
    return 0;
}

static int32_t on_erase(void *context, uint32_t address) {
    (void)context;
    flash_erase(address);
    return 0;
}

static int32_t on_transmit(void *context, const uint8_t *command, size_t length, uint8_t *answer, size_t capacity,
                           size_t *answer_length) {
    (void)context;
    return specie_chip_transmit(chip, command, length, answer, capacity, answer_length);
}

static int32_t on_random(void *context, uint8_t *bytes, size_t length) {
    (void)context;
    for (size_t i = 0; i < length; i++) {
        uint64_t start = board_ms();
        while (!board_take(NOISE, &bytes[i])) {
            if (board_ms() - start > NOISE_MS) {
                return -1;
            }
        }
    }
    return 0;
}

static bool start(void) {
    const specie_line line = {.size = sizeof line, .send = on_send, .receive = on_receive};
    const specie_platform platform = {
        .size = sizeof platform,
        .flash_length = FLASH_LENGTH,
        .flash_page = FLASH_PAGE,
        .random_bits = 1,
        .flash_read = on_read,
        .flash_program = on_program,
        .flash_erase = on_erase,
        .transmit = on_transmit,
        .random = on_random,
    };
    uint8_t token[4];
    return specie_interface() == SPECIE_INTERFACE && specie_start(arena, sizeof arena, on_panic) == SPECIE_ERROR_OK &&
           on_random(NULL, token, sizeof token) == 0 &&
           specie_chip_open(&line, (uint32_t)token[0] << 24 | (uint32_t)token[1] << 16 | token[2] << 8 | token[3],
                            &chip) == SPECIE_ERROR_OK &&
           specie_open(&platform, &device) == SPECIE_ERROR_OK;
}

typedef specie_error (*taker)(specie_device *, uint8_t *, size_t, size_t *);

/* Sends what there is, as far as the line takes it; whether there was anything. */
static bool send(enum board_line line, taker take) {
    bool sent = false;
    for (int i = 0; i < BYTES_PER_TURN && board_ready(line); i++) {
        uint8_t byte;
        size_t length = 0;
        if (take(device, &byte, 1, &length) != SPECIE_ERROR_OK || length == 0) {
            break;
        }
        board_put(line, byte);
        sent = true;
    }
    return sent;
}

/* The loop never waits for the owner or the other device, only for the element. */
int main(void) {
    board_start();
    if (!start()) {
        board_stop();
    }
    for (;;) {
        uint8_t byte;
        bool idle = true;
        uint64_t ms = board_ms();
        if (board_take(OWNER, &byte)) {
            idle = false;
            specie_owner_feed(device, &byte, 1, ms);
        }
        if (board_take(PEER, &byte)) {
            idle = false;
            specie_peer_feed(device, &byte, 1, ms);
        }
        specie_poll(device, ms);
        idle &= !send(PEER, specie_peer_take);
        idle &= !send(OWNER, specie_owner_take);
        if (idle) {
            board_rest();
        }
    }
}
