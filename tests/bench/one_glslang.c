/* One compiler process for one shader, by the newest glslang there is as a library: loads it, compiles, writes, ends.
   one_glslang LIBRARY SPIRV-MINOR IN OUT */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

struct request {
    size_t size; const char *path; const char *begin, *end;
    void (*diagnose)(const void *, size_t, void *); void *diagnose_data;
    void (*write)(const void *, size_t, void *); void *write_data;
    int stage, action, optimization, debug; const char *target; int major, minor, patch; const char *entry_point;
};

static void put(const void *data, size_t size, void *file) { fwrite(data, 1, size, file); }

int main(int count, char **words)
{
    (void)count;
    void *library = dlopen(words[1], RTLD_NOW);
    int (*compile)(struct request *) = library ? (int (*)(struct request *))dlsym(library, "glslang_compile_1_2") : 0;
    FILE *in = fopen(words[3], "rb"), *out = fopen(words[4], "wb");
    if (!compile || !in || !out) return 2;
    static char text[1 << 22];
    size_t size = fread(text, 1, sizeof text, in);
    struct request it = {.size = sizeof it, .path = words[3], .begin = text, .end = text + size, .diagnose = put,
        .diagnose_data = stderr, .write = put, .write_data = out, .stage = 6, .major = 1, .minor = atoi(words[2]),
        .entry_point = "main"};
    int failed = compile(&it);
    fclose(out);
    return failed != 0;
}
