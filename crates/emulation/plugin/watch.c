/*
 * A QEMU TCG plugin (API version 1) that counts what a board does, and takes its power away.
 *
 * It shares a file with whoever started the emulator: 64-bit words, host byte order. Words below FIRST_OUT are read
 * here, at any time, so that a cut can be planned while the board runs; the others are written here.
 *
 * Arguments, numbers in C notation:
 *   control=FILE             the shared file, of WORDS words
 *   parent=PID               the emulator ends when this process is gone
 *   count=1                  counts instructions; count=2: and heeds CUT_INSTRUCTION
 *   mark=ADDRESS             stores there are marks: the count of instructions is noted
 *   operation=ADDRESS        stores there begin an operation of the flash,
 *   erasing=ADDRESS          and stores there tell that it erases a page
 *   flash=ADDRESS,bytes=N    stores there change the flash
 *   stack=ADDRESS,depth=N    the lowest store in this window is noted
 *
 * A cut ends the emulator at once, with status 77: what the board stored until then is in the files behind its memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* What is used of QEMU's plugin interface, which Debian installs no header for. */
typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { QEMU_PLUGIN_CB_NO_REGS = 0 };
enum { QEMU_PLUGIN_MEM_W = 2 };
enum { QEMU_PLUGIN_INLINE_ADD_U64 = 0 };
typedef void (*translated_cb)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*executed_cb)(unsigned cpu, void *data);
typedef void (*accessed_cb)(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated_cb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, executed_cb, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int operation, void *word, uint64_t operand);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, accessed_cb, int flags, int accesses, void *data);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = 1;

/* Words of the shared file. */
enum {
    CUT_INSTRUCTION, /* cut before this instruction is executed; 0: never. All counts start at 1. */
    CUT_OPERATION,   /* cut when this operation begins; 0: never */
    CUT_DELAY,       /* but not before so many of its stores to the flash; a word that is programmed has one */
    CUT_STORE,       /* cut after this store to the flash; 0: never */
    FIRST_OUT = 8,
    INSTRUCTIONS = FIRST_OUT,
    OPERATIONS,
    STORES,
    STACK_LOW,    /* address of the lowest store to the stack; 0: none */
    CUT,          /* 1: the power was cut */
    LAST_STORE,   /* address of the last store to the flash */
    MARKS,        /* number of marks; the last MARKS_KEPT of them follow, in a ring */
    FIRST_MARK = 16,
    MARKS_KEPT = 496,
    WORDS = FIRST_MARK + MARKS_KEPT,
};

static volatile uint64_t *control;
static uint64_t parent, count, mark, operation, erasing, flash, bytes, stack, depth;

/* The operation that is to be cut has begun, and cutting it waits for so many stores. */
static bool cutting;
static uint64_t stores_left;

static void cut(void)
{
    control[CUT] = 1;
    _exit(77);
}

static void on_instruction(unsigned cpu, void *data)
{
    uint64_t now = control[INSTRUCTIONS] + 1;
    if (now == control[CUT_INSTRUCTION]) {
        cut();
    }
    control[INSTRUCTIONS] = now;
}

static void on_operation(void)
{
    control[OPERATIONS]++;
    if (control[OPERATIONS] == control[CUT_OPERATION]) {
        if (control[CUT_DELAY] == 0) {
            cut();
        }
        cutting = true;
        stores_left = 1;
    }
}

static void on_flash(uint64_t address)
{
    control[STORES]++;
    control[LAST_STORE] = address;
    if (control[STORES] == control[CUT_STORE] || (cutting && --stores_left == 0)) {
        cut();
    }
}

static void on_access(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
    /* QEMU 7.2 reports loads too, although only stores were asked for. */
    if (!((info >> 16) & QEMU_PLUGIN_MEM_W)) {
        return;
    }
    if (address - stack < depth) {
        if (address < control[STACK_LOW] || control[STACK_LOW] == 0) {
            control[STACK_LOW] = address;
        }
    } else if (address - flash < bytes) {
        on_flash(address);
    } else if (address == operation) {
        on_operation();
    } else if (address == erasing) {
        stores_left = control[CUT_DELAY];
    } else if (address == mark) {
        control[FIRST_MARK + control[MARKS] % MARKS_KEPT] = control[INSTRUCTIONS];
        control[MARKS]++;
    }
}

/*
 * Whether a Thumb instruction may store, other than by the stack pointer where no stack is watched. Looking at every
 * access would make the emulator half as fast.
 */
static bool may_store(const struct qemu_plugin_insn *instruction)
{
    uint16_t half;
    memcpy(&half, qemu_plugin_insn_data(instruction), sizeof half);
    switch (half >> 11) {
    case 0x0A: /* STR, STRH, STRB, LDRSB with a register as offset */
    case 0x0C: /* STR */
    case 0x0E: /* STRB */
    case 0x10: /* STRH */
    case 0x18: /* STM */
        return true;
    case 0x12: /* STR by the stack pointer */
    case 0x16: /* PUSH, among others */
        return depth != 0;
    case 0x1D: /* the first halves of instructions of 32 bits: bit 4 tells loads from stores */
    case 0x1E:
    case 0x1F:
        return (half & 0xFE00) != 0xEA00 && (half & 0xF800) != 0xF000 && (half & 0x0010) == 0;
    default:
        return false;
    }
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    size_t length = qemu_plugin_tb_n_insns(block);
    for (size_t i = 0; i < length; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        if (count == 1) {
            qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64,
                                                       (void *)&control[INSTRUCTIONS], 1);
        } else if (count == 2) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_instruction, QEMU_PLUGIN_CB_NO_REGS, NULL);
        }
        if ((mark || operation || bytes || depth) && may_store(instruction)) {
            qemu_plugin_register_vcpu_mem_cb(instruction, on_access, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W, NULL);
        }
    }
}

/* An emulator whose starter was killed would run for ever. */
static void *watch_parent(void *data)
{
    while ((uint64_t)getppid() == parent) {
        sleep(1);
    }
    _exit(76);
}

static volatile uint64_t *share(const char *path)
{
    int file = open(path, O_RDWR);
    if (file < 0 || ftruncate(file, WORDS * sizeof(uint64_t)) != 0) {
        fprintf(stderr, "watch: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    void *words = mmap(NULL, WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return words == MAP_FAILED ? NULL : words;
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    static const struct {
        const char *name;
        uint64_t *value;
    } numbers[] = {
        {"parent", &parent}, {"count", &count}, {"mark", &mark},   {"operation", &operation},
        {"erasing", &erasing},
        {"flash", &flash},   {"bytes", &bytes}, {"stack", &stack}, {"depth", &depth},
    };
    for (int i = 0; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        bool known = false;
        if (value == NULL) {
            return -1;
        }
        *value++ = 0;
        if (strcmp(argv[i], "control") == 0) {
            control = share(value);
            known = control != NULL;
        }
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
            if (strcmp(argv[i], numbers[n].name) == 0) {
                *numbers[n].value = strtoull(value, NULL, 0);
                known = true;
            }
        }
        if (!known) {
            fprintf(stderr, "watch: %s makes no sense\n", argv[i]);
            return -1;
        }
    }
    /* A board that locks up aborts the emulator, of which nobody wants to see the memory. */
    struct rlimit none = {0, 0};
    pthread_t thread;
    if (setrlimit(RLIMIT_CORE, &none) != 0 || control == NULL || (parent != 0 && pthread_create(&thread, NULL, watch_parent, NULL) != 0)) {
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
