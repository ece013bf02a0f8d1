/*
 * Copying and filling memory, for Thumb-2 with unaligned loads and stores. The compiler's own library takes an
 * instruction for each byte of a copy, which is a fifth of what a payment costs.
 */
    .syntax unified
    .thumb

    .section .text.memmove, "ax", %progbits
    .global memmove, __aeabi_memmove, __aeabi_memmove4, __aeabi_memmove8
    .type memmove, %function
    .thumb_func
memmove:
__aeabi_memmove:
__aeabi_memmove4:
__aeabi_memmove8:
    /* Where the target does not begin within the source, it is copied from its beginning. */
    subs r3, r0, r1
    cmp r3, r2
    bhs memcpy
    adds r1, r1, r2
    adds r3, r0, r2
    cbz r2, 2f
1:  ldrb ip, [r1, #-1]!
    strb ip, [r3, #-1]!
    subs r2, r2, #1
    bne 1b
2:  bx lr
    .size memmove, . - memmove

    .section .text.memcpy, "ax", %progbits
    .global memcpy, __aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8
    .type memcpy, %function
    .thumb_func
memcpy:
__aeabi_memcpy:
__aeabi_memcpy4:
__aeabi_memcpy8:
    /* Only single loads and stores may be unaligned. */
    mov ip, r0
    orr r3, r0, r1
    lsls r3, r3, #30
    bne 3f
    subs r2, r2, #32
    blo 2f
    push {r4-r10}
1:  ldmia r1!, {r3-r10}
    stmia ip!, {r3-r10}
    subs r2, r2, #32
    bhs 1b
    pop {r4-r10}
2:  adds r2, r2, #32
3:  subs r2, r2, #16
    blo 5f
4:  ldr r3, [r1], #4
    str r3, [ip], #4
    ldr r3, [r1], #4
    str r3, [ip], #4
    ldr r3, [r1], #4
    str r3, [ip], #4
    ldr r3, [r1], #4
    str r3, [ip], #4
    subs r2, r2, #16
    bhs 4b
5:  adds r2, r2, #16
    subs r2, r2, #4
    blo 7f
6:  ldr r3, [r1], #4
    str r3, [ip], #4
    subs r2, r2, #4
    bhs 6b
7:  adds r2, r2, #4
    beq 9f
8:  ldrb r3, [r1], #1
    strb r3, [ip], #1
    subs r2, r2, #1
    bne 8b
9:  bx lr
    .size memcpy, . - memcpy

    .section .text.memset, "ax", %progbits
    .global memset, __aeabi_memset, __aeabi_memset4, __aeabi_memset8
    .global __aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8
    .type memset, %function
    .thumb_func
    /* The procedure call standard of Arm has length and byte in this order, that of C in the other. */
__aeabi_memclr:
__aeabi_memclr4:
__aeabi_memclr8:
    movs r2, #0
    .thumb_func
__aeabi_memset:
__aeabi_memset4:
__aeabi_memset8:
    mov r3, r1
    mov r1, r2
    mov r2, r3
    .thumb_func
memset:
    mov ip, r0
    uxtb r1, r1
    orr r1, r1, r1, lsl #8
    orr r1, r1, r1, lsl #16
    lsls r3, r0, #30
    bne 3f
    subs r2, r2, #16
    blo 2f
    push {r4-r6}
    mov r3, r1
    mov r4, r1
    mov r5, r1
1:  stmia ip!, {r1, r3-r5}
    subs r2, r2, #16
    bhs 1b
    pop {r4-r6}
2:  adds r2, r2, #16
3:  subs r2, r2, #4
    blo 5f
4:  str r1, [ip], #4
    subs r2, r2, #4
    bhs 4b
5:  adds r2, r2, #4
    beq 7f
6:  strb r1, [ip], #1
    subs r2, r2, #1
    bne 6b
7:  bx lr
    .size memset, . - memset
