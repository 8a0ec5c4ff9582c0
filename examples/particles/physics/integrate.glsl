#version 460
#include "physics.h"

const float DRAG = 0.2;

// Velocity first, then position with the new one, which keeps orbits closed; drag cannot overshoot.
void advance(inout Particle particle, float step) {
    particle.velocity = (particle.velocity + step * acceleration(particle)) / (1.0 + DRAG * step);
    particle.position += step * particle.velocity;
    particle.age += step;
    collide(particle);
}
