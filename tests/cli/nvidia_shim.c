/* libOpenCL.so.1 of a test: the real one's first device, which claims to be an NVIDIA GPU of capability 8.0.
 *
 * SHIM_REAL   path of the real libOpenCL.so.1
 * SHIM_LOCAL  bytes of local memory it says it has, instead of its own
 * SHIM_MMA    file that stands in for mma_ptx.cl, whose PTX only NVIDIA's compiler understands; without it that program
 *             is one that no compiler takes
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Passed on as they are. */
#define FORWARDED(F)                                                                                            \
    F(clGetPlatformIDs) F(clGetPlatformInfo) F(clGetDeviceIDs) F(clCreateContext) F(clReleaseContext)           \
    F(clCreateCommandQueue) F(clReleaseCommandQueue) F(clCreateBuffer) F(clReleaseMemObject) F(clGetProgramInfo) \
    F(clGetProgramBuildInfo) F(clReleaseProgram) F(clCreateKernel) F(clReleaseKernel) F(clSetKernelArg)         \
    F(clGetKernelWorkGroupInfo) F(clEnqueueNDRangeKernel) F(clEnqueueReadBuffer) F(clEnqueueWriteBuffer)        \
    F(clEnqueueCopyBuffer) F(clEnqueueFillBuffer) F(clEnqueueMarkerWithWaitList) F(clGetEventInfo)              \
    F(clGetEventProfilingInfo) F(clReleaseEvent) F(clFlush) F(clFinish)

#define POINTER(name) __attribute__((used)) static void *real_##name;
FORWARDED(POINTER)
/* A jump keeps the caller's arguments where they are. */
#define JUMP(name) __asm__(".text\n.globl " #name "\n.type " #name ", @function\n" #name ": jmp *real_" #name "(%rip)\n");
FORWARDED(JUMP)

static int (*device_info)(void *, uint32_t, size_t, void *, size_t *);
static int (*build)(void *, uint32_t, void *const *, const char *, void *, void *);
static void *(*create)(void *, uint32_t, const char **, const size_t *, int *);

__attribute__((constructor)) static void load(void)
{
    void *library = dlopen(getenv("SHIM_REAL"), RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) abort();
#define FIND(name) real_##name = dlsym(library, #name);
    FORWARDED(FIND)
    device_info = (int (*)(void *, uint32_t, size_t, void *, size_t *))dlsym(library, "clGetDeviceInfo");
    build = (int (*)(void *, uint32_t, void *const *, const char *, void *, void *))dlsym(library, "clBuildProgram");
    create = (void *(*)(void *, uint32_t, const char **, const size_t *, int *))dlsym(library, "clCreateProgramWithSource");
}

static int answer(const void *what, size_t bytes, size_t size, void *value, size_t *used)
{
    if (used != NULL) *used = bytes;
    if (value == NULL) return 0;
    if (size < bytes) return -30;
    memcpy(value, what, bytes);
    return 0;
}

int clGetDeviceInfo(void *device, uint32_t key, size_t size, void *value, size_t *used)
{
    static const char vendor[] = "NVIDIA Corporation";
    const uint64_t gpu = 4;
    const uint32_t eight = 8, none = 0;
    const char *local = getenv("SHIM_LOCAL");
    const uint64_t local_bytes = local == NULL ? 0 : strtoull(local, NULL, 10);
    switch (key) {
    case 0x1000: return answer(&gpu, sizeof gpu, size, value, used);
    case 0x102C: return answer(vendor, sizeof vendor, size, value, used);
    case 0x1035: return answer(&none, sizeof none, size, value, used);
    case 0x4000: return answer(&eight, sizeof eight, size, value, used);
    case 0x4001: return answer(&none, sizeof none, size, value, used);
    case 0x1023:
        if (local != NULL) return answer(&local_bytes, sizeof local_bytes, size, value, used);
    }
    return device_info(device, key, size, value, used);
}

int clBuildProgram(void *program, uint32_t count, void *const *devices, const char *options, void *notify, void *data)
{
    char plain[4096];
    snprintf(plain, sizeof plain, "%s", options);
    char *limit = strstr(plain, "-cl-nv-maxrregcount=");
    if (limit != NULL) memset(limit, ' ', strcspn(limit, " "));
    return build(program, count, devices, plain, notify, data);
}

/* The whole file with a NUL behind it. */
static char *contents(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 20);
    if (file == NULL || text == NULL || fread(text, 1, (1 << 20) - 1, file) == 0) abort();
    fclose(file);
    return text;
}

void *clCreateProgramWithSource(void *context, uint32_t count, const char **strings, const size_t *lengths, int *code)
{
    const char *path = getenv("SHIM_MMA");
    char *source = strndup(strings[0], lengths[0]);
    char *ptx = strstr(source, "// One product on NVIDIA's tensor cores");
    if (count != 1 || ptx == NULL) return create(context, count, strings, lengths, code);
    const char *after = strstr(ptx, "// How a work-group of tiles.cl multiplies on tensor cores");
    if (after == NULL) abort();
    char *changed = NULL;
    const char *other = path == NULL ? "#error no PTX" : contents(path);
    const int length = asprintf(&changed, "%.*s%s\n%s", (int)(ptx - source), source, other, after);
    const char *string = changed;
    const size_t bytes = length;
    return create(context, 1, &string, &bytes, code);
}
