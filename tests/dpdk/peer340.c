/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The other end of the 340-byte layout, from the documented definitions and the observed behaviour of DPDK's IPC. It is
 * as strict as DPDK: any datagram that is not exactly as long as its own structure ends the process, with a word on
 * stderr. What DPDK leaves unset on the wire is filled with 0xa5 here.
 */
#define _GNU_SOURCE
#include "peer340.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_ACTIONS 32
#define MAX_PEERS 32
#define GARBAGE 0xa5

enum type { MESSAGE, REQUEST, REPLY, IGNORE };

struct datagram {
	int type;
	struct rte_mp_msg msg;
};

/* Descriptors travel beside the datagram, so it ends before them. */
#define LENGTH (sizeof(struct datagram) - sizeof(((struct rte_mp_msg *)0)->fds))

static_assert(LENGTH == 340, "the layout of DPDK 25.11 and later");
static_assert(offsetof(struct datagram, msg.name) == 8, "the layout of DPDK 25.11 and later");
static_assert(offsetof(struct datagram, msg.len_param) == 72, "the layout of DPDK 25.11 and later");
static_assert(offsetof(struct datagram, msg.num_fds) == 76, "the layout of DPDK 25.11 and later");
static_assert(offsetof(struct datagram, msg.param) == 80, "the layout of DPDK 25.11 and later");

union control {
	char bytes[CMSG_SPACE(sizeof(int) * RTE_MP_MAX_FD_NUM)];
	struct cmsghdr align;
};

struct action {
	char name[RTE_MP_MAX_NAME_LEN];
	rte_mp_t run;
};

/* The one request that waits; `request_lock` is held by whoever waits for it. */
struct pending {
	const char *peer;
	const char *name;
	bool done;
	enum type type;
	struct rte_mp_msg reply;
};

static enum rte_proc_type_t process_type;
static const char *runtime_dir;
static int directory_fd = -1, socket_fd = -1;
static char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];

static struct action actions[MAX_ACTIONS];
static struct pending *pending;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, request_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;

static _Noreturn void die(const char *what)
{
	perror(what);
	_exit(3);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(address.sun_path, path);
	return address;
}

/* --- sending --- */

static int datagram_send(const char *path, enum type type, const struct rte_mp_msg *msg)
{
	struct sockaddr_un address = address_of(path);
	struct datagram datagram;
	union control control = { 0 };

	memset(&datagram, GARBAGE, sizeof(datagram));
	datagram.type = (int)type;
	strcpy(datagram.msg.name, msg->name);
	datagram.msg.len_param = msg->len_param;
	datagram.msg.num_fds = msg->num_fds;
	memcpy(datagram.msg.param, msg->param, (size_t)msg->len_param);

	struct msghdr header = {
		.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &(struct iovec){ .iov_base = &datagram, .iov_len = LENGTH },
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)msg->num_fds),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)msg->num_fds);
	memcpy(CMSG_DATA(rights), msg->fds, sizeof(int) * (size_t)msg->num_fds);
	return sendmsg(socket_fd, &header, 0) < 0 ? -1 : 0;
}

/* Whom this process talks to: the primary, or every secondary. Returns how many. */
static int peers_list(char peers[MAX_PEERS][sizeof(socket_path)])
{
	int count = 0;

	if (process_type == RTE_PROC_SECONDARY) {
		snprintf(peers[0], sizeof(socket_path), "%s/mp_socket", runtime_dir);
		return 1;
	}
	DIR *directory = opendir(runtime_dir);
	if (directory == NULL)
		die(runtime_dir);
	for (struct dirent *entry; count < MAX_PEERS && (entry = readdir(directory)) != NULL;)
		if (strncmp(entry->d_name, "mp_socket_", 10) == 0 &&
		    (size_t)snprintf(peers[count], sizeof(socket_path), "%s/%s", runtime_dir, entry->d_name) <
			    sizeof(socket_path))
			count++;
	closedir(directory);
	return count;
}

/* Sends to one of several. A peer that is gone is no error, and a primary removes what it left. */
static int peer_send(const char *path, enum type type, const struct rte_mp_msg *msg, bool *gone)
{
	*gone = false;
	if (datagram_send(path, type, msg) == 0)
		return 0;
	*gone = errno == ECONNREFUSED || errno == ENOENT;
	if (errno == ECONNREFUSED && process_type == RTE_PROC_PRIMARY)
		unlink(path);
	return *gone && process_type == RTE_PROC_PRIMARY ? 0 : -1;
}

int rte_mp_sendmsg(struct rte_mp_msg *msg)
{
	char peers[MAX_PEERS][sizeof(socket_path)];
	bool gone;
	int result = 0;

	flock(directory_fd, LOCK_SH);
	for (int i = 0, count = peers_list(peers); i < count; i++)
		if (peer_send(peers[i], MESSAGE, msg, &gone) < 0)
			result = -1;
	flock(directory_fd, LOCK_UN);
	return result;
}

int rte_mp_reply(struct rte_mp_msg *msg, const char *peer)
{
	return datagram_send(peer, REPLY, msg);
}

/* --- requests --- */

static int peer_request(const char *path, const struct rte_mp_msg *req, struct rte_mp_reply *reply,
			const struct timespec *deadline)
{
	struct pending mine = { .peer = path, .name = req->name };
	bool gone;
	int waited = 0;

	pthread_mutex_lock(&lock);
	pending = &mine;
	pthread_mutex_unlock(&lock);
	if (peer_send(path, REQUEST, req, &gone) < 0 || gone) {
		pthread_mutex_lock(&lock);
		pending = NULL;
		pthread_mutex_unlock(&lock);
		return gone && process_type == RTE_PROC_PRIMARY ? 0 : -1;
	}
	reply->nb_sent++;

	pthread_mutex_lock(&lock);
	while (!mine.done && waited == 0)
		waited = pthread_cond_timedwait(&answered, &lock, deadline);
	pending = NULL;
	pthread_mutex_unlock(&lock);
	if (!mine.done) {
		errno = waited;
		return -1;
	}
	if (mine.type == IGNORE) {
		reply->nb_sent--;
		return 0;
	}
	reply->msgs = realloc(reply->msgs, sizeof(*reply->msgs) * (size_t)(reply->nb_received + 1));
	if (reply->msgs == NULL)
		die("realloc");
	reply->msgs[reply->nb_received++] = mine.reply;
	return 0;
}

int rte_mp_request_sync(struct rte_mp_msg *req, struct rte_mp_reply *reply, const struct timespec *ts)
{
	char peers[MAX_PEERS][sizeof(socket_path)];
	struct timespec deadline;
	int result = 0;

	*reply = (struct rte_mp_reply){ 0 };
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += ts->tv_sec + (deadline.tv_nsec + ts->tv_nsec) / 1000000000;
	deadline.tv_nsec = (deadline.tv_nsec + ts->tv_nsec) % 1000000000;

	pthread_mutex_lock(&request_lock);
	/* Waiting included, as a DPDK primary does it. */
	flock(directory_fd, LOCK_SH);
	for (int i = 0, count = peers_list(peers); i < count && result == 0; i++)
		result = peer_request(peers[i], req, reply, &deadline);
	flock(directory_fd, LOCK_UN);
	pthread_mutex_unlock(&request_lock);
	return result;
}

struct async {
	struct rte_mp_msg request;
	struct timespec timeout;
	rte_mp_async_reply_t callback;
};

static void *async_run(void *argument)
{
	struct async *async = argument;
	struct rte_mp_reply reply;

	rte_mp_request_sync(&async->request, &reply, &async->timeout);
	async->callback(&async->request, &reply);
	for (int i = 0; i < async->request.num_fds; i++)
		close(async->request.fds[i]);
	free(reply.msgs);
	free(async);
	return NULL;
}

int rte_mp_request_async(struct rte_mp_msg *req, const struct timespec *ts, rte_mp_async_reply_t callback)
{
	struct async *async = malloc(sizeof(*async));
	pthread_t thread;

	if (async == NULL)
		die("malloc");
	*async = (struct async){ .request = *req, .timeout = *ts, .callback = callback };
	for (int i = 0; i < req->num_fds; i++)
		async->request.fds[i] = dup(req->fds[i]);
	if (pthread_create(&thread, NULL, async_run, async) != 0 || pthread_detach(thread) != 0)
		die("pthread_create");
	return 0;
}

/* --- receiving --- */

static struct action *action_find(const char *name)
{
	for (int i = 0; i < MAX_ACTIONS; i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

int rte_mp_action_register(const char *name, rte_mp_t run)
{
	int result = -1;

	pthread_mutex_lock(&lock);
	struct action *slot = action_find("");
	if (action_find(name) != NULL) {
		errno = EEXIST;
	} else if (slot == NULL || *name == '\0' || strlen(name) >= sizeof(slot->name)) {
		errno = EINVAL;
	} else {
		strcpy(slot->name, name);
		slot->run = run;
		result = 0;
	}
	pthread_mutex_unlock(&lock);
	return result;
}

void rte_mp_action_unregister(const char *name)
{
	pthread_mutex_lock(&lock);
	struct action *found = action_find(name);
	if (found != NULL)
		found->name[0] = '\0';
	pthread_mutex_unlock(&lock);
}

static void arrival_handle(struct datagram *datagram, const char *peer)
{
	rte_mp_t run = NULL;

	pthread_mutex_lock(&lock);
	if (datagram->type == REPLY || datagram->type == IGNORE) {
		if (pending != NULL && !pending->done && strcmp(pending->peer, peer) == 0 &&
		    strcmp(pending->name, datagram->msg.name) == 0) {
			pending->reply = datagram->msg;
			pending->type = (enum type)datagram->type;
			pending->done = true;
			pthread_cond_broadcast(&answered);
		}
	} else {
		struct action *action = action_find(datagram->msg.name);
		run = action == NULL ? NULL : action->run;
	}
	pthread_mutex_unlock(&lock);
	if (run != NULL)
		run(&datagram->msg, peer);
}

static void *receive_run(void *argument __rte_unused)
{
	for (;;) {
		struct datagram datagram;
		struct sockaddr_un from = { 0 };
		union control control;
		struct msghdr header = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &(struct iovec){ .iov_base = &datagram, .iov_len = LENGTH },
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes),
		};
		ssize_t length = recvmsg(socket_fd, &header, MSG_TRUNC | MSG_CMSG_CLOEXEC);

		if (length < 0)
			die("recvmsg");
		if (length != LENGTH || (header.msg_flags & MSG_CTRUNC) != 0) {
			fprintf(stderr, "a datagram of %zd bytes, where %zu are the rule\n", length, LENGTH);
			_exit(3);
		}
		struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
		if (rights != NULL && rights->cmsg_type == SCM_RIGHTS)
			memcpy(datagram.msg.fds, CMSG_DATA(rights), rights->cmsg_len - CMSG_LEN(0));
		arrival_handle(&datagram, from.sun_path);
	}
	return NULL;
}

/* --- joining --- */

/* Leaves the start of a `config` file, locked, by which others know a live DPDK primary and its version. */
static void config_write(void)
{
	uint32_t start[] = { 19820526, rte_version_year() << 24 | rte_version_month() << 16 };
	int fd = openat(directory_fd, "config", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, start, sizeof(start)) != sizeof(start) ||
	    fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = sizeof(start) }) < 0)
		die("config");
}

int rte_eal_init(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 3) {
		errno = EINVAL;
		return -1;
	}
	process_type = strcmp(argv[1], "primary") == 0 ? RTE_PROC_PRIMARY : RTE_PROC_SECONDARY;
	runtime_dir = argv[2];
	directory_fd = open(runtime_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (directory_fd < 0 || socket_fd < 0 || flock(directory_fd, LOCK_EX) < 0)
		return -1;
	if (process_type == RTE_PROC_PRIMARY) {
		config_write();
		snprintf(socket_path, sizeof(socket_path), "%s/mp_socket", runtime_dir);
	} else {
		snprintf(socket_path, sizeof(socket_path), "%s/mp_socket_%d_%lx", runtime_dir, getpid(), random());
	}
	struct sockaddr_un address = address_of(socket_path);
	if (bind(socket_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    pthread_create(&thread, NULL, receive_run, NULL) != 0)
		return -1;
	flock(directory_fd, LOCK_UN);
	return 0;
}

int rte_eal_cleanup(void)
{
	return unlink(socket_path);
}

enum rte_proc_type_t rte_eal_process_type(void)
{
	return process_type;
}

const char *rte_eal_get_runtime_dir(void)
{
	return runtime_dir;
}
