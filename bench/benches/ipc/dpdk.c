/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One side of the DPDK columns of the benchmark: `bench_dpdk asking|answering primary|secondary DIRECTORY`.
 * Understands the lines of serve.rs: a command and its numbers in, a line of numbers out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#define PAYLOAD 64
#define UNCOUNTED 30
#define SECONDS 10
#define MAX_FDS 8

static atomic_ulong received;
static int lent[MAX_FDS];

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, rte_strerror(rte_errno));
	exit(1);
}

static uint64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fds_close(const struct rte_mp_msg *message)
{
	for (int i = 0; i < message->num_fds; i++)
		close(message->fds[i]);
}

/* --- answering --- */

static int on_echo(const struct rte_mp_msg *message, const void *peer)
{
	struct rte_mp_msg reply = *message;

	if (rte_mp_reply(&reply, peer) < 0)
		fail("replying");
	fds_close(message);
	return 0;
}

static int on_note(const struct rte_mp_msg *message, const void *peer)
{
	(void)message;
	(void)peer;
	atomic_fetch_add_explicit(&received, 1, memory_order_relaxed);
	return 0;
}

/* --- asking --- */

static void fill(struct rte_mp_msg *message, const char *name, uint64_t number, int fds)
{
	memset(message, 0, sizeof(*message));
	strcpy(message->name, name);
	message->len_param = PAYLOAD;
	memset(message->param, 0x5a, PAYLOAD);
	memcpy(message->param, &number, sizeof(number));
	message->num_fds = fds;
	memcpy(message->fds, lent, sizeof(int) * (size_t)fds);
}

static void ask_once(uint64_t number, int members, int fds)
{
	struct timespec timeout = { .tv_sec = SECONDS };
	struct rte_mp_reply reply;
	struct rte_mp_msg request;

	fill(&request, "echo", number, fds);
	if (rte_mp_request_sync(&request, &reply, &timeout) < 0)
		fail("asking");
	if (reply.nb_sent != members || reply.nb_received != members) {
		fprintf(stderr, "sent %d, received %d of %d\n", reply.nb_sent, reply.nb_received, members);
		exit(1);
	}
	for (int i = 0; i < members; i++) {
		struct rte_mp_msg *answer = &reply.msgs[i];

		if (answer->num_fds != fds || memcmp(answer->param, request.param, PAYLOAD) != 0) {
			fprintf(stderr, "a wrong answer\n");
			exit(1);
		}
		fds_close(answer);
	}
	free(reply.msgs);
}

static void send_once(uint64_t number)
{
	struct rte_mp_msg message;

	fill(&message, "note", number, 0);
	if (rte_mp_sendmsg(&message) < 0)
		fail("sending");
}

static int compare(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

static double at(const uint64_t *times, size_t count, double part)
{
	return (double)times[(size_t)((double)(count - 1) * part + 0.5)];
}

static void print_quantiles(uint64_t *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	printf("%.0f %.0f %.0f\n", at(times, count, 0.5), at(times, count, 0.99), at(times, count, 0.999));
}

static void ask(size_t count, int members, int fds)
{
	uint64_t *times = calloc(count, sizeof(*times));

	if (times == NULL)
		fail("memory");
	for (size_t i = 0; i < count; i++) {
		uint64_t start = now(CLOCK_MONOTONIC);

		ask_once(i, members, fds);
		times[i] = now(CLOCK_MONOTONIC) - start;
	}
	print_quantiles(times, count);
	free(times);
}

static void send_to_all(size_t count, int members)
{
	uint64_t *times = calloc(count, sizeof(*times));

	if (times == NULL)
		fail("memory");
	for (size_t i = 0; i < count; i++) {
		uint64_t start = now(CLOCK_MONOTONIC);

		send_once(i);
		times[i] = now(CLOCK_MONOTONIC) - start;
		ask_once(i, members, 0);
	}
	print_quantiles(times, count);
	free(times);
}

static void send_many(size_t count)
{
	uint64_t start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);

	for (size_t i = 0; i < count; i++)
		send_once(i);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	ask_once(0, 1, 0);
	printf("%" PRIu64 " %" PRIu64 "\n", now(CLOCK_MONOTONIC) - start, cpu);
}

static void obey(const char *line)
{
	char command[32];
	unsigned int a = 0, b = 0;

	if (sscanf(line, "%31s %u %u", command, &a, &b) < 1)
		exit(1);
	if (strcmp(command, "ask") == 0) {
		for (int i = 0; i < UNCOUNTED; i++)
			ask_once(0, 1, (int)a);
		ask(b, 1, (int)a);
	} else if (strcmp(command, "ask_exactly") == 0) {
		ask(b, 1, (int)a);
	} else if (strcmp(command, "ask_all") == 0) {
		ask(b, (int)a, 0);
	} else if (strcmp(command, "send_to_all") == 0) {
		send_to_all(b, (int)a);
	} else if (strcmp(command, "send") == 0) {
		send_many(a);
	} else if (strcmp(command, "usage") == 0) {
		printf("%" PRIu64 " 0 0 %lu\n", now(CLOCK_PROCESS_CPUTIME_ID), atomic_load(&received));
	} else {
		fprintf(stderr, "what is %s?\n", line);
		exit(1);
	}
}

/* The one lcore may run wherever this process may: `0@(0,1)`. */
static void lcores(char *text, size_t size)
{
	cpu_set_t allowed;
	const char *comma = "";
	size_t at;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		exit(1);
	at = (size_t)snprintf(text, size, "0@(");
	for (int cpu = 0; cpu < CPU_SETSIZE && at < size; cpu++) {
		if (CPU_ISSET(cpu, &allowed)) {
			at += (size_t)snprintf(text + at, size - at, "%s%d", comma, cpu);
			comma = ",";
		}
	}
	if (at < size)
		snprintf(text + at, size - at, ")");
}

int main(int argc, char **argv)
{
	char cores[4096], prefix[64], type[64], line[256];
	const char *name;

	if (argc != 4)
		return 2;
	name = strrchr(argv[3], '/');
	snprintf(prefix, sizeof(prefix), "--file-prefix=%s", name == NULL ? argv[3] : name + 1);
	snprintf(type, sizeof(type), "--proc-type=%s", argv[2]);
	lcores(cores, sizeof(cores));

	char *eal[] = { argv[0],          prefix,         type,         (char *)"--lcores", cores, (char *)"--no-pci",
			(char *)"--no-telemetry", (char *)"--log-level=3", (char *)"-m", (char *)"8",   NULL };
	/* Secondaries take the primary's memory. */
	int count = strcmp(argv[2], "primary") == 0 ? 10 : 8;

	if (count == 8)
		eal[8] = NULL;
	if (rte_eal_init(count, eal) < 0)
		fail("starting");
	for (int i = 0; i < MAX_FDS; i++)
		lent[i] = dup(STDERR_FILENO);
	if (strcmp(argv[1], "answering") == 0 &&
	    (rte_mp_action_register("echo", on_echo) < 0 || rte_mp_action_register("note", on_note) < 0))
		fail("registering");

	setlinebuf(stdout);
	puts("ready");
	while (fgets(line, sizeof(line), stdin) != NULL)
		obey(line);
	rte_eal_cleanup();
	return 0;
}
