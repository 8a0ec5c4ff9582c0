#version 460
#include "constants.h"
#include "lighting.h"

// Schlick's approximation of Fresnel's equations.
vec3 fresnel(vec3 head_on, float cosine) {
    return head_on + (1.0 - head_on) * pow(1.0 - cosine, 5.0);
}

// The GGX distribution with Smith's shadowing, over a Lambertian base.
vec3 brdf(Surface surface, vec3 to_eye, vec3 to_light) {
    vec3 middle = normalize(to_eye + to_light);
    float l = max(dot(surface.normal, to_light), 1e-3);
    float e = max(dot(surface.normal, to_eye), 1e-3);
    float m = max(dot(surface.normal, middle), 0.0);
    float a2 = pow(surface.roughness, 4.0);
    float spread = m * m * (a2 - 1.0) + 1.0;
    float distribution = a2 / (PI * spread * spread);
    float shadowing = 0.5 / (l * sqrt(e * e * (1.0 - a2) + a2) + e * sqrt(l * l * (1.0 - a2) + a2));
    vec3 mirror = fresnel(mix(vec3(0.04), surface.colour, surface.metalness), max(dot(to_eye, middle), 0.0));
    vec3 base = (1.0 - mirror) * (1.0 - surface.metalness) * surface.colour / PI;
    return (base + mirror * distribution * shadowing) * l;
}
