/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Tells what the installed DPDK puts on the wire, as its own headers lay it out: `<version> <length of a datagram>`.
 * A datagram is an int, then a struct rte_mp_msg up to its descriptors, which travel beside it.
 */
#include <stdio.h>

#include <rte_eal.h>
#include <rte_version.h>

struct datagram {
	int type;
	struct rte_mp_msg msg;
};

int main(void)
{
	printf("%u.%02u.%u", RTE_VER_YEAR, RTE_VER_MONTH, RTE_VER_MINOR);
	if (RTE_VER_RELEASE < 99)
		printf("-rc%u", RTE_VER_RELEASE);
	printf(" %zu\n", sizeof(struct datagram) - sizeof(((struct rte_mp_msg *)0)->fds));
	return 0;
}
