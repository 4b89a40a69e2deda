// SPDX-License-Identifier: GPL-2.0
/*
 * init of the test guest: mounts what tests expect, runs the jobs of /job one
 * after the other and writes KTAP to the virtio port that the host reads as
 * the verdict. A guest that never writes the last line, "Result: ...", has
 * failed, whatever else it wrote.
 *
 * A line of /job is one of
 *	name seconds command arguments...	a test: no shell, no quoting
 *	= file value				write value to file, not a test
 * Exit status 4 of a command means SKIP, as in kselftest.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define KUNIT_DIR	"/sys/kernel/debug/kunit"
#define EXIT_SKIP	4
#define MAX_ARGS	64

enum verdict { PASSED, FAILED, SKIPPED };

static FILE *port;
static int kmsg;
static int totals[3];
static int number;

static void __attribute__((noreturn, format(printf, 1, 2)))
give_up(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(errno));
	fflush(NULL);
	exit(1);
}

static void mount_all(void)
{
	static const struct {
		const char *dir, *type, *options;
	} mounts[] = {
		{ "/proc", "proc", "" },
		{ "/sys", "sysfs", "" },
		{ "/sys/kernel/debug", "debugfs", "" },
		{ "/sys/kernel/tracing", "tracefs", "" },
		{ "/sys/fs/cgroup", "cgroup2", "" },
		{ "/dev", "devtmpfs", "" },
		{ "/dev/shm", "tmpfs", "" },
		{ "/dev/hugepages", "hugetlbfs", "" },
		{ "/tmp", "tmpfs", "" },
		{ "/tmp/huge", "tmpfs", "huge=always" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0,
			  mounts[i].options))
			give_up("cannot mount %s", mounts[i].dir);
	}
	symlink("/proc/self/fd", "/dev/fd");
}

static int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, value, strlen(value));
	close(fd);
	return n == (ssize_t)strlen(value) ? 0 : -1;
}

static int read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n < 0)
		return -1;
	buf[n] = 0;
	return 0;
}

/* What mkswap(8) writes: version, last page and signature in page 0. */
static void swap_on_zram(void)
{
	const long page = sysconf(_SC_PAGESIZE), size = 256L << 20;
	char *header = calloc(1, page), value[32];
	uint32_t *info = (uint32_t *)(header + 1024);
	int fd;

	snprintf(value, sizeof(value), "%ld", size);
	if (!header || write_file("/sys/block/zram0/disksize", value))
		give_up("cannot size zram0");
	info[0] = 1;
	info[1] = size / page - 1;
	memcpy(header + page - 10, "SWAPSPACE2", 10);
	fd = open("/dev/zram0", O_WRONLY);
	if (fd < 0 || write(fd, header, page) != page || close(fd) ||
	    swapon("/dev/zram0", 0))
		give_up("cannot swap on zram0");
	free(header);
}

/* The host named the port; its number depends on the devices before it. */
static void open_port(void)
{
	char path[300], name[64];
	struct dirent *entry;
	DIR *dir;

	dir = opendir("/sys/class/virtio-ports");
	while (dir && !port && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name",
			 entry->d_name);
		if (read_file(path, name, sizeof(name)) ||
		    strcmp(name, "tlb-gen\n"))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		port = fopen(path, "we");
	}
	if (dir)
		closedir(dir);
	if (!port)
		give_up("no virtio port named tlb-gen");
	setlinebuf(port);
}

static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(port, fmt, ap);
	va_end(ap);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}

static void conclude(enum verdict verdict, const char *name, const char *why)
{
	totals[verdict]++;
	say("%s %d %s%s%s%s\n", verdict == FAILED ? "not ok" : "ok", ++number,
	    name, *why ? " # " : "", verdict == SKIPPED ? "SKIP " : "", why);
}

/* Pass on complete lines as "# line"; keep the rest for the next call. */
static bool pass_on(int fd)
{
	static char buf[8192];
	static size_t fill;
	char *line = buf, *end;
	ssize_t n;

	n = read(fd, buf + fill, sizeof(buf) - 1 - fill);
	if (n < 0)
		return false;
	fill += n;
	buf[fill] = 0;
	while ((end = strchr(line, '\n'))) {
		*end = 0;
		say("# %s\n", line);
		line = end + 1;
	}
	fill -= line - buf;
	memmove(buf, line, fill);
	if (fill && (!n || fill == sizeof(buf) - 1)) {
		buf[fill] = 0;
		say("# %s\n", buf);
		fill = 0;
	}
	return n > 0;
}

static void __attribute__((noreturn)) exec_job(char **argv, int out)
{
	int null = open("/dev/null", O_RDONLY);

	setpgid(0, 0);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (!chdir("/tests"))
		execv(argv[0], argv);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Wait for @pid until @deadline; its process group dies with it. */
static bool wait_job(pid_t pid, int out, time_t deadline, int *status)
{
	struct pollfd pollfd = { .fd = out, .events = POLLIN };
	bool in_time = true;

	while (waitpid(pid, status, WNOHANG) == 0) {
		if (time(NULL) >= deadline) {
			kill(-pid, SIGKILL);
			waitpid(pid, status, 0);
			in_time = false;
			break;
		}
		if (poll(&pollfd, 1, 200) > 0 && !pass_on(out))
			usleep(10000);
	}
	/* The rest of the group, which may still hold the pipe, follows. */
	kill(-pid, SIGKILL);
	while (poll(&pollfd, 1, 1000) > 0 && pass_on(out))
		;
	return in_time;
}

static void run_job(const char *name, int seconds, char **argv)
{
	int pipefd[2], status = 0;
	bool in_time;
	char why[64];
	pid_t pid;

	if (pipe2(pipefd, O_CLOEXEC))
		give_up("pipe");
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (!pid)
		exec_job(argv, pipefd[1]);
	setpgid(pid, pid);
	close(pipefd[1]);
	fcntl(pipefd[0], F_SETFL, O_NONBLOCK);
	in_time = wait_job(pid, pipefd[0], time(NULL) + seconds, &status);
	close(pipefd[0]);

	if (!in_time) {
		snprintf(why, sizeof(why), "timeout after %d s", seconds);
		conclude(FAILED, name, why);
	} else if (WIFSIGNALED(status)) {
		snprintf(why, sizeof(why), "signal %d", WTERMSIG(status));
		conclude(FAILED, name, why);
	} else if (WEXITSTATUS(status) == EXIT_SKIP) {
		conclude(SKIPPED, name, "exit 4");
	} else if (WEXITSTATUS(status)) {
		snprintf(why, sizeof(why), "exit %d", WEXITSTATUS(status));
		conclude(FAILED, name, why);
	} else {
		conclude(PASSED, name, "");
	}
}

static int split(char *line, char **argv)
{
	int argc = 0;

	for (char *word = strtok(line, " \t\n"); word && argc < MAX_ARGS - 1;
	     word = strtok(NULL, " \t\n"))
		argv[argc++] = word;
	argv[argc] = NULL;
	return argc;
}

static void do_jobs(FILE *jobs)
{
	char line[1024], *argv[MAX_ARGS];
	time_t began;
	int argc;

	while (fgets(line, sizeof(line), jobs)) {
		argc = split(line, argv);
		if (!argc || argv[0][0] == '#')
			continue;
		if (argc < 3)
			give_up("bad line in /job: %s", argv[0]);
		if (!strcmp(argv[0], "=")) {
			if (write_file(argv[1], argv[2]))
				say("# cannot write %s to %s: %s\n", argv[2],
				    argv[1], strerror(errno));
			continue;
		}
		began = time(NULL);
		run_job(argv[0], atoi(argv[1]), argv + 2);
		say("# %s took %ld s\n", argv[0], (long)(time(NULL) - began));
	}
}

static int count_jobs(FILE *jobs)
{
	char line[1024];
	int count = 0;

	while (fgets(line, sizeof(line), jobs))
		count += !strchr("#=\n", line[0]);
	rewind(jobs);
	return count;
}

static int count_suites(void)
{
	DIR *dir = opendir(KUNIT_DIR);
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

/* The suite's own last line, "ok N suite" or "not ok N suite", decides. */
static void copy_suite(const char *suite)
{
	char path[300], line[1024], name[300];
	enum verdict verdict = FAILED;
	FILE *file;

	snprintf(path, sizeof(path), KUNIT_DIR "/%s/results", suite);
	snprintf(name, sizeof(name), "kunit.%s", suite);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		say("# %s", line);
		if (!strncmp(line, "ok ", 3))
			verdict = strstr(line, "# SKIP") ? SKIPPED : PASSED;
		else if (!strncmp(line, "not ok ", 7))
			verdict = FAILED;
	}
	if (file)
		fclose(file);
	conclude(verdict, name, verdict == SKIPPED ? "by the suite" : "");
}

static void copy_kunit(void)
{
	DIR *dir = opendir(KUNIT_DIR);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			copy_suite(entry->d_name);
	if (dir)
		closedir(dir);
}

static bool is_splat(const char *text)
{
	static const char * const splats[] = {
		"WARNING:", "BUG:", "BUG at", "Oops", "Call trace:",
		"Call Trace:", "KASAN:", "KCSAN:", "possible recursive locking",
		"possible circular locking", "inconsistent lock state",
		"suspicious RCU usage", "Bad page state", "Bad page map",
		"bad pmd", "bad pud", "Bad rss-counter", "non-zero pgtables",
		"sleeping function called", "self-detected stall",
		"detected stalls", "blocked for more than",
	};

	for (size_t i = 0; i < ARRAY_SIZE(splats); i++)
		if (strstr(text, splats[i]))
			return true;
	return false;
}

static void check_log(void)
{
	char record[8192], *text;
	bool lost = false;
	int splats = 0;
	ssize_t n;

	for (;;) {
		n = read(kmsg, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE) {
			lost = true;
			continue;
		}
		if (n <= 0)
			break;
		record[n] = 0;
		text = strchr(record, ';');
		if (!text || !is_splat(text))
			continue;
		text[strcspn(text, "\n")] = 0;
		say("# %s\n", text + 1);
		splats++;
	}
	if (lost)
		say("# the kernel log overflowed: raise log_buf_len\n");
	conclude(splats || lost ? FAILED : PASSED, "kernel-log",
		 splats ? "warnings" : lost ? "incomplete" : "");
}

int main(void)
{
	struct utsname uts;
	FILE *jobs;

	setenv("PATH", "/tests:/bin", 1);
	setenv("HOME", "/tmp", 1);
	mount_all();
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0)
		give_up("cannot read the kernel log");
	swap_on_zram();
	open_port();
	jobs = fopen("/job", "re");
	if (!jobs)
		give_up("no /job");
	uname(&uts);
	say("KTAP version 1\n# Linux %s %s, %ld processors\n", uts.release,
	    uts.machine, sysconf(_SC_NPROCESSORS_ONLN));
	say("1..%d\n", count_suites() + count_jobs(jobs) + 1);
	copy_kunit();
	do_jobs(jobs);
	check_log();
	say("Result: %d passed, %d failed, %d skipped\n", totals[PASSED],
	    totals[FAILED], totals[SKIPPED]);
	fclose(port);
	reboot(RB_AUTOBOOT);
	give_up("reboot");
}
