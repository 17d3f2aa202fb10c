/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _GNU_SOURCE
#include "lines.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* As many bytes of a file as identify it: the suite writes its files' names into them. */
#define HEAD_BYTES 32

static int output = STDOUT_FILENO;
static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;

static _Noreturn void die(const char *what)
{
	perror(what);
	abort();
}

void lines_claim_stdout(void)
{
	output = dup(STDOUT_FILENO);
	if (output < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		die("moving stdout aside");
}

void line_begin(struct line *line, const char *first_word)
{
	line->stream = open_memstream(&line->text, &line->length);
	if (line->stream == NULL)
		die("open_memstream");
	fputs(first_word, line->stream);
}

static void hex_print(FILE *stream, const uint8_t *bytes, int count)
{
	if (count == 0)
		fputc('-', stream);
	for (int i = 0; i < count; i++)
		fprintf(stream, "%02x", bytes[i]);
}

static void fd_print(FILE *stream, int fd)
{
	uint8_t head[HEAD_BYTES];
	struct stat stat;

	if (fstat(fd, &stat) < 0) {
		fputs("0:0:0:-", stream);
		return;
	}
	ssize_t count = pread(fd, head, sizeof(head), 0);
	fprintf(stream, "%ju:%ju:%jd:", (uintmax_t)stat.st_dev, (uintmax_t)stat.st_ino, (intmax_t)stat.st_size);
	hex_print(stream, head, count < 0 ? 0 : (int)count);
}

void line_message(struct line *line, const char *name, const uint8_t *param, int len_param, const int *fds,
		  int num_fds)
{
	fprintf(line->stream, " message=%s/", name);
	hex_print(line->stream, param, len_param);
	fputc('/', line->stream);
	if (num_fds == 0)
		fputc('-', line->stream);
	for (int i = 0; i < num_fds; i++) {
		if (i > 0)
			fputc(',', line->stream);
		fd_print(line->stream, fds[i]);
	}
}

void line_send(struct line *line)
{
	fputc('\n', line->stream);
	if (fclose(line->stream) != 0)
		die("building a line");
	pthread_mutex_lock(&output_lock);
	for (size_t done = 0; done < line->length;) {
		ssize_t written = write(output, line->text + done, line->length - done);
		if (written < 0)
			die("writing a line");
		done += (size_t)written;
	}
	pthread_mutex_unlock(&output_lock);
	free(line->text);
}

int words_split(char *text, char **words, int max_words)
{
	int count = 0;

	for (char *rest = text, *word; count < max_words && (word = strtok_r(rest, " \t\r\n", &rest)) != NULL;)
		words[count++] = word;
	return count;
}

static int hex_digit(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = digit == '\0' ? NULL : strchr(digits, digit);

	return at == NULL ? -1 : (int)(at - digits);
}

int hex_decode(const char *hex, uint8_t *bytes, size_t capacity)
{
	if (strcmp(hex, "-") == 0)
		return 0;
	size_t length = strlen(hex);
	if (length % 2 != 0 || length / 2 > capacity)
		return -1;
	for (size_t i = 0; i < length / 2; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return -1;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return (int)(length / 2);
}

long number_parse(const char *text, long max)
{
	char *end;
	long number = strtol(text, &end, 10);

	return *text == '\0' || *end != '\0' || number < 0 || number > max ? -1 : number;
}

int memory_file(const char *text)
{
	int fd = memfd_create("peer", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
		close(fd);
		return -1;
	}
	return fd;
}

int fds_open(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	if (directory == NULL)
		return -1;
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	/* Without ".", ".." and the directory itself. */
	return count - 3;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
