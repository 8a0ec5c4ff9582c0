// What an engine asks the library for: an image by name, and how to dispatch or bind it.
#include "sky_shaders.h"

#include <cstring>

#ifdef _WIN32
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

static_assert(sizeof(sky_shaders_View) == 80, "the engine pushes a matrix and a vector");

EXPORT const uint32_t *sky_shader(const char *name, size_t *size) {
    if (!std::strcmp(name, "sky.vert")) return *size = sky_shaders_sky_vert_size, sky_shaders_sky_vert;
    if (!std::strcmp(name, "sky.frag")) return *size = sky_shaders_sky_frag_size, sky_shaders_sky_frag;
    if (!std::strcmp(name, "stars")) return *size = sky_shaders_stars_comp_size, sky_shaders_stars_comp;
    return *size = 0, nullptr;
}

EXPORT unsigned sky_star_groups(unsigned stars) {
    return (stars + sky_shaders_stars_comp_workgroup_size_x - 1) / sky_shaders_stars_comp_workgroup_size_x;
}
