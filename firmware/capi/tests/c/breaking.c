/* Scenes in which lines lose bytes, callbacks call back, and power goes off. */

#include <string.h>

#include "check.h"
#include "scenes.h"

/* Sends what a device has for the other, in pieces of odd lengths; loses a byte in `loss`, if not 0. */
static size_t pump(struct party *from, struct party *to, uint64_t ms, unsigned *random, unsigned loss) {
    uint8_t piece[64];
    size_t sent = 0, length = 0;
    for (;;) {
        *random = *random * 1664525u + 1013904223u;
        EQUALS(specie_peer_take(from->device, piece, 1 + (*random >> 8) % sizeof piece, &length), SPECIE_ERROR_OK);
        if (length == 0) {
            return sent;
        }
        sent += length;
        if (loss != 0 && (*random >> 16) % loss == 0) {
            length--;
        }
        EQUALS(specie_peer_feed(to->device, piece, length, ms), SPECIE_ERROR_OK);
    }
}

/* Lets two devices pay each other over their line; whether both were told in time. */
static bool pay_over_line(struct party *payer, struct party *payee, uint64_t amount, uint64_t *ms, unsigned loss) {
    unsigned random = 7;
    uint8_t id[16];
    specie_terms terms = {.amount = amount, .valid_seconds = 600, .currency = "XTS", .notes_max = 4};
    EQUALS(specie_request(payee->device, &terms, now(), id), SPECIE_ERROR_OK);
    EQUALS(specie_set_time(payer->device, now(), *ms), SPECIE_ERROR_OK);
    EQUALS(specie_set_time(payee->device, now(), *ms), SPECIE_ERROR_OK);
    EQUALS(specie_peer_offer(payee->device, id, now()), SPECIE_ERROR_OK);
    EQUALS(specie_peer_pay_next(payer->device, "XTS", amount), SPECIE_ERROR_OK);
    bool paid = false, received = false, delivered = false;
    for (int round = 0; round < 400 && !(paid && received && delivered); round++, *ms += 250) {
        specie_event event;
        EQUALS(specie_poll(payer->device, *ms), SPECIE_ERROR_OK);
        EQUALS(specie_poll(payee->device, *ms), SPECIE_ERROR_OK);
        pump(payee, payer, *ms, &random, loss);
        pump(payer, payee, *ms, &random, loss);
        while (specie_peer_event(payer->device, &event) == SPECIE_ERROR_OK) {
            paid |= event.kind == SPECIE_EVENT_KIND_PAID && event.amount == amount;
            delivered |= event.kind == SPECIE_EVENT_KIND_DELIVERED;
        }
        while (specie_peer_event(payee->device, &event) == SPECIE_ERROR_OK) {
            received |= event.kind == SPECIE_EVENT_KIND_RECEIVED && memcmp(event.request, id, 16) == 0;
        }
    }
    EQUALS(specie_peer_stop(payer->device), SPECIE_ERROR_OK);
    EQUALS(specie_peer_stop(payee->device), SPECIE_ERROR_OK);
    return paid && received && delivered;
}

void scene_lines(struct party *alice, struct party *bob) {
    uint64_t total = party_total(alice), held = party_total(bob), ms = 1000;
    CHECK(pay_over_line(alice, bob, 120, &ms, 0));
    EQUALS(party_total(alice), total - 120);
    EQUALS(party_total(bob), held + 120);
    /* Back again. */
    CHECK(pay_over_line(bob, alice, 30, &ms, 0));
    CHECK(pay_over_line(alice, bob, 45, &ms, 40));
    EQUALS(party_total(alice), total - 135);
    EQUALS(party_total(bob), held + 135);
    /* The owner asks how the device is: COBS of kind 16, [1], CRC-32. */
    const uint8_t status[] = {0x08, 0x10, 0x81, 0x01, 0xFE, 0xE3, 0xF8, 0xB6, 0x00};
    uint8_t reply[256];
    size_t length = 0, all = 0;
    while (specie_owner_take(bob->device, reply, sizeof reply, &length) == SPECIE_ERROR_OK && length > 0) {
    }
    EQUALS(specie_owner_feed(bob->device, status, sizeof status, ms), SPECIE_ERROR_OK);
    do {
        EQUALS(specie_owner_take(bob->device, reply + all, 5, &length), SPECIE_ERROR_OK);
        all += length;
    } while (length > 0);
    CHECK(all > 20 && reply[all - 1] == 0 && reply[1] == 17);
}

void scene_callbacks(struct party *alice, struct party *bob) {
    uint64_t total = party_total(alice);
    struct message request = ask(bob, 55);
    alice->called_back = alice->device;
    struct message payment = pay(alice, &request);
    alice->called_back = NULL;
    CHECK(alice->calls_back > 3);
    bob->called_back = bob->device;
    hand_over(alice, bob, &payment);
    bob->called_back = NULL;
    EQUALS(party_total(alice), total - 55);
    message_free(&request);
    message_free(&payment);
}

void scene_element_lost(struct party *alice, struct party *bob) {
    uint64_t total = party_total(alice), held = party_total(bob);
    struct message request = ask(bob, 35);
    int failed = 0;
    for (long after = 0;; after++) {
        alice->element.killed_after = after;
        specie_error error = specie_pay(alice->device, request.bytes, request.length, now(), NULL);
        if (error == SPECIE_ERROR_OK) {
            break;
        }
        /* A PIN was set, and an element that comes back wants it. */
        CHECK(error == SPECIE_ERROR_ELEMENT || error == SPECIE_ERROR_PIN);
        EQUALS(specie_pin(alice->device, (const uint8_t *)"2468", 4), SPECIE_ERROR_OK);
        failed++;
    }
    CHECK(failed > 0);
    alice->element.killed_after = -1;
    struct message payment = pay(alice, &request);
    hand_over(alice, bob, &payment);
    EQUALS(party_total(alice), total - 35);
    EQUALS(party_total(bob), held + 35);
    message_free(&request);
    message_free(&payment);
}

/* What a party was at a moment. */
struct image {
    struct flash flash;
    uint8_t *element;
    size_t length;
};

static void keep_image(struct party *party, struct image *image) {
    element_kill(&party->element);
    image->flash = party->flash;
    FILE *file = fopen(party->element.flash, "rb");
    CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    image->length = (size_t)ftell(file);
    image->element = malloc(image->length);
    rewind(file);
    CHECK(image->element != NULL && fread(image->element, 1, image->length, file) == image->length);
    fclose(file);
}

static void put_back(struct party *party, const struct image *image) {
    EQUALS(specie_close(party->device), SPECIE_ERROR_OK);
    element_kill(&party->element);
    party->flash = image->flash;
    FILE *file = fopen(party->element.flash, "r+b");
    CHECK(file != NULL && fwrite(image->element, 1, image->length, file) == image->length);
    CHECK(fclose(file) == 0);
    party_open(party);
}

/* Lets the power go off at a flash operation of a payment; whether it did. */
static bool pay_cut(struct party *alice, const struct message *request, long after) {
    EQUALS(specie_pin(alice->device, (const uint8_t *)"2468", 4), SPECIE_ERROR_OK);
    alice->flash.cut_after = after;
    specie_error error = specie_pay(alice->device, request->bytes, request->length, now(), NULL);
    bool off = alice->flash.off;
    if (!off && error != SPECIE_ERROR_OK) {
        uint8_t text[400];
        for (specie_failure_part part = 0; part < 3; part++) {
            size_t length = 0;
            if (specie_failure(alice->device, part, text, sizeof text, &length) == SPECIE_ERROR_OK) {
                fprintf(stderr, "%d: %s\n", (int)error, (const char *)text);
            }
        }
    }
    CHECK(off || error == SPECIE_ERROR_OK);
    if (error != SPECIE_ERROR_OK) {
        EQUALS(error, SPECIE_ERROR_STORAGE);
        /* Nothing works without power, and nothing breaks. */
        EQUALS(specie_pay(alice->device, request->bytes, request->length, now(), NULL), SPECIE_ERROR_STORAGE);
        EQUALS(specie_resume(alice->device, now(), NULL), SPECIE_ERROR_STORAGE);
    }
    party_restart(alice);
    EQUALS(specie_check(alice->device), SPECIE_ERROR_OK);
    EQUALS(specie_pin(alice->device, (const uint8_t *)"2468", 4), SPECIE_ERROR_OK);
    EQUALS(specie_resume(alice->device, now(), NULL), SPECIE_ERROR_OK);
    return off;
}

void scene_power_cuts(struct party *alice, struct party *bob, long stride) {
    uint64_t total = party_total(alice), held = party_total(bob);
    struct message request = ask(bob, 95);
    static struct image before, paid;
    keep_image(alice, &before);
    keep_image(bob, &paid);
    long cuts = 0;
    for (bool off = true; off; cuts++) {
        put_back(alice, &before);
        off = pay_cut(alice, &request, cuts * stride);
        struct message payment = pay(alice, &request);
        EQUALS(party_total(alice), total - 95);
        put_back(bob, &paid);
        EQUALS(specie_receive(bob->device, payment.bytes, payment.length, SPECIE_ROUTE_PAYER, now(), NULL),
               SPECIE_ERROR_OK);
        message_free(&payment);
    }
    /* Now the payee. */
    struct message payment = pay(alice, &request);
    long receptions = 0;
    for (bool off = true; off; receptions++) {
        put_back(bob, &paid);
        bob->flash.cut_after = receptions * stride;
        specie_receive(bob->device, payment.bytes, payment.length, SPECIE_ROUTE_PAYER, now(), NULL);
        off = bob->flash.off;
        party_restart(bob);
        hand_over(alice, bob, &payment);
        EQUALS(party_total(bob), held + 95);
    }
    fprintf(stderr, "power was cut %ld times while paying, %ld times while being paid\n", cuts - 1, receptions - 1);
    CHECK(cuts > 2 && receptions > 2);
    free(before.element);
    free(paid.element);
    message_free(&request);
    message_free(&payment);
}

void scene_synchronise_cut(struct party *alice, long stride) {
    specie_keep keep = {.value = 5000, .blank_cap = 0, .blanks = 12};
    /* Answers get lost. */
    for (long lost = 0; lost < 9; lost += 1 + stride / 40) {
        EQUALS(specie_synchronise(alice->device, &keep), SPECIE_ERROR_OK);
        alice->psp.lost_after = lost;
        EQUALS(party_carry(alice), SPECIE_ERROR_OK);
        alice->psp.lost_after = -1;
    }
    /* The power is lost, in the middle of whatever comes. */
    for (long after = 3; after < 400; after += 61 + stride) {
        EQUALS(specie_synchronise(alice->device, &keep), SPECIE_ERROR_OK);
        alice->flash.cut_after = after;
        party_carry(alice);
        party_restart(alice);
        EQUALS(specie_pin(alice->device, (const uint8_t *)"2468", 4), SPECIE_ERROR_OK);
    }
    specie_report_info report = party_synchronise(alice, 5000, 12);
    EQUALS(report.failures, 0);
    CHECK(party_spendable(alice) >= 5000);
}
