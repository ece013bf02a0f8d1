/* A NOR flash in memory that may lose its power. */
#ifndef FLASH_H
#define FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLASH_LENGTH = 128 * 1024, FLASH_PAGE = 4096, FLASH_UNIT = 16 };

struct flash {
    uint8_t bytes[FLASH_LENGTH];
    /* Units programmed and pages erased so far. */
    unsigned long operations;
    /* So many more, and the power goes off in the middle of the one after; negative: it stays on. */
    long cut_after;
    bool off;
};

/* Erased, and with power. */
void flash_format(struct flash *flash);

/* Gives it its power again. */
void flash_power_up(struct flash *flash);

int32_t flash_read(struct flash *flash, uint32_t address, uint8_t *bytes, size_t length);
int32_t flash_program(struct flash *flash, uint32_t address, const uint8_t *bytes, size_t length);
int32_t flash_erase(struct flash *flash, uint32_t address);

#endif
