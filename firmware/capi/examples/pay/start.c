/* From reset to main: what a C library's startup file does on a Cortex-M4. */

#include <stdint.h>

#include "board.h"

extern uint32_t stack_top, data_start, data_end, data_origin, bss_start, bss_end;

int main(void);
void reset(void);

void reset(void) {
    /* The floating point unit, which the library's calling convention may use. */
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
    __asm volatile("dsb\n isb" ::: "memory");
    const uint32_t *from = &data_origin;
    for (uint32_t *to = &data_start; to < &data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = &bss_start; to < &bss_end; to++) {
        *to = 0;
    }
    main();
    board_stop();
}

/* A fault touches nothing: the flash holds what was promised. */
static void fault(void) {
    board_stop();
}

typedef void (*vector)(void);

__attribute__((section(".vectors"), used)) static const vector VECTORS[16] = {
    (vector)(uintptr_t)&stack_top, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault,
};
