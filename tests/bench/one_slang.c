/* One compiler process for one shader, as slangc is one: starts Slang, takes slangc's own words, compiles, writes, ends.
   one_slang LIBRARY OUT WORD... */
#include <dlfcn.h>
#include <stdio.h>

typedef void *(*make)(void *);
typedef int (*words)(void *, const char *const *, int);
typedef int (*act)(void *);
typedef const char *(*said)(void *);
typedef const void *(*code)(void *, size_t *);

int main(int count, char **given)
{
    void *library = dlopen(given[1], RTLD_NOW);
    if (!library) return 2;
    void *session = ((make)dlsym(library, "spCreateSession"))(0);
    void *request = ((make)dlsym(library, "spCreateCompileRequest"))(session);
    int failed = ((words)dlsym(library, "spProcessCommandLineArguments"))(request, (const char *const *)given + 3, count - 3);
    if (failed >= 0) failed = ((act)dlsym(library, "spCompile"))(request);
    fputs(((said)dlsym(library, "spGetDiagnosticOutput"))(request), stderr);
    size_t size = 0;
    const void *data = failed < 0 ? 0 : ((code)dlsym(library, "spGetCompileRequestCode"))(request, &size);
    FILE *out = data ? fopen(given[2], "wb") : 0;
    return !out || fwrite(data, 1, size, out) != size || fclose(out);
}
