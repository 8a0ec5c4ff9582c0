#version 460
#include "maths.h"

// Whether a sphere shows; the planes are sums and differences of the matrix's rows.
bool in_frustum(vec3 centre, float radius, mat4 view_projection) {
    mat4 rows = transpose(view_projection);
    vec4 planes[5] = vec4[](
        rows[3] + rows[0], rows[3] - rows[0], rows[3] + rows[1], rows[3] - rows[1], rows[2]);
    for (int i = 0; i < 5; ++i) {
        if (dot(planes[i], vec4(centre, 1.0)) < -radius * length(planes[i].xyz)) return false;
    }
    return true;
}
