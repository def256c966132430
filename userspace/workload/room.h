/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_ROOM_H
#define LAB_WORKLOAD_ROOM_H

/* room - memory in small pages, whose number is what copies and forks pay for. */

#include <stdint.h>

/**
 * room_check() - whether the machine has so much memory to spare
 * @name: the workload's, for the message
 *
 * Return: 0, or -ENOMEM after one logged sentence; 0 where the kernel does not tell.
 */
int room_check(const char *name, uint64_t mib);

/* Zeroed, private, not in huge pages; for munmap(). Return: NULL after one logged sentence. */
void *room_map(const char *name, uint32_t mib);

#endif /* LAB_WORKLOAD_ROOM_H */
