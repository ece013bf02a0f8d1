/* A whole life of two devices in C, with real elements and a real bank: enrolled, paid offline by every way, cut off
 * their power at every moment, fed with nonsense, and settled. No money is lost and none is made.
 *
 * life PROGRAM HOST PORT ROOT ELEMENT-A CODE-A ELEMENT-B CODE-B [STRIDE] */

#include <string.h>

#include "check.h"
#include "party.h"
#include "scenes.h"

static void read_key(const char *hex, uint8_t key[32]) {
    CHECK(strlen(hex) == 64);
    for (int i = 0; i < 32; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        key[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

static void begin(struct party *party, const uint8_t *root, const char *name, const char *code) {
    flash_format(&party->flash);
    party_open(party);
    EQUALS(specie_check(party->device), SPECIE_ERROR_NO_WALLET);
    CHECK(strcmp(party_failure(party), "no-wallet") == 0);
    EQUALS(specie_create(party->device, root), SPECIE_ERROR_OK);
    EQUALS(specie_create(party->device, root), SPECIE_ERROR_REFUSED);
    CHECK(strcmp(party_failure(party), "wallet-exists") == 0);
    EQUALS(specie_check(party->device), SPECIE_ERROR_OK);
    party_restart(party);
    EQUALS(specie_check(party->device), SPECIE_ERROR_OK);
    party_enrol(party, name, code);
}

int main(int argc, char **argv) {
    CHECK(argc == 9 || argc == 10);
    EQUALS(specie_interface(), SPECIE_INTERFACE);
    static struct party alice, bob;
    uint8_t root[32];
    read_key(argv[4], root);
    element_prepare(&alice.element, argv[1], argv[5]);
    element_prepare(&bob.element, argv[1], argv[7]);
    alice.psp = bob.psp = (struct psp){argv[2], argv[3], -1};
    long stride = argc == 10 ? atol(argv[9]) : 1;
    CHECK(stride > 0);

    begin(&alice, root, "alice", argv[6]);
    begin(&bob, root, "bob", argv[8]);
    specie_report_info report = party_synchronise(&bob, 0, 12);
    EQUALS(report.failures, 0);
    report = party_synchronise(&alice, 5000, 12);
    EQUALS(report.failures, 0);
    CHECK(report.account_known);
    uint64_t all = report.account_balance + party_total(&alice);
    EQUALS(party_spendable(&alice), 5000);
    EQUALS(party_total(&bob), 0);

    scene_calls(&alice, &bob, root);
    scene_lines(&alice, &bob);
    scene_callbacks(&alice, &bob);
    scene_failures(&alice, &bob);
    scene_nonsense(&alice, &bob, root);
    scene_element_lost(&alice, &bob);
    scene_power_cuts(&alice, &bob, stride);
    scene_synchronise_cut(&alice, stride);

    uint64_t held = party_total(&bob);
    CHECK(held > 0);
    report = party_synchronise(&bob, 0, 12);
    EQUALS(report.failures, 0);
    EQUALS(report.refused, 0);
    EQUALS(report.redeemed, held);
    EQUALS(party_total(&bob), 0);
    uint64_t settled = report.account_balance;
    report = party_synchronise(&alice, 0, 4);
    EQUALS(report.failures, 0);
    /* What alice has left in the wallet stays there; what her account lacks she gave to bob. */
    EQUALS(settled + report.account_balance + party_total(&alice), all);
    party_end(&alice);
    party_end(&bob);
    printf("two lives, %llu minor units, none lost and none made\n", (unsigned long long)all);
    return 0;
}
