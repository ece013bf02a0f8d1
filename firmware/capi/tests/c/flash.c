#include "flash.h"

#include <string.h>

#include "check.h"

/* What the functions return without power. */
static const int32_t OFF = -3;

void flash_format(struct flash *flash) {
    memset(flash->bytes, 0xFF, sizeof flash->bytes);
    flash->operations = 0;
    flash_power_up(flash);
}

void flash_power_up(struct flash *flash) {
    flash->off = false;
    flash->cut_after = -1;
}

/* Counts an operation; whether the power goes off in the middle of it. */
static bool is_cut(struct flash *flash) {
    flash->operations++;
    if (flash->cut_after < 0) {
        return false;
    }
    if (flash->cut_after == 0) {
        flash->off = true;
        return true;
    }
    flash->cut_after--;
    return false;
}

int32_t flash_read(struct flash *flash, uint32_t address, uint8_t *bytes, size_t length) {
    CHECK(address <= FLASH_LENGTH && length <= FLASH_LENGTH - address);
    if (flash->off) {
        return OFF;
    }
    memcpy(bytes, flash->bytes + address, length);
    return 0;
}

int32_t flash_program(struct flash *flash, uint32_t address, const uint8_t *bytes, size_t length) {
    CHECK(address % FLASH_UNIT == 0 && length % FLASH_UNIT == 0);
    CHECK(address <= FLASH_LENGTH && length <= FLASH_LENGTH - address);
    for (size_t at = 0; at < length; at += FLASH_UNIT) {
        if (flash->off) {
            return OFF;
        }
        /* Half a unit is programmed, and a bit of the other half. */
        size_t programmed = is_cut(flash) ? FLASH_UNIT / 2 : FLASH_UNIT;
        for (size_t i = 0; i < programmed; i++) {
            /* Once between two times that it is erased. */
            CHECK(flash->bytes[address + at + i] == 0xFF);
            flash->bytes[address + at + i] &= bytes[at + i];
        }
        if (flash->off) {
            flash->bytes[address + at + programmed] &= (uint8_t)(bytes[at + programmed] | 0xFE);
            return OFF;
        }
    }
    return 0;
}

int32_t flash_erase(struct flash *flash, uint32_t address) {
    CHECK(address % FLASH_PAGE == 0 && address < FLASH_LENGTH);
    if (flash->off) {
        return OFF;
    }
    bool cut = is_cut(flash);
    for (size_t i = 0; i < FLASH_PAGE; i++) {
        /* Half erased, a page holds anything. */
        flash->bytes[address + i] |= cut ? (uint8_t)(0x5A << (i % 3)) : 0xFF;
    }
    return cut ? OFF : 0;
}
