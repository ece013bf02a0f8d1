/* The border without a bank: null, lengths that no object has, handles in every state, an element that answers
 * nonsense, a flash that fails at every operation, a chip that babbles. Nothing crashes, and every answer is the one
 * that is promised. */

#include <string.h>

#include "check.h"
#include "flash.h"
#include "specie.h"

struct board {
    struct flash flash;
    unsigned random;
    /* What the element does: 0 fails, 1 answers nonsense, 2 tells of more than there is room for. */
    int element;
    unsigned commands;
};

static int32_t on_read(void *context, uint32_t address, uint8_t *bytes, size_t length) {
    return flash_read(&((struct board *)context)->flash, address, bytes, length);
}

static int32_t on_program(void *context, uint32_t address, const uint8_t *bytes, size_t length) {
    return flash_program(&((struct board *)context)->flash, address, bytes, length);
}

static int32_t on_erase(void *context, uint32_t address) {
    return flash_erase(&((struct board *)context)->flash, address);
}

static unsigned draw(struct board *board) {
    board->random = board->random * 1664525u + 1013904223u;
    return board->random >> 8;
}

static int32_t on_transmit(void *context, const uint8_t *command, size_t length, uint8_t *answer, size_t capacity,
                           size_t *answer_length) {
    struct board *board = context;
    CHECK(length >= 4 && command != NULL && capacity >= 1030);
    board->commands++;
    if (board->element == 0) {
        return 9;
    }
    if (board->element == 2) {
        *answer_length = capacity + 1;
        return 0;
    }
    *answer_length = draw(board) % (capacity + 1);
    for (size_t i = 0; i < *answer_length; i++) {
        answer[i] = (uint8_t)draw(board);
    }
    if (*answer_length >= 2 && draw(board) % 2 == 0) {
        answer[*answer_length - 2] = 0x90;
        answer[*answer_length - 1] = 0;
    }
    return 0;
}

static int32_t on_random(void *context, uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)draw(context);
    }
    return 0;
}

static specie_platform platform_of(struct board *board) {
    return (specie_platform){
        .size = sizeof(specie_platform),
        .context = board,
        .flash_length = FLASH_LENGTH,
        .flash_page = FLASH_PAGE,
        .random_bits = 8,
        .flash_read = on_read,
        .flash_program = on_program,
        .flash_erase = on_erase,
        .transmit = on_transmit,
        .random = on_random,
    };
}

static void check_texts(void) {
    uint8_t text[256];
    size_t length = 0;
    EQUALS(specie_start(NULL, 0, NULL), SPECIE_ERROR_OK);
    EQUALS(specie_version(text, sizeof text, &length), SPECIE_ERROR_OK);
    CHECK(length >= 5 && memchr(text, '.', length) != NULL);
    EQUALS(specie_version(NULL, 0, &length), SPECIE_ERROR_CAPACITY);
    EQUALS(specie_version(NULL, 9, &length), SPECIE_ERROR_POINTER);
    EQUALS(specie_version(text, SIZE_MAX, &length), SPECIE_ERROR_ARGUMENT);
    EQUALS(specie_version(text, sizeof text, NULL), SPECIE_ERROR_POINTER);
    int known = 0;
    for (int32_t error = -2; error < 40; error++) {
        for (uint32_t part = 0; part < 3; part++) {
            specie_error told = specie_error_text(error, part, text, sizeof text, &length);
            CHECK(told == SPECIE_ERROR_ARGUMENT || (told == SPECIE_ERROR_OK && length > 1));
            known += told == SPECIE_ERROR_OK;
        }
    }
    EQUALS(known, 17 * 3);
    EQUALS(specie_error_text(1, 3, text, sizeof text, &length), SPECIE_ERROR_ARGUMENT);
    size_t used = 1, left = 1;
    EQUALS(specie_memory(&used, &left), SPECIE_ERROR_OK);
    EQUALS(specie_memory(NULL, NULL), SPECIE_ERROR_OK);
    CHECK(used == 0 && left == 0);
}

/* Every function refuses a null device, and does nothing. */
static void check_null_device(void) {
    uint8_t bytes[64] = {0};
    size_t length = 0;
    uint32_t next = 0;
    bool flag = false;
    specie_terms terms = {.currency = "XTS"};
    specie_keep keep = {0};
    specie_status_info status;
    specie_balance_info balance;
    specie_undelivered undelivered;
    specie_history_entry entry;
    specie_currency currency;
    specie_preview_info preview;
    specie_report_info report;
    specie_event event;
    const specie_error all[] = {
        specie_close(NULL),
        specie_check(NULL),
        specie_create(NULL, bytes),
        specie_pin(NULL, bytes, 4),
        specie_change_pin(NULL, bytes, 4, bytes, 4),
        specie_failure(NULL, 0, bytes, sizeof bytes, &length),
        specie_money_moved(NULL, &flag),
        specie_output_count(NULL, &length),
        specie_output(NULL, 0, bytes, sizeof bytes, &length),
        specie_outputs_drop(NULL),
        specie_status(NULL, 1, &status),
        specie_currency_at(NULL, 0, &currency),
        specie_balance(NULL, "XTS", 1, &balance),
        specie_undelivered_at(NULL, 0, &undelivered),
        specie_open_request_at(NULL, 0, 1, bytes),
        specie_history_at(NULL, 0, &entry),
        specie_request(NULL, &terms, 1, bytes),
        specie_request_again(NULL, bytes),
        specie_cancel_request(NULL, bytes),
        specie_receive(NULL, bytes, 1, 0, 1, NULL),
        specie_receipt_again(NULL, bytes),
        specie_take_publication(NULL, bytes, 1, &flag),
        specie_publications(NULL),
        specie_evidence(NULL),
        specie_preview(NULL, bytes, 1, 1, &preview),
        specie_pay(NULL, bytes, 1, 1, NULL),
        specie_payment_again(NULL, bytes, 0),
        specie_take_receipt(NULL, bytes, 1, NULL),
        specie_resume(NULL, 1, &length),
        specie_set_time(NULL, 1, 1),
        specie_peer_feed(NULL, bytes, 1, 1),
        specie_peer_take(NULL, bytes, 1, &length),
        specie_owner_feed(NULL, bytes, 1, 1),
        specie_owner_take(NULL, bytes, 1, &length),
        specie_poll(NULL, 1),
        specie_peer_offer(NULL, bytes, 1),
        specie_peer_pay_next(NULL, "XTS", 1),
        specie_peer_stop(NULL),
        specie_peer_event(NULL, &event),
        specie_enrol(NULL, "a", 1, "b", 1),
        specie_synchronise(NULL, &keep),
        specie_next(NULL, 1, &next),
        specie_errand(NULL, 0, bytes, 1, &length),
        specie_answer(NULL, 0, bytes, 1, 1),
        specie_give_up(NULL),
        specie_report(NULL, &report),
        specie_report_failure(NULL, 0),
        specie_report_refused(NULL, 0, bytes, 1, &length),
        specie_chip_transmit(NULL, bytes, 1, bytes, 1, &length),
        specie_chip_close(NULL),
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        EQUALS(all[i], SPECIE_ERROR_POINTER);
    }
    /* What is not aligned is no device either. */
    EQUALS(specie_check((specie_device *)(void *)(bytes + 1)), SPECIE_ERROR_POINTER);
}

/* A device without a wallet says so, whatever it is asked. */
static void check_no_wallet(struct board *board) {
    specie_platform platform = platform_of(board);
    specie_device *device = NULL;
    EQUALS(specie_open(&platform, &device), SPECIE_ERROR_OK);
    uint8_t bytes[64] = {0};
    size_t length = 0;
    bool flag = true;
    uint32_t next = 0;
    specie_terms terms = {.amount = 1, .valid_seconds = 1, .currency = "XTS", .notes_max = 1};
    specie_keep keep = {0};
    specie_event event;
    EQUALS(specie_failure(device, 0, bytes, sizeof bytes, &length), SPECIE_ERROR_OK);
    CHECK(length == 2 && memcmp(bytes, "ok", 2) == 0);
    EQUALS(specie_request(device, &terms, 1, NULL), SPECIE_ERROR_NO_WALLET);
    EQUALS(specie_pay(device, bytes, 1, 1, NULL), SPECIE_ERROR_NO_WALLET);
    EQUALS(specie_receive(device, bytes, 1, 0, 1, NULL), SPECIE_ERROR_NO_WALLET);
    EQUALS(specie_synchronise(device, &keep), SPECIE_ERROR_NO_WALLET);
    EQUALS(specie_enrol(device, "a", 1, "b", 1), SPECIE_ERROR_NO_WALLET);
    EQUALS(specie_next(device, 1, &next), SPECIE_ERROR_NO_WALLET);
    EQUALS(specie_pin(device, bytes, 4), SPECIE_ERROR_NO_WALLET);
    EQUALS(specie_peer_pay_next(device, NULL, 1), SPECIE_ERROR_POINTER);
    EQUALS(specie_peer_pay_next(device, "xts", 1), SPECIE_ERROR_ARGUMENT);
    EQUALS(specie_peer_pay_next(device, "XTS", 1), SPECIE_ERROR_NO_WALLET);
    EQUALS(specie_peer_stop(device), SPECIE_ERROR_OK);
    EQUALS(specie_peer_event(device, &event), SPECIE_ERROR_NOTHING);
    EQUALS(specie_peer_feed(device, bytes, sizeof bytes, 1), SPECIE_ERROR_OK);
    EQUALS(specie_poll(device, 1), SPECIE_ERROR_OK);
    EQUALS(specie_peer_take(device, bytes, sizeof bytes, &length), SPECIE_ERROR_OK);
    EQUALS(length, 0);
    EQUALS(specie_failure(device, 0, bytes, sizeof bytes, &length), SPECIE_ERROR_OK);
    CHECK(length == 9 && memcmp(bytes, "no-wallet", 9) == 0);
    EQUALS(specie_money_moved(device, &flag), SPECIE_ERROR_OK);
    CHECK(!flag);
    EQUALS(specie_money_moved(device, NULL), SPECIE_ERROR_POINTER);
    /* Elements that fail or answer nonsense make no wallet. */
    for (board->element = 0; board->element < 3; board->element++) {
        for (int round = 0; round < 50; round++) {
            EQUALS(specie_create(device, bytes), SPECIE_ERROR_ELEMENT);
        }
    }
    CHECK(board->commands >= 150);
    EQUALS(specie_check(device), SPECIE_ERROR_NO_WALLET);
    EQUALS(specie_close(device), SPECIE_ERROR_OK);
}

/* A flash that fails is no empty one: nothing is made in it. */
static void check_flash(struct board *board) {
    specie_platform platform = platform_of(board);
    specie_device *device = NULL;
    board->flash.off = true;
    EQUALS(specie_open(&platform, &device), SPECIE_ERROR_OK);
    EQUALS(specie_check(device), SPECIE_ERROR_STORAGE);
    uint8_t root[32] = {0};
    flash_power_up(&board->flash);
    EQUALS(specie_create(device, root), SPECIE_ERROR_STORAGE);
    EQUALS(specie_close(device), SPECIE_ERROR_OK);
    /* Whatever it holds. */
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < FLASH_LENGTH; i += 1 + draw(board) % 512) {
            board->flash.bytes[i] = (uint8_t)draw(board);
        }
        EQUALS(specie_open(&platform, &device), SPECIE_ERROR_OK);
        CHECK(specie_check(device) != SPECIE_ERROR_OK);
        EQUALS(specie_close(device), SPECIE_ERROR_OK);
    }
    flash_format(&board->flash);
}

struct wire {
    struct board *board;
    /* 0 silent, 1 babbling, 2 broken. */
    int kind;
    specie_chip *chip;
    unsigned calls_back;
};

static int32_t on_send(void *context, const uint8_t *bytes, size_t length) {
    struct wire *wire = context;
    CHECK(bytes != NULL && length > 0);
    uint8_t answer[1030];
    size_t answer_length = 0;
    EQUALS(specie_chip_transmit(wire->chip, bytes, length, answer, sizeof answer, &answer_length), SPECIE_ERROR_BUSY);
    EQUALS(specie_chip_close(wire->chip), SPECIE_ERROR_BUSY);
    wire->calls_back++;
    return wire->kind == 2 ? 5 : 0;
}

static int32_t on_receive(void *context, uint32_t patience_ms, uint8_t *byte) {
    struct wire *wire = context;
    CHECK(patience_ms > 0 && patience_ms <= 120000);
    *byte = (uint8_t)draw(wire->board);
    return wire->kind == 1 ? 1 : wire->kind == 2 ? -9 : 0;
}

static void check_chip(struct board *board) {
    struct wire wire = {.board = board};
    specie_line line = {.size = sizeof line, .context = &wire, .send = on_send, .receive = on_receive};
    EQUALS(specie_chip_open(NULL, 1, &wire.chip), SPECIE_ERROR_POINTER);
    EQUALS(specie_chip_open(&line, 1, NULL), SPECIE_ERROR_POINTER);
    line.size++;
    EQUALS(specie_chip_open(&line, 1, &wire.chip), SPECIE_ERROR_ARGUMENT);
    line.size--;
    line.send = NULL;
    EQUALS(specie_chip_open(&line, 1, &wire.chip), SPECIE_ERROR_POINTER);
    line.send = on_send;
    EQUALS(specie_chip_open(&line, 1, &wire.chip), SPECIE_ERROR_OK);
    static uint8_t command[3000] = {0x80, 0x32};
    uint8_t answer[1030];
    size_t length = 0;
    for (wire.kind = 0; wire.kind < 3; wire.kind++) {
        for (size_t size = 0; size <= sizeof command; size += 100) {
            EQUALS(specie_chip_transmit(wire.chip, command, size, answer, sizeof answer, &length),
                   SPECIE_ERROR_ELEMENT);
        }
    }
    EQUALS(specie_chip_transmit(wire.chip, NULL, 4, answer, sizeof answer, &length), SPECIE_ERROR_POINTER);
    EQUALS(specie_chip_transmit(wire.chip, command, 4, NULL, 4, &length), SPECIE_ERROR_POINTER);
    EQUALS(specie_chip_transmit(wire.chip, command, 4, answer, 1029, &length), SPECIE_ERROR_CAPACITY);
    EQUALS(length, 1030);
    EQUALS(specie_chip_transmit(wire.chip, command + 1029, 4, command, 1030, &length), SPECIE_ERROR_ARGUMENT);
    EQUALS(specie_chip_transmit(wire.chip, command, 4, answer, 4, NULL), SPECIE_ERROR_POINTER);
    CHECK(wire.calls_back > 30);
    EQUALS(specie_chip_close(wire.chip), SPECIE_ERROR_OK);
}

static void check_verification(void) {
    uint8_t root[32] = {0}, nonsense[200];
    specie_verdict verdict;
    for (size_t i = 0; i < sizeof nonsense; i++) {
        nonsense[i] = (uint8_t)(i * 7);
    }
    EQUALS(specie_verify_payment(NULL, nonsense, 9, nonsense, 9, NULL, 0, 1, &verdict), SPECIE_ERROR_POINTER);
    EQUALS(specie_verify_payment(root, NULL, 9, nonsense, 9, NULL, 0, 1, &verdict), SPECIE_ERROR_POINTER);
    EQUALS(specie_verify_payment(root, nonsense, 9, nonsense, 9, NULL, 0, 1, NULL), SPECIE_ERROR_POINTER);
    EQUALS(specie_verify_payment(root, nonsense, 9, nonsense, SIZE_MAX, NULL, 0, 1, &verdict), SPECIE_ERROR_ARGUMENT);
    for (size_t length = 0; length < sizeof nonsense; length++) {
        EQUALS(specie_verify_payment(root, nonsense, length, nonsense, length, nonsense, length, 1, &verdict),
               SPECIE_ERROR_MESSAGE);
        CHECK(strcmp(verdict.code.text, "malformed") == 0);
    }
}

int main(void) {
    static struct board board = {.random = 1};
    flash_format(&board.flash);
    check_texts();
    check_null_device();
    check_no_wallet(&board);
    check_flash(&board);
    check_chip(&board);
    check_verification();
    printf("the border holds\n");
    return 0;
}
