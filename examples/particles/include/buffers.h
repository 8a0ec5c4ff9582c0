#pragma once
#include "particle.h"

layout(set = 0, binding = 1, std430) buffer Particles { Particle particles[]; };
layout(set = 0, binding = 2, std430) buffer Visible { uint visible_count; uint visible[]; };
