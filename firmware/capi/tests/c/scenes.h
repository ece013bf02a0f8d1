/* What happens to two devices that are enrolled, where `alice` has money and `bob` blanks. Each leaves them fit for the
 * next. */
#ifndef SCENES_H
#define SCENES_H

#include "party.h"

/* Request, preview, payment, verification, receipt: by calls. */
void scene_calls(struct party *alice, struct party *bob, const uint8_t *root);

/* The same over the line between devices, in odd pieces and with losses, and over the owner's line. */
void scene_lines(struct party *alice, struct party *bob);

/* Calls from every callback are refused, and change nothing. */
void scene_callbacks(struct party *alice, struct party *bob);

/* What is refused, and what is told about it. */
void scene_failures(struct party *alice, struct party *bob);

/* Messages that are changed, cut off or made up. */
void scene_nonsense(struct party *alice, struct party *bob, const uint8_t *root);

/* The element loses its power within any command of a payment. */
void scene_element_lost(struct party *alice, struct party *bob);

/* The power goes off at every `stride`th flash operation of a payment and of its reception. */
void scene_power_cuts(struct party *alice, struct party *bob, long stride);

/* The network or the power is lost within a synchronisation. */
void scene_synchronise_cut(struct party *alice, long stride);

/* Asks for an amount; the request. */
struct message ask(struct party *payee, uint64_t amount);

/* Pays a request; the payment. */
struct message pay(struct party *payer, const struct message *request);

/* Hands a payment over and files the receipt. */
void hand_over(struct party *payer, struct party *payee, const struct message *payment);

#endif
