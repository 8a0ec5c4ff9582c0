// What the crate `maths` offers.
#pragma once

uvec3 hash(uvec3 key);
vec3 random(uvec3 key);
vec3 noise(vec3 position);
float fractal_noise(vec3 position, int octaves);
mat3 rotation(vec3 axis, float angle);
vec2 rotate(vec2 v, float angle);
vec3 rotate(vec3 v, vec3 axis, float angle);
bool in_frustum(vec3 centre, float radius, mat4 view_projection);
