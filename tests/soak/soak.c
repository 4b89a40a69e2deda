// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once until the time is up: workers run the programs of a list
 * beside each other, each picked and given its arguments by the seed. The same
 * seed makes every worker run the same commands in the same order again.
 *
 * A line of the list is
 *	weight seconds command arguments...
 * where {a|b|} is one of the alternatives, {3-7} a number between the two and
 * {seed} a random number. What is empty in the end is no argument.
 *
 * A program that runs longer than its seconds has failed. So has one with an exit
 * status other than 0, 3 or 4: 3 says that it could not do its work beside all
 * the others (no memory, a partner that came too late), 4 that it cannot do it at
 * all. Something that was lost is neither.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MAX_LINES	128
#define MAX_ARGS	64
#define MAX_WORKERS	32

struct line {
	unsigned int weight, seconds;
	char *command;
};

static struct line lines[MAX_LINES];
static unsigned int nr_lines, weights;

/* Of all workers */
static struct totals {
	unsigned int runs, failed, disturbed, skipped;
	unsigned long rounds, hits;
} *totals;

static void __attribute__((noreturn)) give_up(const char *what)
{
	fprintf(stderr, "soak: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_list(const char *path)
{
	FILE *file = fopen(path, "re");
	char text[1024];

	if (!file)
		give_up(path);
	while (fgets(text, sizeof(text), file)) {
		struct line *line = &lines[nr_lines];
		int at = 0;

		text[strcspn(text, "\n")] = 0;
		if (!*text || *text == '#')
			continue;
		errno = EINVAL;
		if (nr_lines == MAX_LINES ||
		    sscanf(text, "%u %u %n", &line->weight, &line->seconds, &at) != 2 ||
		    !line->weight || !text[at])
			give_up(text);
		line->command = strdup(text + at);
		weights += line->weight;
		nr_lines++;
	}
	fclose(file);
	errno = ENOENT;
	if (!nr_lines)
		give_up("empty list");
}

/* One of what stands between { and } in @text, of @size bytes; to @out. */
static void choose(const char *text, size_t size, FILE *out, unsigned int *state)
{
	unsigned int from, to, n = 1;
	const char *end = text + size;
	int used = 0;

	if (sscanf(text, "%u-%u%n", &from, &to, &used) == 2 && (size_t)used == size &&
	    from <= to) {
		fprintf(out, "%u", from + rand_r(state) % (to - from + 1));
		return;
	}
	if (size == 4 && !strncmp(text, "seed", 4)) {
		fprintf(out, "%d", rand_r(state));
		return;
	}
	for (const char *p = text; p < end; p++)
		n += *p == '|';
	for (n = rand_r(state) % n; n; text++)
		n -= *text == '|';
	while (text < end && *text != '|')
		fputc(*text++, out);
}

static char *expand(const char *command, unsigned int *state)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	while (*command) {
		const char *end = *command == '{' ? strchr(command, '}') : NULL;

		if (!end) {
			fputc(*command++, out);
			continue;
		}
		choose(command + 1, end - command - 1, out, state);
		command = end + 1;
	}
	fclose(out);
	return text;
}

static const struct line *pick(unsigned int *state)
{
	unsigned int at = rand_r(state) % weights;
	const struct line *line = lines;

	while (at >= line->weight)
		at -= line++->weight;
	return line;
}

static void __attribute__((noreturn)) exec_command(char *command, int out)
{
	char *argv[MAX_ARGS];
	int argc = 0;

	setpgid(0, 0);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	for (char *word = strtok(command, " "); word && argc < MAX_ARGS - 1;
	     word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	execv(argv[0], argv);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* What it said, and, if it failed, all of it. */
static void account(FILE *said, bool show)
{
	unsigned long rounds, hits;
	char text[1024];

	rewind(said);
	while (fgets(text, sizeof(text), said)) {
		if (show)
			printf("    %s", text);
		if (sscanf(text, "# rounds %lu hits %lu", &rounds, &hits) == 2) {
			__atomic_fetch_add(&totals->rounds, rounds, __ATOMIC_RELAXED);
			__atomic_fetch_add(&totals->hits, hits, __ATOMIC_RELAXED);
		}
	}
}

static void run(unsigned int worker, const struct line *line, unsigned int *state)
{
	char *command = expand(line->command, state);
	time_t began = time(NULL);
	FILE *said = tmpfile();
	const char *verdict;
	bool in_time = true, bad = false;
	int status;
	pid_t pid;

	if (!said)
		give_up("tmpfile");
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (!pid)
		exec_command(strdup(command), fileno(said));
	setpgid(pid, pid);
	while (!waitpid(pid, &status, WNOHANG)) {
		if (time(NULL) - began >= line->seconds && in_time) {
			in_time = false;
			kill(-pid, SIGKILL);
		}
		usleep(100000);
	}
	kill(-pid, SIGKILL);

	__atomic_fetch_add(&totals->runs, 1, __ATOMIC_RELAXED);
	if (!in_time) {
		verdict = "FAILED: too slow";
		bad = true;
	} else if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		verdict = "ok";
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 4) {
		verdict = "skipped";
		__atomic_fetch_add(&totals->skipped, 1, __ATOMIC_RELAXED);
	} else if ((WIFEXITED(status) && WEXITSTATUS(status) == 3) ||
		   (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) {
		/* SIGKILL: no memory left. */
		verdict = "disturbed";
		__atomic_fetch_add(&totals->disturbed, 1, __ATOMIC_RELAXED);
	} else {
		verdict = "FAILED";
		bad = true;
	}
	if (bad)
		__atomic_fetch_add(&totals->failed, 1, __ATOMIC_RELAXED);
	printf("worker %u, %ld s: %s # %s\n", worker, (long)(time(NULL) - began), command, verdict);
	account(said, bad);
	fflush(stdout);
	fclose(said);
	free(command);
}

static void usage(const char *self)
{
	fprintf(stderr, "usage: %s [-s seed] [-t seconds] [-w workers] list\n", self);
	exit(2);
}

int main(int argc, char **argv)
{
	unsigned int seed = time(NULL), seconds = 60, workers = 4;
	time_t end;
	int opt;

	while ((opt = getopt(argc, argv, "s:t:w:")) != -1) {
		switch (opt) {
		case 's': seed = strtoul(optarg, NULL, 0); break;
		case 't': seconds = strtoul(optarg, NULL, 0); break;
		case 'w': workers = strtoul(optarg, NULL, 0); break;
		default: usage(argv[0]);
		}
	}
	if (optind != argc - 1 || !workers || workers > MAX_WORKERS)
		usage(argv[0]);
	read_list(argv[optind]);
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (totals == MAP_FAILED)
		give_up("mmap");
	printf("soak -s %u -t %u -w %u\n", seed, seconds, workers);
	fflush(stdout);

	end = time(NULL) + seconds;
	for (unsigned int i = 0; i < workers; i++) {
		unsigned int state = seed + i;
		pid_t pid = fork();

		if (pid < 0)
			give_up("fork");
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		do
			run(i, pick(&state), &state);
		while (time(NULL) < end);
		_exit(0);
	}
	for (int status; wait(&status) > 0;) {
		/* A worker that is gone has stopped testing. */
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			totals->failed++;
	}
	printf("soak: %u runs, %u failed, %u disturbed, %u skipped; %lu hits in %lu rounds\n",
	       totals->runs, totals->failed, totals->disturbed, totals->skipped,
	       totals->hits, totals->rounds);
	return totals->failed || totals->runs <= totals->skipped + totals->disturbed;
}
