/* SPDX-License-Identifier: GPL-2.0-only */
/* Sequential: one thread computes, and there is nobody else. */
#include "work.h"

int main(void)
{
	burn(300);
}
