/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A DPDK process driven line by line: `peer EAL-ARGUMENTS`. The protocol is in lines.h; the commands are in the table
 * `commands` below. Compiled with PEER_340, it runs on peer340.c in place of DPDK.
 */
#define _GNU_SOURCE
#include "lines.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef PEER_340
#include "peer340.h"
#else
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_version.h>
#endif

#define MAX_WORDS 8
#define MAX_ACTIONS 32
#define MAX_ALLOCATIONS 64
#define NS_PER_MS 1000000u

/* What a registered action does with what arrives: `PRINT` and `SILENT` announce it and answer nothing, `DISCARD` does
 * nothing at all, `BLOCK` announces it and holds DPDK's own thread for a while before it echoes. */
enum mode { PRINT, DISCARD, SILENT, ECHO, BLOCK, MODES };

struct action {
	char name[RTE_MP_MAX_NAME_LEN];
	enum mode mode;
	uint64_t delay_ms;
};

static struct action actions[MAX_ACTIONS];
static pthread_mutex_t actions_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *role(void)
{
	return rte_eal_process_type() == RTE_PROC_PRIMARY ? "primary" : "secondary";
}

/* --- answers --- */

static uint64_t command_start;

static void answer_begin(struct line *line)
{
	uint64_t took = now_ns() - command_start;

	line_begin(line, "ok");
	fprintf(line->stream, " took_ns=%" PRIu64, took);
}

static void answer_ok(void)
{
	struct line line;

	answer_begin(&line);
	line_send(&line);
}

static void answer_error(int number, const char *what)
{
	struct line line;
	uint64_t took = now_ns() - command_start;

	line_begin(&line, "error");
	fprintf(line.stream, " took_ns=%" PRIu64 " errno=%d %s: %s", took, number, what, strerror(number));
	line_send(&line);
}

/* Adds how a request went; its replies' descriptors are ours, and not needed beyond this. */
static void line_reply(struct line *line, const struct rte_mp_reply *reply)
{
	fprintf(line->stream, " sent=%d received=%d", reply->nb_sent, reply->nb_received);
	for (int i = 0; i < reply->nb_received; i++) {
		const struct rte_mp_msg *msg = &reply->msgs[i];

		line_message(line, msg->name, msg->param, msg->len_param, msg->fds, msg->num_fds);
		for (int fd = 0; fd < msg->num_fds; fd++)
			close(msg->fds[fd]);
	}
}

/* --- what arrives --- */

static struct action *action_find(const char *name)
{
	for (int i = 0; i < MAX_ACTIONS; i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

static void fds_close(struct rte_mp_msg *msg)
{
	for (int i = 0; i < msg->num_fds; i++)
		close(msg->fds[i]);
}

static void sleep_ms(uint64_t ms)
{
	struct timespec left = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * NS_PER_MS) };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

struct echo {
	struct rte_mp_msg msg;
	uint64_t delay_ms;
	char peer[];
};

static void *echo_run(void *argument)
{
	struct echo *echo = argument;

	sleep_ms(echo->delay_ms);
	if (rte_mp_reply(&echo->msg, echo->peer) < 0)
		fprintf(stderr, "replying to %s: %s\n", echo->peer, rte_strerror(rte_errno));
	fds_close(&echo->msg);
	free(echo);
	return NULL;
}

static void echo_start(const struct rte_mp_msg *msg, const char *peer, uint64_t delay_ms)
{
	struct echo *echo = malloc(sizeof(*echo) + strlen(peer) + 1);
	pthread_t thread;

	if (echo == NULL)
		abort();
	echo->msg = *msg;
	echo->delay_ms = delay_ms;
	strcpy(echo->peer, peer);
	if (delay_ms == 0)
		echo_run(echo);
	else if (pthread_create(&thread, NULL, echo_run, echo) != 0 || pthread_detach(thread) != 0)
		abort();
}

static int on_arrival(const struct rte_mp_msg *msg, const void *peer)
{
	pthread_mutex_lock(&actions_lock);
	struct action *found = action_find(msg->name);
	struct action action = found == NULL ? (struct action){ .mode = DISCARD } : *found;
	pthread_mutex_unlock(&actions_lock);

	if (action.mode == PRINT || action.mode == SILENT || action.mode == BLOCK) {
		struct line line;

		line_begin(&line, "event arrived");
		line_message(&line, msg->name, msg->param, msg->len_param, msg->fds, msg->num_fds);
		fprintf(line.stream, " peer=%s", (const char *)peer);
		line_send(&line);
	}
	if (action.mode == BLOCK)
		sleep_ms(action.delay_ms);
	if (action.mode == BLOCK || action.mode == ECHO) {
		echo_start(msg, peer, action.mode == ECHO ? action.delay_ms : 0);
		return 0;
	}
	for (int i = 0; i < msg->num_fds; i++)
		close(msg->fds[i]);
	return 0;
}

static int on_async_reply(const struct rte_mp_msg *request __rte_unused, const struct rte_mp_reply *reply)
{
	struct line line;

	line_begin(&line, "event async");
	line_reply(&line, reply);
	line_send(&line);
	return 0;
}

/* --- commands --- */

/* Builds the message of `NAME HEX NFDS` words; answers with an error and returns false when they are wrong. */
static bool message_build(char **words, struct rte_mp_msg *msg)
{
	memset(msg, 0, sizeof(*msg));
	int len_param = hex_decode(words[1], msg->param, sizeof(msg->param));
	long num_fds = number_parse(words[2], RTE_MP_MAX_FD_NUM);

	if (len_param < 0 || num_fds < 0 || strlen(words[0]) >= sizeof(msg->name)) {
		answer_error(EINVAL, "NAME HEX NFDS");
		return false;
	}
	strcpy(msg->name, words[0]);
	msg->len_param = len_param;
	for (int i = 0; i < num_fds; i++) {
		char content[2 * RTE_MP_MAX_NAME_LEN];

		snprintf(content, sizeof(content), "%d, %s of a %s", i, msg->name, role());
		msg->fds[i] = memory_file(content);
		if (msg->fds[i] < 0)
			abort();
		msg->num_fds++;
	}
	return true;
}

static struct timespec timeout_of(long ms)
{
	return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * (long)NS_PER_MS };
}

static void run_register(char **words)
{
	static const char *const modes[] = { [PRINT] = "print", [DISCARD] = "discard", [SILENT] = "silent",
						     [ECHO] = "echo", [BLOCK] = "block" };
	struct action action = { .mode = MODES };
	long delay_ms = words[2] == NULL ? 0 : number_parse(words[2], 60000);

	for (int i = PRINT; i < MODES; i++)
		if (strcmp(words[1], modes[i]) == 0)
			action.mode = (enum mode)i;
	if (action.mode == MODES || delay_ms < 0) {
		answer_error(EINVAL, "NAME print|discard|silent|echo|block [DELAY_MS]");
		return;
	}
	action.delay_ms = (uint64_t)delay_ms;

	pthread_mutex_lock(&actions_lock);
	struct action *slot = action_find(words[0]);
	if (slot == NULL)
		slot = action_find("");
	if (slot != NULL) {
		/* A name too long for a slot is still DPDK's to refuse: no action can ever be found under it. */
		snprintf(action.name, sizeof(action.name), "%s", words[0]);
		*slot = action;
	}
	pthread_mutex_unlock(&actions_lock);

	if (slot == NULL)
		answer_error(ENOSPC, "too many actions");
	else if (rte_mp_action_register(words[0], on_arrival) < 0)
		answer_error(rte_errno, "rte_mp_action_register");
	else
		answer_ok();
}

static void run_unregister(char **words)
{
	rte_mp_action_unregister(words[0]);
	pthread_mutex_lock(&actions_lock);
	struct action *slot = action_find(words[0]);
	if (slot != NULL)
		slot->name[0] = '\0';
	pthread_mutex_unlock(&actions_lock);
	answer_ok();
}

static void run_send(char **words)
{
	struct rte_mp_msg msg;
	struct line line;
	long count = words[3] == NULL ? 1 : number_parse(words[3], 1000000);

	if (count < 0) {
		answer_error(EINVAL, "COUNT");
		return;
	}
	if (!message_build(words, &msg))
		return;
	for (long i = 0; i < count; i++) {
		if (rte_mp_sendmsg(&msg) < 0) {
			answer_error(rte_errno, "rte_mp_sendmsg");
			fds_close(&msg);
			return;
		}
	}
	answer_begin(&line);
	line_message(&line, msg.name, msg.param, msg.len_param, msg.fds, msg.num_fds);
	line_send(&line);
	fds_close(&msg);
}

static void run_request(char **words)
{
	struct rte_mp_msg msg;
	struct rte_mp_reply reply = { 0 };
	struct line line;
	struct timespec timeout = timeout_of(number_parse(words[3], 600000));

	if (!message_build(words, &msg))
		return;
	if (rte_mp_request_sync(&msg, &reply, &timeout) < 0) {
		answer_error(rte_errno, "rte_mp_request_sync");
	} else {
		answer_begin(&line);
		line_message(&line, msg.name, msg.param, msg.len_param, msg.fds, msg.num_fds);
		line_reply(&line, &reply);
		line_send(&line);
	}
	free(reply.msgs);
	fds_close(&msg);
}

static void run_request_async(char **words)
{
	struct rte_mp_msg msg;
	struct line line;
	struct timespec timeout = timeout_of(number_parse(words[3], 600000));

	if (!message_build(words, &msg))
		return;
	if (rte_mp_request_async(&msg, &timeout, on_async_reply) < 0) {
		answer_error(rte_errno, "rte_mp_request_async");
	} else {
		answer_begin(&line);
		line_message(&line, msg.name, msg.param, msg.len_param, msg.fds, msg.num_fds);
		line_send(&line);
	}
	fds_close(&msg);
}

#ifndef PEER_340

static void *allocations[MAX_ALLOCATIONS];

static void run_malloc(char **words)
{
	long bytes = number_parse(words[0], 1L << 40);

	if (bytes <= 0) {
		answer_error(EINVAL, "BYTES");
		return;
	}
	for (int i = 0; i < MAX_ALLOCATIONS; i++) {
		if (allocations[i] != NULL)
			continue;
		allocations[i] = rte_malloc(NULL, (size_t)bytes, 0);
		if (allocations[i] == NULL)
			answer_error(ENOMEM, "rte_malloc");
		else
			answer_ok();
		return;
	}
	answer_error(ENOSPC, "too many allocations");
}

static void run_free(char **words __rte_unused)
{
	for (int i = 0; i < MAX_ALLOCATIONS; i++) {
		rte_free(allocations[i]);
		allocations[i] = NULL;
	}
	answer_ok();
}

static void run_attach(char **words)
{
	int result = rte_eal_hotplug_add("vdev", words[0], words[1] == NULL ? "" : words[1]);

	if (result < 0)
		answer_error(-result, "rte_eal_hotplug_add");
	else
		answer_ok();
}

static void run_detach(char **words)
{
	int result = rte_eal_hotplug_remove("vdev", words[0]);

	if (result < 0)
		answer_error(-result, "rte_eal_hotplug_remove");
	else
		answer_ok();
}

static void run_devices(char **words __rte_unused)
{
	struct rte_dev_iterator iterator;
	struct rte_device *device;
	struct line line;

	answer_begin(&line);
	/* From 26.07 on, what is detached stays in the list. */
	RTE_DEV_FOREACH(device, "bus=vdev", &iterator)
		if (rte_dev_is_probed(device))
			fprintf(line.stream, " device=%s", rte_dev_name(device));
	line_send(&line);
}

#endif

static void run_fds(char **words __rte_unused)
{
	struct line line;

	answer_begin(&line);
	fprintf(line.stream, " fds=%d", fds_open());
	line_send(&line);
}

static const struct command {
	const char *name;
	int min_words;
	void (*run)(char **words);
	const char *usage;
} commands[] = {
	{ "register", 2, run_register, "NAME print|discard|silent|echo|block [DELAY_MS]" },
	{ "unregister", 1, run_unregister, "NAME" },
	{ "send", 3, run_send, "NAME HEX NFDS [COUNT]" },
	{ "request", 4, run_request, "NAME HEX NFDS TIMEOUT_MS" },
	{ "request-async", 4, run_request_async, "NAME HEX NFDS TIMEOUT_MS" },
#ifndef PEER_340
	{ "malloc", 1, run_malloc, "BYTES" },
	{ "free", 0, run_free, "" },
	{ "attach", 1, run_attach, "DEVICE [ARGUMENTS]" },
	{ "detach", 1, run_detach, "DEVICE" },
	{ "devices", 0, run_devices, "" },
#endif
	{ "fds", 0, run_fds, "" },
};

static void command_run(char *text)
{
	char *words[MAX_WORDS + 1] = { 0 };
	int count = words_split(text, words, MAX_WORDS);

	for (size_t i = 0; count > 0 && i < RTE_DIM(commands); i++) {
		if (strcmp(words[0], commands[i].name) != 0)
			continue;
		if (count - 1 < commands[i].min_words)
			answer_error(EINVAL, commands[i].usage);
		else
			commands[i].run(words + 1);
		return;
	}
	answer_error(ENOSYS, "no such command");
}

static void ready_announce(void)
{
	struct line line;

	line_begin(&line, "ready");
	fprintf(line.stream, " pid=%d role=%s version=%u.%02u.%u", getpid(), role(), rte_version_year(),
		rte_version_month(), rte_version_minor());
	if (rte_version_release() < 99)
		fprintf(line.stream, "-rc%u", rte_version_release());
	fprintf(line.stream, " runtime_dir=%s", rte_eal_get_runtime_dir());
	line_send(&line);
}

int main(int argc, char **argv)
{
	char *text = NULL;
	size_t capacity = 0;

	lines_claim_stdout();
	if (rte_eal_init(argc, argv) < 0) {
		fprintf(stderr, "rte_eal_init: %s\n", rte_strerror(rte_errno));
		return EXIT_FAILURE;
	}
	ready_announce();
	while (getline(&text, &capacity, stdin) >= 0 && strcmp(text, "quit\n") != 0) {
		command_start = now_ns();
		command_run(text);
	}
	free(text);
	return rte_eal_cleanup() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
