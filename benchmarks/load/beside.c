// SPDX-License-Identifier: GPL-2.0
/*
 * beside COMMAND... -- COMMAND... [-- COMMAND...]: run the last command while the
 * others run in the background, then stop those, the last one first. Words like
 * NAME=value in front of a command are its environment; cpu=N is the CPU it is bound
 * to; json=FILE means that the last command leaves its results there, which are printed
 * in place of what it says. Brings the loopback interface up. Prints as a JSON object
 * what each CPU was interrupted by meanwhile and what the kernel counted. Exit status:
 * that of the last command, or 1 if another one ended early, but 4 if that was its own
 * status: it cannot do its work on this machine.
 */
#define _GNU_SOURCE
#include <err.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define MAX_COMMANDS	8
#define MAX_CPUS	64
#define SETTLE_SECONDS	1
#define END_SECONDS	10
#define EXIT_SKIP	4

static const char * const irqs[] = {
	"Function call interrupts", "TLB shootdowns", "Rescheduling interrupts",
	"Local timer interrupts", "arch_timer",
};
static const char * const irq_keys[] = { "call", "tlb", "resched", "timer", "timer" };

struct counts {
	long long	irq[ARRAY_SIZE(irqs)][MAX_CPUS];
	char		vmstat[128][48];
	long long	value[128];
	int		nr_vmstat;
};

static pid_t pids[MAX_COMMANDS];

static void read_counts(struct counts *counts)
{
	char *line = NULL, *p, *end;
	size_t size = 0;
	FILE *file;
	int cpu;

	memset(counts, 0, sizeof(*counts));
	file = fopen("/proc/interrupts", "r");
	while (file && getline(&line, &size, file) > 0) {
		for (size_t i = 0; i < ARRAY_SIZE(irqs); i++) {
			p = strstr(line, irqs[i]) ? strchr(line, ':') : NULL;
			for (cpu = 0, p = p ? p + 1 : NULL; p && cpu < MAX_CPUS; cpu++, p = end) {
				long long n = strtoll(p, &end, 10);

				if (end == p)
					break;
				counts->irq[i][cpu] += n;
			}
		}
	}
	if (file)
		fclose(file);
	file = fopen("/proc/vmstat", "r");
	while (file && getline(&line, &size, file) > 0) {
		int i = counts->nr_vmstat;

		if (!strncmp(line, "nr_tlb_", 7) && i < (int)ARRAY_SIZE(counts->value) &&
		    sscanf(line, "%47s %lld", counts->vmstat[i], &counts->value[i]) == 2)
			counts->nr_vmstat++;
	}
	if (file)
		fclose(file);
	free(line);
}

static void print_counts(const struct counts *before, const struct counts *after, double seconds)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	printf("{\"seconds\":%.3f", seconds);
	for (int i = 0; i < after->nr_vmstat; i++)
		printf(",\"%s\":%lld", after->vmstat[i], after->value[i] - before->value[i]);
	printf(",\"cpus\":[");
	for (int cpu = 0; cpu < cpus && cpu < MAX_CPUS; cpu++) {
		printf("%s{", cpu ? "," : "");
		/* A machine has one kind of timer interrupt. */
		for (size_t i = 0; i < 4; i++) {
			long long n = after->irq[i][cpu] - before->irq[i][cpu];

			if (i == 3)
				n += after->irq[4][cpu] - before->irq[4][cpu];
			printf("%s\"%s\":%lld", i ? "," : "", irq_keys[i], n);
		}
		printf("}");
	}
	printf("]}\n");
	fflush(stdout);
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return;		/* a kernel without network: who needs it will say so */
	if (!ioctl(fd, SIOCGIFFLAGS, &ifr) && !(ifr.ifr_flags & IFF_UP)) {
		ifr.ifr_flags |= IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &ifr))
			warn("lo does not come up");
	}
	close(fd);
}

static pid_t start(char **argv, bool quiet)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	/* In the background only complaints are of interest. */
	if (quiet && !freopen("/dev/null", "w", stdout))
		err(127, "/dev/null");
	for (; *argv && strchr(*argv, '='); argv++) {
		if (!strncmp(*argv, "cpu=", 4)) {
			cpu_set_t set;

			CPU_ZERO(&set);
			CPU_SET(atoi(*argv + 4), &set);
			if (sched_setaffinity(0, sizeof(set), &set))
				err(127, "%s", *argv);
		} else {
			putenv(*argv);
		}
	}
	if (!*argv)
		errx(127, "no command behind the environment");
	execvp(*argv, argv);
	err(127, "%s", *argv);
}

static void print_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[4096];

	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file))
		fputs(line, stdout);
	fclose(file);
	remove(path);
	/* Before the others say something at their end */
	fflush(stdout);
}

static bool wait_seconds(pid_t pid, int seconds, int *status)
{
	for (int i = 0; i < seconds * 100; i++) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

int main(int argc, char **argv)
{
	static struct counts before, after;
	struct timespec began, ended;
	char **command = argv + 1;
	const char *json = NULL;
	int nr = 0, status, other, rc;

	loopback_up();
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		if (nr == MAX_COMMANDS)
			errx(1, "more than %d commands", MAX_COMMANDS);
		argv[i] = NULL;
		pids[nr++] = start(command, true);
		command = argv + i + 1;
		if (wait_seconds(pids[nr - 1], SETTLE_SECONDS, &other))
			errx(WIFEXITED(other) && WEXITSTATUS(other) == EXIT_SKIP ? EXIT_SKIP : 1,
			     "background command %d ended at once (status %#x)", nr, other);
	}
	if (!*command)
		errx(1, "usage: beside COMMAND... -- COMMAND... [-- COMMAND...]");

	read_counts(&before);
	clock_gettime(CLOCK_MONOTONIC, &began);
	if (!strncmp(*command, "json=", 5))
		json = *command++ + 5;
	if (waitpid(start(command, json), &status, 0) < 0)
		err(1, "waitpid");
	clock_gettime(CLOCK_MONOTONIC, &ended);
	read_counts(&after);
	rc = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	if (json && !rc)
		print_file(json);

	for (int i = nr - 1; i >= 0; i--) {
		if (waitpid(pids[i], &other, WNOHANG) == pids[i]) {
			warnx("background command %d ended early (status %#x)", i + 1, other);
			rc = rc ?: 1;
			continue;
		}
		kill(pids[i], SIGTERM);
		if (!wait_seconds(pids[i], END_SECONDS, &other)) {
			warnx("background command %d had to be killed", i + 1);
			kill(pids[i], SIGKILL);
			waitpid(pids[i], &other, 0);
			rc = rc ?: 1;
		}
		/* SIGTERM may end it, or make it end; perf says that it was interrupted. */
		if ((WIFEXITED(other) && WEXITSTATUS(other) &&
		     WEXITSTATUS(other) != 128 + SIGTERM) ||
		    (WIFSIGNALED(other) && WTERMSIG(other) != SIGTERM)) {
			warnx("background command %d failed (status %#x)", i + 1, other);
			rc = rc ?: 1;
		}
	}
	print_counts(&before, &after, ended.tv_sec - began.tv_sec +
		     (ended.tv_nsec - began.tv_nsec) / 1e9);
	return rc;
}
