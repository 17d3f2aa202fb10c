/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What peer.c needs of DPDK's interface, as DPDK 25.11 documents it, implemented by peer340.c without DPDK: a peer for
 * the 340-byte layout on machines whose DPDK is older.
 */
#ifndef PEER340_H
#define PEER340_H

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define RTE_MP_MAX_FD_NUM 253
#define RTE_MP_MAX_NAME_LEN 64
#define RTE_MP_MAX_PARAM_LEN 256

/* The documented difference to earlier releases: `param` is aligned, and with it the whole. */
struct rte_mp_msg {
	char name[RTE_MP_MAX_NAME_LEN];
	int len_param;
	int num_fds;
	alignas(8) uint8_t param[RTE_MP_MAX_PARAM_LEN];
	int fds[RTE_MP_MAX_FD_NUM];
};

struct rte_mp_reply {
	int nb_sent;
	int nb_received;
	struct rte_mp_msg *msgs;
};

typedef int (*rte_mp_t)(const struct rte_mp_msg *msg, const void *peer);
typedef int (*rte_mp_async_reply_t)(const struct rte_mp_msg *request, const struct rte_mp_reply *reply);

int rte_mp_action_register(const char *name, rte_mp_t action);
void rte_mp_action_unregister(const char *name);
int rte_mp_sendmsg(struct rte_mp_msg *msg);
int rte_mp_reply(struct rte_mp_msg *msg, const char *peer);
int rte_mp_request_sync(struct rte_mp_msg *req, struct rte_mp_reply *reply, const struct timespec *ts);
int rte_mp_request_async(struct rte_mp_msg *req, const struct timespec *ts, rte_mp_async_reply_t callback);

enum rte_proc_type_t { RTE_PROC_PRIMARY, RTE_PROC_SECONDARY };

/* Here the arguments are `primary|secondary RUNTIME-DIRECTORY`. */
int rte_eal_init(int argc, char **argv);
int rte_eal_cleanup(void);
enum rte_proc_type_t rte_eal_process_type(void);
const char *rte_eal_get_runtime_dir(void);

#define rte_version_year() 25u
#define rte_version_month() 11u
#define rte_version_minor() 0u
#define rte_version_release() 99u

#define rte_errno errno
#define rte_strerror strerror
#define __rte_unused __attribute__((unused))
#define RTE_DIM(array) (sizeof(array) / sizeof((array)[0]))

#endif
