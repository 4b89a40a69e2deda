// SPDX-License-Identifier: GPL-2.0
/*
 * kvload memcached|redis PORT CONNECTIONS OPS KEYS BYTES [RATE]: sets and gets, half of
 * each, on a server at 127.0.0.1:PORT, where all keys have been set before; each connection
 * is a thread of its own and performs OPS. Without a RATE one request follows the other.
 * With one, of so many per second of all, each has a time at which it is due, and its
 * latency counts from that: one that has to wait for a slow one before it has waited, too.
 * Prints one JSON object like those of perf bench tlb; ops, by which counts are divided,
 * are all requests, those that have set the keys included.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <math.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "snapshot.h"

struct connection {
	pthread_t	thread;
	uint64_t	*nsec;
	unsigned int	seed;
	int		fd;
};

static const double percentiles[] = { 1, 10, 25, 50, 75, 90, 99, 99.9 };
static unsigned long nr, ops, keys, bytes, rate;
static bool redis;
static pthread_barrier_t barrier;

static void send_all(int fd, const char *buf, size_t size)
{
	while (size) {
		ssize_t n = write(fd, buf, size);

		if (n <= 0)
			err(1, "write");
		buf += n;
		size -= n;
	}
}

static bool complete_memcached(const char *buf, size_t len, bool get)
{
	const char *end = get ? "END\r\n" : "STORED\r\n";
	size_t want = strlen(end);

	if (len >= 5 && memcmp(buf, get ? "VALUE" : "STORED", 5) && memcmp(buf, end, 5))
		errx(1, "memcached answers %.20s", buf);
	return len >= want && !memcmp(buf + len - want, end, want) &&
	       (len == want || buf[len - want - 1] == '\n');
}

static bool complete_redis(const char *buf, size_t len, bool get)
{
	const char *line = memchr(buf, '\n', len);
	long n;

	if (!line)
		return false;
	if (buf[0] != (get ? '$' : '+'))
		errx(1, "redis answers %.*s", (int)(line - buf), buf);
	if (!get)
		return true;
	n = strtol(buf + 1, NULL, 10);
	return len >= (size_t)(line + 1 - buf) + (n < 0 ? 0 : n + 2);
}

/* One request, and its answer */
static void request(struct connection *c, bool get, unsigned long key, char *buf, size_t size,
		    const char *value)
{
	char name[32];
	size_t len;
	int n;

	n = sprintf(name, "key%lu", key);
	if (redis)
		len = get ? sprintf(buf, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", n, name) :
			    sprintf(buf, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%lu\r\n", n, name, bytes);
	else
		len = get ? sprintf(buf, "get %s\r\n", name) :
			    sprintf(buf, "set %s 0 0 %lu\r\n", name, bytes);
	if (!get) {
		memcpy(buf + len, value, bytes + 2);
		len += bytes + 2;
	}
	send_all(c->fd, buf, len);
	for (len = 0; !(redis ? complete_redis : complete_memcached)(buf, len, get);) {
		ssize_t got = read(c->fd, buf + len, size - len);

		if (len == size)
			errx(1, "an answer that is no answer: %.60s", buf);
		if (got <= 0)
			err(1, "the server closed the connection");
		len += got;
	}
}

static void *run(void *arg)
{
	struct connection *c = arg;
	size_t size = bytes + 256;
	char *buf = calloc(1, size), *value = malloc(bytes + 2);
	uint64_t due;

	if (!buf || !value)
		errx(1, "out of memory");
	memset(value, 'x', bytes);
	memcpy(value + bytes, "\r\n", 2);
	for (unsigned long key = c->seed - 1; key < keys; key += nr)
		request(c, false, key, buf, size, value);
	pthread_barrier_wait(&barrier);
	/* The connections take turns. */
	due = nsec_now() + (rate ? c->seed * 1000000000ULL / rate : 0);
	for (unsigned long i = 0; i < ops; i++) {
		unsigned long key = rand_r(&c->seed) % keys;

		if (rate)
			sleep_until(due);
		else
			due = nsec_now();
		request(c, i % 2, key, buf, size, value);
		c->nsec[i] = nsec_now() - due;
		if (rate)
			due += nr * 1000000000ULL / rate;
	}
	free(value);
	free(buf);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	unsigned long total, i;
	struct connection *c;
	uint64_t *nsec, began;
	int one = 1;

	redis = argc > 1 && !strcmp(argv[1], "redis");
	if (argc < 7 || argc > 8 || (!redis && strcmp(argv[1], "memcached")) || !(nr = atol(argv[3])) ||
	    !(ops = atol(argv[4])) || !(keys = atol(argv[5])) || !(bytes = atol(argv[6])) ||
	    (argc == 8 && !(rate = atol(argv[7]))))
		errx(1, "usage: kvload memcached|redis PORT CONNECTIONS OPS KEYS BYTES [RATE]");
	addr.sin_port = htons(atoi(argv[2]));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	total = nr * ops;
	c = calloc(nr, sizeof(*c));
	nsec = malloc(total * sizeof(*nsec));
	if (!c || !nsec || pthread_barrier_init(&barrier, NULL, nr + 1))
		errx(1, "out of memory");
	memset(nsec, 0, total * sizeof(*nsec));
	for (i = 0; i < nr; i++) {
		c[i].nsec = nsec + i * ops;
		c[i].seed = i + 1;
		c[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c[i].fd < 0 || connect(c[i].fd, (struct sockaddr *)&addr, sizeof(addr)))
			err(1, "cannot connect to %s", argv[1]);
		setsockopt(c[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (pthread_create(&c[i].thread, NULL, run, &c[i]))
			errx(1, "pthread_create");
	}
	pthread_barrier_wait(&barrier);
	began = nsec_now();
	for (i = 0; i < nr; i++)
		pthread_join(c[i].thread, NULL);
	began = nsec_now() - began;
	qsort(nsec, total, sizeof(*nsec), phase_cmp);
	printf("{\"benchmark\":\"app/%s\",\"run\":1,\"unit\":\"ns\",\"threads\":%lu,\"ops\":%lu,"
	       "\"elapsed_ns\":%llu,\"ops_per_sec\":%.1f", argv[1], nr, total + keys,
	       (unsigned long long)began, total * 1e9 / began);
	for (i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		printf(",\"op_p%g\":%llu", percentiles[i],
		       (unsigned long long)nsec[(unsigned long)ceil(total * percentiles[i] / 100) - 1]);
	/* Who is as fast as it can be tells by its rate, who has one by its latency. */
	printf(",\"op_max\":%llu,\"judged\":%llu,\"judged_by\":\"%s\"}\n",
	       (unsigned long long)nsec[total - 1], (unsigned long long)(rate ?
	       nsec[(unsigned long)ceil(total * 0.99) - 1] : began / total),
	       rate ? "p99" : "time per request");
	return 0;
}
