/* Specie for programs in C.
 *
 * Made of the library's sources by `cargo xtask header`; not edited by hand. README.md beside it tells the whole; what
 * holds of everything here is told here:
 *
 * Every function returns a specie_error, but for specie_interface. Where it is not SPECIE_ERROR_OK, nothing was
 * written to where results go, except where a function says otherwise.
 *
 * Ownership. What the program hands over is lent until the function returns, and is not changed by anybody meanwhile;
 * the library keeps no pointer to it. specie_platform and specie_line are copied, and what their functions and their
 * `context` refer to has to stay until the device or chip is closed. Handles are the library's memory, and the
 * program's to close. Results are copied to the program's memory, which must not overlap what it hands over.
 *
 * Pointers are checked for null and alignment, lengths for what no object has. "May be null" says where null is
 * allowed; bytes of length 0 may always be. Text is UTF-8 with a length, without a zero at its end, unless said.
 *
 * Time is an argument: unix seconds, and milliseconds since power-up on the lines. */

#ifndef SPECIE_H
#define SPECIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Version of this interface: functions, structures and numbers of this header. It grows with every change that a
// program compiled before would not survive.
#define SPECIE_INTERFACE 1

// What a function returns. A number never changes its meaning; a later version may add some.
//
// From `SPECIE_ERROR_NO_WALLET` on it is the wallet that says no, and `specie_failure` has the reason in full. Below,
// the library was called wrongly or cannot be called now. Whatever is returned, no money moved, unless
// `specie_money_moved` says so.
enum specie_error
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // It was done.
    SPECIE_ERROR_OK = 0,
    // A pointer is null, or not aligned for what it points to.
    SPECIE_ERROR_POINTER = 1,
    // An argument is out of its range, or text is not UTF-8.
    SPECIE_ERROR_ARGUMENT = 2,
    // The buffer is too small: nothing was written to it, and the length that is needed to where the length goes.
    SPECIE_ERROR_CAPACITY = 3,
    // The device or chip is in the middle of a call: it was called from one of its own callbacks, or by two threads at
    // once.
    SPECIE_ERROR_BUSY = 4,
    // The library has a defect, and stopped in the middle of a call. The handle can only be closed; what the device
    // stored is there when it is opened again.
    SPECIE_ERROR_BROKEN = 5,
    // `specie_start` was not called, or its arena is of no use.
    SPECIE_ERROR_NOT_STARTED = 6,
    // A synchronisation or an enrolment is under way.
    SPECIE_ERROR_UNDER_WAY = 7,
    // There is nothing there: an index behind the end, no errand, no event, no report.
    SPECIE_ERROR_NOTHING = 8,
    // There is no wallet in the flash: `specie_create` makes one.
    SPECIE_ERROR_NO_WALLET = 16,
    // The flash failed, is full, unfit or damaged.
    SPECIE_ERROR_STORAGE = 17,
    // The secure element could not be reached, or refused.
    SPECIE_ERROR_ELEMENT = 18,
    // The secure element wants the PIN first, or has blocked it.
    SPECIE_ERROR_PIN = 19,
    // The noise source failed its test.
    SPECIE_ERROR_RANDOMNESS = 20,
    // A message is not what was expected, or of no known version.
    SPECIE_ERROR_MESSAGE = 21,
    // The PSP could not be reached, or its answer makes no sense.
    SPECIE_ERROR_PSP = 22,
    // A rule of the money, or the other side, says no.
    SPECIE_ERROR_REFUSED = 23,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum specie_error specie_error;
#else
typedef int32_t specie_error;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A part of an errand, for `specie_errand`.
enum specie_errand_part
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // The method: `GET` or `POST`.
    SPECIE_ERRAND_PART_METHOD = 0,
    // Path and query, beginning with `/`.
    SPECIE_ERRAND_PART_TARGET = 1,
    // The headers, each as `name: value` with carriage return and line feed. `Host`, `Content-Length` and what else
    // the connection needs is for the program to add.
    SPECIE_ERRAND_PART_HEADERS = 2,
    // The body: JSON, or nothing for `GET`.
    SPECIE_ERRAND_PART_BODY = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum specie_errand_part specie_errand_part;
#else
typedef uint32_t specie_errand_part;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What happened on the line to the other device.
enum specie_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Something that this version of the interface has no number for.
    SPECIE_EVENT_KIND_OTHER = 0,
    // A payment was made and is on its way: `payment`, `amount`.
    SPECIE_EVENT_KIND_PAID = 1,
    // The payee gave the receipt: `payment`.
    SPECIE_EVENT_KIND_DELIVERED = 2,
    // A payment was received: `request`, `amount`.
    SPECIE_EVENT_KIND_RECEIVED = 3,
    // The other device does not go on: `code` is the reason that it gave.
    SPECIE_EVENT_KIND_REFUSED = 4,
    // What the other device sent was not taken: `code`, and `specie_failure` has the reason in full.
    SPECIE_EVENT_KIND_FAILED = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum specie_event_kind specie_event_kind;
#else
typedef uint32_t specie_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A part of a failure, for `specie_failure`.
enum specie_failure_part
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // A stable code for machines: lower case with hyphens, at most 64 bytes.
    SPECIE_FAILURE_PART_CODE = 0,
    // What happened, for people, in English.
    SPECIE_FAILURE_PART_WHAT = 1,
    // What to do about it.
    SPECIE_FAILURE_PART_ADVICE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum specie_failure_part specie_failure_part;
#else
typedef uint32_t specie_failure_part;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How a payment travels.
enum specie_form
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // With the points that make checking fast: for links.
    SPECIE_FORM_EXTENDED = 0,
    // As short as possible: for QR codes and paper.
    SPECIE_FORM_COMPACT = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum specie_form specie_form;
#else
typedef uint32_t specie_form;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What kind of thing happened.
enum specie_history_event
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Something that this version of the interface has no number for.
    SPECIE_HISTORY_EVENT_OTHER = 0,
    // Paid a request.
    SPECIE_HISTORY_EVENT_PAID = 1,
    // Was paid.
    SPECIE_HISTORY_EVENT_RECEIVED = 2,
    // Withdrew notes from the account.
    SPECIE_HISTORY_EVENT_WITHDREW = 3,
    // Redeemed to the account.
    SPECIE_HISTORY_EVENT_REDEEMED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum specie_history_event specie_history_event;
#else
typedef uint32_t specie_history_event;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How far it got.
enum specie_history_progress
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Something that this version of the interface has no number for.
    SPECIE_HISTORY_PROGRESS_OTHER = 0,
    // Under way, nothing has left the wallet.
    SPECIE_HISTORY_PROGRESS_PLANNED = 1,
    // Ready to hand over, no receipt yet.
    SPECIE_HISTORY_PROGRESS_UNDELIVERED = 2,
    // There is a receipt, or the money is where it should be.
    SPECIE_HISTORY_PROGRESS_COMPLETE = 3,
    // The request lapsed before the payment was complete: what was set aside comes back from the bank.
    SPECIE_HISTORY_PROGRESS_ABANDONED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum specie_history_progress specie_history_progress;
#else
typedef uint32_t specie_history_progress;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What comes next.
enum specie_next_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // It is over: `specie_report` tells what a synchronisation did.
    SPECIE_NEXT_KIND_DONE = 0,
    // Take an errand to the PSP, and its answer to `specie_answer`.
    SPECIE_NEXT_KIND_ERRAND = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum specie_next_kind specie_next_kind;
#else
typedef uint32_t specie_next_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Who asks to be paid.
enum specie_payee_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Somebody who does not say who they are.
    SPECIE_PAYEE_KIND_UNNAMED = 0,
    // Vouched for by a PSP of the manifest.
    SPECIE_PAYEE_KIND_VERIFIED = 1,
    // Says who it is, and that cannot be checked: do not rely on it.
    SPECIE_PAYEE_KIND_UNVERIFIABLE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum specie_payee_kind specie_payee_kind;
#else
typedef uint32_t specie_payee_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// By which way a payment came.
enum specie_route
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // From the payer: refused past the request's expiry.
    SPECIE_ROUTE_PAYER = 0,
    // From the bank, which kept it: accepted as long as the blanks of the request are unused.
    SPECIE_ROUTE_BANK = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum specie_route specie_route;
#else
typedef uint32_t specie_route;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A secure element on a chip of its own. `specie_chip_open` makes one, `specie_chip_close` ends it; the memory is the
// library's.
typedef struct specie_chip specie_chip;

// A device: a wallet, its flash, its secure element. `specie_open` makes one, `specie_close` ends it; the memory is
// the library's. One thread at a time uses it.
typedef struct specie_device specie_device;

// Everything that the library asks of the program, in one structure.
//
// The structure is copied; `context` is handed to every function as it is and has to stay until the device is closed.
// The functions are called only within calls of the library, by the thread that made the call, never two at once. They
// must come back (no `longjmp`, no exceptions), must not call a function with the device that they are called for, and
// keep no pointer that they are given. They return 0 when it was done, and anything else when it was not: that number
// is told in the text of the failure.
//
// The flash is NOR flash of `flash_length` bytes from address 0 on, which is the library's alone. Programming clears
// bits, erasing sets a page to ones. After a power cut within a call a unit being programmed, or a page being erased,
// may hold anything; everything else has to be as it was. The library programs whole units of 16 bytes, each once
// between two times that it is erased, so it suits flashes with words of 1, 2, 4, 8 and 16 bytes. What it programs it
// reads back.
typedef struct specie_platform {
    // `sizeof(specie_platform)`, by which versions of the structure are told apart.
    size_t size;
    // Handed to every function.
    void *context;
    // Bytes of the flash: two pages at least. What is in it at once has room in half of it, a quarter of which is
    // kept free; below 48 kB a wallet is cramped.
    uint32_t flash_length;
    // Bytes of the pages that are erased: a power of two, 256 at least.
    uint32_t flash_page;
    // Bits of min-entropy in each byte that `random` gives, 1 to 8. 8 suits a generator whose output was conditioned,
    // like that of an operating system; a raw noise source has what its assessment says.
    uint32_t random_bits;
    // Reads `length` bytes from `address` on.
    int32_t (*flash_read)(void *context, uint32_t address, uint8_t *bytes, size_t length);
    // Programs `length` bytes from `address` on; both are multiples of 16.
    int32_t (*flash_program)(void *context, uint32_t address, const uint8_t *bytes, size_t length);
    // Erases the page of `flash_page` bytes at `address`.
    int32_t (*flash_erase)(void *context, uint32_t address);
    // Sends a command APDU to the secure element and waits for its answer: at most `capacity` (at least 1030) bytes
    // with the status word at their end, of which it writes the number to `answer_length`. When it fails, the library
    // may have it send the same command again later. `specie_chip_transmit` does it for an element on a chip of its
    // own.
    int32_t (*transmit)(void *context,
                        const uint8_t *command,
                        size_t length,
                        uint8_t *answer,
                        size_t capacity,
                        size_t *answer_length);
    // Fills `bytes` with noise. The library tests it (NIST SP 800-90B, §4.4) and hashes it before it uses it; a device
    // whose noise failed the test gives `SPECIE_ERROR_RANDOMNESS` from then on.
    int32_t (*random)(void *context, uint8_t *bytes, size_t length);
} specie_platform;

// How a device is.
typedef struct specie_status_info {
    // Minor units that can be spent offline now, all currencies added up.
    uint64_t spendable;
    // Minor units held in all, change and what is on its way to the account among them.
    uint64_t total;
    // Blanks that may own something: as many notes can be received.
    uint64_t blanks;
    // Payments made that have no receipt.
    uint64_t undelivered;
    // Unfinished things that need the PSP or the element.
    uint64_t pending;
    // Number of the manifest held; 0: none.
    uint64_t manifest;
    // Number of the limits held; 0: none.
    uint64_t limits;
    // Bytes of flash that live records take.
    uint64_t flash_used;
    // Bytes of flash that there are for live records in all. Nothing new is begun in the last quarter of them,
    // and nothing withdrawn in the last three eighths.
    uint64_t flash_capacity;
    // Unix seconds below which the wallet knows that it cannot be: its clock is at least this.
    uint64_t time_floor;
    // Whether it is enrolled with a PSP.
    bool enrolled;
} specie_status_info;

// An ISO 4217 currency code: three capital letters and a zero, or four zeros.
typedef struct specie_currency {
    // The code.
    char text[4];
} specie_currency;

// What a device holds in one currency, in minor units. The parts do not overlap, except that `expiring` is among the
// others.
typedef struct specie_balance_info {
    // What can be paid with now, offline.
    uint64_t spendable;
    // All but what is undelivered or lost.
    uint64_t total;
    // Change kept until the next synchronisation.
    uint64_t change_kept;
    // Good at the bank but not offline.
    uint64_t redeem_only;
    // Asked of the bank, not yet in the wallet.
    uint64_t in_withdrawal;
    // On its way to the account.
    uint64_t in_redemption;
    // Set aside for payments that are planned but not complete.
    uint64_t in_planned_payments;
    // Paid, and no receipt yet.
    uint64_t undelivered;
    // What has to be redeemed soon.
    uint64_t expiring;
    // Past its dates, or refused by the bank for good.
    uint64_t lost;
    // Blanks that may own something.
    uint64_t blanks;
} specie_balance_info;

// A payment that was made and has no receipt.
typedef struct specie_undelivered {
    // Names the payment: the hash of the request that it answers.
    uint8_t id[32];
    // Minor units.
    uint64_t amount;
    // Unix seconds of the last moment at which the payee accepts it.
    uint64_t expiry;
    // Whether the bank keeps it for the payee.
    bool uploaded;
} specie_undelivered;

// A name in UTF-8: of a payee, a PSP, an account. After the last of its bytes comes a zero.
typedef struct specie_name {
    // Bytes of the text; 0: there is none.
    uint8_t length;
    // The text.
    char text[33];
} specie_name;

// What a payment is for, in UTF-8. After the last of its bytes comes a zero.
typedef struct specie_memo {
    // Bytes of the text; 0: there is none.
    uint8_t length;
    // The text.
    char text[141];
} specie_memo;

// A line of history.
typedef struct specie_history_entry {
    // Unix seconds.
    uint64_t at;
    // Minor units.
    uint64_t amount;
    // What happened: a `specie_history_event`.
    uint32_t event;
    // How far it got: a `specie_history_progress`.
    uint32_t progress;
    // In which currency.
    struct specie_currency currency;
    // The other side's verified name, if it showed one.
    struct specie_name counterparty;
    // What the payment was for.
    struct specie_memo memo;
} specie_history_entry;

// What to ask for.
typedef struct specie_terms {
    // Minor units; more than 0.
    uint64_t amount;
    // For how long a payment is accepted, in seconds from now.
    uint64_t valid_seconds;
    // Three capital letters, no zero needed.
    const char *currency;
    // What it is for, in UTF-8: `memo_length` bytes, 140 at most. May be null if that is 0: for nothing in particular.
    const char *memo;
    // Bytes of the memo.
    size_t memo_length;
    // The most notes in which it may be paid, 1 to 8; each takes a blank for as long.
    uint8_t notes_max;
} specie_terms;

// Money that was received.
typedef struct specie_received {
    // Minor units.
    uint64_t amount;
    // The request that was paid.
    uint8_t request[16];
    // In which currency.
    struct specie_currency currency;
    // Whether this very payment was accepted before.
    bool repeated;
} specie_received;

// What paying a request would do.
typedef struct specie_preview_info {
    // Names the payment: the hash of the request.
    uint8_t id[32];
    // Minor units; there are no fees.
    uint64_t amount;
    // Minor units that come back.
    uint64_t change;
    // Unix seconds of the last moment at which the payee accepts it.
    uint64_t expiry;
    // Notes that it takes.
    uint32_t notes;
    // Who is paid: a `specie_payee_kind`.
    uint32_t payee_kind;
    // In which currency.
    struct specie_currency currency;
    // The payee's name, if it says.
    struct specie_name payee;
    // The PSP that vouches for it, or is said to.
    struct specie_name psp;
    // What it is for.
    struct specie_memo memo;
    // Whether the supervisory authorities can read who pays: tell the owner before paying.
    bool disclosed;
    // Whether this request was paid, or planned to be, already: paying it again gives the same payment.
    bool repeated;
} specie_preview_info;

// A payment that was made.
typedef struct specie_paid {
    // Names the payment: the hash of the request that it answers.
    uint8_t id[32];
    // Minor units.
    uint64_t amount;
    // In which currency.
    struct specie_currency currency;
} specie_paid;

// A code for machines: lower case with hyphens. After the last of its bytes comes a zero.
typedef struct specie_code {
    // Bytes of the text; 0: there is none.
    uint8_t length;
    // The text.
    char text[65];
} specie_code;

// Something that happened on the line to the other device.
typedef struct specie_event {
    // Minor units.
    uint64_t amount;
    // What happened: a `specie_event_kind`. It says which of the other fields count.
    uint32_t kind;
    // Names a payment.
    uint8_t payment[32];
    // Names a request of this device.
    uint8_t request[16];
    // Why.
    struct specie_code code;
} specie_event;

// What to have in the wallet after a synchronisation.
typedef struct specie_keep {
    // Minor units to be able to spend offline.
    uint64_t value;
    // What each blank may at least own, in minor units; 0: as much as the PSP's ration allows.
    uint64_t blank_cap;
    // How many free blanks, as far as the PSP's ration allows: as many notes can be received then.
    uint16_t blanks;
} specie_keep;

// What a synchronisation did.
typedef struct specie_report_info {
    // Minor units credited to the account.
    uint64_t redeemed;
    // Minor units that the account holds, if `account_known`.
    uint64_t account_balance;
    // Payments that the bank keeps for their payees from now on.
    uint32_t uploaded;
    // Payments that were fetched from the bank.
    uint32_t claimed;
    // Notes and blanks that were withdrawn.
    uint32_t withdrawn;
    // Coins that the bank refused for good: see `specie_report_refused`.
    uint32_t refused;
    // Parts that did not work out, while the others did: see `specie_report_failure`.
    uint32_t failures;
    // Whether the PSP told what the account holds.
    bool account_known;
} specie_report_info;

// What a payment amounts to, or the rule that it breaks.
typedef struct specie_verdict {
    // Minor units that its newest transfers spend: what is paid, and the change.
    uint64_t value;
    // Minor units that it pays to the request, all of what this asks for; 0 where no request was given.
    uint64_t paid;
    // Earliest of the dates until which its notes can be paid with, unix seconds.
    uint64_t spend_until;
    // Earliest of the dates until which the bank redeems its notes, unix seconds.
    uint64_t redeem_until;
    // Notes in it, each with its chain of transfers.
    uint32_t chains;
    // Transfers in all chains.
    uint32_t transfers;
    // In which currency.
    struct specie_currency currency;
    // Who issued the money.
    struct specie_name issuer;
    // The rule that it breaks; empty: none.
    struct specie_code code;
} specie_verdict;

// A line to a chip: a UART with 115200 baud, 8 bits, no parity, one stop bit, or anything else that carries bytes in
// order.
//
// What is said of the functions of `specie_platform` holds for these too.
typedef struct specie_line {
    // `sizeof(specie_line)`, by which versions of the structure are told apart.
    size_t size;
    // Handed to every function.
    void *context;
    // Sends `length` bytes, and returns 0 once all are on their way.
    int32_t (*send)(void *context, const uint8_t *bytes, size_t length);
    // Waits for a byte, `patience_ms` milliseconds at most, and writes it to `byte`. Returns 1 then, 0 where none came
    // in that time, and anything else where the line does not work. This is where a watchdog is fed and the processor
    // sleeps: a chip may take two minutes.
    int32_t (*receive)(void *context, uint32_t patience_ms, uint8_t *byte);
} specie_line;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Ends a device. What is under way in it goes on when it is opened again.
//
// `device`: not to be used again, unless the answer is `SPECIE_ERROR_BUSY`: then it was called from one of its own
// callbacks, and the device is as it was. Null does nothing but give `SPECIE_ERROR_POINTER`.
//
// # Safety
// `device` came from `specie_open` and was not closed.
specie_error specie_close(struct specie_device *device);

// Tells a part of why the last operation of this device that failed did, as text: `part` is a `specie_failure_part`.
//
// It stays until another operation fails; asking changes nothing. Before the first failure the code is `ok`. Calls
// that give `SPECIE_ERROR_BUSY`, `SPECIE_ERROR_CAPACITY` or `SPECIE_ERROR_NOTHING` leave it as it was. `buffer`,
// `capacity`, `length`: as in `specie_output`.
//
// # Safety
// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
specie_error specie_failure(const struct specie_device *device,
                            uint32_t part,
                            uint8_t *buffer,
                            size_t capacity,
                            size_t *length);

// Whether money moved, or may have, in the last operation of this device that failed. Where it may have, the same call
// again completes it, and moves nothing twice.
//
// # Safety
// `device` is open, `moved` leads to a `bool`.
specie_error specie_money_moved(const struct specie_device *device, bool *moved);

// Tells what an error number means, as text: `part` is a `specie_failure_part`. For `SPECIE_ERROR_NO_WALLET` and above
// `specie_failure` knows more. `SPECIE_ERROR_ARGUMENT`: there is no such number. `buffer`, `capacity`, `length`: as in
// `specie_output`.
//
// # Safety
// `buffer` leads to `capacity` bytes, `length` to a `size_t`.
specie_error specie_error_text(int32_t error, uint32_t part, uint8_t *buffer, size_t capacity, size_t *length);

// Tells how many things the last operation made, in the order in which they are handed over.
//
// `specie_request`, `specie_pay` and others make messages. They stay with the device until the next operation that
// makes something, `specie_outputs_drop` or `specie_close`.
//
// # Safety
// `device` is open, `count` leads to a `size_t`.
specie_error specie_output_count(const struct specie_device *device, size_t *count);

// Copies something that the last operation made.
//
// `index`: from 0. `buffer`, `capacity`: the program's buffer and its bytes; the buffer may be null if it has none.
// `length`: where the number of bytes goes that there are.
// `SPECIE_ERROR_CAPACITY`: the buffer has less; nothing is in it, and the same with a larger one works.
// `SPECIE_ERROR_NOTHING`: there is nothing at this index.
//
// # Safety
// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
specie_error specie_output(const struct specie_device *device,
                           size_t index,
                           uint8_t *buffer,
                           size_t capacity,
                           size_t *length);

// Drops what the last operation made, where memory is short. The wallet keeps what it still needs.
//
// # Safety
// `device` is open.
specie_error specie_outputs_drop(const struct specie_device *device);

// Gives the library its memory; called once, first of all, before any other function.
//
// `arena`, `length`: memory that is the library's from now on and for ever, in bytes. On a chip it is the heap of all
// handles; how much a device takes grows with what it holds, and 43 kB are enough for a dozen notes and blanks. On a
// computer it is not used and may be null.
//
// `on_panic`: called on a chip when the library finds a defect of its own, or when the arena is used up. It must not
// come back and must not call the library, but for `specie_memory`: it restarts the chip. Should it come back, or be
// null, the library executes an undefined instruction. Where the defect is, it is not told: that would take some 12 kB
// of flash. On a computer it is never called.
//
// On a chip all functions are called by one thread, or never by two at once, and not by interrupts.
//
// `SPECIE_ERROR_POINTER`, `SPECIE_ERROR_ARGUMENT`: the arena is null, goes round the end of memory, or holds less than
// 8 kB.
// `SPECIE_ERROR_UNDER_WAY`: it was called before.
//
// # Safety
// What is said above of the arena holds.
specie_error specie_start(uint8_t *arena, size_t length, void (*on_panic)(void));

// How much of the arena is in use and free, in bytes; both 0 on a computer. The free bytes need not lie in one piece.
//
// # Safety
// Both point to a `size_t`, or are null.
specie_error specie_memory(size_t *used, size_t *free);

// The version of this interface that the library has: `SPECIE_INTERFACE` of its header.
uint32_t specie_interface(void);

// The version of the software, as text. `buffer`, `capacity`, `length`: as in `specie_output`.
//
// # Safety
// `buffer` leads to `capacity` bytes, `length` to a `size_t`.
specie_error specie_version(uint8_t *buffer, size_t capacity, size_t *length);

// Opens the device in a flash, as it was when the power went off.
//
// `platform`: copied; what it must fulfil stands with it. `device`: where the handle goes, which the program owns and
// ends with `specie_close`. There is one even where the flash holds no wallet or cannot be read: `specie_check` says
// so.
//
// `SPECIE_ERROR_ARGUMENT`: the structure has another size, or its flash or `random_bits` do not suit.
// `SPECIE_ERROR_POINTER`: something in it is null.
//
// # Safety
// `platform` fulfils what is said with it, `device` leads to a pointer.
specie_error specie_open(const struct specie_platform *platform, struct specie_device **device);

// Whether the device has a wallet: `SPECIE_ERROR_OK`, or why not. `SPECIE_ERROR_NO_WALLET`: the flash holds none, and
// `specie_create` makes one. `SPECIE_ERROR_STORAGE` and others: there is one, or may be; restart, and try again.
//
// # Safety
// `device` is open.
specie_error specie_check(struct specie_device *device);

// Makes an empty wallet around a personalised element, in a flash that holds none.
//
// `root_key`: 32 bytes, the key of the central bank that the wallet obeys for ever.
// `SPECIE_ERROR_REFUSED` with the code `wallet-exists`: there is one, and it stays.
//
// # Safety
// `device` is open, `root_key` leads to 32 bytes.
specie_error specie_create(struct specie_device *device, const uint8_t *root_key);

// Tells the element its PIN, once after each time it got its power, if one is set. Wrong tries are counted by the
// element.
//
// # Safety
// `device` is open, `pin` leads to `length` bytes.
specie_error specie_pin(struct specie_device *device, const uint8_t *pin, size_t length);

// Sets the element's PIN. `old` is empty while none is set. Counts as `specie_pin`.
//
// # Safety
// `device` is open, `old` and `new_pin` lead to as many bytes as is said.
specie_error specie_change_pin(struct specie_device *device,
                               const uint8_t *old,
                               size_t old_length,
                               const uint8_t *new_pin,
                               size_t new_length);

// How the device is. `now`: unix seconds.
//
// # Safety
// `device` is open, `status` leads to a structure.
specie_error specie_status(struct specie_device *device, uint64_t now, struct specie_status_info *status);

// A currency that the manifest has classes of, or that the device holds; `index` from 0, in alphabetical order.
// `SPECIE_ERROR_NOTHING`: there is none at this index.
//
// # Safety
// `device` is open, `currency` leads to a structure.
specie_error specie_currency_at(struct specie_device *device, size_t index, struct specie_currency *currency);

// What the device holds in one currency. `currency`: three capital letters, no zero needed. `now`: unix seconds.
//
// # Safety
// `device` is open, `currency` leads to 3 characters, `balance` to a structure.
specie_error specie_balance(struct specie_device *device,
                            const char *currency,
                            uint64_t now,
                            struct specie_balance_info *balance);

// A payment that was made and has no receipt; `index` from 0. `specie_payment_again` makes it once more.
// `SPECIE_ERROR_NOTHING`: there is none at this index.
//
// # Safety
// `device` is open, `payment` leads to a structure.
specie_error specie_undelivered_at(struct specie_device *device, size_t index, struct specie_undelivered *payment);

// A request that waits for its payment; `index` from 0. `now`: unix seconds. `id`: where its 16 bytes go.
// `SPECIE_ERROR_NOTHING`: there is none at this index.
//
// # Safety
// `device` is open, `id` leads to 16 bytes.
specie_error specie_open_request_at(struct specie_device *device, size_t index, uint64_t now, uint8_t *id);

// A line of history; `index` 0 is the newest. `SPECIE_ERROR_NOTHING`: there is none at this index.
//
// # Safety
// `device` is open, `entry` leads to a structure.
specie_error specie_history_at(struct specie_device *device, size_t index, struct specie_history_entry *entry);

// Makes a request to be paid: one output. It may be shown any number of times. `now`: unix seconds. `id`: where 16
// bytes go that name it within this device; may be null.
//
// # Safety
// `device` is open, `terms` leads to a structure and this to its texts, `id` to 16 bytes or is null.
specie_error specie_request(struct specie_device *device, const struct specie_terms *terms, uint64_t now, uint8_t *id);

// Makes a request once more, to be shown again: one output. `id`: the 16 bytes that name it.
//
// # Safety
// `device` is open, `id` leads to 16 bytes.
specie_error specie_request_again(struct specie_device *device, const uint8_t *id);

// Withdraws a request that was not paid: its blanks are free again. `id`: the 16 bytes that name it.
//
// # Safety
// `device` is open, `id` leads to 16 bytes.
specie_error specie_cancel_request(struct specie_device *device, const uint8_t *id);

// Checks a payment by every rule and takes it: the money is the device's then, and the receipt is the one output. The
// same payment again gives the same receipt. `route`: a `specie_route`. `now`: unix seconds. `received` may be null.
//
// `SPECIE_ERROR_REFUSED`: the rule that it breaks is the code of the failure. Hand nothing over then.
//
// # Safety
// `device` is open, `payment` leads to `length` bytes, `received` to a structure or is null.
specie_error specie_receive(struct specie_device *device,
                            const uint8_t *payment,
                            size_t length,
                            uint32_t route,
                            uint64_t now,
                            struct specie_received *received);

// Makes the receipt of a request that was paid once more: one output. `id`: the 16 bytes that name the request.
//
// # Safety
// `device` is open, `id` leads to 16 bytes.
specie_error specie_receipt_again(struct specie_device *device, const uint8_t *id);

// Takes a manifest or a page of the revocation list that another device passed on. `newer`: whether it is newer than
// what was held; may be null.
//
// # Safety
// `device` is open, `message` leads to `length` bytes, `newer` to a `bool` or is null.
specie_error specie_take_publication(struct specie_device *device, const uint8_t *message, size_t length, bool *newer);

// Gives what the bank published and this device holds, to be passed on: the manifest, of no bytes where it holds none,
// and the pages of the revocation list, oldest first.
//
// # Safety
// `device` is open.
specie_error specie_publications(struct specie_device *device);

// Gives what this device knows of double spends: one output for each, for the bank.
//
// # Safety
// `device` is open.
specie_error specie_evidence(struct specie_device *device);

// What paying `request` would do. Nothing is paid. `now`: unix seconds.
//
// # Safety
// `device` is open, `request` leads to `length` bytes, `preview` to a structure.
specie_error specie_preview(struct specie_device *device,
                            const uint8_t *request,
                            size_t length,
                            uint64_t now,
                            struct specie_preview_info *preview);

// Pays `request` offline.
//
// Its outputs are what to hand over, in order: manifest and pages of the revocation list where the payee may not know
// the newest, and last the payment in extended form. They may be handed over any number of times. `now`: unix seconds.
// `paid` may be null.
//
// A request that was paid gets the same payment again. Where this fails and `specie_money_moved`, the same again
// completes it. After a power cut too; `specie_resume` completes what was begun.
//
// # Safety
// `device` is open, `request` leads to `length` bytes, `paid` to a structure or is null.
specie_error specie_pay(struct specie_device *device,
                        const uint8_t *request,
                        size_t length,
                        uint64_t now,
                        struct specie_paid *paid);

// Makes a payment once more, to be handed over again: one output. `id`: the 32 bytes that name it. `form`: a
// `specie_form`.
//
// # Safety
// `device` is open, `id` leads to 32 bytes.
specie_error specie_payment_again(struct specie_device *device, const uint8_t *id, uint32_t form);

// Files the receipt of a payment. `id`: where the 32 bytes go that name the payment; may be null.
//
// # Safety
// `device` is open, `receipt` leads to `length` bytes, `id` to 32 bytes or is null.
specie_error specie_take_receipt(struct specie_device *device, const uint8_t *receipt, size_t length, uint8_t *id);

// Finishes what was under way when the power went off and needs nothing but the element. `specie_pay`,
// `specie_request` and a synchronisation do it first, too. `now`: unix seconds. `steps`: where the number of things
// goes that were done; may be null.
//
// # Safety
// `device` is open, `steps` leads to a `size_t` or is null.
specie_error specie_resume(struct specie_device *device, uint64_t now, size_t *steps);

// Tells what time it is: `now` unix seconds, `ms` milliseconds after power-up. The functions of the lines count on
// from there. Without it, a device knows of the time what is signed.
//
// # Safety
// `device` is open.
specie_error specie_set_time(struct specie_device *device, uint64_t now, uint64_t ms);

// Takes bytes that came from the other device, in any pieces: a byte at a time, or many. What they ask for is done
// before this returns. `ms`: milliseconds since power-up.
//
// # Safety
// `device` is open, `bytes` leads to `length` bytes.
specie_error specie_peer_feed(struct specie_device *device, const uint8_t *bytes, size_t length, uint64_t ms);

// Gives bytes to send to the other device, as many as there are and the buffer takes; `length`: how many. They count
// as sent, so take no more than the line takes. Messages that are lost are sent again.
//
// # Safety
// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
specie_error specie_peer_take(struct specie_device *device, uint8_t *buffer, size_t capacity, size_t *length);

// Takes bytes that came from the owner, whose line and commands `docs/spec/links.md` describes. `ms`: milliseconds
// since power-up. A program whose owner has other ways to say what to do needs no such line.
//
// `SPECIE_ERROR_UNDER_WAY`: what `specie_enrol` or `specie_synchronise` began is not over; no byte was taken.
//
// # Safety
// `device` is open, `bytes` leads to `length` bytes.
specie_error specie_owner_feed(struct specie_device *device, const uint8_t *bytes, size_t length, uint64_t ms);

// Gives bytes to send to the owner, as `specie_peer_take` does.
//
// # Safety
// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
specie_error specie_owner_take(struct specie_device *device, uint8_t *buffer, size_t capacity, size_t *length);

// Does what is due without being asked: messages that were not answered are sent again, requests offered. Call it
// several times a second. `ms`: milliseconds since power-up.
//
// # Safety
// `device` is open.
specie_error specie_poll(struct specie_device *device, uint64_t ms);

// Offers a request on the line to the other device until it is paid or expires. `id`: the 16 bytes that name it.
// `now`: unix seconds.
//
// # Safety
// `device` is open, `id` leads to 16 bytes.
specie_error specie_peer_offer(struct specie_device *device, const uint8_t *id, uint64_t now);

// Pays the next request that comes on the line to the other device, if it asks for at most `limit` minor units of
// `currency`: three capital letters, no zero needed.
//
// # Safety
// `device` is open, `currency` leads to 3 characters.
specie_error specie_peer_pay_next(struct specie_device *device, const char *currency, uint64_t limit);

// Neither pays nor offers anything on the line to the other device any more; a request that was offered is withdrawn.
//
// # Safety
// `device` is open.
specie_error specie_peer_stop(struct specie_device *device);

// Takes something that happened on the line to the other device, the oldest first. What is not taken before the next
// `specie_poll` is for the owner's line. `SPECIE_ERROR_NOTHING`: nothing happened.
//
// # Safety
// `device` is open, `event` leads to a structure.
specie_error specie_peer_event(struct specie_device *device, struct specie_event *event);

// Begins to enrol the device for `customer` with the claim code that the PSP gave out, both in UTF-8. After a break,
// the same again goes on. `specie_next` and `specie_answer` take it to its end.
//
// `SPECIE_ERROR_UNDER_WAY`: something else is under way, on the owner's line perhaps.
//
// # Safety
// `device` is open, `customer` and `claim_code` lead to as many bytes as is said.
specie_error specie_enrol(struct specie_device *device,
                          const char *customer,
                          size_t customer_length,
                          const char *claim_code,
                          size_t claim_code_length);

// Begins to synchronise: the newest publications, what was not delivered, what was received, renewal, new notes and
// blanks. `keep`: what to have in the wallet afterwards. `specie_next` and `specie_answer` take it to its end. Every
// part stands on its own: what a break leaves undone, the next synchronisation does.
//
// `SPECIE_ERROR_UNDER_WAY`: something else is under way, on the owner's line perhaps.
//
// # Safety
// `device` is open, `keep` leads to a structure.
specie_error specie_synchronise(struct specie_device *device, const struct specie_keep *keep);

// Goes on with what was begun by `specie_enrol` or `specie_synchronise`. `now`: unix seconds. `next`: where a
// `specie_next_kind` goes.
//
// After an errand, `specie_errand` has its parts until the next call of this function. Asked again before the errand
// was answered, this gives another errand; nothing is lost by it. Once it is over, `SPECIE_ERROR_NOTHING`. An
// enrolment that fails is over; begin it again.
//
// # Safety
// `device` is open, `next` leads to an `uint32_t`.
specie_error specie_next(struct specie_device *device, uint64_t now, uint32_t *next);

// Copies a part of the errand that `specie_next` gave: `part` is a `specie_errand_part`. It is a whole HTTP request,
// made and signed by the device: whoever carries it to the PSP can lose or repeat it, and change nothing.
// `SPECIE_ERROR_NOTHING`: there is no errand. `buffer`, `capacity`, `length`: as in `specie_output`.
//
// # Safety
// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
specie_error specie_errand(const struct specie_device *device,
                           uint32_t part,
                           uint8_t *buffer,
                           size_t capacity,
                           size_t *length);

// Takes the answer to the errand that `specie_next` gave last. `status`: of HTTP; 0: the PSP was not reached, or did
// not answer. `body`: what it answered. `now`: unix seconds.
//
// A synchronisation notes what does not work out in its report; an enrolment is over then, and this fails.
// `SPECIE_ERROR_NOTHING`: there is no errand that waits for an answer.
//
// # Safety
// `device` is open, `body` leads to `length` bytes.
specie_error specie_answer(struct specie_device *device,
                           uint16_t status,
                           const uint8_t *body,
                           size_t length,
                           uint64_t now);

// Gives up what `specie_enrol` or `specie_synchronise` began, or drops its report. What was done stays done, and the
// same begun again goes on.
//
// # Safety
// `device` is open.
specie_error specie_give_up(struct specie_device *device);

// Tells what the synchronisation did that is over, until another is begun. `SPECIE_ERROR_NOTHING`: there is none.
//
// # Safety
// `device` is open, `report` leads to a structure.
specie_error specie_report(const struct specie_device *device, struct specie_report_info *report);

// Lets `specie_failure` and `specie_money_moved` tell of a part of the synchronisation that did not work out; `index`
// is counted from zero. `SPECIE_ERROR_NOTHING`: there is none at this index.
//
// # Safety
// `device` is open.
specie_error specie_report_failure(struct specie_device *device, size_t index);

// Tells the bank's code for a coin that it refused for good, as text; `index` from 0. `SPECIE_ERROR_NOTHING`: there is
// none at this index. `buffer`, `capacity`, `length`: as in `specie_output`.
//
// # Safety
// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
specie_error specie_report_refused(const struct specie_device *device,
                                   size_t index,
                                   uint8_t *buffer,
                                   size_t capacity,
                                   size_t *length);

// Checks a payment without taking it: every signature, amount, date and link from the bank's notes to what is handed
// over, against a manifest. Whether it was spent elsewhere too, nobody can tell offline; neither is the revocation
// list looked at.
//
// `root_key`: 32 bytes, the central bank's. `manifest`: as the bank publishes it. `payment`: in either form.
// `request`: where it is not null, the payment has to pay exactly this request. `now`: unix seconds. `verdict`: says
// what it amounts to, where it is good, and the rule that it breaks, where it is not; in that case nothing else in it
// counts.
//
// `SPECIE_ERROR_MESSAGE`: something is malformed, or the manifest is not the bank's. `SPECIE_ERROR_REFUSED`: a rule is
// broken.
//
// # Safety
// `root_key` leads to 32 bytes, each message to as many as is said, `verdict` to a structure.
specie_error specie_verify_payment(const uint8_t *root_key,
                                   const uint8_t *manifest,
                                   size_t manifest_length,
                                   const uint8_t *payment,
                                   size_t payment_length,
                                   const uint8_t *request,
                                   size_t request_length,
                                   uint64_t now,
                                   struct specie_verdict *verdict);

// Prepares to talk to a chip. Nothing is sent before the first command.
//
// `line`: copied. `token`: marks what is sent first, so that the chip's answer to an earlier life of the program is
// not taken for one to this: a random number, or a count of power-ups. `chip`: where the handle goes, which the
// program owns and ends with `specie_chip_close`.
//
// # Safety
// `line` fulfils what is said with it, `chip` leads to a pointer.
specie_error specie_chip_open(const struct specie_line *line, uint32_t token, struct specie_chip **chip);

// Sends a command APDU and waits for the answer: made to be called from `transmit` of `specie_platform`.
//
// `answer`, `capacity`: where the answer goes, apart from the command, and at least 1030 bytes. They may hold anything
// when this fails. `answer_length`: where the number of its bytes goes.
// `SPECIE_ERROR_CAPACITY`, `SPECIE_ERROR_ARGUMENT`: the buffer is too small, or not apart; nothing was sent.
// `SPECIE_ERROR_ELEMENT`: the chip gave no answer, and whether it carried the command out is unknown. The same again
// is harmless, except for PINs, of which each try counts.
//
// # Safety
// `chip` is open, `command` leads to `length` bytes, `answer` to `capacity` bytes, `answer_length` to a `size_t`.
specie_error specie_chip_transmit(struct specie_chip *chip,
                                  const uint8_t *command,
                                  size_t length,
                                  uint8_t *answer,
                                  size_t capacity,
                                  size_t *answer_length);

// Ends the talk to a chip, as `specie_close` ends a device. Close the device that uses it first.
//
// # Safety
// `chip` came from `specie_chip_open` and was not closed.
specie_error specie_chip_close(struct specie_chip *chip);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SPECIE_H */
