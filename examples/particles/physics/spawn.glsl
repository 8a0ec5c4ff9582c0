#version 460
#include "constants.h"
#include "maths.h"
#include "physics.h"

// A particle that leaves the nozzle below the ball; every index and generation has a course of its own.
Particle spawn(uint index, uint generation) {
    vec3 dice = random(uvec3(index, generation, 7u));
    vec2 aside = rotate(vec2(0.4 * sqrt(dice.x), 0.0), 2.0 * PI * dice.y);
    Particle particle;
    particle.position = vec3(aside.x, 0.05, aside.y);
    particle.velocity = vec3(2.0 * aside.x, 5.0 + 2.0 * dice.z, 2.0 * aside.y);
    particle.age = 0.0;
    particle.lifetime = 2.0 + 3.0 * dice.x;
    return particle;
}
