"""The compute shaders of the particles example in numpy, in single precision.

An independent reference: written from what the shaders are meant to compute.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PARTICLE", "SCENE", "advance", "respawn", "spawn", "visible"]

Array = NDArray[Any]
f32 = np.float32

PARTICLE = np.dtype([("position", "f4", 3), ("age", "f4"), ("velocity", "f4", 3), ("lifetime", "f4")])
SCENE = np.dtype(
    [
        ("view_projection", "f4", (4, 4)),
        ("camera", "f4", (4, 4)),
        ("sun", "f4", 4),
        ("attractor", "f4", 4),
        ("time", "f4"),
        ("step", "f4"),
        ("wind_speed", "f4"),
        ("count", "u4"),
    ]
)
BALL = np.array([0.0, 1.5, 0.0], f32)


def random(key: Array) -> Array:
    """Return three numbers in [0, 1) for each key of three."""
    with np.errstate(over="ignore"):
        x, y, z = (key * np.uint32(1664525) + np.uint32(1013904223)).T
        for last in (False, True):
            x = x + y * z
            y = y + z * x
            z = z + x * y
            if not last:
                x, y, z = (v ^ (v >> np.uint32(16)) for v in (x, y, z))
    result: Array = (np.stack([x, y, z], axis=1) >> np.uint32(8)).astype(f32) / f32(16777216.0)
    return result


def noise(position: Array) -> Array:
    """Return three smooth fields at each position."""
    floor = np.floor(position)
    cell = floor.astype(np.int32)
    t = position - floor
    t = t * t * t * (t * (t * f32(6) - f32(15)) + f32(10))
    total = np.zeros_like(position)
    for corner in range(8):
        step = np.array([corner & 1, corner >> 1 & 1, corner >> 2 & 1], np.int32)
        weight = np.prod(np.where(step == 1, t, f32(1) - t), axis=1, dtype=f32)[:, None]
        total += weight * (f32(2) * random((cell + step).view(np.uint32)) - f32(1))
    return total


def wind(position: Array, time: Array) -> Array:
    """Return the curl of the field."""
    h = f32(0.125)
    at = f32(0.5) * position + np.array([0, 0, f32(0.25) * time], f32)
    dx, dy, dz = (noise(at + step) - noise(at - step) for step in np.eye(3, dtype=f32) * h)
    curl = [dy[:, 2] - dz[:, 1], dz[:, 0] - dx[:, 2], dx[:, 1] - dy[:, 0]]
    result: Array = np.stack(curl, axis=1) / (f32(2) * h)
    return result


def advance(particles: Array, scene: Array, gravity: float = 9.81) -> Array:
    """Return the particles one step later, without respawning."""
    result: Array = particles.copy()
    position, velocity, step = particles["position"], particles["velocity"], f32(scene["step"])
    to_attractor = scene["attractor"][:3] - position
    pull = scene["attractor"][3] * to_attractor / (f32(1) + _dot(to_attractor, to_attractor))
    force = np.array([0, -gravity, 0], f32) + pull + scene["wind_speed"] * wind(position, scene["time"])
    velocity = (velocity + step * force) / (f32(1) + f32(0.2) * step)
    position = position + step * velocity
    from_ball = position - BALL
    distance = np.maximum(np.sqrt(_dot(from_ball, from_ball)), f32(1e-4))
    position, velocity = _push_out(position, velocity, f32(1) - distance, from_ball / distance)
    up = np.broadcast_to(np.array([0, 1, 0], f32), position.shape)
    position, velocity = _push_out(position, velocity, -position[:, 1:2], up)
    result["position"], result["velocity"] = position, velocity
    result["age"] += step
    return result


def respawn(particles: Array, scene: Array) -> Array:
    """Return the particles with the expired ones respawned."""
    generation = int(np.asarray(scene["time"], f32).view(np.uint32))
    old: Array = particles["age"] > particles["lifetime"]
    result: Array = np.where(old, spawn(len(particles), generation), particles)
    return result


def spawn(count: int, generation: int = 0) -> Array:
    """Return fresh particles."""
    index = np.arange(count, dtype=np.uint32)
    rest = np.broadcast_to(np.array([generation, 7], np.uint32), (count, 2))
    dice = random(np.column_stack([index, rest]).astype(np.uint32))
    angle = f32(2) * f32(np.pi) * dice[:, 1]
    radius = f32(0.4) * np.sqrt(dice[:, 0])
    x, z = radius * np.cos(angle), radius * np.sin(angle)
    result = np.zeros(count, PARTICLE)
    result["position"] = np.stack([x, np.full(count, 0.05, f32), z], axis=1)
    result["velocity"] = np.stack([f32(2) * x, f32(5) + f32(2) * dice[:, 2], f32(2) * z], axis=1)
    result["lifetime"] = f32(2) + f32(3) * dice[:, 0]
    return result


def visible(particles: Array, scene: Array) -> set[int]:
    """Return the indices of the particles inside the frustum."""
    rows = scene["view_projection"].T
    planes = np.array([rows[3] + rows[0], rows[3] - rows[0], rows[3] + rows[1], rows[3] - rows[1], rows[2]])
    centres = np.column_stack([particles["position"], np.ones(len(particles), f32)])
    lengths = np.sqrt(np.sum(planes[:, :3] ** 2, axis=1))
    inside = np.all(centres @ planes.T >= f32(-0.05) * lengths, axis=1)
    return {int(index) for index in np.flatnonzero(inside)}


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.sum(a * b, axis=1, keepdims=True, dtype=f32))


def _push_out(position: Array, velocity: Array, depth: Array, normal: Array) -> tuple[Array, Array]:
    inward = np.minimum(_dot(velocity, normal), f32(0))
    inside = depth > 0
    return (
        np.where(inside, position + depth * normal, position),
        np.where(inside, velocity - f32(1.45) * inward * normal, velocity),
    )
