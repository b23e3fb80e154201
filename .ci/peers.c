/*
 * The least that a program pays which names a capture's flows by libndpi 4.2 and keeps nothing but a
 * count: read, find the flow, ask the library until it knows or has seen enough. .ci/peers compiles and runs it:
 *
 *   cc -O2 -o peers .ci/peers.c $(pkg-config --cflags --libs libndpi) && ./peers capture.pcap
 *
 * It reads pcap files of Ethernet in this machine's byte order, with VLAN tags, IPv4 and IPv6.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ndpi_api.h>

/* After so many packets ndpiReader 4.2 asks no more either (its max_num_tcp_dissected_pkts and ..._udp_...). */
enum { TCP_PACKETS = 80, UDP_PACKETS = 24, BUCKETS = 1 << 17, BUFFER = 1 << 18 };

struct key { uint8_t a[16], b[16]; uint16_t a_port, b_port; uint8_t proto, version, zero[2]; };

struct conn {
	struct key key;
	struct conn *next;
	struct ndpi_flow_struct *state; /* NULL when it is decided */
	unsigned packets;
};

static struct conn *table[BUCKETS];
static struct ndpi_detection_module_struct *ndpi;
static unsigned long packets, flows, named;

static struct conn *find(const struct key *k) {
	uint64_t words[5], h = 0;
	memcpy(words, k, sizeof words);
	for (int i = 0; i < 5; i++) h = (h ^ words[i]) * 0x9e3779b97f4a7c15u, h ^= h >> 32;
	struct conn **bucket = &table[h % BUCKETS], *c;
	for (c = *bucket; c; c = c->next)
		if (!memcmp(&c->key, k, sizeof *k)) return c;
	c = calloc(1, sizeof *c);
	c->key = *k;
	c->state = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
	memset(c->state, 0, SIZEOF_FLOW_STRUCT);
	c->next = *bucket;
	flows++;
	return *bucket = c;
}

static void decided(struct conn *c, ndpi_protocol p) {
	if (p.app_protocol != NDPI_PROTOCOL_UNKNOWN || p.master_protocol != NDPI_PROTOCOL_UNKNOWN) named++;
	ndpi_flow_free(c->state);
	c->state = NULL;
}

static void give_up(struct conn *c) {
	uint8_t guessed;
	decided(c, ndpi_detection_giveup(ndpi, c->state, 1, &guessed));
}

/* packet takes in an IP packet of so many captured bytes. */
static void packet(const uint8_t *ip, unsigned length, uint64_t ms) {
	struct key k = {0};
	unsigned header, address = 16, from = 8;
	if (length < 20) return;
	k.version = ip[0] >> 4;
	if (k.version == 4) k.proto = ip[9], header = (ip[0] & 15) * 4, address = 4, from = 12;
	else if (k.version == 6 && length >= 40) k.proto = ip[6], header = 40;
	else return;
	memcpy(k.a, ip + from, address), memcpy(k.b, ip + from + address, address);
	if ((k.proto == 6 || k.proto == 17) && length >= header + 4)
		memcpy(&k.a_port, ip + header, 2), memcpy(&k.b_port, ip + header + 2, 2);
	int order = memcmp(k.a, k.b, 16);
	if (order > 0 || (order == 0 && k.a_port > k.b_port)) {
		struct key r = k;
		memcpy(k.a, r.b, 16), memcpy(k.b, r.a, 16), k.a_port = r.b_port, k.b_port = r.a_port;
	}
	struct conn *c = find(&k);
	c->packets++;
	if (!c->state) return;
	ndpi_protocol p = ndpi_detection_process_packet(ndpi, c->state, ip, length, ms);
	if (ndpi_is_protocol_detected(ndpi, p) && !ndpi_extra_dissection_possible(ndpi, c->state)) decided(c, p);
	else if (c->packets > (k.proto == 6 ? TCP_PACKETS : UDP_PACKETS)) give_up(c);
}

static void frame(const uint8_t *b, unsigned n, uint64_t ms) {
	unsigned at = 12;
	while (n >= at + 6 && b[at] == 0x81 && b[at + 1] == 0) at += 4;
	if (n < at + 2) return;
	unsigned type = b[at] << 8 | b[at + 1];
	if (type == 0x0800 || type == 0x86dd) packet(b + at + 2, n - at - 2, ms);
}

int main(int argc, char **argv) {
	static uint8_t buffer[BUFFER];
	uint32_t head[4];
	FILE *in = argc == 2 ? fopen(argv[1], "rb") : NULL;
	if (!in || fread(buffer, 1, 24, in) != 24 || memcmp(buffer, "\xd4\xc3\xb2\xa1", 4)) return fprintf(stderr, "usage: %s CAPTURE.pcap\n", argv[0]), 2;
	setvbuf(in, NULL, _IOFBF, 1 << 17);
	NDPI_PROTOCOL_BITMASK all;
	NDPI_BITMASK_SET_ALL(all);
	ndpi = ndpi_init_detection_module(ndpi_no_prefs);
	ndpi_set_protocol_detection_bitmask2(ndpi, &all);
	ndpi_finalize_initialization(ndpi);
	while (fread_unlocked(head, 1, 16, in) == 16 && head[2] <= BUFFER && fread_unlocked(buffer, 1, head[2], in) == head[2])
		packets++, frame(buffer, head[2], head[0] * 1000ull + head[1] / 1000);
	for (int i = 0; i < BUCKETS; i++)
		for (struct conn *c = table[i]; c; c = c->next)
			if (c->state) give_up(c);
	printf("%lu packets, %lu flows, %lu of them named\n", packets, flows, named);
	return 0;
}
