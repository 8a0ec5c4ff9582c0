// What the crate `physics` offers.
#pragma once
#include "particle.h"

Particle spawn(uint index, uint generation);
vec3 wind(vec3 position, float time);
vec3 acceleration(Particle particle);
void collide(inout Particle particle);
void advance(inout Particle particle, float step);
