// What the crate `lighting` offers.
#pragma once

struct Surface {
    vec3 colour;
    vec3 normal;
    float roughness;
    float metalness;
};

vec3 brdf(Surface surface, vec3 to_eye, vec3 to_light);
vec3 sky_colour(vec3 direction, vec3 to_sun);
vec3 tone_map(vec3 radiance);
