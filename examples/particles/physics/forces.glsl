#version 460
#include "physics.h"
#include "scene.h"

layout(constant_id = 0) const float GRAVITY = 9.81;

vec3 acceleration(Particle particle) {
    vec3 to_attractor = scene.attractor.xyz - particle.position;
    vec3 pull = scene.attractor.w * to_attractor / (1.0 + dot(to_attractor, to_attractor));
    return vec3(0.0, -GRAVITY, 0.0) + pull + scene.wind_speed * wind(particle.position, scene.time);
}
