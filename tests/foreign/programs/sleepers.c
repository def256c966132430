/* SPDX-License-Identifier: GPL-2.0-only */
/* Concurrent: two threads sleep at the same time, 400 and 200 ms. */
#include <pthread.h>
#include "work.h"

static void *sleep_ms(void *arg)
{
	rest(*(int *)arg);
	return NULL;
}

int main(void)
{
	int long_ms = 400, short_ms = 200;
	pthread_t a, b;

	burn(20);
	pthread_create(&a, NULL, sleep_ms, &long_ms);
	pthread_create(&b, NULL, sleep_ms, &short_ms);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}
