/* A QEMU plugin (plugin API version 1, QEMU 4.2 and later) that counts executed guest instructions by symbol and writes
 * "COUNT SYMBOL" lines, the total first, to the file of its argument out=FILE. The few declarations it needs are written
 * out here: Debian's QEMU packages come without the header. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb*));
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn*, enum qemu_plugin_op, void*, uint64_t);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void*), void*);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
extern struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb*, size_t);
extern const char* qemu_plugin_insn_symbol(const struct qemu_plugin_insn*);

EXPORT int qemu_plugin_version = 1;

struct counter {
    struct counter* next;
    uint64_t count;
    char name[];
};

enum { BUCKETS = 4096 };
static struct counter* buckets[BUCKETS];
static const char* out_path;

/* QEMU holds counters by address: they are never moved or freed. */
static uint64_t* counter_of(const char* name) {
    unsigned hash = 5381;
    for (const char* c = name; *c != 0; ++c) {
        hash = hash * 33 + (unsigned char)*c;
    }
    struct counter** bucket = &buckets[hash % BUCKETS];
    for (struct counter* c = *bucket; c != NULL; c = c->next) {
        if (strcmp(c->name, name) == 0) {
            return &c->count;
        }
    }
    struct counter* fresh = malloc(sizeof *fresh + strlen(name) + 1);
    if (fresh == NULL) {
        abort();
    }
    fresh->next = *bucket;
    fresh->count = 0;
    strcpy(fresh->name, name);
    *bucket = fresh;
    return &fresh->count;
}

static void count_block(qemu_plugin_id_t id, struct qemu_plugin_tb* block) {
    (void)id;
    const size_t n = qemu_plugin_tb_n_insns(block);
    for (size_t i = 0; i < n; ++i) {
        struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(block, i);
        const char* symbol = qemu_plugin_insn_symbol(insn);
        uint64_t* counter = counter_of(symbol != NULL && *symbol != 0 ? symbol : "?");
        qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, counter, 1);
    }
}

static void write_counts(qemu_plugin_id_t id, void* unused) {
    (void)id;
    (void)unused;
    FILE* file = fopen(out_path, "w");
    if (file == NULL) {
        perror(out_path);
        return;
    }
    uint64_t total = 0;
    for (int i = 0; i < BUCKETS; ++i) {
        for (const struct counter* c = buckets[i]; c != NULL; c = c->next) {
            total += c->count;
        }
    }
    fprintf(file, "%" PRIu64 " total\n", total);
    for (int i = 0; i < BUCKETS; ++i) {
        for (const struct counter* c = buckets[i]; c != NULL; c = c->next) {
            fprintf(file, "%" PRIu64 " %s\n", c->count, c->name);
        }
    }
    fclose(file);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* info, int argc, char** argv) {
    (void)info;
    for (int i = 0; i < argc; ++i) {
        if (strncmp(argv[i], "out=", 4) == 0) {
            out_path = strdup(argv[i] + 4);
        }
    }
    if (out_path == NULL) {
        fprintf(stderr, "error: the plugin needs out=FILE\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
    qemu_plugin_register_atexit_cb(id, write_counts, NULL);
    return 0;
}
