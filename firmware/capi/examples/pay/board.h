/* The board mps2-an386 as QEMU emulates it: UARTs, a clock, flash over the memory that a file backs. For another board
 * this and board.c are written anew. None of it waits, but for board_rest. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is at the other end of each UART. */
enum board_line { OWNER, ELEMENT, PEER, NOISE, BOARD_LINES };

/* The flash: twelve pages. */
enum { FLASH_PAGE = 4096, FLASH_LENGTH = 12 * FLASH_PAGE };

/* Sets everything up. */
void board_start(void);

/* Milliseconds since the start. */
uint64_t board_ms(void);

/* The next byte that came in on a line, if one did. */
bool board_take(enum board_line line, uint8_t *byte);

/* Whether a line takes a byte now. */
bool board_ready(enum board_line line);

/* Sends a byte on a line that is ready. */
void board_put(enum board_line line, uint8_t byte);

/* Sleeps until a byte comes in, or for 20 milliseconds. A board with a watchdog feeds it here. */
void board_rest(void);

/* Stops for ever. A real board restarts. */
void board_stop(void) __attribute__((noreturn));

void flash_read(uint32_t address, uint8_t *bytes, size_t length);
void flash_program(uint32_t address, const uint8_t *bytes, size_t length);
void flash_erase(uint32_t page);

#endif
