#include "board.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* Registers of a UART, from its base on. */
enum { DATA = 0x00, STATE = 0x04, CONTROL = 0x08, INTERRUPT_CLEAR = 0x0C, BAUD_DIVISOR = 0x10 };
enum { TX_FULL = 1 << 0, RX_FULL = 1 << 1 };
enum { TX_ENABLE = 1 << 0, RX_ENABLE = 1 << 1, RX_INTERRUPT_ENABLE = 1 << 3, RX_INTERRUPT = 1 << 1 };

static const struct {
    uint32_t base;
    uint32_t interrupt;
} UARTS[BOARD_LINES] = {
    [OWNER] = {0x40004000, 0},
    [ELEMENT] = {0x40005000, 2},
    [PEER] = {0x40006000, 4},
    [NOISE] = {0x40007000, 18},
};

/* A counter of milliseconds, and what it counts down from for each. */
#define MS_COUNTER REGISTER(0x40028018)
#define MS_PRESCALE REGISTER(0x4002801C)
enum { CLOCK_HZ = 25000000, REST_MS = 20 };

/* The processor's own. */
#define SYSTICK_CONTROL REGISTER(0xE000E010)
#define SYSTICK_RELOAD REGISTER(0xE000E014)
#define SYSTICK_CURRENT REGISTER(0xE000E018)
#define INTERRUPTS_ENABLE REGISTER(0xE000E100)
#define INTERRUPTS_UNPEND REGISTER(0xE000E280)
#define INTERRUPT_CONTROL REGISTER(0xE000ED04)
#define UNPEND_SYSTICK (1u << 25)

/* The memory that a file backs. */
#define FLASH ((volatile uint32_t *)0x21000000)
enum { WORD = 4 };

void board_start(void) {
    /* No interrupt is ever served: being pending, they only end a rest. */
    __asm volatile("cpsid i" ::: "memory");
    SYSTICK_RELOAD = CLOCK_HZ / 1000 * REST_MS;
    SYSTICK_CURRENT = 0;
    SYSTICK_CONTROL = 7;
    MS_PRESCALE = CLOCK_HZ / 1000 - 1;
    MS_COUNTER = 0;
    for (int line = 0; line < BOARD_LINES; line++) {
        bool watched = line != NOISE;
        REGISTER(UARTS[line].base + BAUD_DIVISOR) = 16;
        REGISTER(UARTS[line].base + CONTROL) = TX_ENABLE | RX_ENABLE | (watched ? RX_INTERRUPT_ENABLE : 0);
        if (watched) {
            INTERRUPTS_ENABLE = 1u << UARTS[line].interrupt;
        }
    }
}

uint64_t board_ms(void) {
    /* The counter turns over after 49 days. */
    static uint64_t since;
    static uint32_t last;
    uint32_t counter = MS_COUNTER;
    since += counter - last;
    last = counter;
    return since;
}

bool board_take(enum board_line line, uint8_t *byte) {
    /* Before the byte is taken: the next may come at once, and must not be forgotten. */
    REGISTER(UARTS[line].base + INTERRUPT_CLEAR) = RX_INTERRUPT;
    INTERRUPTS_UNPEND = 1u << UARTS[line].interrupt;
    if ((REGISTER(UARTS[line].base + STATE) & RX_FULL) == 0) {
        return false;
    }
    *byte = (uint8_t)REGISTER(UARTS[line].base + DATA);
    return true;
}

bool board_ready(enum board_line line) {
    return (REGISTER(UARTS[line].base + STATE) & TX_FULL) == 0;
}

void board_put(enum board_line line, uint8_t byte) {
    REGISTER(UARTS[line].base + DATA) = byte;
}

void board_rest(void) {
    __asm volatile("wfi" ::: "memory");
    INTERRUPT_CONTROL = UNPEND_SYSTICK;
}

void board_stop(void) {
    for (;;) {
        __asm volatile("cpsid i\n wfi" ::: "memory");
    }
}

void flash_read(uint32_t address, uint8_t *bytes, size_t length) {
    const volatile uint8_t *from = (const volatile uint8_t *)FLASH + address;
    for (size_t i = 0; i < length; i++) {
        bytes[i] = from[i];
    }
}

void flash_program(uint32_t address, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i += WORD) {
        uint32_t word = (uint32_t)bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16 |
                        (uint32_t)bytes[i + 3] << 24;
        /* Programming only clears bits. */
        FLASH[(address + i) / WORD] &= word;
    }
}

void flash_erase(uint32_t page) {
    for (uint32_t i = 0; i < FLASH_PAGE; i += WORD) {
        FLASH[(page + i) / WORD] = 0xFFFFFFFF;
    }
}
