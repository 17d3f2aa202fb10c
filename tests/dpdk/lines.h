/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The line protocol between the suite and its peers, whatever they are written in.
 *
 * One command a line on stdin; each gets one line on stdout:
 *
 *     ok took_ns=N [key=value]...
 *     error took_ns=N errno=N what went wrong
 *
 * In between, and at any time, what happens by itself:
 *
 *     event arrived message=NAME/HEX/FDS peer=PATH
 *     event async sent=N received=N [message=NAME/HEX/FDS]...
 *
 * The first line is `ready pid=N key=value...`. A peer ends with status 0 on `quit` or end of input.
 * HEX is `-` for an empty payload. FDS is `-` or a comma-separated list of DEV:INO:SIZE:HEX, the last being the
 * first bytes of the file: enough to tell whether a descriptor that arrived is the one that was sent.
 */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A line under construction; `line_send` writes it whole, at once, whichever thread calls. */
struct line {
	FILE *stream;
	char *text;
	size_t length;
};

/* Moves stdout aside for lines only: whatever else a library prints to it goes to stderr. */
void lines_claim_stdout(void);

void line_begin(struct line *line, const char *first_word);
void line_message(struct line *line, const char *name, const uint8_t *param, int len_param, const int *fds,
		  int num_fds);
void line_send(struct line *line);

/* Splits a line in place at blanks; returns the number of words. */
int words_split(char *text, char **words, int max_words);

/* Decodes HEX; returns the number of bytes, or -1 when it is not hex or too long. */
int hex_decode(const char *hex, uint8_t *bytes, size_t capacity);

/* Decimal number within [0, max]; -1 when it is not one. */
long number_parse(const char *text, long max);

/* A memory file whose content is `text`; -1 with errno. */
int memory_file(const char *text);

/* Open descriptors of this process. */
int fds_open(void);

uint64_t now_ns(void);

#endif
