/* A device with all that belongs to it, as a program in C puts it together. */
#ifndef PARTY_H
#define PARTY_H

#include <stdbool.h>
#include <stdint.h>

#include "element.h"
#include "flash.h"
#include "psp.h"
#include "specie.h"

struct party {
    struct flash flash;
    struct element element;
    struct psp psp;
    specie_device *device;
    /* Called back into by the functions of the platform, where not null: every answer has to be SPECIE_ERROR_BUSY. */
    specie_device *called_back;
    unsigned long calls_back;
    bool fails_random;
};

/* Bytes that the library made. */
struct message {
    uint8_t *bytes;
    size_t length;
};

/* The platform of a party. */
specie_platform party_platform(struct party *party);

/* Opens the device of a party. */
void party_open(struct party *party);

/* Takes the power and gives it back: the handle is closed, flash and element are started anew. */
void party_restart(struct party *party);

/* Closes device and element. */
void party_end(struct party *party);

/* What the last operation made; to be freed. */
struct message party_output(struct party *party, size_t index);

/* Frees it. */
void message_free(struct message *message);

/* The code of the last failure. */
const char *party_failure(struct party *party);

/* Minor units in all, and those that can be spent. */
uint64_t party_total(struct party *party);
uint64_t party_spendable(struct party *party);

/* Carries errands until it is over; gives what the last call returned. */
specie_error party_carry(struct party *party);

/* Enrols and synchronises; has to work out. */
void party_enrol(struct party *party, const char *customer, const char *claim_code);
specie_report_info party_synchronise(struct party *party, uint64_t value, uint16_t blanks);

/* Unix seconds. */
uint64_t now(void);

#endif
