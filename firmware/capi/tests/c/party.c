#include "party.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

uint64_t now(void) {
    return (uint64_t)time(NULL);
}

/* A device that is in use takes no other call. */
static void call_back(struct party *party) {
    if (party->called_back == NULL) {
        return;
    }
    specie_device *device = party->called_back;
    size_t count = 7;
    bool moved = true;
    struct specie_status_info status;
    EQUALS(specie_status(device, 1, &status), SPECIE_ERROR_BUSY);
    EQUALS(specie_output_count(device, &count), SPECIE_ERROR_BUSY);
    EQUALS(specie_money_moved(device, &moved), SPECIE_ERROR_BUSY);
    EQUALS(specie_poll(device, 1), SPECIE_ERROR_BUSY);
    EQUALS(specie_pay(device, (const uint8_t *)"x", 1, 1, NULL), SPECIE_ERROR_BUSY);
    EQUALS(specie_close(device), SPECIE_ERROR_BUSY);
    CHECK(count == 7 && moved);
    party->calls_back++;
}

static int32_t on_read(void *context, uint32_t address, uint8_t *bytes, size_t length) {
    struct party *party = context;
    call_back(party);
    return flash_read(&party->flash, address, bytes, length);
}

static int32_t on_program(void *context, uint32_t address, const uint8_t *bytes, size_t length) {
    struct party *party = context;
    call_back(party);
    return flash_program(&party->flash, address, bytes, length);
}

static int32_t on_erase(void *context, uint32_t address) {
    struct party *party = context;
    call_back(party);
    return flash_erase(&party->flash, address);
}

static int32_t on_transmit(void *context, const uint8_t *command, size_t length, uint8_t *answer, size_t capacity,
                           size_t *answer_length) {
    struct party *party = context;
    call_back(party);
    CHECK(capacity >= 1030);
    return element_transmit(&party->element, command, length, answer, capacity, answer_length);
}

static int32_t on_random(void *context, uint8_t *bytes, size_t length) {
    struct party *party = context;
    call_back(party);
    if (party->fails_random) {
        return 1;
    }
    int file = open("/dev/urandom", O_RDONLY);
    CHECK(file >= 0);
    CHECK(read(file, bytes, length) == (ssize_t)length);
    close(file);
    return 0;
}

specie_platform party_platform(struct party *party) {
    return (specie_platform){
        .size = sizeof(specie_platform),
        .context = party,
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

void party_open(struct party *party) {
    specie_platform platform = party_platform(party);
    EQUALS(specie_open(&platform, &party->device), SPECIE_ERROR_OK);
    /* It was copied. */
    memset(&platform, 0, sizeof platform);
    CHECK(party->device != NULL);
}

void party_restart(struct party *party) {
    EQUALS(specie_close(party->device), SPECIE_ERROR_OK);
    element_kill(&party->element);
    flash_power_up(&party->flash);
    party_open(party);
}

void party_end(struct party *party) {
    EQUALS(specie_close(party->device), SPECIE_ERROR_OK);
    party->device = NULL;
    element_kill(&party->element);
}

struct message party_output(struct party *party, size_t index) {
    struct message message = {NULL, 0};
    specie_error error = specie_output(party->device, index, NULL, 0, &message.length);
    CHECK(error == (message.length == 0 ? SPECIE_ERROR_OK : SPECIE_ERROR_CAPACITY));
    message.bytes = malloc(message.length + 1);
    CHECK(message.bytes != NULL);
    EQUALS(specie_output(party->device, index, message.bytes, message.length, &message.length), SPECIE_ERROR_OK);
    return message;
}

void message_free(struct message *message) {
    free(message->bytes);
    message->bytes = NULL;
}

const char *party_failure(struct party *party) {
    static char code[65];
    size_t length = 0;
    EQUALS(specie_failure(party->device, SPECIE_FAILURE_PART_CODE, (uint8_t *)code, sizeof code - 1, &length),
           SPECIE_ERROR_OK);
    code[length] = 0;
    return code;
}

uint64_t party_total(struct party *party) {
    struct specie_balance_info balance;
    EQUALS(specie_balance(party->device, "XTS", now(), &balance), SPECIE_ERROR_OK);
    return balance.total;
}

uint64_t party_spendable(struct party *party) {
    struct specie_balance_info balance;
    EQUALS(specie_balance(party->device, "XTS", now(), &balance), SPECIE_ERROR_OK);
    return balance.spendable;
}

/* A part of an errand with a zero behind it; to be freed. */
static char *part(struct party *party, uint32_t which, size_t *length) {
    specie_error error = specie_errand(party->device, which, NULL, 0, length);
    CHECK(error == (*length == 0 ? SPECIE_ERROR_OK : SPECIE_ERROR_CAPACITY));
    char *text = malloc(*length + 1);
    CHECK(text != NULL);
    EQUALS(specie_errand(party->device, which, (uint8_t *)text, *length, length), SPECIE_ERROR_OK);
    text[*length] = 0;
    return text;
}

specie_error party_carry(struct party *party) {
    for (int errands = 0; errands < 500; errands++) {
        uint32_t next = 77;
        specie_error error = specie_next(party->device, now(), &next);
        if (error != SPECIE_ERROR_OK || next == SPECIE_NEXT_KIND_DONE) {
            return error;
        }
        EQUALS(next, SPECIE_NEXT_KIND_ERRAND);
        size_t length = 0, ignored = 0;
        char *method = part(party, SPECIE_ERRAND_PART_METHOD, &ignored);
        char *target = part(party, SPECIE_ERRAND_PART_TARGET, &ignored);
        char *headers = part(party, SPECIE_ERRAND_PART_HEADERS, &ignored);
        char *body = part(party, SPECIE_ERRAND_PART_BODY, &length);
        struct psp_answer answer = psp_ask(&party->psp, method, target, headers, (uint8_t *)body, length);
        error = specie_answer(party->device, answer.status, answer.body, answer.length, now());
        free(method);
        free(target);
        free(headers);
        free(body);
        free(answer.memory);
        if (error != SPECIE_ERROR_OK) {
            return error;
        }
    }
    CHECK(!"it comes to an end");
    return SPECIE_ERROR_BROKEN;
}

void party_enrol(struct party *party, const char *customer, const char *claim_code) {
    EQUALS(specie_enrol(party->device, customer, strlen(customer), claim_code, strlen(claim_code)), SPECIE_ERROR_OK);
    EQUALS(specie_enrol(party->device, customer, strlen(customer), claim_code, strlen(claim_code)),
           SPECIE_ERROR_UNDER_WAY);
    EQUALS(party_carry(party), SPECIE_ERROR_OK);
}

specie_report_info party_synchronise(struct party *party, uint64_t value, uint16_t blanks) {
    specie_keep keep = {.value = value, .blank_cap = 0, .blanks = blanks};
    EQUALS(specie_synchronise(party->device, &keep), SPECIE_ERROR_OK);
    EQUALS(party_carry(party), SPECIE_ERROR_OK);
    specie_report_info report;
    EQUALS(specie_report(party->device, &report), SPECIE_ERROR_OK);
    for (uint32_t failure = 0; failure < report.failures; failure++) {
        EQUALS(specie_report_failure(party->device, failure), SPECIE_ERROR_OK);
        fprintf(stderr, "a part of a synchronisation failed: %s\n", party_failure(party));
    }
    return report;
}
