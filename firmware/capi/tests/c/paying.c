/* Scenes in which payments are made and refused. */

#include <string.h>

#include "check.h"
#include "scenes.h"

struct message ask(struct party *payee, uint64_t amount) {
    specie_terms terms = {
        .amount = amount,
        .valid_seconds = 600,
        .currency = "XTS",
        .memo = "two coffees",
        .memo_length = 11,
        .notes_max = 4,
    };
    EQUALS(specie_request(payee->device, &terms, now(), NULL), SPECIE_ERROR_OK);
    return party_output(payee, 0);
}

struct message pay(struct party *payer, const struct message *request) {
    EQUALS(specie_pay(payer->device, request->bytes, request->length, now(), NULL), SPECIE_ERROR_OK);
    size_t count = 0;
    EQUALS(specie_output_count(payer->device, &count), SPECIE_ERROR_OK);
    CHECK(count > 0);
    return party_output(payer, count - 1);
}

void hand_over(struct party *payer, struct party *payee, const struct message *payment) {
    specie_error error =
        specie_receive(payee->device, payment->bytes, payment->length, SPECIE_ROUTE_PAYER, now(), NULL);
    if (error != SPECIE_ERROR_OK) {
        fprintf(stderr, "the payee refuses: %s\n", party_failure(payee));
    }
    EQUALS(error, SPECIE_ERROR_OK);
    struct message receipt = party_output(payee, 0);
    EQUALS(specie_take_receipt(payer->device, receipt.bytes, receipt.length, NULL), SPECIE_ERROR_OK);
    message_free(&receipt);
}

static void verify(struct party *payee, const uint8_t *root, const struct message *payment,
                   const struct message *request) {
    EQUALS(specie_publications(payee->device), SPECIE_ERROR_OK);
    struct message manifest = party_output(payee, 0);
    specie_verdict verdict;
    EQUALS(specie_verify_payment(root, manifest.bytes, manifest.length, payment->bytes, payment->length,
                                 request->bytes, request->length, now(), &verdict),
           SPECIE_ERROR_OK);
    EQUALS(verdict.paid, 150);
    CHECK(verdict.value >= 150 && verdict.chains > 0 && verdict.transfers >= verdict.chains);
    CHECK(strcmp(verdict.currency.text, "XTS") == 0 && verdict.code.length == 0 && verdict.issuer.length > 0);
    CHECK(verdict.spend_until > now() && verdict.redeem_until >= verdict.spend_until);
    /* Without the request it is good for somebody. */
    EQUALS(specie_verify_payment(root, manifest.bytes, manifest.length, payment->bytes, payment->length, NULL, 0,
                                 now(), &verdict),
           SPECIE_ERROR_OK);
    EQUALS(verdict.paid, 0);
    /* For another request it is not. */
    struct message other = ask(payee, 150);
    EQUALS(specie_verify_payment(root, manifest.bytes, manifest.length, payment->bytes, payment->length, other.bytes,
                                 other.length, now(), &verdict),
           SPECIE_ERROR_REFUSED);
    CHECK(strcmp(verdict.code.text, "unknown-request") == 0);
    uint8_t id[16];
    EQUALS(specie_open_request_at(payee->device, 0, now(), id), SPECIE_ERROR_OK);
    EQUALS(specie_request_again(payee->device, id), SPECIE_ERROR_OK);
    struct message again = party_output(payee, 0);
    CHECK(again.length == other.length || again.length == request->length);
    message_free(&again);
    /* Past the dates of its notes neither; nor by another bank. */
    EQUALS(specie_verify_payment(root, manifest.bytes, manifest.length, payment->bytes, payment->length, NULL, 0,
                                 verdict.spend_until, &verdict),
           SPECIE_ERROR_ARGUMENT);
    EQUALS(specie_verify_payment(root, manifest.bytes, manifest.length, payment->bytes, payment->length, NULL, 0,
                                 4102444800u, &verdict),
           SPECIE_ERROR_REFUSED);
    CHECK(strcmp(verdict.code.text, "expired") == 0);
    uint8_t elsewhere[32] = {1};
    EQUALS(specie_verify_payment(elsewhere, manifest.bytes, manifest.length, payment->bytes, payment->length, NULL, 0,
                                 now(), &verdict),
           SPECIE_ERROR_MESSAGE);
    CHECK(strcmp(verdict.code.text, "bad-signature") == 0);
    for (size_t at = 0; at < payment->length; at += 31) {
        payment->bytes[at] ^= 4;
        EQUALS(specie_verify_payment(root, manifest.bytes, manifest.length, payment->bytes, payment->length,
                                     request->bytes, request->length, now(), &verdict) == SPECIE_ERROR_OK,
               0);
        CHECK(verdict.code.length > 0);
        payment->bytes[at] ^= 4;
    }
    EQUALS(specie_take_publication(payee->device, manifest.bytes, manifest.length, NULL), SPECIE_ERROR_OK);
    bool newer = true;
    EQUALS(specie_take_publication(payee->device, manifest.bytes, manifest.length, &newer), SPECIE_ERROR_OK);
    CHECK(!newer);
    message_free(&manifest);
    message_free(&other);
}

void scene_calls(struct party *alice, struct party *bob, const uint8_t *root) {
    uint64_t before = party_total(alice);
    struct message request = ask(bob, 150);
    specie_preview_info preview;
    EQUALS(specie_preview(alice->device, request.bytes, request.length, now(), &preview), SPECIE_ERROR_OK);
    EQUALS(preview.amount, 150);
    CHECK(strcmp(preview.memo.text, "two coffees") == 0 && strcmp(preview.currency.text, "XTS") == 0);
    CHECK(preview.payee_kind == SPECIE_PAYEE_KIND_UNNAMED && !preview.repeated && preview.expiry >= now());
    CHECK(preview.disclosed); /* Above the threshold of xtask's world. */
    EQUALS(party_total(alice), before);

    specie_paid paid;
    EQUALS(specie_pay(alice->device, request.bytes, request.length, now(), &paid), SPECIE_ERROR_OK);
    CHECK(paid.amount == 150 && memcmp(paid.id, preview.id, 32) == 0);
    struct message payment = pay(alice, &request);
    EQUALS(party_total(alice), before - 150);
    specie_undelivered undelivered;
    EQUALS(specie_undelivered_at(alice->device, 0, &undelivered), SPECIE_ERROR_OK);
    CHECK(undelivered.amount == 150 && memcmp(undelivered.id, paid.id, 32) == 0);
    EQUALS(specie_undelivered_at(alice->device, 1, &undelivered), SPECIE_ERROR_NOTHING);
    verify(bob, root, &payment, &request);

    EQUALS(specie_payment_again(alice->device, paid.id, SPECIE_FORM_COMPACT), SPECIE_ERROR_OK);
    struct message compact = party_output(alice, 0);
    CHECK(compact.length < payment.length);
    specie_received received;
    EQUALS(specie_receive(bob->device, compact.bytes, compact.length, SPECIE_ROUTE_PAYER, now(), &received),
           SPECIE_ERROR_OK);
    CHECK(received.amount == 150 && !received.repeated && strcmp(received.currency.text, "XTS") == 0);
    EQUALS(specie_receive(bob->device, payment.bytes, payment.length, SPECIE_ROUTE_PAYER, now(), &received),
           SPECIE_ERROR_OK);
    CHECK(received.repeated);
    struct message receipt = party_output(bob, 0);
    EQUALS(specie_receipt_again(bob->device, received.request), SPECIE_ERROR_OK);
    struct message again = party_output(bob, 0);
    CHECK(again.length == receipt.length && memcmp(again.bytes, receipt.bytes, receipt.length) == 0);
    uint8_t id[32];
    EQUALS(specie_take_receipt(alice->device, receipt.bytes, receipt.length, id), SPECIE_ERROR_OK);
    CHECK(memcmp(id, paid.id, 32) == 0);
    EQUALS(specie_undelivered_at(alice->device, 0, &undelivered), SPECIE_ERROR_NOTHING);
    EQUALS(party_total(bob), 150);

    specie_history_entry entry;
    EQUALS(specie_history_at(bob->device, 0, &entry), SPECIE_ERROR_OK);
    CHECK(entry.event == SPECIE_HISTORY_EVENT_RECEIVED && entry.amount == 150);
    EQUALS(specie_history_at(alice->device, 0, &entry), SPECIE_ERROR_OK);
    CHECK(entry.event == SPECIE_HISTORY_EVENT_PAID && entry.progress == SPECIE_HISTORY_PROGRESS_COMPLETE);
    EQUALS(specie_history_at(alice->device, 1000, &entry), SPECIE_ERROR_NOTHING);
    specie_currency currency;
    EQUALS(specie_currency_at(bob->device, 0, &currency), SPECIE_ERROR_OK);
    CHECK(strcmp(currency.text, "XTS") == 0);
    EQUALS(specie_currency_at(bob->device, 1, &currency), SPECIE_ERROR_NOTHING);
    specie_status_info status;
    EQUALS(specie_status(bob->device, now(), &status), SPECIE_ERROR_OK);
    CHECK(status.enrolled && status.total == 150 && status.manifest > 0 && status.flash_used < status.flash_capacity);

    /* The request of the verification is still open. */
    uint8_t open[16];
    while (specie_open_request_at(bob->device, 0, now(), open) == SPECIE_ERROR_OK) {
        EQUALS(specie_cancel_request(bob->device, open), SPECIE_ERROR_OK);
    }
    EQUALS(specie_outputs_drop(alice->device), SPECIE_ERROR_OK);
    EQUALS(specie_output(alice->device, 0, NULL, 0, &payment.length), SPECIE_ERROR_NOTHING);
    message_free(&request);
    message_free(&payment);
    message_free(&compact);
    message_free(&receipt);
    message_free(&again);
}

void scene_failures(struct party *alice, struct party *bob) {
    uint64_t before = party_total(alice), held = party_total(bob);
    specie_terms terms = {.amount = 10, .valid_seconds = 60, .currency = "XTS", .notes_max = 1};
    /* More than there is. */
    struct message request = ask(bob, 1000);
    uint8_t kept[16], open[16];
    EQUALS(specie_open_request_at(bob->device, 0, now(), kept), SPECIE_ERROR_OK);
    terms.amount = 900000;
    terms.notes_max = 1;
    EQUALS(specie_request(bob->device, &terms, now(), NULL), SPECIE_ERROR_REFUSED);
    CHECK(strcmp(party_failure(bob), "no-blank") == 0);
    bool moved = true;
    EQUALS(specie_money_moved(bob->device, &moved), SPECIE_ERROR_OK);
    CHECK(!moved);
    char text[200];
    size_t length = 0;
    EQUALS(specie_failure(bob->device, SPECIE_FAILURE_PART_WHAT, (uint8_t *)text, sizeof text, &length),
           SPECIE_ERROR_OK);
    CHECK(length > 10);
    EQUALS(specie_failure(bob->device, SPECIE_FAILURE_PART_ADVICE, (uint8_t *)text, 3, &length), SPECIE_ERROR_CAPACITY);
    CHECK(length > 10);
    EQUALS(specie_failure(bob->device, 9, (uint8_t *)text, sizeof text, &length), SPECIE_ERROR_ARGUMENT);
    CHECK(strcmp(party_failure(bob), "no-blank") == 0);
    /* Terms that are none. */
    specie_terms bad = terms;
    bad.amount = UINT64_MAX;
    EQUALS(specie_request(bob->device, &bad, now(), NULL), SPECIE_ERROR_ARGUMENT);
    CHECK(strcmp(party_failure(bob), "bad-argument") == 0);
    bad = terms;
    bad.amount = 0;
    EQUALS(specie_request(bob->device, &bad, now(), NULL), SPECIE_ERROR_REFUSED);
    bad = terms;
    bad.currency = "xts";
    EQUALS(specie_request(bob->device, &bad, now(), NULL), SPECIE_ERROR_ARGUMENT);
    bad = terms;
    bad.memo = "\xFF\xFE";
    bad.memo_length = 2;
    EQUALS(specie_request(bob->device, &bad, now(), NULL), SPECIE_ERROR_ARGUMENT);
    bad.memo = NULL;
    EQUALS(specie_request(bob->device, &bad, now(), NULL), SPECIE_ERROR_POINTER);
    char memo[200];
    memset(memo, 'm', sizeof memo);
    bad.memo = memo;
    bad.memo_length = sizeof memo;
    EQUALS(specie_request(bob->device, &bad, now(), NULL), SPECIE_ERROR_ARGUMENT);
    bad = terms;
    bad.notes_max = 0;
    bad.amount = 10;
    CHECK(specie_request(bob->device, &bad, now(), NULL) != SPECIE_ERROR_BROKEN);
    bad.notes_max = 255;
    bad.valid_seconds = UINT64_MAX;
    CHECK(specie_request(bob->device, &bad, now(), NULL) != SPECIE_ERROR_BROKEN);
    /* Their order is nobody's business. */
    for (size_t index = 0; specie_open_request_at(bob->device, index, now(), open) == SPECIE_ERROR_OK;) {
        if (memcmp(open, kept, 16) == 0) {
            index++;
        } else {
            EQUALS(specie_cancel_request(bob->device, open), SPECIE_ERROR_OK);
        }
    }
    /* Times that are none. */
    EQUALS(specie_pay(alice->device, request.bytes, request.length, UINT64_MAX, NULL), SPECIE_ERROR_ARGUMENT);
    EQUALS(specie_set_time(alice->device, UINT64_MAX, 0), SPECIE_ERROR_ARGUMENT);
    /* A request of one's own, and what is no request. */
    EQUALS(specie_pay(bob->device, request.bytes, request.length, now(), NULL), SPECIE_ERROR_REFUSED);
    EQUALS(specie_pay(alice->device, (const uint8_t *)"nonsense", 8, now(), NULL), SPECIE_ERROR_MESSAGE);
    EQUALS(specie_pay(alice->device, NULL, 0, now(), NULL), SPECIE_ERROR_MESSAGE);
    EQUALS(specie_pay(alice->device, NULL, 8, now(), NULL), SPECIE_ERROR_POINTER);
    EQUALS(specie_pay(alice->device, request.bytes, SIZE_MAX, now(), NULL), SPECIE_ERROR_ARGUMENT);
    EQUALS(specie_receive(bob->device, request.bytes, request.length, SPECIE_ROUTE_PAYER, now(), NULL),
           SPECIE_ERROR_MESSAGE);
    CHECK(strcmp(party_failure(bob), "unexpected-message") == 0);
    EQUALS(specie_receive(bob->device, request.bytes, request.length, 5, now(), NULL), SPECIE_ERROR_ARGUMENT);
    uint8_t unknown[32] = {0};
    EQUALS(specie_payment_again(alice->device, unknown, SPECIE_FORM_EXTENDED), SPECIE_ERROR_REFUSED);
    EQUALS(specie_payment_again(alice->device, unknown, 2), SPECIE_ERROR_ARGUMENT);
    EQUALS(specie_request_again(bob->device, unknown), SPECIE_ERROR_REFUSED);
    EQUALS(specie_receipt_again(bob->device, unknown), SPECIE_ERROR_REFUSED);
    EQUALS(specie_cancel_request(bob->device, unknown), SPECIE_ERROR_REFUSED);
    EQUALS(specie_peer_offer(bob->device, unknown, now()), SPECIE_ERROR_NOTHING);
    /* No noise: no keys, and nothing happens. */
    alice->fails_random = true;
    party_restart(alice);
    EQUALS(specie_pay(alice->device, request.bytes, request.length, now(), NULL), SPECIE_ERROR_RANDOMNESS);
    alice->fails_random = false;
    EQUALS(specie_pay(alice->device, request.bytes, request.length, now(), NULL), SPECIE_ERROR_RANDOMNESS);
    party_restart(alice);
    /* A PIN that is set and not told. */
    EQUALS(specie_change_pin(alice->device, NULL, 0, (const uint8_t *)"2468", 4), SPECIE_ERROR_OK);
    party_restart(alice);
    EQUALS(specie_pay(alice->device, request.bytes, request.length, now(), NULL), SPECIE_ERROR_PIN);
    CHECK(strcmp(party_failure(alice), "pin-needed") == 0);
    EQUALS(specie_pin(alice->device, (const uint8_t *)"1111", 4) == SPECIE_ERROR_OK, 0);
    EQUALS(specie_pin(alice->device, (const uint8_t *)"2468", 4), SPECIE_ERROR_OK);
    EQUALS(party_total(alice), before);
    struct message payment = pay(alice, &request);
    hand_over(alice, bob, &payment);
    EQUALS(party_total(alice), before - 1000);
    EQUALS(party_total(bob), held + 1000);
    message_free(&request);
    message_free(&payment);
}

void scene_nonsense(struct party *alice, struct party *bob, const uint8_t *root) {
    uint64_t total = party_total(alice), held = party_total(bob);
    struct message request = ask(bob, 70);
    specie_preview_info preview;
    EQUALS(specie_preview(alice->device, request.bytes, request.length, now(), &preview), SPECIE_ERROR_OK);
    CHECK(preview.amount == 70 && !preview.disclosed);
    struct message payment = pay(alice, &request);
    EQUALS(specie_publications(alice->device), SPECIE_ERROR_OK);
    struct message manifest = party_output(alice, 0);
    uint32_t random = 1;
    for (int round = 0; round < 60; round++) {
        random = random * 1664525u + 1013904223u;
        const struct message *all[] = {&payment, &request, &manifest};
        const struct message *good = all[round % 3];
        size_t at = (random >> 8) % good->length;
        size_t length = round % 4 == 0 ? at : good->length;
        uint8_t *bytes = malloc(good->length + 1);
        CHECK(bytes != NULL);
        memcpy(bytes, good->bytes, good->length);
        bytes[at] ^= (uint8_t)(1u << (random % 8));
        specie_verdict verdict;
        CHECK(specie_receive(bob->device, bytes, length, SPECIE_ROUTE_PAYER, now(), NULL) != SPECIE_ERROR_OK);
        CHECK(specie_take_receipt(alice->device, bytes, length, NULL) != SPECIE_ERROR_OK);
        CHECK(specie_take_publication(bob->device, bytes, length, NULL) != SPECIE_ERROR_OK);
        CHECK(specie_verify_payment(root, bytes, length, payment.bytes, payment.length, NULL, 0, now(), &verdict) !=
              SPECIE_ERROR_OK);
        CHECK(specie_preview(alice->device, bytes, length, now(), &preview) != SPECIE_ERROR_BROKEN);
        EQUALS(specie_peer_feed(bob->device, bytes, length, 1), SPECIE_ERROR_OK);
        EQUALS(specie_owner_feed(bob->device, bytes, length, 1), SPECIE_ERROR_OK);
        EQUALS(specie_answer(bob->device, 200, bytes, length, now()), SPECIE_ERROR_NOTHING);
        free(bytes);
    }
    /* Errands that are answered with nonsense. */
    specie_keep keep = {.value = 9999, .blank_cap = 0, .blanks = 4};
    EQUALS(specie_synchronise(bob->device, &keep), SPECIE_ERROR_OK);
    EQUALS(specie_owner_feed(bob->device, request.bytes, request.length, 1), SPECIE_ERROR_UNDER_WAY);
    uint32_t next = 0;
    const char *answers[] = {"", "{}", "null", "{\"seconds\":99999999999999999999}", "{\"seconds\":1}", "[[[[", "\xFF"};
    for (int round = 0; round < 200; round++) {
        EQUALS(specie_next(bob->device, now(), &next), SPECIE_ERROR_OK);
        if (next == SPECIE_NEXT_KIND_DONE) {
            break;
        }
        const char *answer = answers[round % 7];
        EQUALS(specie_answer(bob->device, round % 3 == 0 ? 200 : (uint16_t)(round * 97), (const uint8_t *)answer,
                             strlen(answer), now()),
               SPECIE_ERROR_OK);
        EQUALS(specie_answer(bob->device, 200, NULL, 0, now()), SPECIE_ERROR_NOTHING);
    }
    EQUALS(next, SPECIE_NEXT_KIND_DONE);
    specie_report_info report;
    EQUALS(specie_report(bob->device, &report), SPECIE_ERROR_OK);
    CHECK(report.failures > 0);
    EQUALS(specie_report_failure(bob->device, report.failures), SPECIE_ERROR_NOTHING);
    EQUALS(specie_next(bob->device, now(), &next), SPECIE_ERROR_NOTHING);
    EQUALS(specie_synchronise(bob->device, NULL), SPECIE_ERROR_POINTER);
    EQUALS(specie_give_up(bob->device), SPECIE_ERROR_OK);
    EQUALS(specie_report(bob->device, &report), SPECIE_ERROR_NOTHING);
    hand_over(alice, bob, &payment);
    EQUALS(party_total(alice), total - 70);
    EQUALS(party_total(bob), held + 70);
    message_free(&request);
    message_free(&payment);
    message_free(&manifest);
}
