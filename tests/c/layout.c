/* Structs as C lays them out, for tests/c_layout.rs: the place and size of every member, and the bytes of a value, once
 * with zeros and once with garbage in the padding. One line each:
 *
 *   struct NAME SIZE
 *   field NAME OFFSET SIZE
 *   bytes HEX
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct small {
	uint8_t a;
	uint16_t b;
	uint8_t c;
	uint32_t d;
	uint8_t e;
	uint64_t f;
	uint8_t g;
};

struct no_padding {
	uint64_t a;
	uint32_t b;
	uint16_t c;
	uint8_t d;
	bool e;
};

struct signed_numbers {
	int8_t a;
	int64_t b;
	int16_t c;
	int32_t d;
	int8_t e;
};

struct floats {
	float a;
	double b;
	uint8_t c;
	float d;
	bool e;
};

struct arrays {
	uint8_t a[3];
	uint16_t b[3];
	uint8_t c[5];
	uint64_t d[2];
	uint8_t e[2][3];
	uint32_t f;
};

struct wide {
	uint8_t a;
	__int128 b;
	uint8_t c;
	unsigned __int128 d;
	size_t e;
};

struct inner {
	uint8_t a;
	uint32_t b;
	uint8_t c;
};

struct middle {
	uint16_t a;
	struct inner b;
	uint8_t c;
	uint64_t d;
};

struct nested {
	uint8_t a;
	struct inner b;
	uint8_t c;
	struct middle d;
	struct inner e[3];
	uint8_t f;
};

struct aligned_inner {
	uint8_t a;
	uint16_t b;
} __attribute__((aligned(8)));

struct aligned {
	uint8_t a;
	struct aligned_inner b;
	struct aligned_inner c[2];
	uint8_t d;
} __attribute__((aligned(32)));

struct trailing {
	uint64_t a[31];
	uint8_t b;
};

struct link {
	uint32_t speed;
	uint16_t duplex;
	uint16_t autoneg;
	uint8_t status;
	uint64_t since;
	char name[33];
};

/* What DPDK's own processes send each other, release 22.11. */
struct vdev_param {
	int type;
	int num;
	char name[64];
};

struct ipc_queues {
	char port_name[64];
	int rxq_count;
	int txq_count;
};

struct eal_dev_mp_req {
	int t;
	char devargs[128];
	int result;
};

struct vfio_mp_param {
	int req;
	int result;
	int group;
};

static void show_bytes(const void *value, size_t size)
{
	const uint8_t *bytes = value;

	printf("bytes ");
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

#define STRUCT(name) printf("struct %s %zu\n", #name, sizeof(struct name))
#define FIELD(s, f) printf("field %s %zu %zu\n", #f, offsetof(struct s, f), sizeof(((struct s *)NULL)->f))
#define BYTES(s, ...)                                                                                                  \
	do {                                                                                                           \
		static const int fills[] = {0x00, 0xa5};                                                               \
		for (int i = 0; i < 2; i++) {                                                                          \
			struct s v;                                                                                    \
			memset(&v, fills[i], sizeof(v));                                                               \
			__VA_ARGS__;                                                                                   \
			show_bytes(&v, sizeof(v));                                                                     \
		}                                                                                                      \
	} while (0)
#define SET(array, ...) memcpy(array, (__typeof__(array))__VA_ARGS__, sizeof(array))
#define INNER(v, x, y, z) ((v).a = (x), (v).b = (y), (v).c = (z))

int main(void)
{
	STRUCT(small);
	FIELD(small, a), FIELD(small, b), FIELD(small, c), FIELD(small, d), FIELD(small, e), FIELD(small, f);
	FIELD(small, g);
	BYTES(small, v.a = 1; v.b = 2; v.c = 3; v.d = 4; v.e = 5; v.f = 0x0102030405060708; v.g = 7);

	STRUCT(no_padding);
	FIELD(no_padding, a), FIELD(no_padding, b), FIELD(no_padding, c), FIELD(no_padding, d), FIELD(no_padding, e);
	BYTES(no_padding, v.a = 1; v.b = 2; v.c = 3; v.d = 4; v.e = true);

	STRUCT(signed_numbers);
	FIELD(signed_numbers, a), FIELD(signed_numbers, b), FIELD(signed_numbers, c), FIELD(signed_numbers, d);
	FIELD(signed_numbers, e);
	BYTES(signed_numbers, v.a = -1; v.b = -2; v.c = -3; v.d = -4; v.e = 5);

	STRUCT(floats);
	FIELD(floats, a), FIELD(floats, b), FIELD(floats, c), FIELD(floats, d), FIELD(floats, e);
	BYTES(floats, v.a = 1.5; v.b = -2.25; v.c = 3; v.d = 1e30f; v.e = false);

	STRUCT(arrays);
	FIELD(arrays, a), FIELD(arrays, b), FIELD(arrays, c), FIELD(arrays, d), FIELD(arrays, e), FIELD(arrays, f);
	BYTES(arrays, SET(v.a, {1, 2, 3}); SET(v.b, {4, 5, 6}); SET(v.c, {7, 8, 9, 10, 11}); SET(v.d, {12, 13});
	      SET(v.e, {{14, 15, 16}, {17, 18, 19}}); v.f = 20);

	STRUCT(wide);
	FIELD(wide, a), FIELD(wide, b), FIELD(wide, c), FIELD(wide, d), FIELD(wide, e);
	BYTES(wide, v.a = 1; v.b = -2; v.c = 3; v.d = (unsigned __int128)4 << 100; v.e = 5);

	STRUCT(nested);
	FIELD(nested, a), FIELD(nested, b), FIELD(nested, c), FIELD(nested, d), FIELD(nested, e), FIELD(nested, f);
	BYTES(nested, v.a = 1; INNER(v.b, 2, 3, 4); v.c = 5; v.d.a = 6; INNER(v.d.b, 7, 8, 9); v.d.c = 10; v.d.d = 11;
	      INNER(v.e[0], 12, 13, 14); INNER(v.e[1], 15, 16, 17); INNER(v.e[2], 18, 19, 20); v.f = 21);

	STRUCT(aligned);
	FIELD(aligned, a), FIELD(aligned, b), FIELD(aligned, c), FIELD(aligned, d);
	BYTES(aligned, v.a = 1; v.b.a = 2; v.b.b = 3; v.c[0].a = 4; v.c[0].b = 5; v.c[1].a = 6; v.c[1].b = 7; v.d = 8);

	STRUCT(trailing);
	FIELD(trailing, a), FIELD(trailing, b);
	BYTES(trailing, memset(v.a, 0, sizeof(v.a)); v.a[30] = 1; v.b = 2);

	STRUCT(link);
	FIELD(link, speed), FIELD(link, duplex), FIELD(link, autoneg), FIELD(link, status), FIELD(link, since);
	FIELD(link, name);
	BYTES(link, v.speed = 100000; v.duplex = 1; v.autoneg = 0; v.status = 1; v.since = 1234567890123;
	      strncpy(v.name, "net_null0", sizeof(v.name)));

	STRUCT(vdev_param);
	FIELD(vdev_param, type), FIELD(vdev_param, num), FIELD(vdev_param, name);
	BYTES(vdev_param, v.type = 2; v.num = -1; strncpy(v.name, "net_null0", sizeof(v.name)));

	STRUCT(ipc_queues);
	FIELD(ipc_queues, port_name), FIELD(ipc_queues, rxq_count), FIELD(ipc_queues, txq_count);
	BYTES(ipc_queues, strncpy(v.port_name, "net_tap0", sizeof(v.port_name)); v.rxq_count = 4; v.txq_count = 3);

	STRUCT(eal_dev_mp_req);
	FIELD(eal_dev_mp_req, t), FIELD(eal_dev_mp_req, devargs), FIELD(eal_dev_mp_req, result);
	BYTES(eal_dev_mp_req, v.t = 1; strncpy(v.devargs, "net_null1,copy=1", sizeof(v.devargs)); v.result = -22);

	STRUCT(vfio_mp_param);
	FIELD(vfio_mp_param, req), FIELD(vfio_mp_param, result), FIELD(vfio_mp_param, group);
	BYTES(vfio_mp_param, v.req = 0x100; v.result = 0; v.group = 12);
	return 0;
}
